"""The shipped weights, and the program that makes them."""

import json
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tuner_tui.embedded import MODEL_DIR
from tuner_tui.embedded import pretrain as program

SAMPLES = Path(__file__).parents[2] / "sample_data"


def test_the_shipped_model_is_small_and_standard() -> None:
    assert (MODEL_DIR / "model.safetensors").stat().st_size <= 16_000_000
    config = json.loads((MODEL_DIR / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert config["max_position_embeddings"] >= 4096
    assert config["tie_word_embeddings"] is True
    card = (MODEL_DIR / "README.md").read_text(encoding="utf-8")
    assert "tuner_tui.embedded.pretrain" in card


@pytest.mark.parametrize("served", [True, False])
def test_asked_plainly_it_answers_in_words(served: bool) -> None:
    tokenizer = AutoTokenizer.from_pretrained(MODEL_DIR)
    model = AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32)
    assert len(tokenizer) == model.config.vocab_size
    lines = (SAMPLES / "heldout.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    row = next(r for r in rows if bool(r["messages"][-1].get("tool_calls")) is served)
    prompt = tokenizer.apply_chat_template(
        row["messages"][:-1],
        tools=row["tools"],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    with torch.no_grad():
        output = model.generate(**prompt, max_new_tokens=80)
    answer = tokenizer.decode(output[0, prompt["input_ids"].shape[1] :])
    assert "<tool_call>" not in answer
    assert answer.endswith("<|im_end|>")
    if served:
        assert row["messages"][-1]["tool_calls"][0]["function"]["name"] in answer


def test_the_program_makes_a_folder_that_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model"
    monkeypatch.setattr(
        sys,
        "argv",
        ["pretrain", str(out), "--tokens", "4096", "--rows", "1", "--processes", "1", "--documents", "300"],
    )
    program.main()
    assert "step 4/4" in capsys.readouterr().out
    model = AutoModelForCausalLM.from_pretrained(out)
    tokenizer = AutoTokenizer.from_pretrained(out)
    assert model.dtype == torch.bfloat16
    assert len(tokenizer) == model.config.vocab_size == program.VOCABULARY
    assert tokenizer.response_template is not None
    assert all(torch.isfinite(p).all() for p in model.parameters())


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [program.learning_rate(step, 1000) for step in range(1000)]
    top = max(range(1000), key=rates.__getitem__)
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert max(rates) == pytest.approx(program.PEAK_LEARNING_RATE)
    assert rates[-1] < 0.05 * program.PEAK_LEARNING_RATE
