"""Mixtures: exact to a row, without a row twice unless asked for, the same again for the same seed."""

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from data_rows import Writer, answer, call, example, user
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner_tui.cli import main
from tuner_tui.data.dataset import load_dataset
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.parts.draws import SOURCE
from tuner_tui.data.parts.mix import Mix, Part, PartReport, mix_files
from tuner_tui.data.parts.quotas import Goal, largest_remainder
from tuner_tui.data.progress import Progress
from tuner_tui.data.sources import open_source
from tuner_tui.errors import UserError

CALL = answer("", call(city="Rome"))


def rows(name: str, count: int) -> list[dict[str, Any]]:
    return [example(user(f"{name} {number}?"), CALL) for number in range(count)]


@pytest.fixture
def files(write: Writer) -> dict[str, Path]:
    """100 rows of a, 40 of b, 30 of general conversation."""
    chat = [example(user(f"chat {number}?"), answer("Yes."), tools=[]) for number in range(30)]
    sets = {"a": rows("a", 100), "b": rows("b", 40), "chat": chat}
    return {name: write(made, f"{name}.jsonl") for name, made in sets.items()}


def mix(files: dict[str, Path], weights: dict[str, float | None], **options: Any) -> tuple[Mix, list[Any]]:
    out = files["a"].with_name("out.jsonl")
    parts = [Part(files[name], weight) for name, weight in weights.items()]
    made = mix_files(out, parts, **options)
    assert made is not None
    return made, [json.loads(line) for line in out.read_text().splitlines()]


def taken(made: Mix) -> list[int]:
    return [part.taken for part in made.parts]


def texts(mixed: list[Any]) -> list[str]:
    return [row["messages"][0]["content"] for row in mixed]


def test_without_weights_each_row_is_taken_once(files: dict[str, Path]) -> None:
    made, mixed = mix(files, {"a": None, "b": None})
    assert taken(made) == [100, 40]
    assert sorted(texts(mixed)) == sorted([f"a {i}?" for i in range(100)] + [f"b {i}?" for i in range(40)])
    assert Counter(row[SOURCE] for row in mixed) == {"a.jsonl": 100, "b.jsonl": 40}
    assert texts(mixed)[:40] != sorted(texts(mixed)[:40])


def test_weights_without_repeating(files: dict[str, Path]) -> None:
    made, mixed = mix(files, {"a": 1, "b": 3})
    assert taken(made) == [13, 40]  # b allows 53 rows, of which a quarter is 13
    assert len(set(texts(mixed))) == made.rows == 53
    assert [round(part.share_asked, 2) for part in made.parts] == [0.25, 0.75]
    assert not any(part.exhausted for part in made.parts)


def test_weights_with_repeating(files: dict[str, Path]) -> None:
    made, mixed = mix(files, {"a": 1, "b": 1}, repeat=True)
    assert taken(made) == [100, 100]
    assert [part.repeated for part in made.parts] == [0, 60]
    counts = Counter(texts(mixed))
    assert {counts[f"b {i}?"] for i in range(40)} == {2, 3}  # as even as may be
    assert {counts[f"a {i}?"] for i in range(100)} == {1}


def test_rows_that_are_asked_for(files: dict[str, Path]) -> None:
    made, mixed = mix(files, {"a": 1, "b": 2}, rows=31)
    assert taken(made) == [10, 21]
    assert len(set(texts(mixed))) == 31
    made, _ = mix(files, {"a": 1, "b": 1}, rows=150)
    assert taken(made) == [75, 40]
    assert [part.exhausted for part in made.parts] == [False, True]
    assert made.parts[1].asked == 75
    made, _ = mix(files, {"a": 1, "b": 1}, rows=150, repeat=True)
    assert taken(made) == [75, 75]
    assert made.parts[1].repeated == 35


