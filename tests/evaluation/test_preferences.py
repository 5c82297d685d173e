"""Step one of RLHF: two answers, a verdict, a pair that can be trained on; kept whatever happens."""

import io
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from gates import TOOL

from tuner_tui import paths
from tuner_tui.cli import main
from tuner_tui.data.dataset import load_dataset
from tuner_tui.data.examples import is_preference
from tuner_tui.errors import UserError
from tuner_tui.evaluation.preferences.answers import ANSWERS, prompts_of, start_answers
from tuner_tui.evaluation.preferences.comparisons import load_comparisons, pair_key
from tuner_tui.evaluation.preferences.judging import Judging, journal_of
from tuner_tui.evaluation.preferences.showing import show_both
from tuner_tui.evaluation.progress import read_progress
from tuner_tui.runs.layout import RunState
from tuner_tui.training.data_fit import data_fit


def call(number: int, **more: Any) -> dict[str, Any]:
    function = {"name": "open_gate", "arguments": {"number": number, **more}}
    return {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": function}]}


def say(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Six prompts; base says it in words, tuned calls the tool."""
    rows = [
        {
            "row": number,
            "prompt": [{"role": "user", "content": f"Open gate {number}."}],
            "answers": [[say(f"I open gate {number}.")], [call(number)]],
            "sources": ["base", "tuned"],
            "tools": [TOOL],
        }
        for number in range(1, 7)
    ]
    path = tmp_path / "gates-answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    return tmp_path / "pairs.jsonl"


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def prefer(judging: Judging, source: str) -> None:
    """Say that the answer of `source` is better, wherever it stands."""
    comparison = judging.current
    assert comparison is not None
    left, _ = judging.sides(comparison)
    judging.judge("left" if comparison.sources[left] == source else "right")


def test_verdicts_become_pairs_that_every_preference_method_takes(answers: Path, pairs: Path) -> None:
    with Judging(answers, pairs) as judging:
        for _ in range(4):
            prefer(judging, "tuned")
        judging.judge("tie")
        judging.judge("both_bad")
        assert judging.current is None
        tally = judging.tally()
    assert (tally.judged, tally.pairs, tally.ties, tally.both_bad) == (6, 4, 1, 1)
    assert tally.sources["tuned"]["count"] == 4 and tally.sources["base"]["count"] == 0
    loaded = load_dataset(pairs)
    assert len(loaded.examples) == 4 and all(map(is_preference, loaded.examples))
    assert loaded.examples[0]["chosen"] == [call(1)] and loaded.examples[0]["tools"] == [TOOL]
    assert data_fit(pairs, "dpo").usable == data_fit(pairs, "reward").usable == 4
    assert set(rows(pairs)[0]) == {"prompt", "chosen", "rejected", "tools"}


def test_the_side_is_drawn_at_random_and_recorded(tmp_path: Path) -> None:
    source = paths.sample_data() / "preferences.jsonl"
    with Judging(source, tmp_path / "one.jsonl", seed=1) as judging:
        first = [judging.sides(each)[0] for each in judging.comparisons]
        judging.judge("left", "a note")
    with Judging(source, tmp_path / "two.jsonl", seed=2) as judging:
        second = [judging.sides(each)[0] for each in judging.comparisons]
    # Fair coins stay within four standard deviations in all but one of ten thousand cases.
    assert abs(sum(first) - len(first) / 2) < 4 * len(first) ** 0.5 / 2 and first != second
    seed, record = rows(journal_of(tmp_path / "one.jsonl"))
    assert seed == {"order_seed": 1}
    assert {record["left"], record["right"]} == {"chosen", "rejected"}
    assert record["better"] == record["left"] and record["note"] == "a note" and record["row"] == 1


def test_one_goes_on_where_one_stopped_and_skipped_ones_come_again(answers: Path, pairs: Path) -> None:
    with Judging(answers, pairs) as judging:
        judging.judge("skip")
        prefer(judging, "tuned")
        assert judging.current is not None and judging.current.row == 3
        orders = [judging.sides(each) for each in judging.comparisons]
    with Judging(answers, pairs) as judging:
        assert [judging.sides(each) for each in judging.comparisons] == orders
        assert judging.current is not None and judging.current.row == 1
        prefer(judging, "tuned")
        assert judging.current.row == 3
        assert judging.tally().skipped == 0
    assert len(rows(pairs)) == 2


def test_verdicts_are_taken_back_one_by_one(answers: Path, pairs: Path) -> None:
    with Judging(answers, pairs) as judging:
        prefer(judging, "tuned")
        judging.judge("tie")
        prefer(judging, "base")
        for row in (3, 2, 1):
            undone = judging.undo()
            assert undone is not None and judging.current is undone and undone.row == row
        assert judging.undo() is None
        assert judging.tally().judged == 0 and rows(pairs) == []
        prefer(judging, "base")
    with Judging(answers, pairs) as judging:
        assert judging.tally().judged == 1
    assert rows(pairs)[0]["chosen"] == [say("I open gate 1.")]


def test_a_writer_that_died_between_the_two_files_loses_nothing(answers: Path, pairs: Path) -> None:
    with Judging(answers, pairs) as judging:
        for _ in range(3):
            prefer(judging, "tuned")
    lines = pairs.read_bytes().splitlines(keepends=True)
    # The last pair was cut in half, and the one before it never arrived.
    pairs.write_bytes(lines[0] + lines[2][:40])
    with Judging(answers, pairs) as judging:
        assert judging.tally().pairs == 3
    assert {pair_key(row) for row in load_dataset(pairs).examples} == {
        pair_key(json.loads(line)) for line in lines
    }


def test_pairs_of_another_file_stay_in_the_file_of_pairs(answers: Path, pairs: Path) -> None:
    with Judging(paths.sample_data() / "preferences.jsonl", pairs) as judging:
        judging.judge("left")
    with Judging(answers, pairs) as judging:
        prefer(judging, "tuned")
        judging.undo()
    assert len(rows(pairs)) == 1


def test_two_judges_at_once_are_refused(answers: Path, pairs: Path) -> None:
    with Judging(answers, pairs), pytest.raises(UserError, match="somebody else is judging"):
        Judging(answers, pairs)
    Judging(answers, pairs).close()


def test_a_better_answer_that_training_would_leave_out_is_told(tmp_path: Path, pairs: Path) -> None:
    source = tmp_path / "faulty.jsonl"
    pair = {"prompt": [{"role": "user", "content": "Open gate 1."}], "tools": [TOOL]}
    source.write_text(json.dumps({**pair, "answers": [[call(1, colour="red")], [call(1)]]}) + "\n")
    with Judging(source, pairs) as judging:
        prefer(judging, "1")
        assert judging.current is None
        judging.undo()
        comparison = judging.current
        assert comparison is not None
        bad = judging.judge("left" if judging.sides(comparison)[0] == 0 else "right")
    assert any("colour" in fault for fault in bad)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"messages": [{"role": "user", "content": "x"}, say("y")]}, "holds no two answers"),
        ({"prompt": "x", "answers": ["same", "same"]}, "no row has two different answers"),
        ({"prompt": "x", "answers": ["only one"]}, "no row has two different answers"),
    ],
)
def test_a_file_without_two_answers_is_refused(row: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n")
    with pytest.raises(UserError, match=said):
        load_comparisons(path)


def test_more_than_two_answers_are_compared_two_by_two(tmp_path: Path) -> None:
    path = tmp_path / "four.jsonl"
    path.write_text(json.dumps({"prompt": "Say a letter.", "answers": ["a", "b", "c", "a"]}) + "\nno json\n")
    found = load_comparisons(path)
    assert (len(found.items), found.same, found.unusable) == (3, 1, 1)
    assert {each.sources for each in found.items} == {("1", "2"), ("1", "3"), ("2", "3")}


def test_the_pairs_do_not_go_into_the_file_that_is_judged(answers: Path) -> None:
    with pytest.raises(UserError, match="another file"):
        Judging(answers, answers)


def test_only_what_differs_is_marked() -> None:
    one, two = show_both([call(1, colour="red")], [call(2, colour="red")])
    assert [(line.kind, line.text, line.differs) for line in one] == [
        ("call", "open_gate", False),
        ("argument", "number = 1", True),
        ("argument", 'colour = "red"', False),
    ]
    assert [line.differs for line in two] == [False, True, False]
    # Nothing in common: to mark all would mark nothing.
    assert not any(line.differs for side in show_both([say("No.")], [call(1)]) for line in side)


def test_the_terminal_twin(
    answers: Path, pairs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("a clearer\nu\nz\nb\ne\nx\ns\nq\n"))
    assert main(["prefer", str(answers), "--out", str(pairs)]) == 0
    out = capsys.readouterr().out
    assert "Open gate 1." in out and "→ open_gate" in out and "number = 1" in out
    assert "'z' is none of the keys" in out
    assert "3 of 6 judged: 1 pairs, 1 ties, 1 both bad, 1 skipped" in out
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["prefer", str(answers), "--out", str(pairs), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["judged"], told["pairs"], told["total"]) == (3, 1, 6)
    assert main(["prefer", str(answers), "--out", str(answers)]) == 2


def test_a_model_answers_each_prompt_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))
    source = paths.sample_data() / "heldout.jsonl"
    # Hot enough that the small model, which is sure of itself, gives two different answers.
    folder = start_answers(None, source, limit=3, temperature=3.0)
    deadline = time.monotonic() + 120
    while read_progress(folder).state.live and time.monotonic() < deadline:
        time.sleep(0.2)
    progress = read_progress(folder)
    assert (progress.state, progress.done, progress.error) == (RunState.FINISHED, 3, None)
    made = load_comparisons(folder / ANSWERS)
    assert len(made.items) + made.same == 3 and made.items
    assert made.items[0].prompt in [prompt.messages for prompt in prompts_of(source)[:3]]
    assert made.items[0].sources == ("sample 1", "sample 2")


def test_what_cannot_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))
    source = paths.sample_data() / "heldout.jsonl"
    with pytest.raises(UserError, match="temperature 0"):
        start_answers(None, source, temperature=0.0)
    taken = tmp_path / "answers.jsonl"
    taken.write_text("")
    with pytest.raises(UserError, match="exists"):
        start_answers(None, source, taken)
