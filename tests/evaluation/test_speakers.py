"""The ways of answering say the same: padded batches, continuous batching, with the adapter and without."""

from pathlib import Path
from typing import Any

import psutil
import pytest
from gates import row
from tiny_models import make_tiny

from tuner_tui.evaluation.continuous import ContinuousSpeaker, why_not
from tuner_tui.evaluation.driver import Failure, Stopped
from tuner_tui.evaluation.generate import Generator
from tuner_tui.evaluation.padded import PaddedSpeaker
from tuner_tui.evaluation.speaking import Decoding
from tuner_tui.evaluation.tasks import Answer, Ask, Weigh

ASKS = [Ask(row(number)["messages"][:1], []) for number in range(1, 7)]
LONG = Ask([{"role": "user", "content": "gate " * 200}], [])
SHARE = min(0.8, 2**30 / psutil.virtual_memory().total)
"""Of the memory, for the cache: one GiB, whatever the machine; half of it is taken by the mask."""
DECODING = Decoding(2, 8)


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def generator(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("adapter")
    torch.manual_seed(0)
    lora = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_model), lora).save_pretrained(folder)
    return Generator.load(str(tiny_model), folder, bits=None, double=False, dtype="float32")


def ask_all(speaker: Any, asks: list[Ask] = ASKS) -> dict[int, Answer | Failure]:
    try:
        for key, ask in enumerate(asks):
            speaker.submit(key, ask)
        found: dict[int, Answer | Failure] = {}
        while len(found) < len(asks):
            found |= dict(speaker.ready())
        return found
    finally:
        speaker.close()


def said(found: dict[int, Answer | Failure]) -> dict[int, Any]:
    return {
        key: (each.text, each.tokens, each.cut) for key, each in found.items() if isinstance(each, Answer)
    }


def test_continuous_batching_says_what_padded_batches_say(
    generator: Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {}
    for tuned in (False, True, False):
        spoken = generator.spoken(tuned)
        continuous = ContinuousSpeaker(spoken, DECODING, lambda: False, memory=SHARE)
        found = said(ask_all(continuous))
        assert continuous.engine == "continuous batching", capsys.readouterr().err
        assert found == said(ask_all(PaddedSpeaker(spoken, DECODING, lambda: False)))
        assert len(found) == 6 and texts.setdefault(tuned, found) == found
    assert texts[False] != texts[True]


def test_texts_are_weighed_between_answers(generator: Generator) -> None:
    spoken = generator.spoken(False)
    speaker = ContinuousSpeaker(spoken, DECODING, lambda: False, memory=SHARE)
    before = said(ask_all(speaker))
    (weights,) = speaker.weigh([Weigh(["The gate is open."])])
    assert weights.log_likelihoods == pytest.approx(
        generator.weigh([Weigh(["The gate is open."])], tuned=False, batch=1)[0].log_likelihoods
    )
    tuned = generator.weigh([Weigh(["The gate is open."])], tuned=True, batch=1)[0]
    assert tuned.log_likelihoods != pytest.approx(weights.log_likelihoods)
    assert said(ask_all(speaker)) == before


def test_what_has_no_room_is_told_and_the_rest_answered(generator: Generator) -> None:
    spoken = generator.spoken(True)
    for speaker in (
        PaddedSpeaker(spoken, DECODING, lambda: False),
        ContinuousSpeaker(spoken, DECODING, lambda: False, memory=SHARE),
    ):
        found = ask_all(speaker, [ASKS[0], LONG])
        failure = found[1]
        assert isinstance(found[0], Answer) and isinstance(failure, Failure)
        assert failure.error == "too_long" and "the model's window 128" in failure.words


def test_an_engine_that_fails_leaves_its_questions_to_padded_batches(
    generator: Generator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = generator.spoken(False)
    base = spoken.model.get_base_model()

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(base, "init_continuous_batching", fail, raising=False)
    speaker = ContinuousSpeaker(spoken, DECODING, lambda: False, memory=SHARE)
    found = said(ask_all(speaker))
    assert speaker.engine == "padded batches" and "no such kernel" in capsys.readouterr().err
    assert found == said(ask_all(PaddedSpeaker(spoken, DECODING, lambda: False)))


def test_the_engine_is_chosen_and_the_reason_told(
    generator: Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    speaker = generator.speaker(tuned=False, decoding=DECODING, cancelled=lambda: True)
    assert why_not(generator.spoken(True).model) == (
        "continuous batching needs a CUDA device, and the model is on the cpu"
    )
    assert speaker.engine == "padded batches" and "needs a CUDA device" in capsys.readouterr().err
    speaker.submit(0, ASKS[0])
    with pytest.raises(Stopped):
        speaker.ready()
