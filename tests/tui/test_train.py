"""The Train screen on real run directories: alive, ended, lost; requests; coming back."""

import json
import math
from collections.abc import Callable

from conftest import shows
from live_runs import ended_run, live_run, log_steps, log_tried_out
from textual.widgets import OptionList, Static

from tuner_tui.runs import control
from tuner_tui.runs.layout import ADAPTER, CONFIG, LOG, STATUS, RunState
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.screens.confirm import ConfirmScreen
from tuner_tui.tui.screens.home import HomeScreen
from tuner_tui.tui.screens.metrics import MetricsScreen
from tuner_tui.tui.screens.train import TrainScreen
from tuner_tui.tui.widgets.curve_chart import CurveChart
from tuner_tui.tui.widgets.log_tail import LogTail
from tuner_tui.tui.widgets.metric_bar import MetricBar
from tuner_tui.tui.widgets.run_state import RunHead
from tuner_tui.tui.widgets.small_chart import SmallChart

Until = Callable[..., object]


def ready(app: TunerApp) -> bool:
    """Whether the Train screen is shown, with its body."""
    return isinstance(app.screen, TrainScreen) and app.screen.body_ready


def head(app: TunerApp) -> str:
    return app.screen.query_one(RunHead).render().plain if ready(app) else ""


def notice(app: TunerApp) -> str:
    return str(app.screen.query_one("#notice", Static).content) if ready(app) else ""


def drawn(app: TunerApp) -> bool:
    """Whether the chart of the shown screen has a curve."""
    return "train" in chart(app)


def chart(app: TunerApp) -> str:
    return app.screen.query_one(CurveChart).text() if ready(app) else ""


def shown_keys(app: TunerApp) -> set[str]:
    return {active.binding.description for active in app.screen.active_bindings.values()}


async def test_a_live_run_is_watched_while_it_goes_on(until: Until) -> None:
    with live_run(total=40, steps=12) as (run_dir, writer):
        app = TunerApp(watch=run_dir)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: drawn(app) and "step 12 of 40" in head(app))
            await until(pilot, lambda: "● running" in head(app) and "◆ eval" in chart(app))
            memory = app.screen.query_one("#memory_allocated", SmallChart)
            await until(pilot, lambda: memory.last_text == "3.0 GiB")
            assert {"Stop", "Checkpoint"} <= shown_keys(app)
            assert not {"Start", "Resume"} & shown_keys(app)
            log_steps(writer, 13, 20)
            for words in ("step 20 of 40", "20,000 tokens", "left"):
                await until(pilot, lambda words=words: words in head(app))
            (run_dir / ADAPTER).mkdir()
            writer.end(RunState.FINISHED)
            await until(pilot, lambda: "✓ finished" in head(app) and "Enter measures" in notice(app))
            assert "Next step" in shown_keys(app)


async def test_the_polling_rests_behind_another_screen_and_catches_up(until: Until) -> None:
    with live_run(steps=5) as (run_dir, writer):
        app = TunerApp(watch=run_dir)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: drawn(app))
            train = app.screen
            await pilot.press("h")
            await until(pilot, lambda: isinstance(app.screen, HomeScreen))
            log_steps(writer, 6, 30)
            await pilot.press("4")
            await until(pilot, lambda: app.screen is train and "step 30 of 40" in head(app))


async def test_stop_asks_first_and_leaves_the_rest_to_the_trainer(until: Until) -> None:
    with live_run() as (run_dir, writer):
        app = TunerApp(watch=run_dir)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: drawn(app))
            screen = app.screen
            await pilot.press("s")
            await until(pilot, lambda: shows(app, ConfirmScreen))
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is screen)
            assert not control.stop_requested(run_dir)
            await pilot.press("s")
            await until(pilot, lambda: shows(app, ConfirmScreen))
            await pilot.press("y")
            await until(pilot, lambda: app.screen is screen and control.stop_requested(run_dir))
            await pilot.press("c")
            await until(pilot, lambda: control.save_requested(run_dir))
            writer.end(RunState.STOPPED, "asked to stop at step 12.")
            await until(pilot, lambda: "■ stopped" in head(app) and "u resumes" in notice(app))
            assert "Resume" in shown_keys(app)


async def test_a_failed_run_says_why_in_plain_text(until: Until) -> None:
    run_dir = ended_run("bad", RunState.FAILED, "out of memory [red]here[/red] \x1b[2J")
    app = TunerApp(watch=run_dir)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "✗ failed" in head(app))
        await until(pilot, lambda: "out of memory [red]here[/red] ␛[2J" in notice(app))
        await until(pilot, lambda: "Resume" in shown_keys(app))


async def test_a_run_without_a_process_is_lost_and_never_running(until: Until) -> None:
    with live_run() as (run_dir, _):
        status = json.loads((run_dir / STATUS).read_bytes())
    # The last word of a process that is gone: its id has gone to another process, which began later.
    (run_dir / STATUS).write_text(json.dumps({**status, "pid_start": status["pid_start"] - 1000}))
    app = TunerApp(watch=run_dir)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "? lost" in head(app) and "Lost:" in notice(app))
        assert "u resumes" in notice(app)


async def test_a_loss_that_is_not_finite_is_announced(until: Until) -> None:
    with live_run(steps=3) as (run_dir, writer):
        log_steps(writer, 4, 6, broken=5)
        app = TunerApp(watch=run_dir)
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            told = "not a finite number at step 5"
            # A notification goes away by itself, so it is waited for first.
            await until(pilot, lambda: any(told in note.message for note in app._notifications))
            await until(pilot, lambda: drawn(app) and "not finite" in chart(app))


