"""Splits: nothing that belongs together is parted, nothing is lost, the same again for the same seed."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from data_rows import TOOL, Writer, answer, call, example, user
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner_tui.cli import main
from tuner_tui.data.copies.leaks import question_key
from tuner_tui.data.dataset import load_dataset
from tuner_tui.data.parts.division import divide
from tuner_tui.data.parts.groups import BYS, By, RowFacts
from tuner_tui.data.parts.set_aside import set_aside
from tuner_tui.data.parts.split import Split, split_file
from tuner_tui.data.progress import Progress
from tuner_tui.data.stats import kind
from tuner_tui.errors import UserError
from tuner_tui.paths import sample_data

FEW = settings(max_examples=50, deadline=None)
WORDS = ("rain", "snow", "wind", "hail", "fog", "sun", "frost", "heat", "storm", "cloud")


def tool(name: str) -> dict[str, Any]:
    return TOOL | {"function": TOOL["function"] | {"name": name}}


def calling(question: str, *names: str, offered: tuple[str, ...] = ()) -> dict[str, Any]:
    turn = answer("", *(call(name, city="Rome") for name in names)) if names else answer("No tool does that.")
    return example(user(question), turn, tools=[tool(name) for name in dict.fromkeys((*names, *offered))])


def asking(number: int) -> str:
    """A question like no other, in letters alone."""
    return f"Tell me about {' and '.join(WORDS[int(digit)] for digit in f'{number:04d}')}, in one sentence."


@st.composite
def datasets(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows of some tools, questions and templates, with many copies among them."""
    names = [f"tool{number}" for number in range(draw(st.integers(2, 8)))]
    rows = []
    for _ in range(draw(st.integers(2, 60))):
        called = draw(st.lists(st.sampled_from(names), max_size=2))
        offered = draw(st.lists(st.sampled_from(names), max_size=3))
        question = asking(draw(st.integers(0, 30))) + f" In {draw(st.sampled_from(['Rome', 'Oslo']))}."
        rows.append(calling(question, *called, offered=tuple(offered)))
    return rows


def sides(rows: list[dict[str, Any]], by: By, share: float, seed: int) -> tuple[list[int], list[int]] | None:
    """Numbers of the rows on both sides; None when there is nothing to divide."""
    facts = RowFacts(by)
    for row in rows:
        facts.add(row)
    try:
        aside = divide(facts, share, seed).aside.tolist()
    except UserError:
        return None
    return [i for i, flag in enumerate(aside) if not flag], [i for i, flag in enumerate(aside) if flag]


@FEW
@given(datasets(), st.sampled_from(BYS), st.floats(0.01, 0.99), st.integers(0, 2**32 - 1))
def test_no_group_is_on_both_sides(rows: list[dict[str, Any]], by: By, share: float, seed: int) -> None:
    parted = sides(rows, by, share, seed)
    if parted is None:
        return
    train, aside = parted
    assert train
    assert aside
    assert not {question_key(rows[i]) for i in train} & {question_key(rows[i]) for i in aside}
    facts = RowFacts(by)
    for row in rows:
        facts.add(row)
    groups = facts.groups().tolist()
    assert not {groups[i] for i in train} & {groups[i] for i in aside}
    assert sides(rows, by, share, seed) == parted


@FEW
@given(datasets(), st.floats(0.01, 0.99), st.integers(0, 100))
def test_tools_held_out_are_called_on_one_side(rows: list[dict[str, Any]], share: float, seed: int) -> None:
    facts = RowFacts("tool")
    for row in rows:
        facts.add(row)
    try:
        division = divide(facts, share, seed)
    except UserError:
        return
    assert division.held_out
    aside = division.aside.tolist()
    names = [
        {one["function"]["name"] for turn in row["messages"] for one in turn.get("tool_calls", ())}
        for row in rows
    ]
    in_train = set().union(*(called for called, flag in zip(names, aside, strict=True) if not flag))
    assert in_train
    assert not in_train & set(division.held_out)
    # A row that calls is set aside for a tool held out, or because it asks the same as such a row.
    keys = {
        question_key(row) for row, called in zip(rows, names, strict=True) if called & set(division.held_out)
    }
    for row, called, flag in zip(rows, names, aside, strict=True):
        if called and flag:
            assert question_key(row) in keys


@FEW
@given(st.integers(2, 200), st.floats(0.01, 0.99), st.integers(0, 10), st.integers(0, 200))
def test_share_and_kinds_are_exact_without_copies(count: int, share: float, seed: int, calls: int) -> None:
    rows = [calling(asking(i), *(["weather"] if i < calls else [])) for i in range(count)]
    train, aside = sides(rows, "row", share, seed) or ([], [])
    assert len(train) + len(aside) == count
    assert len(aside) == min(max(round(count * share), 1), count - 1)
    of_calls = sum(kind(rows[i]) == "function_call" for i in aside)
    assert abs(of_calls - min(calls, count) * len(aside) / count) < 1