def test_general_conversation(files: dict[str, Path]) -> None:
    made, _ = mix(files, {"a": None}, general=files["chat"])
    assert taken(made) == [100, 25]
    assert made.parts[1].general
    assert made.parts[1].share_reached == 0.2
    made, _ = mix(files, {"a": 3, "b": 1}, general=files["chat"], share=0.5, rows=40)
    assert taken(made) == [15, 5, 20]
    # Too few general rows do not cost rows of the others.
    made, _ = mix(files, {"a": None, "b": None}, general=files["chat"], share=0.5)
    assert taken(made) == [100, 40, 30]
    assert made.parts[2].asked == 140
    assert made.parts[2].exhausted


def test_the_seed_decides(files: dict[str, Path]) -> None:
    first = mix(files, {"a": 1, "b": 1}, rows=20, seed=1)
    assert mix(files, {"a": 1, "b": 1}, rows=20, seed=1) == first
    assert texts(mix(files, {"a": 1, "b": 1}, rows=20, seed=2)[1]) != texts(first[1])


def test_rows_that_cannot_be_converted(files: dict[str, Path], write: Writer) -> None:
    files["bad"] = write([*rows("bad", 10), "{cut", "{cut", {"text": 1}], "bad.jsonl")
    made, mixed = mix(files, {"a": 1, "bad": 1})
    assert taken(made) == [10, 10]  # known only after the rows were tried
    assert made.parts[1].rejected["not_json"] == 2
    assert sum(made.parts[1].rejected.values()) == 3
    assert made.parts[1].rows == 13
    assert Counter(row[SOURCE] for row in mixed) == {"a.jsonl": 10, "bad.jsonl": 10}


def test_a_mixture_is_a_dataset_like_any_other(files: dict[str, Path]) -> None:
    mix(files, {"a": None, "b": None}, general=files["chat"])
    out = files["a"].with_name("out.jsonl")
    assert open_source(out).format is Format.CANONICAL
    loaded = load_dataset(out)
    assert len(loaded.examples) == 170
    assert not any(SOURCE in one for one in loaded.examples)


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 500), min_size=1, max_size=5),
    st.lists(st.floats(0.01, 100), min_size=5, max_size=5),
    st.none() | st.floats(0.01, 0.99),
    st.none() | st.integers(1, 2000),
    st.booleans(),
)
def test_quotas_are_exact_to_a_row(
    available: list[int], weights: list[float], general: float | None, rows: int | None, repeat: bool
) -> None:
    own = available if general is None else [*available, 50]
    goal = Goal.of(weights[: len(available)], general, rows, repeat)
    quotas, shares = goal.quotas(own), goal.shares(own)
    assert sum(shares) == 1
    total = sum(quotas)
    if rows is not None:
        assert total == rows
        assert all(abs(quota - part * total) < 1 for quota, part in zip(quotas, shares, strict=True))
        return
    tasks, parts = quotas[: len(available)], shares[: len(available)]
    assert all(
        abs(quota - part / sum(parts) * sum(tasks)) < 1 for quota, part in zip(tasks, parts, strict=True)
    )
    if repeat:  # each row at least once, but for rounding
        assert all(quota > count - 1 for quota, count in zip(tasks, available, strict=True))
    else:
        assert all(quota <= count for quota, count in zip(tasks, available, strict=True))
    if general is not None:
        assert abs(quotas[-1] - shares[-1] / sum(parts) * sum(tasks)) <= Fraction(1, 2)


@settings(deadline=None)
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8), st.integers(0, 10_000))
def test_largest_remainder_adds_up(weights: list[int], total: int) -> None:
    shares = [Fraction(weight, sum(weights)) for weight in weights]
    quotas = largest_remainder(shares, total)
    assert sum(quotas) == total
    assert all(abs(quota - part * total) < 1 for quota, part in zip(quotas, shares, strict=True))


