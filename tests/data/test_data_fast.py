"""The fast path of the engine tells of every row what the thorough one tells."""

import copy
import json
from collections.abc import Sequence
from itertools import chain, islice
from typing import Any

import pytest
from data_rows import TOOL, Writer, answer, call, conversation, example, user
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tallies import differences, tally

from tuner_tui.data.copies.fingerprints import SEPARATOR
from tuner_tui.data.engine.chunks import ChunkInspector
from tuner_tui.data.engine.screen import ROW, screen
from tuner_tui.data.engine.task import Task
from tuner_tui.data.engine.telling import may_report_error
from tuner_tui.data.inspection import inspect_file
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.readers import open_rows
from tuner_tui.data.stats import TELLING_KEYS, reports_error
from tuner_tui.data.texts.checks import suspicious
from tuner_tui.paths import sample_data

PLACE = {
    "type": "function",
    "function": {
        "name": "place",
        "description": "Where something is.",
        "parameters": {
            "type": "object",
            "properties": {
                "size": {"type": "number"},
                "open": {"type": "boolean"},
                "kind": {"type": "string", "minLength": 2},
            },
        },
    },
}
ODD_TOOL = {"name": "odd.tool", "parameters": {"a": {"type": "str, optional"}}}
TOOLS: list[Any] = [[TOOL]] * 4
TOOLS += [[TOOL, PLACE], [PLACE, TOOL], [TOOL, TOOL], [TOOL, ODD_TOOL], [], None]
MORE: list[Any] = [{}] * 6
MORE += [{"weight": 0}, {"weight": 1}, {"reasoning_content": "Hm."}, {"tool_calls": []}]
KEYS: list[Any] = [{}] * 4 + [{"id": 7}, {"functions": [TOOL["function"]]}, {"tools": [7]}]
WORDS = [
    "Rome",
    "Will it rain?",
    "3.5",
    "",
    " ",
    "été",
    "東京は晴れですか",
    "a\tb",
    "x\x07y",
    "me@mail.org",
    "\u202e",
]
WORDS += [
    "sk-proj-Ab12Cd34Ef56Gh78Ij90",
    "call 2025550143 now",
    "4929 1234 5678 9012",
    "Error: no",
    '{"error": 1}',
]
WORDS += ["password = hunter2x9y", "Привет, как дела сегодня?", "\x00", "a\\b", "🙂"]

texts = st.one_of(st.sampled_from(WORDS), st.text(max_size=12))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)
names = st.sampled_from(["city", "days", "unit", "hours", "place", "size", "open", "kind", "other"])
good = st.fixed_dictionaries(
    {"city": texts},
    optional={
        "days": st.integers(0, 9),
        "unit": st.sampled_from(["celsius", "fahrenheit", "kelvin"]),
        "hours": st.lists(st.one_of(st.integers(0, 5), st.floats(0, 1)), max_size=3),
        "place": st.fixed_dictionaries({"country": texts}, optional={"extra": texts}),
    },
)
arguments = st.one_of(good, good, st.dictionaries(names, values, max_size=4))


@st.composite
def calls(draw: st.DrawFn, number: int, as_text: bool) -> dict[str, Any]:
    given_arguments: Any = draw(arguments)
    if as_text:
        given_arguments = json.dumps(given_arguments, ensure_ascii=draw(st.booleans()))
    made: dict[str, Any] = {
        "function": {
            "name": draw(st.sampled_from(["weather"] * 6 + ["place", "nothing", "odd.tool"])),
            "arguments": given_arguments,
        }
    }
    if draw(st.booleans()):
        made["type"] = "function"
    made |= draw(st.sampled_from([{"id": f"c{number}"}] * 4 + [{}, {"id": "c0"}, {"id": ""}, {"id": None}]))
    return made


