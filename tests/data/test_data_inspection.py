"""A whole file looked at: kinds, findings, lengths, progress; and the verbs `inspect` and `convert`."""

import json
from pathlib import Path
from typing import Any

import pytest
from data_rows import TOOL, Writer, answer, call, example, result, user

from tuner_tui.cli import main
from tuner_tui.data.dataset import load_dataset
from tuner_tui.data.inspection import Inspection, inspect_file
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.progress import Progress
from tuner_tui.data.rules import RULES, Severity
from tuner_tui.data.stats import KINDS, kind, reports_error
from tuner_tui.errors import UserError
from tuner_tui.paths import embedded_model, sample_data

CALL = example(user(), answer("", call(city="Rome")))
STEPS = example(
    user(),
    answer("", call(city="Rome")),
    result("dry"),
    answer("", call(city="Oslo")),
    result(),
    answer("Oslo."),
)
RECOVERY = example(
    user(), answer("", call(city="Roma")), result('{"error": "no such city"}'), answer("", call(city="Rome"))
)
NEGATIVE = example(user("Sing!"), answer("There is no tool for that."))
OTHER = example(user(), answer("Yes."), tools=[])


def numbered(row: dict[str, Any], count: int) -> list[dict[str, Any]]:
    return [row | {"messages": [user(f"{index}?"), *row["messages"][1:]]} for index in range(count)]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (CALL, "function_call"),
        (STEPS, "multi_step"),
        (RECOVERY, "error_recovery"),
        (NEGATIVE, "negative"),
        (OTHER, "other"),
        (
            {"prompt": [user()], "chosen": [answer("", call())], "rejected": [answer("x")], "tools": [TOOL]},
            "function_call",
        ),
    ],
)
def test_kinds(row: dict[str, Any], expected: str) -> None:
    assert kind(row) == expected
    assert expected in KINDS


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ('{"error": "no such city"}', True),
        ('{"error": null, "rain": 1}', False),
        ('{"success": false}', True),
        ('{"status": "error"}', True),
        ('{"status": 404}', True),
        ('{"status": "ok"}', False),
        ("Error: no such city", True),
        ("Traceback (most recent call last)", True),
        ("no errors", False),
        ("{not json", False),
        ("", False),
    ],
)
def test_results_that_report_an_error(text: str, failed: bool) -> None:
    assert reports_error(text) is failed


def rules(inspection: Inspection) -> dict[str, int]:
    return {group.rule: group.count for group in inspection.by_rule()}


def test_a_sound_file(write: Writer) -> None:
    rows = numbered(CALL, 40) + numbered(NEGATIVE, 10) + numbered(RECOVERY, 5)
    inspection = inspect_file(write(rows))
    assert inspection.rows == 55
    assert inspection.complete
    assert inspection.format is Format.CANONICAL
    assert inspection.kinds == {
        "function_call": 40,
        "multi_step": 0,
        "error_recovery": 5,
        "negative": 10,
        "other": 0,
    }
    assert inspection.tools == {"weather": 50}
    assert not inspection.lengths and not inspection.trained
    assert rules(inspection) == {"ends_in_call": 1}
    assert inspection.worst is Severity.INFO


def test_findings_on_the_file(write: Writer) -> None:
    assert rules(inspect_file(write([CALL, CALL, CALL]))) == {
        "duplicate_row": 2,
        "few_rows": 1,
        "no_negatives": 1,
        "no_error_recovery": 1,
        "ends_in_call": 1,
    }
    # Of rows without calls nothing is asked that belongs to calls.
    assert rules(inspect_file(write([OTHER]))) == {"few_rows": 1}


def test_one_tool_dominates(write: Writer) -> None:
    others = [TOOL | {"function": TOOL["function"] | {"name": name}} for name in ("a", "b")]
    rows = [row | {"tools": [TOOL, *others]} for row in numbered(CALL, 50) + numbered(NEGATIVE, 5)]
    for row, name in zip(rows, ("a", "b"), strict=False):
        row["messages"] = [user(name), answer("", call(name, city="Rome"))]
    assert rules(inspect_file(write(rows)))["dominant_tool"] == 1


