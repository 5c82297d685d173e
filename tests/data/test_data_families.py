"""Eight model families: what the preview shows is what TRL trains, token by token."""

import json
from pathlib import Path
from typing import Any

import pytest
from families import CONVERSATIONS, FAMILIES, UNWEIGHTED, family_model

from tuner_tui.data.examples import Example, conversation
from tuner_tui.data.rendering import masks
from tuner_tui.data.rendering.encoded import Encoded
from tuner_tui.data.rendering.preview import ChatTemplate
from tuner_tui.data.rendering.template import TemplateFailure

IGNORED = -100
# TRL has no template with marks for these, and refuses assistant_only_loss.
BY_TURN = {"Llama 3.1", "Gemma 4"}
REFUSED = {("Llama 3.1", "parallel")}


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folder(family: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return family_model(family, tmp_path_factory.mktemp("family"))


@pytest.fixture(scope="module")
def template(folder: Path) -> ChatTemplate:
    return ChatTemplate.load(folder)


def trl_labels(
    folder: Path, rows: list[dict[str, Any]], *, marked: bool
) -> list[tuple[list[int], list[int]]]:
    """The tokens and labels that TRL's SFTTrainer and its collator make of rows: the real ones, on a model of
    one narrow layer."""
    from datasets import Dataset
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM
    from trl import SFTConfig, SFTTrainer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.pad_token = tokenizer.eos_token
    shape = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    arguments = SFTConfig(
        output_dir=str(folder / "out"),
        use_cpu=True,
        bf16=False,
        max_length=None,
        assistant_only_loss=marked,
        report_to="none",
        disable_tqdm=True,
    )
    trainer = SFTTrainer(
        model=LlamaForCausalLM(shape),
        args=arguments,
        train_dataset=Dataset.from_list(rows, on_mixed_types="use_json"),
        processing_class=tokenizer,
    )
    made = []
    for row in trainer.train_dataset:
        batch = trainer.data_collator([{"input_ids": row["input_ids"], "labels": row["labels"]}])
        made.append((batch["input_ids"][0].tolist(), batch["labels"][0].tolist()))
    return made


def labels(encoded: Encoded) -> list[int]:
    return [token if on else IGNORED for token, on in zip(encoded.ids, encoded.mask, strict=True)]


def by_turn(example: Example) -> list[dict[str, Any]]:
    """TRL's prompt and completion for each assistant turn that is to be learned."""
    messages = conversation(example)
    return [
        {"prompt": messages[:place], "completion": [message], "tools": _tools(example)}
        for place, message in enumerate(messages)
        if message["role"] == "assistant" and message.get("weight") != 0
    ]


def _tools(example: Example) -> str | None:
    return json.dumps(example["tools"]) if example["tools"] else None


def test_the_preview_is_what_trl_trains(family: str, folder: Path, template: ChatTemplate) -> None:
    marked = family not in BY_TURN
    assert template.marks_generation is marked
    ours: list[Encoded] = []
    rows: list[dict[str, Any]] = []
    for name, example in CONVERSATIONS.items():
        (made,) = template.rows([example])
        if isinstance(made, TemplateFailure):
            assert (family, name) in REFUSED
            with pytest.raises(TemplateFailure):
                template.render(example)
            continue
        assert (family, name) not in REFUSED
        ours += made
        tools = json.dumps(example["tools"]) if example["tools"] else None
        rows += [{"messages": conversation(example), "tools": tools}] if marked else by_turn(example)
        # The picture has the same tokens and the same marks, and its tokens spell its text.
        shown = template.render(example)
        assert "".join(token.text for token in shown.tokens) == shown.text
        if len(made) == 1:
            learned = [token.id if token.trained else IGNORED for token in shown.tokens]
            assert learned[: len(made[0].ids)] == labels(made[0])
            assert shown.trained == sum(made[0].mask)
    theirs = trl_labels(folder, rows, marked=marked)
    assert len(theirs) == len(ours)
    for encoded, (ids, wanted) in zip(ours, theirs, strict=True):
        assert encoded.ids == ids
        assert labels(encoded) == wanted
        assert any(encoded.mask)
        assert masks.teaches_end(encoded.ids, encoded.mask, template.ends)


def test_turns_of_weight_0(family: str, folder: Path, template: ChatTemplate) -> None:
    """TRL knows no weights; a prompt and a completion for each turn that counts is how it says the same."""
    ours: list[Encoded] = []
    for made in template.rows(list(UNWEIGHTED.values())):
        assert isinstance(made, list)
        ours += made
    rows = [row for example in UNWEIGHTED.values() for row in by_turn(example)]
    theirs = trl_labels(folder, rows, marked=family not in BY_TURN)
    assert [(one.ids, labels(one)) for one in ours] == theirs
