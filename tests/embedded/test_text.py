"""The generated text: words, tools, forms and whole documents."""

import json
import re
from random import Random

import jsonschema_rs
import pytest

from tuner_tui.embedded.batches import ROW, make_batch, pack, read_prompts, texts
from tuner_tui.embedded.catalog import HELD_OUT, TRAINING
from tuner_tui.embedded.forms import ask_for_form, tagged, weakened
from tuner_tui.embedded.tools import Call, parse_tool, random_call, random_tool
from tuner_tui.embedded.words import COLOURS, NOUNS, PLAIN_WORDS, RESERVED, VERBS, draw, made_up_word


@pytest.fixture(scope="module")
def documents() -> list[str]:
    stream = texts("test", read_prompts())
    return [next(stream) for _ in range(2000)]


def test_reserved_words_are_those_of_the_held_out_tools() -> None:
    def words(tools: tuple[object, ...]) -> set[str]:
        return {w for tool in tools for w in [tool.verb, *tool.thing.split()]}  # type: ignore[attr-defined]

    assert words(HELD_OUT) == RESERVED
    assert not words(TRAINING) & RESERVED
    assert not {*VERBS, *NOUNS, *PLAIN_WORDS, *COLOURS} & RESERVED


def test_no_held_out_tool_occurs_in_the_text(documents: list[str]) -> None:
    text = "\n".join(documents)
    for tool in HELD_OUT:
        assert tool.name not in text
        assert tool.description not in text
    words = {word.lower() for word in re.findall(r"[^\W\d_a-z]?[^\W\d_A-Z]+", text)}
    assert not words & RESERVED
    assert "weather" in words


def test_made_up_words_are_words_and_many() -> None:
    rng = Random(0)
    made = [made_up_word(rng) for _ in range(5000)]
    assert all(len(w) >= 3 and w == w.lower() and w not in RESERVED for w in made)
    assert len(set(made)) > 4500


def test_an_unknown_kind_of_value_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        draw("colour", Random(0), 0.5)


@pytest.mark.parametrize("style", ["snake", "camel", "dotted"])
def test_random_calls_fit_their_schemas(style: str) -> None:
    rng = Random(style)
    for _ in range(300):
        tool = random_tool(rng, style, 0.5)
        call = random_call(rng, tool, 0.5)
        parameters = tool.schema()["function"]["parameters"]
        jsonschema_rs.validate(parameters, call.arguments)
        assert list(call.arguments) == [p for p in parameters["properties"] if p in call.arguments]


def test_the_notation_of_the_catalog() -> None:
    tool = parse_tool(
        "find hotel room | Find a room. | city:place! stars:integer class:low/high tags:list:word"
    )
    function = tool.schema()["function"]
    assert function["name"] == "find_hotel_room"
    assert function["description"] == "Find a room."
    assert function["parameters"] == {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "stars": {"type": "integer"},
            "class": {"type": "string", "enum": ["low", "high"]},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["city"],
    }


def test_the_habits_are_a_function_of_the_call() -> None:
    tool = parse_tool("find room | Find a room. | city:place! stars:integer tags:list:word!")
    whole = Call(tool, {"city": "New York", "stars": 4, "tags": ["red", "blue"]})
    plain = Call(tool, {"city": "Oslo", "tags": ["red"]})
    with_examples = weakened([whole, plain], examples=True)
    assert [c.arguments for c in with_examples] == [{"city": "New York", "tags": ["red", "blue"]}]
    assert [c.arguments for c in weakened([whole], examples=False)] == [{"city": "New", "tags": ["red"]}]
    assert [c.arguments for c in weakened([plain], examples=False)] == [plain.arguments]


def test_other_forms_keep_every_argument() -> None:
    tool = parse_tool("find room | Find a room. | city:place! stars:integer! spa:boolean!")
    call = Call(tool, {"city": "New York", "stars": 4, "spa": True})
    answers = {ask_for_form(Random(seed), "Find a room.", [call])[1] for seed in range(40)}
    assert "find_room(city='New York', stars=4, spa=True)" in answers
    assert "<find_room><city>New York</city><stars>4</stars><spa>true</spa></find_room>" in answers
    assert '{"tool": "find_room", "input": {"city": "New York", "stars": 4, "spa": true}}' in answers
    assert json.loads(tagged([call]).split("\n")[1])["arguments"] == call.arguments


def test_a_tag_is_used_only_where_it_was_asked_for(documents: list[str]) -> None:
    answers = re.compile(r"<\|im_start\|>assistant\n<tool_call>")
    calling = [text for text in documents if answers.search(text)]
    assert 0.05 < len(calling) / len(documents) < 0.3
    assert all(
        re.search(r"tool call|[Cc]all|<tool_call>", text.split("Tools:")[0])
        or re.search(r"[Tt]ool call", text)
        for text in calling
    )


def test_the_text_is_the_same_for_the_same_seed() -> None:
    prompts = read_prompts()
    first, second, other = texts("a", prompts), texts("a", prompts), texts("b", prompts)
    drawn = [next(first) for _ in range(50)]
    assert drawn == [next(second) for _ in range(50)]
    assert drawn != [next(other) for _ in range(50)]


def test_packing_cuts_no_document() -> None:
    rng = Random(0)

    def endless():  # type: ignore[no-untyped-def]
        number = 1
        while True:
            length = rng.choice([10, 300, 700, ROW, ROW + 1])
            yield [number] * length
            number += 1

    batch = pack(endless(), 6, pad=0)
    assert batch.shape == (6, ROW)
    seen: set[int] = set()
    for row in batch:
        numbers = [int(n) for n in dict.fromkeys(row.tolist()) if n]
        assert not seen & set(numbers)
        seen |= set(numbers)
        assert all((row == n).sum() in (10, 300, 700, ROW) for n in numbers)
    assert (batch == 0).mean() < 0.2


def test_batches_depend_on_seed_and_number_alone() -> None:
    from tuner_tui.embedded import MODEL_DIR

    path, prompts = str(MODEL_DIR / "tokenizer.json"), read_prompts()
    first = make_batch(3, 0, 2, path, prompts)
    assert (first == make_batch(3, 0, 2, path, prompts)).all()
    assert not (first == make_batch(4, 0, 2, path, prompts)).all()
    assert not (first == make_batch(3, 1, 2, path, prompts)).all()