def test_duplicates_name_the_first_row(write: Writer) -> None:
    # The order of keys and the layout of arguments make no difference.
    again = {"tools": CALL["tools"], "messages": [user(), answer("", call(city="Rome"))]}
    again["messages"][1]["tool_calls"][0]["function"]["arguments"] = '{"city": "Rome"}'
    found = [
        one
        for one in inspect_file(write([NEGATIVE, CALL, OTHER, again])).findings
        if one.rule == "duplicate_row"
    ]
    assert [(one.row, one.message) for one in found] == [(4, "the same as row 2")]


def test_rows_with_errors_are_reported_and_not_counted(write: Writer) -> None:
    inspection = inspect_file(
        write([*numbered(NEGATIVE, 3), "{cut", {"text": "x"}, example(user(), answer(""))])
    )
    assert inspection.rows == 6
    assert sum(inspection.kinds.values()) == 3
    assert {(one.rule, one.row) for one in inspection.findings if one.severity is Severity.ERROR} == {
        ("not_json", 4),
        ("unknown_layout", 5),
        ("empty_turn", 6),
    }
    assert inspection.worst is Severity.ERROR
    groups = inspection.by_rule()
    assert [group.severity.rank for group in groups] == sorted(
        (g.severity.rank for g in groups), reverse=True
    )


def test_lengths_with_a_model(write: Writer) -> None:
    path = write(numbered(STEPS, 70))
    inspection = inspect_file(path, model=embedded_model(), max_length=40)
    assert len(inspection.lengths) == len(inspection.trained) == 70
    assert all(
        0 < trained < length for trained, length in zip(inspection.trained, inspection.lengths, strict=True)
    )
    assert rules(inspection)["answer_cut"] == 70
    tokens = inspection.to_json()["tokens"]
    assert tokens["total"] == sum(inspection.lengths)
    assert tokens["shortest"] <= tokens["median"] <= tokens["p95"] <= tokens["longest"]
    figures = inspection.to_json()["statistics"]["tokens"]
    assert (tokens["median"], tokens["p95"]) == (figures["median"], figures["p95"])


