"""Log-likelihoods of texts, against a forward pass of the model by itself."""

from pathlib import Path

import pytest
import torch
from tiny_models import make_tiny
from transformers import AutoModelForCausalLM, AutoTokenizer

from tuner_tui.evaluation.generate import Generator
from tuner_tui.evaluation.tasks import Weigh

TEXTS = ["The gate is open.", "No.", "A table for two at Noma, please, and quickly: we are late."]
ASKED = [{"role": "user", "content": "Is the gate open?"}]


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def generator(tiny_model: Path) -> Generator:
    return Generator.load(str(tiny_model), None, bits=None, double=False, dtype="float32")


def by_hand(folder: Path, before: list[int], text: list[int]) -> float:
    """One forward pass over everything, unpadded, and the sum over the text."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
    with torch.inference_mode():
        logits = model(torch.tensor([[*before, *text]])).logits[0]
    chances = torch.log_softmax(logits, -1)
    return sum(float(chances[len(before) - 1 + place, token]) for place, token in enumerate(text))


def test_texts_alone_and_as_answers(generator: Generator, tiny_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    cut = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in TEXTS]
    first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    prompt = tokenizer.apply_chat_template(ASKED, add_generation_prompt=True, tokenize=False)
    asked = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    alone, answers = generator.weigh([Weigh(TEXTS), Weigh(TEXTS[:2], ASKED)], tuned=False, batch=2)
    assert alone.tokens == [len(ids) for ids in cut] and answers.tokens == alone.tokens[:2]
    wanted = [by_hand(tiny_model, [first], ids) for ids in cut]
    assert alone.log_likelihoods == pytest.approx(wanted, rel=1e-4)
    wanted = [by_hand(tiny_model, asked, ids) for ids in cut[:2]]
    assert answers.log_likelihoods == pytest.approx(wanted, rel=1e-4)
    assert alone.log_likelihoods[:2] != pytest.approx(answers.log_likelihoods, rel=1e-3)


def test_a_text_longer_than_the_window_counts_every_token_once(
    generator: Generator, tiny_model: Path
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    text = " ".join(f"gate {number}" for number in range(120))
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    assert len(ids) > 2 * 127
    (found,) = generator.weigh([Weigh([text, ""])], tuned=False, batch=8)
    expected, whole = 0.0, [first, *ids]
    for start in range(1, len(whole), 127):
        expected += by_hand(tiny_model, [whole[start - 1]], whole[start : start + 127])
    assert found.tokens == [len(ids), 0]
    assert found.log_likelihoods == [pytest.approx(expected, rel=1e-4), 0.0]
