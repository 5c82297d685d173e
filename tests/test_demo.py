"""The headless demo, for real but small: processes, figures, JSON, and what happens when a step fails."""

import json
from pathlib import Path
from typing import Any

import pytest

from tuner_tui import demo, paths
from tuner_tui.cli import main
from tuner_tui.evaluation.heartbeat import Heartbeat
from tuner_tui.runs.layout import RunState
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.presets import load_preset


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def small(tmp_path: Path) -> TrainConfig:
    """The demo's configuration on a few short rows: two steps, four held-out items."""
    rows = (paths.sample_data() / "train.jsonl").read_text().splitlines(keepends=True)
    train = tmp_path / "train.jsonl"
    train.write_text("".join(sorted(rows, key=len)[:24]))
    heldout = [json.loads(row) for row in (paths.sample_data() / "heldout.jsonl").read_text().splitlines()]
    calls = [row for row in heldout if row["messages"][-1].get("tool_calls")][:3]
    others = [row for row in heldout if not row["messages"][-1].get("tool_calls")][:1]
    items = tmp_path / "heldout.jsonl"
    items.write_text("".join(json.dumps(row) + "\n" for row in [*calls, *others]))
    config = load_preset("demo")
    parts: dict[str, dict[str, Any]] = {
        "data": {"train": [train]},
        "optimization": {"max_steps": 2, "micro_batch": 2, "effective_batch": 2},
        "logging": {"eval_every": 2, "save_every": 2},
        "evaluation": {"heldout": items, "max_new_tokens": 24},
    }
    return config.model_copy(
        update={name: getattr(config, name).model_copy(update=part) for name, part in parts.items()}
    )


def test_the_whole_journey_runs_and_json_is_alone_on_stdout(
    small: TrainConfig, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "load_preset", lambda name: small)
    assert main(["demo", "--headless", "--json"]) == 0
    out, err = capfd.readouterr()
    result = json.loads(out)

    assert {"base", "tuned", "prompts", "training_seconds", "total_seconds", "run"} <= result.keys()
    assert set(result["prompts"]) == {"plain", "instruction", "examples"}
    assert result["prompts"]["plain"] == result["base"]
    for outcome in (result["base"], result["tuned"]):
        assert outcome["full_match"]["total"] == 3 and outcome["no_call"]["total"] == 1
        assert {"tool_selection", "arguments", "strict_format"} <= outcome.keys()
    assert 0 < result["training_seconds"] < result["total_seconds"]

    run_dir = paths.runs_dir() / result["run"]
    assert (run_dir / "adapter" / "adapter_model.safetensors").is_file()
    assert json.loads((run_dir / "report.json").read_bytes())["suites"][0]["arms"]["tuned"]
    assert err.startswith("This decides, inspects, measures, trains")
    assert [f"{number}/7" in err for number in range(1, 8)] == [True] * 7
    assert "step 2/2" in err


def test_a_run_that_fails_ends_the_demo_in_one_sentence(small: TrainConfig) -> None:
    # A copy is not validated: the process finds the impossible value when it reads the file.
    config = small.model_copy(
        update={"optimization": small.optimization.model_copy(update={"learning_rate": -1.0})}
    )
    with pytest.raises(demo.DemoError, match=r"training failed: .*learning_rate.*train\.log") as failure:
        demo.train(config, lambda line: None)
    assert str(paths.runs_dir()) in str(failure.value)


def test_ctrl_c_says_that_the_work_goes_on_and_where(tmp_path: Path) -> None:
    eval_dir = tmp_path / "eval"
    eval_dir.mkdir()
    heartbeat = Heartbeat(eval_dir, {"base": (0, 4)})
    heartbeat.update(state=str(RunState.RUNNING), arm="base")

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    try:
        with pytest.raises(demo.DemoInterrupted, match="goes on in") as interruption:
            demo.follow_evaluation(eval_dir, interrupt, "it ends by itself")
        assert str(eval_dir) in str(interruption.value)
    finally:
        heartbeat.end(RunState.STOPPED)


def test_an_evaluation_that_ends_badly_gives_its_reason(tmp_path: Path) -> None:
    eval_dir = tmp_path / "eval"
    eval_dir.mkdir()
    Heartbeat(eval_dir, {"base": (0, 4)}).end(RunState.FAILED, "the disk is full.")
    with pytest.raises(demo.DemoError, match=r"failed: the disk is full; see .*eval"):
        demo.follow_evaluation(eval_dir, lambda line: None, "")


def test_errors_in_the_data_stop_the_demo_before_anything_is_trained(small: TrainConfig) -> None:
    broken = small.data.model_copy(update={"train": [paths.sample_data() / "broken.jsonl"]})
    with pytest.raises(demo.DemoError, match="tuner inspect"):
        demo.run_demo(config=small.model_copy(update={"data": broken}))
    assert not paths.runs_dir().exists()


def test_rates_are_told_in_words() -> None:
    rate = {"count": 41, "total": 48, "rate": 0.854, "interval": [0.728, 0.928]}
    assert demo.describe_rate(rate) == "41 of 48 (85%, between 73% and 93%)"
    assert demo.describe_rate({"count": 0, "total": 0, "rate": None, "interval": [0, 1]}) == "not measured"
    assert demo.describe_rate(None) == "not measured"
