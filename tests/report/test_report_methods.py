"""What a report says of runs that are not SFT: their figures, verdicts, and the runs that they stand on."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tuner_tui.cli import main
from tuner_tui.report.build import build_report
from tuner_tui.report.markdown import render as render_markdown
from tuner_tui.report.terminal import render as render_terminal
from tuner_tui.runs import files, layout
from tuner_tui.runs.layout import RunState, Status
from tuner_tui.runs.store import create_run
from tuner_tui.training.config import to_yaml
from tuner_tui.training.presets import load_preset

Records = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))


def finished(method: str, records: Records, held_out: int = 0, **config: str) -> Path:
    preset = load_preset(method)
    for name, value in config.items():
        section, field = name.split("__")
        setattr(getattr(preset, section), field, value)
    run_dir = create_run(method, to_yaml(preset), {"model": {"name": "embedded"}})
    status = Status(RunState.FINISHED, step=20, total=20, started=100.0, ended=160.0)
    files.write_json(run_dir / layout.STATUS, status.to_json())
    for record in records:
        files.append_line(run_dir / layout.METRICS, record)
    if held_out:
        event = {"code": "data", "use": "evaluation", "examples": held_out, "time": 1.0}
        files.append_line(run_dir / layout.EVENTS, event)
    (run_dir / layout.ADAPTER).mkdir()
    return run_dir


def judge(accuracy: float) -> Records:
    return [
        {"step": step, "loss": 0.6, "accuracy": 0.9, "margin": 1.0}
        | ({"eval_loss": 0.5, "eval_accuracy": accuracy, "eval_margin": 0.75} if step % 10 == 0 else {})
        for step in range(1, 21)
    ]


def policy(kl: float = 0.5) -> Records:
    records: Records = [{"step": 0, "eval_reward": -0.5}]
    for step in range(1, 21):
        drift = kl if step > 17 else 0.1
        records.append(
            {"step": step, "reward": step / 20, "reward_std": 0.5, "kl": drift, "clip_fraction": 0.125}
        )
    return [*records, {"step": 20, "eval_reward": 1.25}]


def on_terminal(report: dict[str, Any]) -> str:
    out = io.StringIO()
    render_terminal(report, Console(file=out, width=80, color_system=None))
    return out.getvalue()


@pytest.mark.parametrize(
    ("accuracy", "held_out", "decision"),
    [(0.9, 40, "use_it"), (0.7, 40, "collect_data"), (0.5, 40, "do_not_use"), (0.9, 0, "collect_data")],
)
def test_a_reward_model_is_judged_on_held_out_pairs(accuracy: float, held_out: int, decision: str) -> None:
    report = build_report(finished("reward", judge(accuracy), held_out))
    assert report["verdict"]["decision"] == decision
    if held_out:
        assert report["method"]["accuracy"]["count"] == round(accuracy * held_out)
        assert f"{round(accuracy * held_out)} of 40 held-out pairs" in report["verdict"]["sentence"]
    for text in (on_terminal(report), render_markdown(report)):
        flat = " ".join(text.split())
        assert "A reward model scores answers and gives none" in flat
        assert "Not evaluated yet" not in flat
        assert "held out" in flat and f"{accuracy:.1%}" in flat


def test_a_reward_model_is_not_evaluated(capsys: pytest.CaptureFixture[str]) -> None:
    run_dir = finished("reward", judge(0.9), 40)
    assert main(["eval", run_dir.name]) == 2
    assert "scores answers and gives none" in capsys.readouterr().err
    assert main(["report", run_dir.name]) == 0
    assert "Good enough to train with" in capsys.readouterr().out


def test_ppo_shows_its_reward_from_start_to_end_with_the_kl() -> None:
    report = build_report(finished("ppo", policy()))
    figures = {each["name"]: each for each in report["method"]["figures"]}
    assert (figures["eval_reward"]["start"], figures["eval_reward"]["end"]) == (-0.5, 1.25)
    assert figures["eval_reward"]["held_out"] and not figures["kl"]["held_out"]
    assert figures["clip_fraction"]["end"] == 0.125
    text = on_terminal(report)
    assert "ppo, proximal policy optimization" in text and "12.5%" in text
    assert [curve["name"] for curve in report["training"]["curves"]] == ["reward"]
    assert "| reward | held out | -0.5 | 1.25 |" in render_markdown(report)


def test_a_reward_that_rises_while_the_kl_explodes_is_no_success() -> None:
    report = build_report(finished("ppo", policy(kl=60.0)))
    assert report["training"]["verdict"]["state"] == "drifted"
    assert "Drifted away from the base model" in render_markdown(report)


def test_dpo_shows_accuracy_and_margin_on_held_out_pairs() -> None:
    records = [
        {"step": step, "loss": 0.5, "rewards/accuracies": 0.5 + step / 50, "rewards/margins": step / 10}
        | (
            {"eval_rewards/accuracies": 0.5 + step / 50, "eval_rewards/margins": 1.5}
            if step % 10 == 0
            else {}
        )
        for step in range(1, 21)
    ]
    report = build_report(finished("dpo", records, 50))
    figures = {each["name"]: each for each in report["method"]["figures"]}
    assert (figures["eval_rewards/accuracies"]["start"], figures["eval_rewards/accuracies"]["end"]) == (
        0.7,
        0.9,
    )
    assert figures["eval_rewards/margins"]["end"] == 1.5
    assert report["method"]["accuracy"]["count"] == 45
    assert report["training"]["verdict"]["state"] == "learned"


def test_the_runs_that_a_run_stands_on_are_named() -> None:
    taught = finished("dpo", [])
    judged = finished("reward", judge(0.9), 40, model__adapter=str(taught / layout.ADAPTER))
    last = finished(
        "ppo",
        policy(),
        model__adapter=str(taught / layout.ADAPTER),
        ppo__reward_model=str(judged / layout.ADAPTER),
    )
    report = build_report(last)
    before = [(each["run"], each["role"], each["method"]) for each in report["method"]["before"]]
    assert before == [(taught.name, "began with", "dpo"), (judged.name, "judged by", "reward")]
    for text in (on_terminal(report), render_markdown(report).replace("\\_", "_")):
        assert f"It was judged by the result of run {judged.name} (reward)" in " ".join(text.split())


def test_a_run_that_was_deleted_is_named_all_the_same() -> None:
    report = build_report(finished("dpo", [], model__adapter="/nowhere/runs/gone/adapter"))
    assert report["method"]["before"] == [
        {"run": "gone", "role": "began with", "method": None, "path": "/nowhere/runs/gone"}
    ]
