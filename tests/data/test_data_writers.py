"""Canonical examples in other layouts: what is written reads back as the same example, or is refused."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from data_rows import TOOL, Writer, answer, call, example, result, user
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuner_tui.cli import main
from tuner_tui.data.conversion import convert_file
from tuner_tui.data.converters import convert
from tuner_tui.data.layouts.formats import Format, detect
from tuner_tui.data.writers import WRITERS, NotExpressible, writable, write
from tuner_tui.errors import UserError

SYSTEM = {"role": "system", "content": "Be brief."}
TALK = example(SYSTEM, user(), answer("Where?"), user("In Rome."), answer("Yes."), tools=[])
CALLS = example(
    user(),
    answer("I look.", call(city="Rome"), call(city="Oslo")),
    result("dry", name="weather"),
    result("{rain}", name="weather"),
    answer("Oslo."),
)
ONE_CALL = example(user(), answer("", call(city="Rome")))
THOUGHT = example(user(), {**answer("", call(city="Rome")), "reasoning_content": "Rome is a city."})
WITH_IDS = example(
    user(), answer("", {**call(city="Rome"), "id": "c1"}), result("dry", name="weather", tool_call_id="c1")
)
LAST_ONLY = example(user(), {**answer("Where?"), "weight": 0}, user("In Rome."), answer("Yes."))
PLAIN = example(answer("All of it."), tools=[])
PAIR = {
    "prompt": [user()],
    "chosen": [answer("", call(city="Rome"))],
    "rejected": [answer("")],
    "tools": [TOOL],
}
LABELLED = {"prompt": [user()], "completion": [answer("Yes.")], "label": False, "tools": []}
ALL = (TALK, CALLS, ONE_CALL, THOUGHT, WITH_IDS, LAST_ONLY, PLAIN, PAIR, LABELLED)

WRITABLE = {
    Format.CANONICAL: ALL,
    Format.OPENAI: (TALK, CALLS, ONE_CALL, THOUGHT, WITH_IDS, LAST_ONLY, PLAIN),
    Format.TYPED_CONTENT: (TALK, CALLS, ONE_CALL, THOUGHT, PLAIN),
    Format.SHAREGPT: (TALK, CALLS, ONE_CALL, PLAIN),
    Format.HERMES: (TALK, CALLS, ONE_CALL, THOUGHT, PLAIN),
    Format.COMPLETION: (ONE_CALL, CALLS, THOUGHT, WITH_IDS, LAST_ONLY, TALK),
    Format.PREFERENCE: (PAIR,),
    Format.KTO: (LABELLED,),
    Format.XLAM: (ONE_CALL,),
    Format.ALPACA: (TALK,),
    Format.TEXT: (PLAIN,),
}


@pytest.mark.parametrize("layout", list(WRITERS))
def test_what_each_layout_can_say(layout: Format) -> None:
    for one in ALL:
        expected = one in WRITABLE[layout]
        reason = writable(one, layout)
        assert (reason is None) is expected, (one, reason)
        if expected:
            again = convert(write(one, layout), layout_of_written(one, layout))
            assert again == one
            # The order of keys too: a converted file converts to the same bytes.
            own = Format.CANONICAL if "messages" in one else layout_of_written(one, Format.CANONICAL)
            assert orjson.dumps(convert(again, own)) == orjson.dumps(again)
        else:
            assert reason
            with pytest.raises(NotExpressible):
                write(one, layout)


def layout_of_written(one: dict[str, Any], layout: Format) -> Format:
    """What the written row is told to be again, from its content."""
    told = detect([write(one, layout)])
    # Rows without calls look alike in layouts with the same keys.
    alike = {
        frozenset({Format.OPENAI, Format.CANONICAL}),
        frozenset({Format.HERMES, Format.SHAREGPT}),
        frozenset({Format.CANONICAL, Format.PREFERENCE}),
        frozenset({Format.CANONICAL, Format.KTO}),
    }
    assert told is layout or frozenset({told, layout}) in alike
    return told


def test_layouts_as_other_programs_know_them() -> None:
    openai = write(CALLS, Format.OPENAI)
    assert openai["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"city":"Rome"}'
    assert write(ONE_CALL, Format.OPENAI)["messages"][1]["content"] is None
    sharegpt = write(CALLS, Format.SHAREGPT)["conversations"]
    assert [turn["from"] for turn in sharegpt] == [
        *("human", "gpt", "function_call", "observation", "observation", "gpt")
    ]
    assert len(json.loads(sharegpt[2]["value"])) == 2
    assert isinstance(json.loads(write(ONE_CALL, Format.SHAREGPT)["conversations"][1]["value"]), dict)
    hermes = write(THOUGHT, Format.HERMES)["conversations"][1]["value"]
    assert hermes.startswith("<think>\nRome is a city.\n</think>\n<tool_call>\n{")
    assert write(LAST_ONLY, Format.COMPLETION)["prompt"][1] == answer("Where?")
    assert write(TALK, Format.ALPACA)["history"] == [["Will it rain in Rome?", "Where?"]]


@pytest.mark.parametrize(
    ("one", "layout", "reason"),
    [
        (CALLS, Format.GLAIVE, "read and not written"),
        (PAIR, Format.OPENAI, "one conversation"),
        (CALLS, Format.PREFERENCE, "chosen"),
        (CALLS, Format.KTO, "label"),
        (CALLS, Format.XLAM, "one request"),
        (CALLS, Format.ALPACA, "no tools"),
        (CALLS, Format.TEXT, "one text"),
        (PLAIN, Format.COMPLETION, "prompt"),
        (WITH_IDS, Format.SHAREGPT, "the tool_calls of a message of assistant"),
        (LAST_ONLY, Format.SHAREGPT, "the weight of a message of assistant"),
        # Text that would be read as something else.
        (example(user("x"), answer("<tool_call>{?")), Format.HERMES, "could not be read again"),
        (example(user("x"), answer(" <think>a</think> b ")), Format.HERMES, "no place"),
    ],
)
def test_why_not(one: dict[str, Any], layout: Format, reason: str) -> None:
    told = writable(one, layout)
    assert told is not None and f'the layout "{layout}"' in told
    assert reason in told


# -- any example, any layout ---------------------------------------------------------------------------------

TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(
        ["", " x ", "[]", '["a", "b"]', "{}", "<tool_call>", "</think>", "'\"\\", "x\n", "USER: x"]
    ),
)
JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, width=32), TEXT
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=5,
)
NAME = st.sampled_from(["weather", "clock", "math.area", "f"])
CALL = st.builds(
    lambda name, arguments, identity: {
        "type": "function",
        "function": {"name": name, "arguments": arguments},
        **({"id": identity} if identity else {}),
    },
    NAME,
    st.dictionaries(TEXT, JSON.filter(lambda value: "inf" not in repr(value)), max_size=3),
    st.sampled_from(["", "", "", "c1", "c2"]),
)
ANSWER = st.builds(
    lambda text, calls, thought, weight: {
        **answer(text, *calls),
        **({"reasoning_content": thought} if thought else {}),
        **({"weight": 0} if weight else {}),
    },
    TEXT,
    st.lists(CALL, max_size=2),
    st.sampled_from(["", "", "A thought.", "x</think>y"]),
    st.sampled_from([False, False, False, True]),
)
MESSAGE = st.one_of(TEXT.map(user), ANSWER, ANSWER, TEXT.map(result), st.just(SYSTEM))
MESSAGES = st.lists(MESSAGE, min_size=1, max_size=6)
TOOLS = st.lists(
    NAME.map(lambda name: {"type": "function", "function": {**TOOL["function"], "name": name}}), max_size=2
)
RAW = st.one_of(
    st.fixed_dictionaries({"messages": MESSAGES, "tools": TOOLS}),
    st.fixed_dictionaries({"messages": MESSAGES, "tools": TOOLS}),
    st.builds(lambda question, said: example(user(question), said), TEXT, ANSWER),
    st.lists(st.tuples(TEXT.map(user), TEXT.map(answer)), min_size=1, max_size=3).map(
        lambda pairs: example(*(turn for pair in pairs for turn in pair), tools=[])
    ),
    TEXT.map(lambda text: example(answer(text), tools=[])),
    st.fixed_dictionaries({"prompt": MESSAGES, "chosen": MESSAGES, "rejected": MESSAGES, "tools": TOOLS}),
    st.fixed_dictionaries(
        {"prompt": MESSAGES, "completion": MESSAGES, "label": st.booleans(), "tools": TOOLS}
    ),
)


def same(one: Any, other: Any) -> bool:
    """Equal also in the types of numbers, which == does not see."""
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RAW)
def test_round_trip_through_every_layout(raw: dict[str, Any]) -> None:
    own = Format.KTO if "label" in raw else Format.PREFERENCE if "chosen" in raw else Format.CANONICAL
    one = convert(raw, own)
    assert same(convert(one, own), one)
    without_original = {key: value for key, value in one.items() if key != "original_tools"}
    for layout in WRITERS:
        if writable(one, layout) is None:
            # Through the bytes of a file, as another program would have it.
            line = orjson.dumps(write(one, layout))
            again = convert(orjson.loads(line), own if layout is Format.CANONICAL else layout)
            again.pop("original_tools", None)
            assert same(again, without_original)


# -- whole files ---------------------------------------------------------------------------------------------


def test_a_file_in_another_layout(write: Writer, tmp_path: Path, capsysbinary: Any) -> None:
    path = write([CALLS, PAIR, "{cut", WITH_IDS, ONE_CALL])
    out, rejected = tmp_path / "out.jsonl", tmp_path / "out.rejected.jsonl"
    assert main(["convert", str(path), str(out), "--to", "sharegpt", "--format", "canonical", "--json"]) == 1
    told = json.loads(capsysbinary.readouterr().out)
    assert (told["rows"], told["converted"], told["rejected"], told["format"]) == (5, 2, 3, "canonical")
    reasons = [json.loads(line) for line in rejected.read_text().splitlines()]
    assert [(one["row"], one["rule"]) for one in reasons] == [
        (2, "unknown_layout"),
        (3, "not_json"),
        (4, "not_expressible"),
    ]
    assert reasons[2]["value"] == WITH_IDS
    assert main(["convert", str(path), str(out), "--to", "sharegpt"]) == 1
    assert b'No place for it, row 4: the layout "sharegpt" has no place' in capsysbinary.readouterr().out
    back = tmp_path / "back.jsonl"
    conversion = convert_file(out, back, rejected)
    assert (conversion.format, conversion.rejected) == (Format.SHAREGPT, 0)
    assert [json.loads(line) for line in back.read_text().splitlines()] == [CALLS, ONE_CALL]


def test_layouts_that_a_person_names(
    write: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = write([CALLS]), str(tmp_path / "out.jsonl")
    for arguments in (["--to", "wizard"], ["--format", "wizard"], ["--format", "unknown"]):
        assert main(["convert", str(path), out, *arguments]) == 2
        assert "typed_content" in capsys.readouterr().err
    assert main(["convert", str(path), out, "--to", "glaive"]) == 2
    err = capsys.readouterr().err
    assert "read and not written" in err and "toolbench" not in err
    assert main(["convert", str(path), f"{out}.gz"]) == 2
    assert "JSON Lines" in capsys.readouterr().err
    assert main(["convert", str(path), out, "--to", "typed-content"]) == 0


def test_a_folder_never_overwrites_one_of_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        (folder / name).write_bytes(orjson.dumps(CALLS) + b"\n")
    with pytest.raises(UserError, match="different files"):
        convert_file(folder, folder / "a.jsonl", tmp_path / "rejected.jsonl")
    seen = []
    conversion = convert_file(folder, tmp_path / "out.jsonl", tmp_path / "no.jsonl", progress=seen.append)
    assert (conversion.rows, conversion.converted) == (2, 2)
    assert (seen[-1].rows, seen[-1].share) == (2, 1.0)