@st.composite
def rows(draw: st.DrawFn, as_text: bool) -> dict[str, Any]:
    """Mostly sound conversations, with all that can be odd about them."""
    messages: list[dict[str, Any]] = []
    number = 0
    if draw(st.booleans()):
        messages.append({"role": "system", "content": draw(texts)})
    for _ in range(draw(st.integers(1, 2))):
        messages.append({"role": draw(st.sampled_from(["user"] * 9 + ["developer"])), "content": draw(texts)})
        for _ in range(draw(st.integers(0, 2))):
            made = [draw(calls(number + index, as_text)) for index in range(draw(st.integers(1, 2)))]
            messages.append({"role": "assistant", "content": draw(st.sampled_from([None, "", "Wait."]))})
            messages[-1]["tool_calls"] = made
            for index, one in enumerate(made):
                answered = {"role": "tool", "content": draw(texts), "tool_call_id": f"c{number + index}"}
                if draw(st.booleans()):
                    answered["name"] = one["function"]["name"]
                if draw(st.integers(0, 9)) == 0:
                    del answered["tool_call_id"]
                messages.append(answered)
            number += len(made)
        messages.append({"role": "assistant", "content": draw(texts)})
        messages[-1] |= draw(
            st.sampled_from(
                [{}] * 6 + [{"weight": 0}, {"weight": 1}, {"reasoning_content": "Hm."}, {"tool_calls": []}]
            )
        )
    if draw(st.integers(0, 5)) == 0:
        messages.pop()
    if draw(st.integers(0, 9)) == 0 and len(messages) > 1:
        messages.insert(0, messages.pop())
    tools: Any = draw(
        st.sampled_from(
            [[TOOL]] * 4 + [[TOOL, PLACE], [PLACE, TOOL], [TOOL, TOOL], [TOOL, ODD_TOOL], [], None]
        )
    )
    if draw(st.integers(0, 5)) == 0:
        tools = json.dumps(tools)
    row = {"messages": messages, "tools": tools}
    return row | draw(
        st.sampled_from([{}] * 4 + [{"id": 7}, {"functions": [TOOL["function"]]}, {"tools": [7]}])
    )


def told_the_same(
    rows: Sequence[dict[str, Any]], format: Format, folders: pytest.TempPathFactory, between: str
) -> None:
    """With the fast path and without it these rows are counted alike, and the same is found in them."""
    path = folders.mktemp("rows") / "rows.jsonl"
    path.write_text(between.join(json.dumps(row, ensure_ascii=len(rows) % 2 == 0) for row in rows), "utf-8")
    assert differences(tally(path, format, fast=True), tally(path, format, fast=False)) == []


