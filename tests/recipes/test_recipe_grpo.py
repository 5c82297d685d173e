"""Real runs of GRPO and RLOO on the embedded model: rewards, stop, resume, executable tools."""

from pathlib import Path
from typing import Any

import pytest
from group_rows import TOOLS, write_rows
from tiny_runs import ended, wait

from tuner_tui.runs import control, layout
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.reader import RunReader, read_metrics
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.launchers import local

CITIES = ("Oslo", "Rome", "Paris", "Lima")
BOTH = ("reward", "reward_std", "frac_reward_zero_std", "kl", "entropy", "right", "completions/mean_length")


@pytest.fixture
def config(tmp_path: Path, interpreter: None) -> TrainConfig:
    rows = write_rows(tmp_path / "rows.jsonl", *CITIES, due=False)
    held_out = write_rows(tmp_path / "held_out.jsonl", "Bonn")
    return TrainConfig.model_validate(
        {
            "name": "group",
            "method": "grpo",
            "model": {"dtype": "float32"},
            "data": {"train": [rows], "eval": held_out, "max_length": 400},
            "lora": {"r": 4},
            "grpo": {"generations": 2, "max_new_tokens": 40},
            "optimization": {
                "learning_rate": 0.001,
                "micro_batch": 2,
                "effective_batch": 4,
                "max_steps": 4,
                "warmup_ratio": 0.0,
            },
            "logging": {"eval_every": 0, "save_every": 2},
        }
    )


def events(run_dir: Path) -> dict[str, dict[str, Any]]:
    return {event["code"]: event for event in RunReader(run_dir).poll_events()}


def steps(run_dir: Path) -> list[dict[str, Any]]:
    return [record for record in read_metrics(run_dir) if "loss" in record]


def evaluations(run_dir: Path) -> list[dict[str, Any]]:
    return [record for record in read_metrics(run_dir) if "eval_reward" in record]


@pytest.mark.fresh_interpreter
def test_grpo_stopped_and_resumed(config: TrainConfig) -> None:
    config.quantization.bits, config.grpo.temperature = None, 2.0  # so that answers differ
    run_dir = local.launch(config)
    wait(run_dir, lambda status: status.step >= 1)
    control.request_stop(run_dir)
    assert wait(run_dir, ended).state is RunState.STOPPED
    reached = steps(run_dir)[-1]["step"]
    assert 1 <= reached < 4
    local.resume(run_dir)
    status = wait(run_dir, ended)
    assert (status.state, status.step) == (RunState.FINISHED, 4), (run_dir / layout.LOG).read_text()
    assert events(run_dir)["resumed"]["step"] == reached

    # The curves: every step once, what was rewarded under its own name, numbers only, tokens that grow.
    found = steps(run_dir)
    assert [record["step"] for record in found] == [1, 2, 3, 4]
    for name in (*BOTH, "learning_rate", "grad_norm", "tokens_per_second", "clip_ratio/region_mean"):
        assert all(isinstance(record[name], int | float) for record in found), name
    assert not any("nonfinite" in record for record in read_metrics(run_dir))
    assert not any(None in record.values() for record in read_metrics(run_dir))
    tokens = [record["num_tokens"] for record in found]
    assert sorted(set(tokens)) == tokens
    # A call is worth up to 1 + 1 + 1 + 1, words where no call is due 4: the parts make up the sum.
    for record in found:
        assert 0 <= record["reward"] <= 4
        if "rewards/no_call/mean" not in record:
            parts = sum(
                record[f"rewards/{name}/mean"] for name in ("parses", "declared", "tool", "arguments")
            )
            assert record["reward"] == pytest.approx(parts, abs=1e-5)
    assert any(record["rewards/parses/mean"] > 0 for record in found if "rewards/parses/mean" in record)

    # Held-out prompts are answered before the first step, where the adapter is nothing yet, and
    # after the last.
    first, last = evaluations(run_dir)
    assert (first["step"], last["step"]) == (0, 4)
    assert first["eval_kl"] == 0 < last["eval_kl"]

    assert (run_dir / layout.ADAPTER / "adapter_model.safetensors").is_file()
    assert sorted(path.name for path in (run_dir / layout.CHECKPOINTS).iterdir())[-1] == "step-4"
    assert (run_dir / layout.LOG).read_text() == ""
    assert all(path.stat().st_mode & 0o077 == 0 for path in run_dir.rglob("*"))


@pytest.mark.fresh_interpreter
def test_rloo_on_four_bits(config: TrainConfig) -> None:
    config.method, config.optimization.max_steps, config.grpo.rewards = "rloo", 2, "parses, no_call:2"
    run_dir = local.launch(config)
    assert wait(run_dir, ended).state is RunState.FINISHED, (run_dir / layout.LOG).read_text()
    found = steps(run_dir)
    assert [record["step"] for record in found] == [1, 2]
    for name in BOTH:
        assert all(isinstance(record[name], int | float) for record in found), name
    rewarded = {name.split("/")[1] for record in found for name in record if name.startswith("rewards/")}
    assert rewarded <= {"parses", "no_call"}
    assert len(evaluations(run_dir)) == 2
    assert (run_dir / layout.LOG).read_text() == ""
    assert events(run_dir)["started"]["dtype"] == "float32"
    from safetensors import safe_open

    with safe_open(run_dir / layout.ADAPTER / "adapter_model.safetensors", "pt") as adapter:
        assert {adapter.get_tensor(name).dtype.itemsize for name in adapter.keys()} == {4}  # noqa: SIM118


def test_grpo_with_tools_that_are_executed(config: TrainConfig, tmp_path: Path) -> None:
    config.quantization.bits = None
    config.data.train = [write_rows(tmp_path / "two.jsonl", "Oslo", "Atlantis")]
    tools = tmp_path / "tools.py"
    tools.write_text(TOOLS)
    config.grpo.tools, config.grpo.max_new_tokens, config.data.max_length = str(tools), 90, 600
    config.grpo.temperature = 0.1
    config.optimization.max_steps = 1
    run_dir = local.launch(config)
    assert wait(run_dir, ended).state is RunState.FINISHED, (run_dir / layout.LOG).read_text()
    assert str(tools) in [item["path"] for item in RunReader(run_dir).manifest()["data"]]
    (record,) = steps(run_dir)
    assert record["tools/call_frequency"] > 0
    assert 0 < record["tools/failure_frequency"] < 1  # there is no weather in Atlantis
    assert record["rewards/tool/mean"] > 0
    assert all(record["eval_tools/call_frequency"] > 0 for record in evaluations(run_dir))


def test_a_file_of_tools_that_fails_when_it_is_run(config: TrainConfig, tmp_path: Path) -> None:
    tools = tmp_path / "tools.py"
    tools.write_text(TOOLS + "\nraise OSError('no database')\n")
    config.grpo.tools = str(tools)
    run_dir = local.launch(config)
    status = wait(run_dir, ended)
    assert status.state is RunState.FAILED
    assert status.reason is not None
    assert status.reason.endswith("tools.py cannot be run: OSError: no database")
