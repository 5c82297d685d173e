"""The safe mends: what is mended, what is left alone, and `tuner inspect --fix`."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from data_rows import TOOL, Writer, answer, call, example, result, user

from tuner_tui.cli import main
from tuner_tui.data.converters import convert
from tuner_tui.data.examples import Example
from tuner_tui.data.inspection import inspect_file
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.mends.file import fix_file
from tuner_tui.data.mends.rules import SAFE, mend
from tuner_tui.data.validators import validate
from tuner_tui.errors import UserError
from tuner_tui.paths import sample_data


def calling(**arguments: Any) -> Example:
    return example(user(), answer("", call(**arguments)))


def with_id(identity: str) -> dict[str, Any]:
    return call(city="Rome") | {"id": identity}


ASKED = user("Will it rain in Rome?")
NULLABLE = deepcopy(TOOL)
NULLABLE["function"]["parameters"]["properties"]["days"]["type"] = ["integer", "null"]  # type: ignore[index]

# A row with a fault, the rule, and the row as it should be.
MENDED = [
    (calling(city="Rome", days="5"), "wrong_type", calling(city="Rome", days=5)),
    (calling(city="Rome", days="-3"), "wrong_type", calling(city="Rome", days=-3)),
    (calling(city="Rome", hours=["1", 2.5]), "wrong_type", calling(city="Rome", hours=[1, 2.5])),
    (calling(city="Rome", hours=["1.5"]), "wrong_type", calling(city="Rome", hours=[1.5])),
    (calling(city="Rome", days=None, unit=None), "wrong_type", calling(city="Rome")),
    (calling(city="Rome", wind=None), "unknown_argument", calling(city="Rome")),
    (
        calling(city="Rome", place={"country": "IT", "region": None}),
        "unknown_argument",
        calling(city="Rome", place={"country": "IT"}),
    ),
    (example(ASKED, answer("Y\x00es.")), "control_characters", example(ASKED, answer("Yes."))),
    (calling(city="\x1b[1mRome\x1b[0m"), "control_characters", calling(city="Rome")),
    (
        example(ASKED, answer("Yes."), tools=[TOOL, TOOL]),
        "duplicate_tool",
        example(ASKED, answer("Yes.")),
    ),
    (
        example({"role": "system", "content": " "}, ASKED, answer("Yes.")),
        "empty_system",
        example(ASKED, answer("Yes.")),
    ),
    (
        example(ASKED, answer("", with_id("a")), result(tool_call_id="b"), answer("Yes.")),
        "orphan_id",
        example(ASKED, answer("", with_id("a")), result(tool_call_id="a", name="weather"), answer("Yes.")),
    ),
]


@pytest.mark.parametrize(("row", "rule", "expected"), MENDED)
def test_what_has_one_right_answer_is_mended(row: Example, rule: str, expected: Example) -> None:
    before = convert(row, Format.CANONICAL)
    kept = deepcopy(before)
    assert rule in {one.rule for one in validate(before, 1)} & SAFE
    mended = mend(before)
    assert mended == convert(expected, Format.CANONICAL)
    assert validate(mended, 1) == []
    assert before == kept
    assert mend(mended) == mended


@pytest.mark.parametrize(
    "row",
    [
        *(calling(city="Rome", days=text) for text in ("two", "05", "+5", "5.0", " 5", "1e3", "5" * 16, "")),
        calling(city=None),  # required: somebody has to know the city
        calling(city=5),  # "5"? Or no city at all?
        calling(city="Rome", wind=3),
        example(
            ASKED, answer("Yes."), tools=[TOOL, TOOL | {"function": TOOL["function"] | {"strict": True}}]
        ),
        example(ASKED, answer("", with_id("a"), with_id("b")), result(tool_call_id="c"), answer("Yes.")),
        example(ASKED, answer("", with_id("a")), result(tool_call_id="b", name="clock"), answer("Yes.")),
        example(user(""), answer("Yes.")),
    ],
)
def test_what_has_several_answers_is_left_alone(row: Example) -> None:
    before = convert(row, Format.CANONICAL)
    found = validate(before, 1)
    assert found
    assert mend(before) == before
    assert validate(mend(before), 1) == found


@pytest.mark.parametrize(
    "row",
    [
        example(ASKED, answer("", call(city="5"))),
        example(ASKED, answer("", call(city="Rome", days=None)), tools=[NULLABLE]),
        example(ASKED, answer("tab\tand line\n")),
    ],
)
def test_what_is_right_stays(row: Example) -> None:
    before = convert(row, Format.CANONICAL)
    assert validate(before, 1) == []
    assert mend(before) == before


def test_normalised_tools_stay_and_the_old_ones_go() -> None:
    tool = {"name": "weather.today", "parameters": {"city": {"type": "str"}}}
    row = example(ASKED, answer("", call("weather.today", city="Rome")), tools=[tool])
    before = convert(row, Format.CANONICAL)
    assert {one.rule for one in validate(before, 1)} == {"renamed_tool", "normalised_schema"}
    mended = mend(before)
    assert validate(mended, 1) == []
    assert mended == {key: value for key, value in before.items() if key != "original_tools"}


def test_pairs_and_labelled_answers() -> None:
    bad = answer("", call(city="Ro\x00me", days="2"))
    good = answer("", call(city="Rome", days=2))
    pair = {"prompt": [user("a\x00b")], "chosen": [bad], "rejected": [bad], "tools": [TOOL]}
    mended = mend(convert(pair, Format.PREFERENCE))
    # A rejected answer is meant to be wrong: made right, it would be the chosen one.
    assert mended == {"prompt": [user("ab")], "chosen": [good], "rejected": [bad], "tools": [TOOL]}
    labelled = {"prompt": [ASKED], "completion": [bad], "label": True, "tools": [TOOL]}
    assert mend(convert(labelled, Format.KTO))["completion"] == [good]
    wrong = [answer("", call(city="Rome", days="2"))]
    assert mend(convert(labelled | {"label": False}, Format.KTO))["completion"] == wrong


def test_a_mended_file_has_none_of_the_mended_faults(write: Writer, tmp_path: Path) -> None:
    wrong = [calling(city="Rome", days="two"), "{cut", {"messages": "x"}]
    rows = [row for row, _, _ in MENDED]
    source = write(
        [*rows, *wrong, example(user("Sing!"), answer("No.")), example(user("Sing!"), answer("No."))]
    )
    out, rejected = tmp_path / "out.jsonl", tmp_path / "rejected.jsonl"
    fix = fix_file(source, out, rejected)
    assert fix.rows == len(rows) + 5 == fix.written + fix.dropped + fix.rejected
    assert fix.rejected == len(wrong)
    # Mended, some rows are the same: they are copies then.
    assert fix.mended["duplicate_row"] == fix.dropped >= 1
    assert set(fix.mended) == {rule for _, rule, _ in MENDED} | {"duplicate_row"}
    assert fix.left == {"wrong_type": 1, "not_json": 1, "bad_message": 1}
    again = inspect_file(out)
    assert again.format is Format.CANONICAL
    assert again.rows == fix.written
    assert not set(again.counts) & SAFE
    refused = [json.loads(line) for line in rejected.read_text().splitlines()]
    assert [one["row"] for one in refused] == [13, 14, 15]
    assert refused[0]["rule"] == "wrong_type"
    assert refused[0]["value"] == wrong[0]


def test_the_verb(
    write: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.jsonl"
    clean = write([calling(city="Rome", days="5")])
    assert main(["inspect", str(clean), "--fix", str(out), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == {
        **{"format": "canonical", "rows": 1, "written": 1, "dropped": 0, "rejected": 0},
        **{"mended": {"wrong_type": 1}, "left": {}, "left_out": [], "other_files": 0},
    }
    assert not out.with_suffix(".rejected.jsonl").exists()
    broken = sample_data() / "broken.jsonl"
    assert main(["inspect", str(broken), "--fix", str(out)]) == 1
    text = capsys.readouterr().out
    assert "15 rows rejected" in text and "1 row  dropped" in text and "Left to you" in text
    assert len(out.with_suffix(".rejected.jsonl").read_text().splitlines()) == 15


def test_bad_calls_of_the_verb(write: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write([calling(city="Rome")])
    before = path.read_bytes()
    assert main(["inspect", str(path), "--fix", str(path)]) == 2
    assert main(["inspect", str(path), "--fix", str(tmp_path / "o.jsonl"), "--limit", "1"]) == 2
    assert "--limit" in capsys.readouterr().err
    assert path.read_bytes() == before
    with pytest.raises(UserError, match="different files"):
        fix_file(path, tmp_path / "a", tmp_path / "a")
