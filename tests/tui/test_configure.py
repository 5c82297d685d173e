"""The Configure screen: a form that tells what is wrong as one types, presets, the estimate, the YAML."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from conftest import shows
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static, TabbedContent

from tuner_tui import paths
from tuner_tui.runs.store import create_run
from tuner_tui.training.config import load_config, to_yaml
from tuner_tui.training.presets import load_preset
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.screens.configure import ConfigureScreen
from tuner_tui.tui.screens.confirm import ConfirmScreen
from tuner_tui.tui.widgets.dialogs import ChooseDialog, FilesDialog, SaveDialog
from tuner_tui.tui.widgets.file_picker import FilePicker
from tuner_tui.tui.widgets.form_row import FieldRow
from tuner_tui.tui.widgets.prose import Prose

Until = Callable[..., Awaitable[None]]


async def _open(app: TunerApp, pilot: Pilot[None], until: Until) -> ConfigureScreen:
    app.go("configure")
    await until(pilot, lambda: app.screen.focused is not None and app.journey.config is not None)
    assert isinstance(app.screen, ConfigureScreen)
    return app.screen


def _state(screen: ConfigureScreen) -> str:
    return str(screen.query_one("#configure-state", Static).content)


async def test_it_begins_with_the_demo_and_shows_the_estimate(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await _open(app, pilot, until)
        assert app.journey.config == load_preset("demo")
        assert "preset demo" in _state(screen) and "✓ complete" in _state(screen)
        await until(pilot, lambda: "≈" in _state(screen))
        await until(pilot, lambda: "at the peak" in screen.query_one("#side-estimate", Prose).render().plain)


async def test_a_value_is_checked_as_it_is_typed(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        row = screen.form.row("optimization.learning_rate")
        of_the_preset = row.raw
        screen.set_focus(row)
        await pilot.press("enter", "f")
        await until(pilot, lambda: row.error.startswith("must be a number"))
        assert app.journey.config is None
        await until(pilot, lambda: "1 value is wrong" in _state(screen))
        # A key with a binding takes a longer way than a letter: each is waited for.
        await pilot.press("backspace")
        await until(pilot, lambda: row.raw == "")
        await pilot.press(*"2e-4")
        await until(pilot, lambda: row.raw == "2e-4")
        await pilot.press("enter")
        await until(pilot, lambda: not row.error and not row.query(Input))
        assert row.is_changed and screen.focused is row
        assert app.journey.config is not None
        assert app.journey.config.optimization.learning_rate == 2e-4
        assert "● 1 changed" in _state(screen)
        await pilot.press("backspace")  # puts back what the preset had
        await until(pilot, lambda: row.raw == of_the_preset and not row.is_changed)


async def test_the_first_field_is_shown_with_its_heading(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        await until(pilot, lambda: screen.focused is screen.form.row("name") and screen.form.scroll_y == 0)
        screen.set_focus(screen.form.row("evaluation.heldout"))
        await until(pilot, lambda: screen.form.scroll_y > 0)
        screen.set_focus(screen.form.row("name"))
        await until(pilot, lambda: screen.form.scroll_y == 0)


async def test_escape_leaves_a_value_as_it_was(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        row = screen.form.row("lora.r")
        screen.set_focus(row)
        await pilot.press("enter", *"64")
        await until(pilot, lambda: row.raw == "64" and isinstance(screen.focused, Input))
        await pilot.press("escape")
        await until(pilot, lambda: row.raw == "16" and not row.query(Input))
        assert app.current_mode == "configure"


async def test_letters_typed_into_a_value_are_no_commands(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        screen.set_focus(screen.form.row("name"))
        await pilot.press("enter", *"nap-1", "down")
        await until(pilot, lambda: screen.focused is screen.form.row("method"))
        await until(pilot, lambda: app.journey.config is not None and app.journey.config.name == "nap-1")
        assert app.current_mode == "configure"


async def test_what_is_typed_before_the_line_is_there_replaces_the_value(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        row = screen.form.row("lora.r")
        screen.set_focus(row)
        for key in (Key("enter", "\r"), Key("6", "6"), Key("4", "4")):
            app.post_message(key)  # all of them at once
        await until(pilot, lambda: row.raw == "64")


async def test_choices_go_round_with_the_side_arrows(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        row = screen.form.row("quantization.bits")
        screen.set_focus(row)
        await pilot.press("right")
        await until(pilot, lambda: row.raw is None)
        await until(
            pilot, lambda: app.journey.config is not None and app.journey.config.quantization.bits is None
        )
        await pilot.press("left", "space", "space")
        await until(pilot, lambda: row.raw == 4)


async def test_a_wrong_form_does_not_go_on_and_shows_where(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        micro = screen.form.row("optimization.micro_batch")
        micro.set_raw("3")
        await until(pilot, lambda: bool(micro.error))
        screen.set_focus(screen.form.row("name"))
        await pilot.press("n")
        await until(pilot, lambda: screen.focused is micro)
        assert app.current_mode == "configure"
        assert "multiple" in micro.error
        micro.action_reset()
        await until(pilot, lambda: not micro.error)
        await pilot.press("n")
        await until(pilot, lambda: app.current_mode == "train")


async def test_a_fault_in_a_folded_field_opens_the_fold(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        seed = screen.form.row("seed")
        assert not seed.display
        seed.set_raw("-1")
        await until(pilot, lambda: seed.display)
        await pilot.press("n")
        await until(pilot, lambda: screen.focused is seed)


async def test_the_focused_field_is_explained(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        screen.set_focus(screen.form.row("lora.r"))
        page = screen.query_one("#field-help", Prose)
        for text in ("Too high:", "lora.r", "Too low:"):
            await until(pilot, lambda text=text: text in page.render().plain)
        screen.form.row("lora.r").set_raw("64")
        await until(pilot, lambda: "The preset has 16" in page.render().plain)


async def test_a_preset_replaces_the_settings_and_keeps_the_dataset(until: Until, tmp_path: Path) -> None:
    rows = tmp_path / "mine.jsonl"
    rows.write_bytes((paths.sample_data() / "function_calls.jsonl").read_bytes())
    app = TunerApp()
    app.journey.dataset = rows
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        assert app.journey.config is not None and app.journey.config.data.train == [rows]
        # The shipped held-out items do not go with somebody's own tools.
        assert app.journey.config.evaluation.heldout is None
        await pilot.press("p")
        await until(pilot, lambda: shows(app, ChooseDialog))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "preset cpu-small" in _state(screen))
        await until(pilot, lambda: app.journey.config is not None and app.journey.config.data.train == [rows])


async def test_the_yaml_is_saved_and_reads_back_the_same(until: Until, tmp_path: Path) -> None:
    app = TunerApp()
    target = tmp_path / "run.yaml"
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await _open(app, pilot, until)
        screen.form.row("lora.r").set_raw("8")
        await until(pilot, lambda: app.journey.config is not None and app.journey.config.lora.r == 8)
        for place, last in ((tmp_path / "no" / "such" / "folder.yaml", "escape"), (target, "enter")):
            await pilot.press("ctrl+s")
            await until(pilot, lambda: shows(app, SaveDialog))
            app.screen.query_one(Input).value = str(place)
            await pilot.press("enter")
            if last == "escape":
                message = app.screen.query_one("#save-message", Static)
                await until(pilot, lambda message=message: "no folder" in str(message.content))
                await pilot.press("escape")
            await until(pilot, lambda: app.screen is screen)
        await until(pilot, target.is_file)
        assert load_config(target) == app.journey.config
        assert load_config(target).lora.r == 8


async def test_a_file_that_exists_is_replaced_only_after_a_second_enter(until: Until, tmp_path: Path) -> None:
    app = TunerApp()
    target = tmp_path / "run.yaml"
    target.write_text("precious")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: shows(app, SaveDialog))
        app.screen.query_one(Input).value = str(target)
        await pilot.press("enter")
        message = app.screen.query_one("#save-message", Static)
        await until(pilot, lambda: "exists" in str(message.content))
        assert target.read_text() == "precious"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
        await until(pilot, lambda: target.read_text() != "precious")
        assert load_config(target) == app.journey.config


async def test_a_file_is_opened_and_a_bad_one_is_told(until: Until, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    sample = paths.sample_data() / "train.jsonl"
    good.write_text(f"name: mine\ndata: {{train: [{sample}]}}\n")
    bad.write_text("name: mine\nlora: {rank: 3}\n")
    app = TunerApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await _open(app, pilot, until)
        for path in (bad, good):
            await pilot.press("o")
            await until(pilot, lambda: shows(app, FilePicker))
            app.screen.query_one(Input).value = str(path)
            await pilot.press("enter")
            await until(pilot, lambda: app.screen is screen)
            if path is bad:
                await until(pilot, lambda: any("rank" in str(each.message) for each in app._notifications))
        await until(pilot, lambda: "good.yaml" in _state(screen))
        assert app.journey.config is not None and app.journey.config.name == "mine"


async def test_the_list_of_files_is_edited(until: Until) -> None:
    app = TunerApp()
    sample = str(paths.sample_data() / "negatives.jsonl")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        row = screen.form.row("data.train")
        screen.set_focus(row)
        await pilot.press("enter")
        await until(pilot, lambda: shows(app, FilesDialog))
        await pilot.press("d", "a")
        await until(pilot, lambda: shows(app, FilePicker))
        app.screen.query_one(Input).value = sample
        await pilot.press("enter")
        await until(pilot, lambda: shows(app, FilesDialog))
        await pilot.press("enter")
        await until(pilot, lambda: row.raw == [sample])
        await pilot.press("enter")
        await until(pilot, lambda: shows(app, FilesDialog))
        await pilot.press("d", "escape")
        await until(pilot, lambda: app.screen is screen)
        assert row.raw == [sample]


async def test_a_configuration_set_elsewhere_is_taken_over(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        app.go("decide")
        app.journey.config = load_preset("demo").model_copy(update={"name": "elsewhere"})
        app.go("configure")
        await until(pilot, lambda: screen.form.row("name").raw == "elsewhere")
        assert "● 1 changed" in _state(screen)


async def test_hostile_text_in_a_value_is_shown_not_obeyed(until: Until, tmp_path: Path) -> None:
    rows = tmp_path / "[red]x[b]\x1b[31m.jsonl"
    rows.write_bytes((paths.sample_data() / "function_calls.jsonl").read_bytes())
    app = TunerApp()
    app.journey.dataset = rows
    async with app.run_test(size=(200, 60)) as pilot:
        screen = await _open(app, pilot, until)
        row = screen.form.row("data.train")
        await until(pilot, lambda: "[red]x[b]␛[31m.jsonl" in row.render().plain)
        assert "\x1b" not in row.render().plain


async def test_every_size_shows_what_matters(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        tabs = screen.query_one(TabbedContent)
        assert tabs.get_tab("estimate").display and not screen.query_one("#side-estimate").is_on_screen
        await pilot.press("down", "down", "down", "down", "down", "down", "down", "down", "down")
        await until(pilot, lambda: screen.focused is not screen.form.row("name"))
        focused = screen.focused
        assert isinstance(focused, FieldRow)
        await until(pilot, lambda: focused.region.bottom <= screen.query_one("#side").region.y)
        for size in ((120, 40), (200, 60)):
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: not tabs.get_tab("estimate").display)
            await until(pilot, lambda size=size: 0 < screen.query_one("#side").region.right <= size[0])


async def test_the_form_follows_the_method_and_keeps_what_was_typed(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await _open(app, pilot, until)
        method, beta = screen.form.row("method"), screen.form.row("preference.beta")
        assert not beta.display and "preference" not in to_yaml(app.journey.config)
        screen.set_focus(method)
        await pilot.press("space")
        await until(pilot, lambda: method.raw == "dpo" and beta.display)
        page = screen.query_one("#field-help", Prose)
        await until(pilot, lambda: "direct preference optimization" in page.render().plain)
        # The sample rows are conversations: told at the file, and no fault of the form.
        train = screen.form.row("data.train")
        await until(pilot, lambda: train.note[0].startswith("✗ dpo needs pairs"))
        assert "✓ complete" in _state(screen)
        beta.set_raw("0.3")
        await until(
            pilot, lambda: app.journey.config is not None and app.journey.config.preference.beta == 0.3
        )
        assert "beta: 0.3" in to_yaml(app.journey.config)
        beta.set_raw("nonsense")
        await until(pilot, lambda: bool(beta.error) and app.journey.config is None)
        method.set_raw("grpo")
        # A fault in a field that means nothing to the method is none.
        await until(pilot, lambda: app.journey.config is not None and not beta.display)
        assert screen.form.row("grpo.generations").display and not screen.form.row("ppo.rollouts").display
        method.set_raw("kto")
        await until(pilot, lambda: beta.display and beta.raw == "nonsense")
        assert not screen.form.row("preference.loss").display
        assert screen.form.row("preference.desirable_weight").display


async def test_a_rule_of_the_method_is_told_at_the_fields_that_it_names(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        screen.form.row("method").set_raw("ppo")
        reward = screen.form.row("ppo.reward_model")
        await until(pilot, lambda: reward.error.startswith("missing; train one first"))
        assert not screen.form.row("method").error and not screen.form.row("lora.r").error
        await pilot.press("n")
        await until(pilot, lambda: screen.focused is reward)


async def test_presets_stand_in_groups_by_their_method(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        await pilot.press("p")
        await until(pilot, lambda: shows(app, ChooseDialog))
        choices = app.screen.query_one(OptionList)
        prompts = [str(choices.get_option_at_index(index).prompt) for index in range(choices.option_count)]
        heads = [text.strip() for text in prompts if ": " in text.split("\n  ")[0] and "\n  " not in text]
        assert heads[0] == "sft: supervised fine-tuning"
        assert "dpo: direct preference optimization" in heads
        choices.highlighted = next(
            i for i in range(len(prompts)) if choices.get_option_at_index(i).id == "dpo"
        )
        await pilot.press("enter")
        await until(pilot, lambda: "preset dpo" in _state(screen))
        assert app.journey.config is not None and app.journey.config.method == "dpo"
        await until(pilot, lambda: "preference pairs" in screen.form.row("data.train").note[0])


async def test_the_command_is_copied(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await _open(app, pilot, until)
        await pilot.press("c")
        await until(pilot, lambda: "tuner_tui.recipes.sft RUN_DIR" in app.clipboard)
        screen.form.row("launch.gpus").set_raw("2")
        await until(pilot, lambda: app.journey.config is not None and app.journey.config.launch.gpus == 2)
        await pilot.press("c")
        await until(pilot, lambda: "torch.distributed.run --nproc-per-node=2" in app.clipboard)


async def test_a_run_is_fitted_to_a_card_when_one_agrees(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await _open(app, pilot, until)
        for answer in ("escape", "enter"):
            await pilot.press("f")
            await until(pilot, lambda: shows(app, ChooseDialog))
            await pilot.press("enter")
            await until(pilot, lambda: shows(app, ConfirmScreen))
            said = str(app.screen.query(Static).filter(".prose").first().content)
            assert "optimization.micro_batch" in said and "the effective batch stays 16" in said
            await pilot.press(answer)
            await until(pilot, lambda: app.screen is screen)
            row = screen.form.row("optimization.micro_batch")
            await until(pilot, lambda answer=answer, row=row: (row.raw != "4") == (answer == "enter"))
        await until(pilot, lambda: app.journey.config is not None)
        assert app.journey.config is not None
        assert app.journey.config.optimization.effective_batch == 16


def _finished(name: str, preset: str, model: str = "embedded") -> str:
    """The id of a run that has an adapter."""
    config = load_preset(preset)
    updates: dict[str, object] = {"model": config.model.model_copy(update={"name": model})}
    run_dir = create_run(name, to_yaml(config.model_copy(update=updates)), {})
    (run_dir / "adapter").mkdir()
    (run_dir / "adapter" / "adapter_model.safetensors").write_bytes(b"weights")
    return run_dir.name


async def _listed(app: TunerApp, pilot: Pilot[None], until: Until, path: str) -> list[str]:
    """What space lists for a field: the titles."""
    screen = app.screen
    assert isinstance(screen, ConfigureScreen)
    screen.set_focus(screen.form.row(path))
    await pilot.press("space")
    await until(pilot, lambda: shows(app, ChooseDialog))
    options = app.screen.query_one(OptionList)
    return [str(each.prompt).split("\n")[0] for each in options.options]


async def test_space_lists_the_runs_whose_adapter_fits(until: Until) -> None:
    earlier = _finished("first", "demo")
    _finished("judge", "reward")
    _finished("other", "demo", model="some/other-model")
    create_run("unfinished", to_yaml(load_preset("demo")), {})
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(app, pilot, until)
        row = screen.form.row("model.adapter")
        assert await _listed(app, pilot, until, "model.adapter") == [earlier, "None", "Type it"]
        await pilot.press("enter")
        await until(pilot, lambda: row.raw == earlier and not row.error)
        await _listed(app, pilot, until, "model.adapter")
        await pilot.press("down", "enter")
        await until(pilot, lambda: row.raw == "")
        # What is not listed can be typed, by the list's last entry as well as by Enter.
        await _listed(app, pilot, until, "model.adapter")
        await pilot.press("end", "enter")
        await until(pilot, lambda: isinstance(screen.focused, Input))
        await pilot.press(*"last", "enter")
        await until(pilot, lambda: row.raw == "last" and not row.query(Input))


async def test_space_lists_the_reward_models_of_the_base_that_the_run_begins_with(until: Until) -> None:
    judge = _finished("judge", "reward")
    earlier = _finished("first", "demo")
    app = TunerApp()
    app.journey.config = load_preset("demo").model_copy(update={"method": "ppo"})
    async with app.run_test(size=(80, 24)) as pilot:
        app.go("configure")
        await until(pilot, lambda: app.screen.focused is not None)
        screen = app.screen
        assert isinstance(screen, ConfigureScreen)
        assert await _listed(app, pilot, until, "ppo.reward_model") == [judge, "Type it"]
        await pilot.press("enter")
        await until(pilot, lambda: screen.form.row("ppo.reward_model").raw == judge)
        # A run that begins with an adapter learns on another base: that judge has never seen its answers.
        screen.form.row("model.adapter").set_raw(earlier)
        assert await _listed(app, pilot, until, "ppo.reward_model") == ["No run fits", "Type it"]
