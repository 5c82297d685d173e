"""Constrained decoding: whatever the model would like to write, calls fit the tools; words stay free."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

pytest.importorskip("llguidance")

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, LogitsProcessor

from tuner_tui import paths
from tuner_tui.data.answers.parsing import parse_answer
from tuner_tui.data.answers.scoring import judge
from tuner_tui.data.examples import Call
from tuner_tui.errors import UserError
from tuner_tui.evaluation.constrain import Constraint, call_form
from tuner_tui.evaluation.generate import Generator
from tuner_tui.evaluation.speaking import Decoding
from tuner_tui.evaluation.tasks import Ask, Tools
from tuner_tui.recipes.conventions import Convention, find_convention
from tuner_tui.recipes.model import load_tokenizer

MODEL = str(paths.embedded_model())
VOCABULARY = 2048
CALL_TOKEN, CLOSE_TOKEN, END = 3, 4, 2

PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "floor": {"type": "integer", "minimum": 0, "maximum": 40},
        "size": {"type": "string", "enum": ["small", "large"]},
        "note": {"type": "string", "maxLength": 12},
        "days": {"type": "array", "items": {"enum": ["monday", "friday"]}, "maxItems": 3},
        "projector": {"type": "boolean"},
    },
    "required": ["floor", "size"],
}


def tool(name: str, parameters: Any = PARAMETERS) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": name, "description": "A tool.", "parameters": parameters},
    }


TOOLS: Tools = [tool("book_room"), tool("cancel_room", {"type": "object", "properties": {}})]


@pytest.fixture(scope="module")
def convention() -> Convention:
    return find_convention(load_tokenizer(MODEL), MODEL)


@pytest.fixture(scope="module")
def constraint(convention: Convention) -> Constraint:
    return Constraint(convention, {END}, VOCABULARY)


class Push(LogitsProcessor):
    """The model wants to begin with one token."""

    def __init__(self, token: int, width: int) -> None:
        self.token, self.width = token, width

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        if input_ids.shape[1] == self.width:
            scores[:, self.token] = scores.max() + 100
        return scores


def answers(
    convention: Convention, processors: list[Any], rows: int, seed: int, most: int = 220
) -> list[str]:
    """Sampled from a model of random weights, which writes anything."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=512,
    )
    model = LlamaForCausalLM(config).eval()
    settings = GenerationConfig(
        do_sample=True, max_new_tokens=most, eos_token_id=END, pad_token_id=0, top_k=0
    )
    prompt = torch.full((rows, 4), 9)
    with torch.inference_mode():
        output = model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            generation_config=settings,
            logits_processor=processors,
        )
    texts = []
    for ids in output[:, 4:].tolist():
        ids = ids[: ids.index(END)] if END in ids else ids
        texts.append(convention.tokenizer.decode(ids, skip_special_tokens=False))
    return texts


def test_a_random_model_writes_calls_that_fit_the_schema(
    convention: Convention, constraint: Constraint
) -> None:
    schemas = {each["function"]["name"]: each["function"]["parameters"] for each in TOOLS}
    held = [Push(CALL_TOKEN, 4), constraint.processor([TOOLS] * 24, 4)]
    calls = 0
    for text in answers(convention, held, 24, 1):
        if not text.endswith("</tool_call>"):
            continue  # cut by the limit in the middle of one more call
        parsed = parse_answer(text)
        assert parsed.strict and parsed.error is None, text
        for call in parsed.calls:
            calls += 1
            jsonschema.validate(call.arguments, {**schemas[call.name], "additionalProperties": False})
    assert calls >= 20


def test_without_the_constraint_the_same_model_writes_none(convention: Convention) -> None:
    free = answers(convention, [Push(CALL_TOKEN, 4)], 8, 1, 60)
    assert not any(parse_answer(text).calls for text in free)


def test_whether_to_call_stays_the_models_choice(convention: Convention, constraint: Constraint) -> None:
    word = convention.tokenizer("Sorry", add_special_tokens=False)["input_ids"][0]
    held = [Push(word, 4), constraint.processor([TOOLS] * 8, 4)]
    for text in answers(convention, held, 8, 2, 40):
        assert "S" in text[:2]
    # Words, and nothing that looks like a call that is none.
    for text in answers(convention, [constraint.processor([TOOLS] * 16, 4)], 16, 3, 60):
        parsed = parse_answer(text)
        open_call = text.count("<tool_call>") > text.count("</tool_call>")
        assert parsed.error is None or open_call, text


def test_rows_without_tools_are_free(convention: Convention, constraint: Constraint) -> None:
    push = Push(CLOSE_TOKEN, 4)
    free, held = answers(convention, [push, constraint.processor([[], TOOLS], 4)], 2, 4, 4)
    assert free.startswith("</tool_call>") and not held.startswith("</tool_call>")


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        {},
        {"type": "dict", "properties": {"x": {"type": "float"}}},
        {"type": "object", "properties": {"x": {"$ref": "https://example.org/x.json"}}},
        {"type": "object", "properties": {"x": {"type": "string", "pattern": "(?<=a)b("}}},
        {"type": "object", "properties": {"x": {"type": "string", "format": "no such"}}},
        {"type": "object", "properties": "broken"},
        {"type": "object", "properties": {'q"\n</tool_call>': {"type": "integer"}}},
        "text",
    ],
)
def test_a_schema_that_is_not_understood_leaves_the_arguments_free(
    convention: Convention, constraint: Constraint, parameters: Any
) -> None:
    tools = [tool("odd", parameters), tool("book_room")]
    held = [Push(CALL_TOKEN, 4), constraint.processor([tools] * 6, 4)]
    for text in answers(convention, held, 6, 5, 60):
        name = text.split('"name": "')[1]
        assert name.startswith(('odd"', 'book_room"')) or len(name) < 4, text


