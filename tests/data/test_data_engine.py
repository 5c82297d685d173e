"""The engine: the fast path agrees with the thorough one, and any number of workers with one."""

import json
import random
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import psutil
import pytest
from data_rows import TOOL, Writer, answer, call, example, result, user
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuner_tui.data.engine.chunks import ChunkInspector
from tuner_tui.data.engine.pool import tallies
from tuner_tui.data.engine.task import Task
from tuner_tui.data.engine.telling import may_report_error
from tuner_tui.data.inspection import inspect_file
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.progress import Progress
from tuner_tui.data.readers import open_rows
from tuner_tui.data.stats import TELLING_KEYS, reports_error
from tuner_tui.data.tally import Tally
from tuner_tui.errors import UserError
from tuner_tui.paths import embedded_model

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


def tally(path: Path, format: Format, *, fast: bool) -> Tally:
    whole = Tally()
    inspector = ChunkInspector(Task(path, format, fast=fast, questions=True, extra_keys=("id",)))
    for chunk in open_rows(path).chunks():
        whole.merge(inspector.tally(chunk, lambda: False))
    return whole


def differences(one: Tally, other: Tally) -> list[str]:
    return [field.name for field in fields(Tally) if getattr(one, field.name) != getattr(other, field.name)]


@pytest.mark.parametrize("format", [Format.OPENAI, Format.CANONICAL])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_fast_path_counts_and_finds_the_same(
    format: Format, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    drawn = data.draw(st.lists(rows(format is Format.OPENAI), min_size=1, max_size=6))
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_text("\n\n".join(json.dumps(row, ensure_ascii=len(drawn) % 2 == 0) for row in drawn), "utf-8")
    assert differences(tally(path, format, fast=True), tally(path, format, fast=False)) == []


def conversation(number: int, **extra: Any) -> dict[str, Any]:
    return example(
        user(f"Will it rain in city {number}?"),
        answer("", call(city=f"city {number}", days=number % 7)),
        result('{"rain": true}', name="weather"),
        answer(f"Yes, in {number}."),
        **extra,
    )


_TELLING = st.sampled_from([*sorted(TELLING_KEYS), "temperature", "\\u0065rror"])
_SAID = st.sampled_from(
    ["", "none", "Error: no", "ok", "fail", 404, 200, 0, True, False, None, [], {"error": 1}]
)


@given(st.dictionaries(_TELLING, _SAID, max_size=4), st.sampled_from(["", " ", "\ufeff", "Error: ", "x"]))
def test_a_result_that_reports_an_error_is_told_as_by_the_thorough_look(said: Any, before: str) -> None:
    text = before + json.dumps(said).replace("\\\\", "\\")
    for one in (text, text[:-1], f"{text} 1", text.replace("404", "1e999")):
        assert may_report_error(one) == reports_error(one)


def test_a_text_that_holds_the_separator_of_the_screen(write: Writer) -> None:
    path = write([conversation(1), example(user("Rome"), answer("\x00"))])
    assert list(inspect_file(path).rows_of("control_characters")) == [2]


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


@pytest.fixture
def mixed(write: Writer) -> Path:
    """Rows of all sorts, a thousand and more."""
    chance = random.Random(3)
    made: list[Any] = []
    for number in range(1500):
        row = conversation(number if number % 50 else 0)
        way = chance.randrange(30)
        if way == 0:
            row["messages"][1]["tool_calls"][0]["function"]["arguments"]["days"] = "two"
        elif way == 1:
            row["messages"][1]["tool_calls"][0]["function"]["name"] = "nothing"
        elif way == 2:
            row["messages"].pop(2)
        elif way == 3:
            row["messages"][3]["content"] = "Write to anna.meier@gmail.com, Größe 3."
        made.append("{cut" if way == 4 else row)
    return write(made)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_any_number_of_workers_finds_the_same(mixed: Path, workers: int) -> None:
    source = open_rows(mixed)
    task = Task(mixed, Format.CANONICAL, questions=True, signatures=True)
    whole = Tally()
    for part in tallies(source.chunks(40_000), task, workers, lambda: False):
        whole.merge(part)
    once = Tally()
    (chunk,) = source.chunks(1 << 30)
    once.merge(ChunkInspector(task).tally(chunk, lambda: False))
    assert differences(whole, once) == []
    assert whole.rows == 1500
    assert set(whole.findings.counts) >= {"wrong_type", "undeclared_tool", "not_json", "personal_data"}
    assert list(whole.findings.rows["not_json"]) == sorted(whole.findings.rows["not_json"])


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def test_cancelled_workers_end_at_once(mixed: Path) -> None:
    before = set(children())
    told = False

    def stopped() -> bool:
        return told

    parts = tallies(open_rows(mixed).chunks(20_000), Task(mixed, Format.CANONICAL), 2, stopped)
    first = next(parts)
    assert set(children()) - before
    told = True
    begun = time.monotonic()
    rest = list(parts)
    assert time.monotonic() - begun < 2  # 0.2 s on a machine that has nothing else to do
    assert first.rows + sum(part.rows for part in rest) < 1500
    assert not set(children()) - before


def test_a_worker_that_is_killed_is_one_clear_error(mixed: Path) -> None:
    before = set(children())
    parts = tallies(open_rows(mixed).chunks(20_000), Task(mixed, Format.CANONICAL), 1, lambda: False)
    next(parts)
    (worker,) = set(children()) - before
    worker.kill()
    with pytest.raises(UserError, match="signal 9"):
        list(parts)
    assert not set(children()) - before


def test_an_error_in_a_worker_is_the_callers(mixed: Path, tmp_path: Path) -> None:
    task = Task(mixed, Format.CANONICAL, model=tmp_path / "no-model")
    with pytest.raises(UserError, match="no-model"):
        list(tallies(open_rows(mixed).chunks(), task, 1, lambda: False))


def test_rows_that_the_evaluation_has_too(write: Writer) -> None:
    train = write([conversation(number) for number in range(20)], "train.jsonl")
    held_out = write([conversation(number) for number in (3, 99, 12)], "eval.jsonl")
    assert list(inspect_file(train, eval_path=held_out).rows_of("leaked_row")) == [4, 13]


def test_near_duplicates(write: Writer) -> None:
    words = "please tell me how the weather over the whole of northern Italy will be on the next days"
    rows = [conversation(number) for number in range(5)]
    rows += [example(user(f"{words}; {words[::-1]} {end}"), answer("It rains.")) for end in ("then", "now")]
    path = write(rows)
    assert list(inspect_file(path).rows_of("near_duplicate")) == [7]
    assert not inspect_file(path, near=False).rows_of("near_duplicate")


def test_a_sample_of_the_rows_is_tokenised(write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner_tui.data.engine.plan.TOKENISED_ROWS", 50)
    path = write([conversation(number) for number in range(200)])
    some = inspect_file(path, model=embedded_model())
    assert 20 < len(some.lengths) < 100
    assert len(some.tally.tokenised) == len(some.lengths) == len(some.trained)
    assert some.to_json()["tokens"]["rows"] == len(some.lengths)
    assert len(inspect_file(path, model=embedded_model(), all_tokens=True).lengths) == 200


def test_progress_tells_bytes_and_rows(mixed: Path) -> None:
    seen: list[Progress] = []
    inspection = inspect_file(mixed, workers=2, progress=seen.append)
    assert seen[-1].done == seen[-1].total == mixed.stat().st_size
    assert seen[-1].rows == inspection.rows == 1500
    assert len(inspection.severities) == 1500