@pytest.mark.parametrize("format", [Format.OPENAI, Format.CANONICAL])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_fast_path_counts_and_finds_the_same(
    format: Format, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    drawn = data.draw(st.lists(rows(format is Format.OPENAI), min_size=1, max_size=6))
    told_the_same(drawn, format, tmp_path_factory, between="\n\n")


def real_rows() -> list[dict[str, Any]]:
    """Some rows of each sample file of conversations."""
    read = [islice(open_rows(file).rows(), 12) for file in sorted(sample_data().glob("*.jsonl"))]
    return [row.value for row in chain.from_iterable(read) if row.value and "messages" in row.value]


REAL = real_rows()
ODD: list[Any] = [None, True, 0, -1, 2**64, 1.5, "", " ", "{", '{"a": 1}', "<tool_call>", [], {}, [None]]
ODD += ["sk-proj-Ab12Cd34Ef56Gh78Ij90", "me@mail.org", "call 2025550143 now", "東京は晴れですか", "a\tb\x07"]


def with_text_arguments(row: dict[str, Any]) -> dict[str, Any]:
    """The row as OpenAI writes it: the arguments of calls as text, the calls with ids."""
    row, ids = copy.deepcopy(row), iter(range(1000))
    for message in row["messages"]:
        for one in message.get("tool_calls") or ():
            one["function"]["arguments"] = json.dumps(one["function"]["arguments"])
            one["id"] = f"call_{next(ids)}"
    answers = (message for message in row["messages"] if message["role"] == "tool")
    for number, message in enumerate(answers):
        message["tool_call_id"] = f"call_{number}"
    return row


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a JSON value with each of its keys or indexes."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else range(len(value))
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


@st.composite
def changed_rows(draw: st.DrawFn, as_text: bool) -> dict[str, Any]:
    """A real row with up to two changes: of a value, a type, a key or the order."""
    row = copy.deepcopy(draw(st.sampled_from(REAL)))
    row = with_text_arguments(row) if as_text else row
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        container, key = draw(st.sampled_from(places(row) or [({"messages": 0}, "messages")]))
        way = draw(st.sampled_from(["odd", "drop", "again", "first", "text", "rename", "said", "said"]))
        if way == "odd":
            container[key] = draw(st.sampled_from(ODD))
        elif way == "drop":
            del container[key]
        elif way == "text":
            container[key] = json.dumps(container[key])
        elif way == "said" and isinstance(container[key], str):
            container[key] += draw(texts)
        elif isinstance(container, list):
            container.insert(0 if way == "first" else key, copy.deepcopy(container[key]))
        elif way == "rename":
            container[draw(st.sampled_from(["name", "content", "id", "weight", "role", "x"]))] = (
                container.pop(key)
            )
        else:  # the last key is now the first, or the first the last
            items = [(key, container.pop(key)), *container.items()]
            container.clear()
            container |= items if way == "first" else reversed(items)
    return row


@pytest.mark.parametrize("format", [Format.OPENAI, Format.CANONICAL])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_changed_rows_of_real_files_are_told_the_same(
    format: Format, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    drawn = data.draw(st.lists(changed_rows(format is Format.OPENAI), min_size=1, max_size=12))
    told_the_same(drawn, format, tmp_path_factory, between="\n")


@pytest.mark.parametrize("format", [Format.OPENAI, Format.CANONICAL])
def test_real_rows_as_they_are(format: Format, write: Writer) -> None:
    as_they_are = [with_text_arguments(row) if format is Format.OPENAI else row for row in REAL * 30]
    fast = tally(write(as_they_are), format, fast=True)
    assert fast.sound > 1000
    assert differences(fast, tally(write(as_they_are), format, fast=False)) == []


pieces = st.sampled_from(
    [
        *"aZ0 .\n)]s<@\\",
        "aaaaaaa",
        "0123456",
        "ABC",
        "ssw",
        ")]",
        "é",
        "東",
        "a word ",
        "(1) ",
        "x" * 15,
        "x" * 16,
    ]
)


@given(st.lists(st.lists(pieces, max_size=9).map("".join), min_size=1, max_size=6))
def test_the_screen_misses_no_row(said: list[str]) -> None:
    texts = [ROW + text.encode() for text in said]
    ends = [sum(map(len, texts[: index + 1])) for index in range(len(texts))]
    found = screen(b"".join(texts), ends, 0)
    plain = [text.replace("é", "\n").replace("東", "\n") for text in said]
    sure = {index for index, text in enumerate(plain) if suspicious(text) or "東" in said[index]}
    assert sure <= set(found) <= set(range(len(said)))


def test_the_screen_passes_plain_rows() -> None:
    texts = [
        ROW + text.encode() for text in ("Will it rain?" + SEPARATOR + "No.", "é", "me@mail.org", "x" * 15)
    ]
    ends = [sum(map(len, texts[: index + 1])) for index in range(len(texts))]
    assert list(screen(b"".join(texts), ends, 1)) == [2]


_TELLING = st.sampled_from([*sorted(TELLING_KEYS), "temperature", "\\u0065rror"])
_SAID = st.sampled_from(
    ["", "none", "Error: no", "ok", "fail", 404, 200, 0, True, False, None, [], {"error": 1}]
)


@given(st.dictionaries(_TELLING, _SAID, max_size=4), st.sampled_from(["", " ", "\ufeff", "Error: ", "x"]))
def test_a_result_that_reports_an_error_is_told_as_by_the_thorough_look(said: Any, before: str) -> None:
    text = before + json.dumps(said).replace("\\\\", "\\")
    for one in (text, text[:-1], f"{text} 1", text.replace("404", "1e999")):
        assert may_report_error(one) == reports_error(one)


@pytest.mark.parametrize("sign", ["\x00", "\x01"])
def test_a_text_that_holds_a_separator(sign: str, write: Writer) -> None:
    path = write([conversation(1), example(user("Rome"), answer(sign))])
    fast = tally(path, Format.CANONICAL, fast=True)
    assert list(fast.findings.rows["control_characters"]) == [2]
    assert differences(fast, tally(path, Format.CANONICAL, fast=False)) == []


def test_what_is_plainly_clean_is_not_converted(write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write([conversation(number) for number in range(50)])
    looked_at: list[int] = []
    thorough = ChunkInspector(Task(path, Format.CANONICAL))
    original = thorough._rows.add
    monkeypatch.setattr(
        type(thorough._rows), "add", lambda self, tally, row: (looked_at.append(1), original(tally, row))[1]
    )
    (chunk,) = open_rows(path).chunks()
    assert thorough.tally(chunk, lambda: False).sound == 50
    assert looked_at == []


def test_a_key_that_says_something_only_in_a_later_row(write: Writer) -> None:
    rows = [conversation(number) | {"label": None, "source": "x"} for number in range(150)]
    rows[140]["label"] = False
    assert list(inspect_file(write(rows)).rows_of("unknown_layout")) == [141]


def test_a_key_that_no_struct_can_have(write: Writer) -> None:
    rows = [conversation(number) | {'a"b': 1, "类型": "x", "id": number} for number in range(60)]
    assert inspect_file(write(rows)).tally.sound == 60


def test_an_integer_that_no_64_bits_hold(write: Writer) -> None:
    row = example(user(), answer("", call(city="Rome", days=2**64)))
    assert list(inspect_file(write([conversation(1), row])).rows_of("unparseable_arguments")) == [2]