def test_the_form_of_a_call_is_told_from_the_template(convention: Convention) -> None:
    form = call_form(convention)
    assert (form.before, form.between, form.after) == (
        "<tool_call>\n",
        "\n</tool_call>\n<tool_call>\n",
        "\n</tool_call>",
    )
    assert (form.arguments, form.item_separator, form.key_separator) == ("arguments", ", ", ": ")


def other_template(convention: Convention, call: str) -> Convention:
    tokenizer = load_tokenizer(MODEL)
    tokenizer.chat_template = (
        "{%- for tool in tools or [] -%}{{- tool | tojson -}}{%- endfor -%}"
        "{%- for message in messages -%}"
        "{{- '<|im_start|>' + message.role + '\n' + (message.content or '') -}}"
        "{%- for call in message.tool_calls or [] -%}" + call + "{%- endfor -%}{{- '<|im_end|>\n' -}}"
        "{%- endfor -%}{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}"
    )
    return Convention(tokenizer, convention.shape, False)


def test_a_bare_object_with_parameters_is_a_form_too(convention: Convention) -> None:
    call = (
        "{{- '{\"name\": ' + (call.function.name | tojson) + ', \"parameters\": ' "
        "+ (call.function.arguments | tojson) + '}' -}}"
    )
    bare = other_template(convention, call)
    form = call_form(bare)
    assert (form.before, form.arguments, form.after) == ("", "parameters", "")
    brace = bare.tokenizer("{", add_special_tokens=False)["input_ids"][-1]
    held = [Push(brace, 4), Constraint(bare, {END}, VOCABULARY).processor([TOOLS] * 6, 4)]
    texts = answers(bare, held, 6, 6, 60)
    assert any(parse_answer(text).calls for text in texts)
    assert all(text.startswith('{"name": "') or text.startswith("{") for text in texts)


def test_a_form_that_is_no_json_is_refused_in_words(convention: Convention) -> None:
    call = "{{- 'call ' + call.function.name + '(' + (call.function.arguments | tojson) + ')' -}}"
    with pytest.raises(UserError, match="writes calls in another form"):
        Constraint(other_template(convention, call), {END}, VOCABULARY)


def test_the_embedded_model_makes_no_error_of_form(tmp_path: Path) -> None:
    """With the prompt that gets it to call at all; free, it does make such errors."""
    from tuner_tui.evaluation.arms import prompt_text, with_prompt
    from tuner_tui.evaluation.suites import open_suite

    generator = Generator.load(MODEL, None, bits=None, double=False)
    items = [
        item for item in open_suite("heldout", paths.sample_data() / "heldout.jsonl").items if item.gold
    ][:10]
    form = {"unparsable_call", "invented_tool", "unknown_argument", "wrong_type"}
    found: dict[bool, list[str | None]] = {}
    for constrained in (False, True):
        speaker = generator.speaker(
            tuned=False, decoding=Decoding(10, 100), cancelled=lambda: False, constrained=constrained
        )
        for key, item in enumerate(items):
            speaker.submit(key, Ask(with_prompt(item.messages, prompt_text("examples")), item.tools))
        verdicts = []
        for key, answer in speaker.ready():
            assert not hasattr(answer, "words")
            verdicts.append(judge(items[key].gold, answer.parsed, items[key].tools))  # type: ignore[union-attr]
        found[constrained] = [verdict.error for verdict in verdicts]
        if constrained:
            assert all(verdict.strict_format for verdict in verdicts if verdict.called)
            assert any(verdict.called for verdict in verdicts)
    assert not form & set(found[True]), found


def test_the_grammar_leaves_no_call_that_the_tools_do_not_know(constraint: Constraint) -> None:
    from llguidance import LLMatcher

    grammar = constraint._grammar(TOOLS)
    tokenizer = load_tokenizer(MODEL)

    def accepted(text: str) -> bool:
        matcher = LLMatcher(constraint._llguidance, grammar)
        ids = [*tokenizer(text, add_special_tokens=False)["input_ids"], END]
        return matcher.validate_tokens(ids) == len(ids)

    def spelled(*calls: Call) -> str:
        return "\n".join(
            f"<tool_call>\n{json.dumps({'name': call.name, 'arguments': call.arguments})}\n</tool_call>"
            for call in calls
        )

    right = Call("book_room", {"floor": 3, "size": "small"})
    assert accepted(spelled(right)) and accepted(spelled(right, right)) and accepted("No tool can do that.")
    assert accepted("Sure, at once.\n" + spelled(right))
    assert not accepted(spelled(Call("paint_room", {})))
    assert not accepted(spelled(Call("book_room", {"size": "small"})))
    assert not accepted(spelled(Call("book_room", {"floor": "3", "size": "small"})))
    assert not accepted(spelled(Call("book_room", {"floor": 3, "size": "huge"})))
    assert not accepted(spelled(Call("cancel_room", {"floor": 3})))
    assert not accepted('{"name": "book_room", "arguments": {"floor": 3}}')
    assert not accepted('```json\n{"name": "book_room"}\n```')
    assert not accepted("<tool_call>")