def test_progress_and_cancel(files: dict[str, Path]) -> None:
    seen: list[Progress] = []
    mix(files, {"a": None, "b": None}, progress=seen.append)
    assert seen
    assert all(0 <= one.share <= 1 for one in seen)
    assert {one.total for one in seen} == {sum(files[name].stat().st_size for name in "ab")}  # bytes
    out = files["a"].with_name("cancelled.jsonl")
    assert mix_files(out, [Part(files["a"])], cancelled=lambda: True) is None
    assert not out.exists()


@pytest.mark.parametrize(
    ("weights", "options", "said"),
    [
        ({}, {}, "nothing to mix"),
        ({"a": 1, "b": None}, {}, "for all or none"),
        ({"a": 0, "b": 1}, {}, "above 0"),
        ({"a": float("nan"), "b": 1}, {}, "above 0"),
        ({"a": 1}, {"rows": 0}, "a row at least"),
        ({"a": 1}, {"share": 1.0, "general": True}, "above 0 and below 1"),
        ({"a": None, "out": None}, {}, "is read as well"),
        ({"a": None, "pairs": None}, {}, "cannot be trained on together"),
        ({"a": None, "empty": None}, {}, "no row can be converted"),
        ({"missing": None}, {}, "missing"),
    ],
)
def test_mix_refuses(
    files: dict[str, Path], write: Writer, weights: dict[str, Any], options: dict[str, Any], said: str
) -> None:
    pair = {"prompt": [user()], "chosen": [answer("Yes.")], "rejected": [answer("No.")], "tools": []}
    files["pairs"] = write([pair], "pairs.jsonl")
    files["empty"] = write([{"messages": []}, {"messages": []}], "empty.jsonl")
    files["out"], files["missing"] = write(rows("out", 2), "out.jsonl"), Path("missing.jsonl")
    before = files["out"].read_bytes()
    if "general" in options:
        options["general"] = files["chat"]
    with pytest.raises(UserError, match=said):
        mix(files, weights, **options)
    assert files["out"].read_bytes() == before
    assert not list(files["out"].parent.glob(".*"))


def test_mix_verb(files: dict[str, Path], capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    out = files["a"].with_name("mixed.jsonl")
    arguments = ["mix", str(out), f"{files['a']}:3", f"{files['b']}:1", "--general", str(files["chat"])]
    assert main([*arguments, "--share", "0.5", "--rows", "40", "--json"]) == 0
    data = json.loads(capsysbinary.readouterr().out)
    assert data["rows"] == len(out.read_text().splitlines()) == 40
    assert [part["taken"] for part in data["files"]] == [15, 5, 20]
    assert data["files"][2]["share"] == {"asked": 0.5, "reached": 0.5}


def test_mix_verb_prints_a_page(files: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    out = files["a"].with_name("mixed.jsonl")
    assert main(["mix", str(out), f"{files['a']}:1", f"{files['b']}:1", "--rows", "200"]) == 0
    page = capsys.readouterr().out
    assert "140 rows" in page
    assert "exhausted: 60 rows" in page
    odd = files["a"].rename(files["a"].with_name("odd:2"))
    assert main(["mix", str(out), str(odd)]) == 0  # a file of that name goes before a weight
    assert "100 rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["a.jsonl:x"], ["a.jsonl", "--share", "0.5"], ["a.jsonl:1", "b.jsonl"], ["a.jsonl:-1"]]
)
def test_mix_verb_refuses_in_one_line(
    arguments: list[str],
    files: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(files["a"].parent)
    assert main(["mix", "new.jsonl", *arguments]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not Path("new.jsonl").exists()


def test_part_reports_say_when_a_file_is_exhausted() -> None:
    def part(**figures: int) -> PartReport:
        given = {"rows": 5, "asked": 5, "taken": 5, "repeated": 0} | figures
        return PartReport(
            path=Path("a"), general=False, rejected={}, share_asked=1.0, share_reached=1.0, **given
        )

    assert not part().exhausted
    assert part(asked=6).exhausted
    assert part(asked=6, taken=6, repeated=1).exhausted