def test_share_by_tool_is_near() -> None:
    rows = [calling(asking(i), f"tool{i % 50}") for i in range(1000)]
    rows += [calling(asking(1000 + i), offered=("tool1", "tool2")) for i in range(500)]
    for seed in range(5):
        train, aside = sides(rows, "tool", 0.1, seed) or ([], [])
        assert len(aside) == 150
        assert sum(i < 1000 for i in aside) == 100
        assert len(train) == 1350


def test_rows_that_offer_a_tool_held_out_go_with_it() -> None:
    rows = [calling(asking(i), f"tool{i % 10}") for i in range(100)]
    rows += [calling(asking(1000 + i), offered=(f"tool{i % 10}",)) for i in range(100)]
    facts = RowFacts("tool")
    for row in rows:
        facts.add(row)
    division = divide(facts, 0.1, 3)
    (held_out,) = division.held_out
    assert all(f'"{held_out}"' in json.dumps(rows[i]["tools"]) for i in division.aside.nonzero()[0].tolist())
    assert int(division.aside.sum()) == 20


def test_few_tools_hold_out_the_rarest() -> None:
    rows = [calling(asking(i), ("a", "b", "c")[i % 3 if i < 60 else 0]) for i in range(90)]
    train, aside = sides(rows, "tool", 0.05, 0) or ([], [])
    assert len(aside) == 20
    assert len(train) == 70


def test_rows_that_come_later_hardly_move_the_others() -> None:
    rows = [calling(asking(i), "weather") for i in range(500)]
    before, after = sides(rows[:490], "row", 0.2, 1), sides(rows, "row", 0.2, 1)
    assert before is not None
    assert after is not None
    assert len(set(before[1]) ^ set(after[1])) < 30


@pytest.mark.parametrize(
    ("rows", "by", "said"),
    [
        ([calling("Rain?", "a")], "row", "1 row cannot be split"),
        ([calling(asking(1), "a")] * 3, "row", "3 rows that belong together cannot be split"),
        ([calling(asking(1)), calling(asking(2))], "tool", "no row calls a tool"),
        ([calling(asking(1), "a"), calling(asking(2), "a")], "tool", "all calls are of one tool"),
        ([calling(asking(1), "a", "b"), calling(asking(2), "b", "a")], "tool", "every tool is called in all"),
    ],
)
def test_what_cannot_be_divided(rows: list[dict[str, Any]], by: By, said: str) -> None:
    facts = RowFacts(by)
    for row in rows:
        facts.add(row)
    with pytest.raises(UserError, match=said):
        divide(facts, 0.1, 0)


def split(source: Path, **options: Any) -> tuple[Split, list[Any], list[Any]]:
    train, aside = source.with_name("train.out"), source.with_name("eval.out")
    made = split_file(source, train, aside, **options)
    assert made is not None
    return made, *([json.loads(line) for line in path.read_text().splitlines()] for path in (train, aside))


def test_split_of_a_file(write: Writer) -> None:
    rows = [calling(asking(i), "a" if i % 4 else "b", offered=("c",)) for i in range(40)]
    path = write([*rows[:20], "{cut", {"text": 1}, *rows[20:]])
    made, train, aside = split(path, by="tool", share=0.25)
    assert (made.train, made.eval, made.rows) == (30, 10, 42)
    assert sum(made.rejected.values()) == 2
    assert made.rejected["not_json"] == 1
    assert made.held_out == made.unseen == ["b"]
    assert made.untested == ["a"]
    assert [(one.name, one.called.train, one.called.eval) for one in made.tools] == [
        ("a", 30, 0),
        ("b", 0, 10),
        ("c", 0, 0),
    ]
    assert [(one.offered.train, one.offered.eval) for one in made.tools] == [(30, 0), (0, 10), (30, 10)]
    # Canonical rows, each on one side, in their order.
    assert train == [row for i, row in enumerate(rows) if i % 4]
    assert aside == [row for i, row in enumerate(rows) if i % 4 == 0]
    assert sorted(one.name for one in path.parent.iterdir()) == ["eval.out", "rows.jsonl", "train.out"]


def test_split_leaves_no_leak(write: Writer) -> None:
    rows = [calling(asking(i % 60), "a" if i % 3 else "b") for i in range(200)]
    for by in BYS:
        made, train, aside = split(write(rows), by=by, share=0.2, seed=4)
        assert len(train) + len(aside) == 200
        assert not {question_key(row) for row in train} & {question_key(row) for row in aside}
        assert made.largest_group > 1


def test_near_duplicates_stay_together(write: Writer) -> None:
    long = " ".join(f"Please write {word} into the list that I gave you." for word in WORDS)
    rows = [calling(f"{one} or {two}?", "a") for one in WORDS[:5] for two in WORDS[5:9]]
    rows += [calling(f"{long} {word}.", "a") for word in ("today", "now", "soon", "again")]
    for seed in range(5):
        made, _, aside = split(write(rows), share=0.5, seed=seed)
        assert made.near_duplicates == 3
        assert (made.groups, made.largest_group) == (21, 4)
        assert sum(long in json.dumps(row) for row in aside) in (0, 4)


