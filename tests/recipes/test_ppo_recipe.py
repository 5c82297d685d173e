"""Real PPO runs, in processes of their own, on a tiny model and a reward model of random weights."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from reward_adapters import random_reward
from tiny_runs import ended, kill, wait

from tuner_tui.errors import UserError
from tuner_tui.runs import control, layout
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.reader import RunReader, read_metrics
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.launchers import local

STEPS = 6
TIMED = ("time", "tokens_per_second", "memory_allocated", "memory_reserved")


@pytest.fixture(scope="module")
def reward(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_reward(tiny_model, tmp_path_factory.mktemp("reward") / "adapter")


@pytest.fixture
def ppo_config(config: TrainConfig, reward: Path) -> TrainConfig:
    """Six steps of eight short rollouts, in NF4."""
    values = config.model_dump(mode="json")
    values |= {
        "method": "ppo",
        "ppo": {
            "reward_model": str(reward),
            "rollouts": 8,
            "epochs": 2,
            "max_new_tokens": 8,
            "kl_control": "adaptive",
            "kl_target": 0.01,
            "kl_horizon": 20,
        },
    }
    values["optimization"] |= {"max_steps": STEPS, "learning_rate": 0.003, "warmup_ratio": 0.2}
    values["logging"] |= {"eval_every": 3, "save_every": 2}
    return TrainConfig.model_validate(values)


def records(run_dir: Path, name: str) -> list[dict[str, Any]]:
    """The metrics that hold `name`, without what differs from one machine and moment to another."""
    return [
        {key: value for key, value in record.items() if key not in TIMED}
        for record in read_metrics(run_dir)
        if name in record
    ]


def codes(run_dir: Path) -> list[str]:
    return [event["code"] for event in RunReader(run_dir).poll_events()]


def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(ppo_config: TrainConfig) -> None:
    whole = local.launch(ppo_config)
    broken = local.launch(ppo_config)
    wait(broken, lambda status: status.step >= 3)
    kill(broken, signal.SIGKILL)
    assert wait(broken, ended).state is RunState.LOST
    local.resume(broken)
    for run_dir in (whole, broken):
        status = wait(run_dir, ended)
        assert (status.state, status.step, status.total) == (RunState.FINISHED, STEPS, STEPS), status.reason
    assert "resumed" in codes(broken)

    # The same next step: every number of every step, as if nothing had happened.
    steps = records(whole, "reward")
    assert [record["step"] for record in steps] == list(range(1, STEPS + 1))
    assert records(broken, "reward") == steps
    held_out = records(whole, "eval_reward")
    assert [record["step"] for record in held_out] == [0, 3, 6]
    assert records(broken, "eval_reward") == held_out

    first, last = steps[0], steps[-1]
    for name in (
        "reward",
        "kl",
        "policy_loss",
        "value_loss",
        "loss",
        "entropy",
        "clip_fraction",
        "approx_kl",
        "explained_variance",
        "response_length",
        "eos_rate",
        "kl_weight",
        "learning_rate",
        "grad_norm",
        "num_tokens",
    ):
        assert all(isinstance(record[name], float | int) for record in steps), name
    assert first["kl"] == pytest.approx(0, abs=1e-5)  # the policy begins as the reference
    assert last["kl"] != pytest.approx(0, abs=1e-5)
    # Of random weights, the model throws nearly a die of 2048 faces: log 2048 = 7.62.
    assert first["entropy"] == pytest.approx(7.6, abs=0.3)
    assert all(1 <= record["response_length"] <= 8 for record in steps)
    rates = [record["learning_rate"] / 0.003 for record in steps]  # two steps of warm-up, then half a wave
    assert rates == pytest.approx([0.5, 1, 1, 0.8536, 0.5, 0.1464], abs=1e-4)
    tokens = [record["num_tokens"] for record in steps]
    assert tokens == sorted(tokens)
    # Adaptive control raises the price once the distance passes its target.
    prices = [record["kl_weight"] for record in steps]
    for price, following, record in zip(prices, prices[1:], steps, strict=False):
        assert (following > price) == (record["kl"] > 0.01)
    for record in read_metrics(whole):
        assert "nonfinite" not in record
        assert "tokens_per_second" not in record or record["tokens_per_second"] > 0

    result_is_whole(whole)
    result_is_whole(broken)
    one, other = (
        (run / layout.ADAPTER / "adapter_model.safetensors").read_bytes() for run in (whole, broken)
    )
    assert one == other


def result_is_whole(run_dir: Path) -> None:
    """A policy that the evaluator loads; checkpoints that are complete; a quiet log; private files."""
    from safetensors import safe_open

    from tuner_tui.evaluation.generate import Generator
    from tuner_tui.training.config import load_config

    adapter = run_dir / layout.ADAPTER
    assert sorted(path.name for path in adapter.iterdir() if path.suffix != ".md") == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    with safe_open(adapter / "adapter_model.safetensors", "pt") as tensors:
        names = list(tensors.keys())
        assert {tensors.get_tensor(name).dtype.itemsize for name in names} == {4}
    assert not [name for name in names if "value" in name or "reward" in name or "score" in name]
    config = load_config(run_dir / layout.CONFIG)
    generator = Generator.load(config.model.name, adapter, bits=4, double=True)
    asked = [([{"role": "user", "content": "Weather in Oslo?"}], [])]
    for tuned in (False, True):
        (answers,) = generator.answers(asked, tuned=tuned, batch=1, max_new_tokens=4, cancelled=lambda: False)
        assert answers[0][1].tokens > 0
    kept = run_dir / layout.CHECKPOINTS
    assert sorted(path.name for path in kept.iterdir()) == ["step-4", "step-6"]
    assert json.loads((kept / "step-6" / "trainer_state.json").read_text())["global_step"] == STEPS
    assert (run_dir / layout.LOG).read_text() == ""
    assert all(path.stat().st_mode & 0o077 == 0 for path in run_dir.rglob("*"))


@pytest.mark.fresh_interpreter
def test_save_and_stop_are_obeyed(ppo_config: TrainConfig) -> None:
    ppo_config.optimization.max_steps = 500
    ppo_config.logging.save_every = 1000
    ppo_config.logging.eval_every = 0
    ppo_config.optimization.gradient_checkpointing = "full"
    ppo_config.optimization.optimizer = "paged_adamw_8bit"
    run_dir = local.launch(ppo_config)
    wait(run_dir, lambda status: status.step >= 1)
    control.request_save(run_dir)
    wait(run_dir, lambda status: not control.save_requested(run_dir))
    (saved,) = [event["step"] for event in RunReader(run_dir).poll_events() if event["code"] == "checkpoint"]
    wait(run_dir, lambda status: status.step > saved)
    kill(run_dir, signal.SIGHUP)  # a closed terminal means nothing
    kill(run_dir, signal.SIGTERM)
    status = wait(run_dir, ended)
    assert (status.state, status.reason) == (RunState.STOPPED, "stopped on request.")
    assert (run_dir / layout.LOG).read_text() == ""
    assert saved < status.step < 500
    assert (run_dir / layout.CHECKPOINTS / f"step-{status.step}").is_dir()
    assert (run_dir / layout.ADAPTER).is_dir()
    assert [record["step"] for record in records(run_dir, "reward")] == list(range(1, status.step + 1))


def test_a_stop_gives_up_what_is_being_sampled(ppo_config: TrainConfig) -> None:
    ppo_config.ppo.max_new_tokens = 250  # more than would be waited for
    ppo_config.data.max_length = 2048
    ppo_config.optimization.max_steps = 500
    run_dir = local.launch(ppo_config)
    wait(run_dir, lambda status: status.phase == "evaluating")
    control.request_stop(run_dir)
    status = wait(run_dir, ended)
    assert (status.state, status.step) == (RunState.STOPPED, 0)
    assert records(run_dir, "eval_reward") == []
    assert not control.stop_requested(run_dir)


def test_a_run_that_cannot_start_says_why(ppo_config: TrainConfig) -> None:
    ppo_config.ppo.max_new_tokens = 250
    status = wait(local.launch(ppo_config), ended)
    assert status.state is RunState.FAILED
    assert "leaves room for an answer of 250 tokens within 256; raise data.max_length" in str(status.reason)


def test_a_reward_model_of_another_base_is_refused_at_once(
    ppo_config: TrainConfig, tiny_model: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(tiny_model, other)
    ppo_config.model.name = str(other)
    with pytest.raises(UserError, match="give both runs the same"):
        local.launch(ppo_config)


def test_a_reward_model_that_is_missing_is_asked_for(ppo_config: TrainConfig) -> None:
    values = ppo_config.model_dump(mode="json")
    values["ppo"]["reward_model"] = None
    with pytest.raises(ValueError, match="train one first, with the method reward"):
        TrainConfig.model_validate(values)