def test_progress_limit_and_cancel(write: Writer) -> None:
    path = write(numbered(NEGATIVE, 300))
    seen: list[Progress] = []
    inspect_file(path, progress=seen.append)
    rows = [one.rows for one in seen]
    assert rows == sorted(rows)
    assert rows[-1] == 300
    limited = inspect_file(path, limit=20)
    assert (limited.rows, limited.complete) == (20, False)
    assert "few_rows" not in rules(limited)  # the file has more than was looked at
    stopped = inspect_file(path, cancelled=lambda: True)
    assert stopped.rows == 0
    assert not stopped.complete


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("rows.csv", b"messages,tools\n", r"rows\.csv: has a header and no rows"),
        ("rows.json", b"[]", r"rows\.json: has no rows"),
        ("rows.jsonl", b'{"messages": "caf\xe9"}\n', "iconv -f LATIN1"),
        ("folder/strange.jsonl", b'{"frage": 1}\n', r"folder/strange\.jsonl: its layout is not known"),
        ("folder/list.jsonl", b"[1]\n[2]\n", r"folder/list\.jsonl: none of its first rows"),
    ],
)
def test_what_is_no_dataset(name: str, data: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    with pytest.raises(UserError, match=said):
        inspect_file(path.parent if name.startswith("folder") else path)


def test_load_dataset(write: Writer) -> None:
    path = write([CALL, "{cut", NEGATIVE, example(user(), answer("")), CALL])
    loaded = load_dataset(path)
    assert loaded.examples == [CALL, NEGATIVE, CALL]  # a warning (a duplicate) keeps no row out
    assert loaded.rows == [1, 3, 5]
    assert [(one.rule, one.row) for one in loaded.rejected] == [("not_json", 2), ("empty_turn", 4)]


def test_load_dataset_when_nothing_is_left(write: Writer) -> None:
    with pytest.raises(UserError, match="row 1: the turn has neither text nor a call"):
        load_dataset(write([example(user(), answer(""))]))


@pytest.mark.parametrize("path", sorted(sample_data().glob("*.jsonl")), ids=lambda path: path.stem)
def test_sample_data(path: Path) -> None:
    inspection = inspect_file(path, model=embedded_model())
    if path.stem != "broken":
        assert inspection.worst is not Severity.ERROR
        return
    broken = {group.rule for group in inspection.by_rule() if group.severity is Severity.ERROR}
    assert len(broken) >= 8
    assert {"not_json", "undeclared_tool", "missing_argument", "wrong_type", "unknown_argument"} <= broken


def test_inspect_prints_json(write: Writer, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    path = write([*numbered(CALL, 60), "{cut", *numbered(NEGATIVE, 20)])
    assert main(["inspect", str(path), "--json"]) == 1
    data = json.loads(capsysbinary.readouterr().out)
    assert (data["format"], data["rows"]) == ("canonical", 81)
    assert data["kinds"]["function_call"] == 60
    first = data["findings"][0]
    assert (first["rule"], first["severity"], first["count"], first["rows"]) == ("not_json", "error", 1, [61])
    assert data["worst"] == "error"


def test_inspect_prints_a_page(write: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    name = "evil\x1b[2J[red]tool"
    hostile = example(user(), answer("", call(name)))
    path = write([*numbered(CALL, 60), *numbered(NEGATIVE, 20), hostile])
    assert main(["inspect", str(path), "--model", "embedded", "--max-length", "4000"]) == 1
    page = capsys.readouterr().out
    assert "81 rows" in page
    assert "function call" in page
    assert "weather" in page
    assert page.count("tokens per row") == page.count("trained tokens") == 1
    assert "median" not in page.partition("Tokens per row")[2]
    assert "81 rows are longer than max_length 4,000" not in page
    assert "0 rows are longer than max_length 4,000" in page
    assert RULES["undeclared_tool"].title in page
    assert "row 81" in page
    assert "\x1b" not in page
    assert "[red]" in page


def test_inspect_says_when_all_is_well(write: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    rows = (
        numbered(STEPS, 40)
        + numbered(NEGATIVE, 20)
        + numbered(RECOVERY | {"messages": [*RECOVERY["messages"], result(), answer("Dry.")]}, 5)
    )
    assert main(["inspect", str(write(rows))]) == 0
    assert "Nothing is wrong" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["missing.jsonl"],
        ["no/such", "--model", "embedded"],
        ["rows.jsonl", "--max-length", "10"],
        ["rows.jsonl", "--all-tokens"],
        ["rows.jsonl", "--fix", "out.jsonl", "--all-tokens"],
        ["rows.jsonl", "--fix", "out.jsonl", "--no-near"],
        ["rows.jsonl", "--model", "no/such"],
    ],
)
def test_inspect_refuses_in_one_line(
    arguments: list[str], write: Writer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(write([CALL]).parent)
    assert main(["inspect", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1


def test_convert_verb(write: Writer, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    path = write([CALL, "{cut", NEGATIVE])
    out = tmp_path / "out.jsonl"
    assert main(["convert", str(path), str(out), "--json"]) == 1
    data = json.loads(capsysbinary.readouterr().out)
    (reason,) = data.pop("reasons")
    assert (reason["rule"], reason["count"], reason["row"]) == ("not_json", 1, 2)
    assert data == {
        **{"rows": 3, "converted": 2, "rejected": 1, "format": "canonical"},
        **{"left_out": [], "other_files": 0},
    }
    assert len(out.read_text().splitlines()) == 2
    assert len((tmp_path / "out.rejected.jsonl").read_text().splitlines()) == 1
    assert main(["convert", str(out), str(tmp_path / "again.jsonl")]) == 0