async def test_a_resumed_run_draws_its_curve_anew(until: Until) -> None:
    with live_run(steps=12) as (run_dir, writer):
        app = TunerApp(watch=run_dir)
        async with app.run_test(size=(100, 30)) as pilot:
            await until(pilot, lambda: drawn(app) and "step 12" in head(app))
            writer.resumed(8)
            log_steps(writer, 9, 10)
            await until(pilot, lambda: "step 10 of 40" in head(app) and "10,000 tokens" in head(app))


async def test_a_hostile_log_is_shown_as_it_is(until: Until) -> None:
    log = "\x1b]0;title\x07 [link=file:///etc]x[/link]\nlast line\n"
    app = TunerApp(watch=ended_run("log", RunState.FINISHED, log=log))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: drawn(app) and len(app.screen.query_one("#log", LogTail).lines) == 2)
        await pilot.press("l")
        lines = app.screen.query_one("#log", LogTail).lines
        assert lines[0] == "␛]0;title␇ [link=file:///etc]x[/link]"
        assert lines[1] == "last line"
        await until(pilot, lambda: app.screen.query_one("#log", LogTail).region.height > 0)


async def test_a_folder_that_is_no_run_is_told(tmp_path, until: Until) -> None:
    app = TunerApp(watch=tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "not a readable run" in notice(app))


async def test_without_a_configuration_enter_leads_to_one(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.painted)
        app.go("train")
        await until(pilot, lambda: "Nothing is configured yet" in notice(app))
        assert "Start" not in shown_keys(app)
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "configure")


async def test_log_scale_and_smoothing_are_keys(until: Until) -> None:
    app = TunerApp(watch=ended_run("keys", RunState.FINISHED))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: drawn(app))
        await pilot.press("g")
        await until(pilot, lambda: "log · smoothed 0.6" in chart(app))
        await pilot.press("m")
        await until(pilot, lambda: "log · smoothed 0.9" in chart(app))
        await pilot.press("m", "m")
        await until(pilot, lambda: "log · not smoothed" in chart(app))


async def test_the_log_file_may_come_late(until: Until) -> None:
    with live_run() as (run_dir, _):
        app = TunerApp(watch=run_dir)
        async with app.run_test(size=(200, 60)) as pilot:
            await until(pilot, lambda: drawn(app))
            (run_dir / LOG).write_text("hello\n")
            await until(pilot, lambda: list(app.screen.query_one("#log", LogTail).lines) == ["hello"])
            await until(pilot, lambda: app.screen.query_one("#log", LogTail).region.height > 0)


async def test_a_resume_that_is_refused_says_why_and_keeps_saying_it(until: Until) -> None:
    run_dir = ended_run("again", RunState.STOPPED, "stopped on request.")
    (run_dir / CONFIG).write_text("data:\n  train: [/nowhere/[b]rows[/b].jsonl]\n")
    app = TunerApp(watch=run_dir)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: "■ stopped" in head(app))
        await until(pilot, lambda: "Stopped on request. u resumes" in notice(app))
        await pilot.press("u")
        await until(pilot, lambda: "rows" in notice(app) and "[b]" in notice(app))
        await until(pilot, lambda: "Resume" in shown_keys(app))


async def test_a_method_brings_its_own_charts_and_any_metric_can_be_charted(until: Until) -> None:
    with live_run(total=40, steps=20, method="ppo") as (run_dir, writer):
        app = TunerApp(watch=run_dir)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: drawn(app) and "reward" in chart(app))
            # The main metric of PPO, with its twin on held-out prompts.
            await until(pilot, lambda: "eval 1.75" in chart(app))
            bar, names = app.screen.query_one(MetricBar), "reward   KL   entropy   clip fraction   value loss"
            await until(pilot, lambda: bar.render().plain.startswith(names))
            await until(pilot, lambda: bool(app.screen.query("#clip_fraction")))
            clipped = app.screen.query_one("#clip_fraction", SmallChart)
            await until(pilot, lambda: clipped.last_text == "12.5%")
            assert not app.screen.query("#mean_token_accuracy")
            await pilot.press("right_square_bracket")
            await until(pilot, lambda: "KL" in chart(app) and "now 0.2" in chart(app))
            log_tried_out(writer, 21, 30)
            await until(pilot, lambda: "now 0.3" in chart(app))
            await pilot.press("left_square_bracket", "left_square_bracket")
            await until(pilot, lambda: "odd/metric[red]" in chart(app))


async def test_the_values_of_all_metrics_are_listed_with_what_they_mean(until: Until) -> None:
    with live_run(steps=20, method="ppo") as (run_dir, writer):
        writer.metrics(21, {"reward": 2.1, "kl": math.nan})
        app = TunerApp(watch=run_dir)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: drawn(app))
            await pilot.press("v")
            await until(pilot, lambda: shows(app, MetricsScreen))
            choices = app.screen.query_one(OptionList)
            lines = [str(choices.get_option_at_index(index).prompt) for index in range(choices.option_count)]
            assert lines[0].startswith("reward") and "2.1" in lines[0] and "1.75" in lines[0]
            assert "it should rise" in lines[0]
            assert "KL" in lines[1] and "✗ not finite" in lines[1]
            await pilot.press("down", "enter")
            await until(pilot, lambda: "KL" in chart(app))


async def test_a_reward_model_is_not_evaluated_but_reported(until: Until) -> None:
    with live_run(steps=3, method="reward") as (run_dir, writer):
        (run_dir / ADAPTER).mkdir()
        writer.end(RunState.FINISHED)
    app = TunerApp(watch=run_dir)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "reward model is saved" in notice(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "report")
