"""DPO and IPO as real runs: stopped and resumed, and what TRL says of them computed again by hand."""

import json
import math
from pathlib import Path

import pytest
import torch
from preference_data import pair, preferring
from tiny_runs import ended, wait

from tuner_tui.recipes.model import load_base, load_tokenizer
from tuner_tui.runs import control, layout
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.reader import RunReader, read_metrics
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.launchers import local


def test_dpo_in_four_bits_stopped_and_resumed(config: TrainConfig, tmp_path: Path) -> None:
    config = preferring(config, "dpo", tmp_path)
    config.optimization.max_steps = 16
    config.logging.eval_every = 0
    run_dir = local.launch(config)
    wait(run_dir, lambda status: status.step >= 2)
    control.request_stop(run_dir)
    status = wait(run_dir, ended)
    assert (status.state, status.reason) == (RunState.STOPPED, "stopped on request.")
    assert 2 <= status.step < 16
    assert (run_dir / layout.CHECKPOINTS / f"step-{status.step}" / "adapter_model.safetensors").is_file()

    local.resume(run_dir)
    status = wait(run_dir, ended)
    assert (status.state, status.step) == (RunState.FINISHED, 16), status.reason
    records = read_metrics(run_dir)
    steps = [record for record in records if "loss" in record]
    assert [record["step"] for record in steps] == list(range(1, 17))
    # The adapter begins as the base: no margin, and the loss of a coin toss.
    assert steps[0]["loss"] == pytest.approx(math.log(2), abs=1e-4)
    assert steps[0]["rewards/margins"] == pytest.approx(0, abs=1e-4)
    assert steps[-1]["loss"] < 0.5
    assert steps[-1]["rewards/accuracies"] == 1
    for name in ("rewards/chosen", "rewards/rejected", "logps/chosen", "tokens_per_second", "num_tokens"):
        assert all(name in record for record in steps), name
    evaluated = [record for record in records if "eval_loss" in record]
    assert [record["step"] for record in evaluated] == [16]
    assert evaluated[0]["eval_rewards/accuracies"] == 1
    assert evaluated[0]["eval_rewards/margins"] > 0
    events = [event for event in RunReader(run_dir).poll_events() if event["code"] == "rejected"]
    assert [event["rows"] for event in events] == [1, 1]  # the conversation; each start reads the data
    assert (run_dir / layout.LOG).read_text() == ""


def log_probability(model: torch.nn.Module, folder: Path, days: int, side: str) -> float:
    """Of the answer of a held-out pair, summed over what the assistant said."""
    tokenizer = load_tokenizer(str(folder))
    given = pair(f"city{days}", days)
    encoded = tokenizer.apply_chat_template(
        [*given["prompt"], *given[side]],
        tools=given["tools"],
        return_dict=True,
        return_assistant_tokens_mask=True,
        return_tensors="pt",
    )
    ids, mask = encoded["input_ids"], torch.as_tensor(encoded["assistant_masks"])
    with torch.inference_mode():
        logits = model(input_ids=ids).logits[:, :-1]
    each = logits.log_softmax(-1).gather(-1, ids[:, 1:, None]).squeeze(-1)
    return float((each * mask[:, 1:]).sum())


@pytest.mark.fresh_interpreter
def test_ipo_and_the_figures_by_hand(config: TrainConfig, tmp_path: Path, tiny_model: Path) -> None:
    from peft import PeftModel

    config = preferring(config, "dpo", tmp_path)
    config.preference.loss, config.preference.beta = "ipo", 0.5
    config.quantization.bits = None
    config.data.packing = True
    config.lora.dropout = 0.1
    config.optimization.gradient_checkpointing = "full"
    config.optimization.max_steps = 4
    run_dir = local.launch(config)
    status = wait(run_dir, ended)
    assert status.state is RunState.FINISHED, status.reason
    assert (run_dir / layout.LOG).read_text() == ""
    records = read_metrics(run_dir)
    assert records[0]["loss"] == pytest.approx((1 / (2 * 0.5)) ** 2, abs=1e-4)  # equation 17 at no margin
    told = [event["message"] for event in RunReader(run_dir).poll_events() if event["code"] == "warning"]
    assert told == [
        "data.packing is for sft; dpo pads its rows.",
        "lora.dropout is off: dpo compares probabilities, which it would blur.",
    ]

    # Five held-out pairs in micro-batches of two: each counts the same.
    base = load_base(str(tiny_model), torch.float32, bits=None, double=False)
    tuned = PeftModel.from_pretrained(base, str(run_dir / layout.ADAPTER)).eval()
    sums = {}
    for side in ("chosen", "rejected"):
        after = [log_probability(tuned, tiny_model, days, side) for days in range(5)]
        with tuned.disable_adapter():
            before = [log_probability(tuned, tiny_model, days, side) for days in range(5)]
        sums[side] = [0.5 * (a - b) for a, b in zip(after, before, strict=True)]
        assert records[-1][f"eval_logps/{side}"] == pytest.approx(sum(after) / 5, rel=1e-4)
        assert records[-1][f"eval_rewards/{side}"] == pytest.approx(sum(sums[side]) / 5, abs=1e-3)
    wins = [good > bad for good, bad in zip(sums["chosen"], sums["rejected"], strict=True)]
    assert records[-1]["eval_rewards/accuracies"] == pytest.approx(sum(wins) / 5)


def test_without_a_pair_there_is_no_run(config: TrainConfig) -> None:
    config.method = "dpo"
    run_dir = local.launch(config)
    status = wait(run_dir, ended)
    assert status.state is RunState.FAILED
    assert "no row is left to learn from: they are no pairs" in (status.reason or "")
    assert json.loads((run_dir / layout.STATUS).read_text())["step"] == 0