def test_near_duplicates_of_very_many_rows_are_not_looked_for(
    write: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner_tui.data.parts.split.NEAR_ROWS", 10)
    made, *_ = split(write([calling(asking(i), "a") for i in range(10)]))
    assert made.near_duplicates == 0
    made, *_ = split(write([calling(asking(i), "a") for i in range(11)]))
    assert made.near_duplicates is None


@pytest.mark.parametrize("by", BYS)
def test_split_of_the_sample_data(by: By, tmp_path: Path) -> None:
    made = split_file(sample_data() / "train.jsonl", tmp_path / "a", tmp_path / "b", by=by)
    assert made is not None
    assert made.rows == 800
    assert 75 <= made.eval <= 85
    assert made.kinds["negative"].eval == 20
    assert len(load_dataset(tmp_path / "b").examples) == made.eval


def test_progress_and_cancel(write: Writer, tmp_path: Path) -> None:
    path = write([calling(asking(i), "a") for i in range(600)])
    seen: list[Progress] = []
    assert split_file(path, tmp_path / "t", tmp_path / "e", progress=seen.append) is not None
    assert (seen[-1].rows, seen[-1].share) == (600, 1.0)
    assert split_file(path, tmp_path / "t2", tmp_path / "e2", cancelled=lambda: True) is None
    assert not (tmp_path / "t2").exists()


def test_split_refuses(write: Writer, tmp_path: Path) -> None:
    path = write([calling(asking(i), "a") for i in range(9)])
    with pytest.raises(UserError, match="must be different files"):
        split_file(path, path, tmp_path / "e")
    with pytest.raises(UserError, match="above 0 and below 1"):
        split_file(path, tmp_path / "t", tmp_path / "e", share=1)
    with pytest.raises(UserError, match="cannot be written"):
        split_file(path, tmp_path / "no" / "t", tmp_path / "e")
    with pytest.raises(UserError, match="cannot be written"):
        split_file(path, tmp_path / "t", tmp_path / "no" / "e")
    assert not (tmp_path / "t").exists()


def test_set_aside_is_a_shuffle_where_nothing_is_asked_twice() -> None:
    examples = [calling(asking(i), "a") for i in range(70)]
    shuffled = list(examples)
    random.Random(5).shuffle(shuffled)
    assert set_aside(examples, by="row", share=0.1, seed=5) == (shuffled[7:], shuffled[:7])
    assert set_aside(examples, by="row", share=0, seed=5) == (shuffled, [])
    assert set_aside(examples[:1], by="row", share=0.5, seed=5) == (examples[:1], [])
    assert len(set_aside(examples[:3], by="row", share=0.01, seed=5)[1]) == 1


@FEW
@given(datasets(), st.floats(0.01, 0.5), st.integers(0, 100))
def test_set_aside_keeps_questions_together(rows: list[dict[str, Any]], share: float, seed: int) -> None:
    train, aside = set_aside(rows, by="row", share=share, seed=seed)
    assert train
    assert aside
    key = lambda row: json.dumps(row, sort_keys=True)  # noqa: E731
    assert sorted(map(key, train + aside)) == sorted(map(key, rows))
    if len({question_key(row) for row in rows}) > 1:
        assert not set(map(question_key, train)) & set(map(question_key, aside))


@pytest.mark.parametrize("by", ["tool", "template"])
def test_set_aside_by_group(by: By) -> None:
    rows = [calling(f"Will it rain in {name} on Sunday?", f"t{i % 4}") for i, name in enumerate("ABCDEFGH")]
    rows += [calling(asking(i), f"t{i % 4}") for i in range(8)]
    train, aside = set_aside(rows, by=by, share=0.25, seed=0)
    assert (len(train), len(aside)) == (12, 4)
    assert set_aside(rows, by=by, share=0.25, seed=0) == (train, aside)


def test_split_verb(write: Writer, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    path = write([*(calling(asking(i), f"t{i % 5}") for i in range(50)), "{cut"])
    out = [str(tmp_path / "t"), str(tmp_path / "e")]
    assert main(["split", str(path), *out, "--by", "tool", "--share", "0.2", "--seed", "3", "--json"]) == 1
    data = json.loads(capsysbinary.readouterr().out)
    assert (data["rows"], data["train"], data["eval"], data["rejected"]) == (51, 40, 10, 1)
    assert data["share"] == {"asked": 0.2, "reached": 0.2}
    assert data["held_out"] == data["unseen_tools"]
    assert data["rejected_by_rule"] == {"not_json": 1}


def test_split_verb_prints_a_page(write: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [calling(asking(i), f"evil\x1b[2J[red]{i % 5}") for i in range(50)]
    path = write(rows, "[red]\x1b[2J.jsonl")
    assert main(["split", str(path), str(tmp_path / "t"), str(tmp_path / "e"), "--by", "tool"]) == 0
    page = capsys.readouterr().out
    assert "split by tool" in page
    assert "function call" in page
    assert "[red]" in page
    assert "evil" in page
    assert "\x1b" not in page
    assert main(["split", str(path), str(path), str(tmp_path / "e")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
