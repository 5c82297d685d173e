"""The reward model as real runs: in four bits, stopped and resumed, the same again for the same seed."""

from pathlib import Path

import pytest
import torch
from preference_data import pair, preferring
from tiny_runs import ended, wait

from tuner_tui.errors import UserError
from tuner_tui.evaluation.launch import start_evaluation
from tuner_tui.recipes.model import load_base, load_tokenizer
from tuner_tui.runs import control, layout
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.reader import read_metrics
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.launchers import local

SCORE = "base_model.model.score.weight"


def weights(run_dir: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(run_dir / layout.ADAPTER / "adapter_model.safetensors")


def test_a_reward_model_in_four_bits_stopped_resumed_and_the_same_again(
    config: TrainConfig, tmp_path: Path
) -> None:
    config = preferring(config, "reward", tmp_path)
    assert config.quantization.bits == 4
    config.optimization.max_steps = 16
    config.logging.eval_every = 0
    run_dir = local.launch(config)
    wait(run_dir, lambda status: status.step >= 2)
    control.request_stop(run_dir)
    status = wait(run_dir, ended)
    assert status.state is RunState.STOPPED, status.reason
    local.resume(run_dir)
    status = wait(run_dir, ended)
    assert (status.state, status.step) == (RunState.FINISHED, 16), status.reason

    records = read_metrics(run_dir)
    steps = [record for record in records if "loss" in record]
    assert [record["step"] for record in steps] == list(range(1, 17))
    assert steps[-1]["loss"] < steps[0]["loss"]
    assert steps[-1]["accuracy"] == 1
    evaluated = [record for record in records if "eval_loss" in record]
    assert [record["step"] for record in evaluated] == [16]
    assert evaluated[0]["eval_accuracy"] == 1
    assert evaluated[0]["eval_margin"] > 0
    assert (run_dir / layout.LOG).read_text() == ""

    # The head is in the adapter, in float32; the same seed makes the same head and the same run.
    found = weights(run_dir)
    assert found[SCORE].shape == (1, 64)
    assert {tensor.dtype for tensor in found.values()} == {torch.float32}
    again = local.launch(config)
    status = wait(again, ended)
    assert status.state is RunState.FINISHED, status.reason
    other = weights(again)
    assert found.keys() == other.keys()
    assert all(torch.allclose(found[name], other[name], atol=1e-5) for name in found)

    with pytest.raises(UserError, match="made a reward model"):
        start_evaluation(run_dir, ["base", "tuned"])


@pytest.mark.fresh_interpreter
def test_the_score_is_read_at_the_end_of_the_answer(
    config: TrainConfig, tmp_path: Path, tiny_model: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForSequenceClassification

    # A model that pads with the token that ends a turn, as many do; its template writes nothing after it.
    tokenizer = load_tokenizer(str(tiny_model))
    tokenizer.pad_token = tokenizer.eos_token
    line_break = "{{- '\\n' -}}\n    {%- elif message.role == 'tool'"
    assert line_break in tokenizer.chat_template
    tokenizer.chat_template = tokenizer.chat_template.replace(line_break, "{%- elif message.role == 'tool'")
    padded = tmp_path / "padded"
    tokenizer.save_pretrained(padded)
    for name in ("config.json", "model.safetensors", "generation_config.json"):
        (padded / name).write_bytes((tiny_model / name).read_bytes())
    config = preferring(config, "reward", tmp_path)
    config.model.name = str(padded)
    config.quantization.bits = None
    config.reward.center = None
    config.optimization.max_steps = 3
    run_dir = local.launch(config)
    status = wait(run_dir, ended)
    assert status.state is RunState.FINISHED, status.reason
    assert (run_dir / layout.LOG).read_text() == ""

    # By hand: the hidden state of the last token, times the head.
    base = load_base(
        str(tiny_model),
        torch.float32,
        bits=None,
        double=False,
        kind=AutoModelForSequenceClassification,
        num_labels=1,
    )
    tuned = PeftModel.from_pretrained(base, str(run_dir / layout.ADAPTER)).eval()
    scores: dict[str, list[float]] = {"chosen": [], "rejected": []}
    for days in range(5):
        given = pair(f"city{days}", days)
        for side, found in scores.items():
            ids = tokenizer.apply_chat_template(
                [*given["prompt"], *given[side]], tools=given["tools"], return_dict=True
            )["input_ids"]
            assert ids[-1] == tokenizer.eos_token_id
            with torch.inference_mode():
                hidden = tuned.base_model.model.model(torch.tensor([ids])).last_hidden_state[0, -1]
            found.append(float(hidden @ weights(run_dir)[SCORE][0]))
    margins = [good - bad for good, bad in zip(scores["chosen"], scores["rejected"], strict=True)]
    last = read_metrics(run_dir)[-1]
    assert last["eval_margin"] == pytest.approx(sum(margins) / 5, abs=1e-4)
    assert last["eval_accuracy"] == pytest.approx(sum(margin > 0 for margin in margins) / 5)
