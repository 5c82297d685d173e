"""The engine's inner loop, with suites that misbehave and a model that says what it is told to."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from tuner_tui.data.answers.parsing import parse_answer
from tuner_tui.errors import UserError
from tuner_tui.evaluation.compare import changed_items, outcome
from tuner_tui.evaluation.counted import pass_hat
from tuner_tui.evaluation.driver import Failure, Stopped, converse
from tuner_tui.evaluation.subset import Limited, Limits, draw
from tuner_tui.evaluation.tasks import Answer, Ask, Exchange, Item, Measure, Outcome, Weigh, Weights


def item(name: str, category: str = "") -> Item:
    return Item(name, 1, name, [{"role": "user", "content": name}], [], [], category=category)


class Counting:
    """An exchange of as many turns as the item's name says: right when the last answer is the number."""

    def __init__(self, item: Item) -> None:
        self.turns = int(item.id.split()[0])
        self.answers: list[str] = []
        self.weights: Weights | None = None
        self.item = item

    def question(self) -> Ask | Weigh | None:
        if "broken" in self.item.id and self.answers:
            raise ZeroDivisionError("a fault of the suite")
        if "endless" in self.item.id:
            return Ask(self.item.messages, [])
        if "weigh" in self.item.id:
            return Weigh(["a", "bc"]) if self.weights is None else None
        if len(self.answers) == self.turns:
            return None
        return Ask([*self.item.messages, {"role": "user", "content": str(len(self.answers) + 1)}], [])

    def answered(self, answer: Answer | Weights) -> None:
        if isinstance(answer, Weights):
            self.weights = answer
        else:
            self.answers.append(answer.text)

    def outcome(self) -> Outcome:
        if self.weights:
            return Outcome({"counted": None}, True, numbers={"first": self.weights.log_likelihoods[0]})
        right = self.answers[-1:] == [str(self.turns)]
        return Outcome({"counted": right}, right, None if right else "miscounted", {"turns": self.turns})


class CountingTask:
    name, title, rejected, notes = "counting", "Counting", 0, ()
    measures = (Measure("counted", "Counted"),)
    error_types: Mapping[str, str] = {"miscounted": "said another number"}

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items

    def begin(self, item: Item) -> Exchange:
        if "unborn" in item.id:
            raise KeyError("no such thing")
        return Counting(item)


class Scripted:
    """Says the last word of a question, two questions at a time."""

    width, knows_format = 3, True

    def __init__(self, weighs: bool = True, says: Callable[[str], Answer | Failure] | None = None) -> None:
        self.open: list[tuple[int, str]] = []
        self.batches: list[int] = []
        self.weighs = weighs
        self.says = says or (lambda text: Answer(text, parse_answer(text), 2, 0.5))

    def submit(self, key: int, ask: Ask) -> None:
        self.open.append((key, ask.messages[-1]["content"]))

    def ready(self) -> list[tuple[int, Answer | Failure]]:
        now, self.open = self.open[:2], self.open[2:]
        self.batches.append(len(now))
        return [(key, self.says(text)) for key, text in now]

    def weigh(self, requests: Sequence[Weigh]) -> list[Weights] | None:
        assert not self.open, "the model answers nothing else meanwhile"
        if not self.weighs:
            return None
        return [Weights([-float(len(text)) for text in each.texts], [1, 2], 0.1) for each in requests]


def run(names: Sequence[str], speaker: Scripted) -> dict[str, dict[str, Any]]:
    task = CountingTask([item(name) for name in names])
    lines = converse(task, task.items, speaker, lambda _, messages: messages, lambda: False)
    return {line["id"]: line for part in lines for line in part}


def test_items_of_many_turns_share_batches_with_others() -> None:
    names = ["1 a", "5 b", "2 c", "1 d", "3 e", "1 f", "4 g"]
    speaker = Scripted()
    found = run(names, speaker)
    assert sorted(found) == sorted(names) and all(line["verdict"]["right"] for line in found.values())
    assert sum(speaker.batches) == 17 and speaker.batches.count(2) >= 7, "batches stay full to the end"
    line = found["5 b"]
    assert (line["tokens"], line["seconds"], line["numbers"]) == (10, 2.5, {"turns": 5})
    assert [message["content"] for message in line["prompt"]] == ["5 b", "1"]
    json.dumps(list(found.values()))


def test_an_item_whose_exchange_fails_ends_nothing() -> None:
    found = run(["1 a", "3 broken", "1 unborn", "1 endless", "1 b"], Scripted())
    errors = {name: line["error"] for name, line in found.items()}
    assert errors == {
        "1 a": None,
        "1 b": None,
        "3 broken": "suite_failed",
        "1 unborn": "suite_failed",
        "1 endless": "suite_failed",
    }
    assert "ZeroDivisionError: a fault of the suite" in found["3 broken"]["reason"]
    assert found["3 broken"]["verdict"] == {"counted": None, "right": False}


def test_what_cannot_be_asked_or_weighed_is_not_measured_and_what_runs_out_of_room_is_wrong() -> None:
    def says(text: str) -> Answer | Failure:
        if text == "2":
            return Failure("too_long", "9 tokens")
        return Answer(text, parse_answer(text), 1, 0.0)

    found = run(["1 a", "2 b", "1 weigh"], Scripted(weighs=False, says=says))
    assert (found["2 b"]["error"], found["2 b"]["verdict"]["right"]) == ("no_room", False)
    unasked = run(["1 a", "2 b"], Scripted(says=lambda _: Failure("too_long", "9 tokens")))
    for line in unasked.values():
        assert (line["error"], line["reason"], line["verdict"]["counted"]) == ("too_long", "9 tokens", None)
    assert outcome(list(unasked.values()), ["counted"], {})["right"]["total"] == 0
    assert changed_items(list(unasked.values()), list(run(["1 a", "2 b"], Scripted()).values())) == []
    assert (found["1 weigh"]["error"], found["1 weigh"]["verdict"]["counted"]) == ("not_measured", None)
    assert run(["1 weigh"], Scripted())["1 weigh"]["numbers"] == {"first": -1.0}


def test_a_server_that_refuses_everything_is_no_result() -> None:
    speaker = Scripted(says=lambda _: Failure("refused", "tools are off"))
    with pytest.raises(UserError, match="none of the first 3 items could be put: tools are off"):
        run(["1 a", "1 b", "1 c"], speaker)


def test_a_stop_ends_it_and_keeps_what_is_over() -> None:
    task = CountingTask([item(f"{number} x") for number in range(1, 9)])
    stored: list[dict[str, Any]] = []
    with pytest.raises(Stopped):
        for lines in converse(
            task, task.items, Scripted(), lambda _, messages: messages, lambda: len(stored) >= 2
        ):
            stored.extend(lines)
    assert 2 <= len(stored) <= 3


def test_a_subset_keeps_the_shares_of_the_categories_and_is_the_same_again() -> None:
    items = [item(f"{number} x", "many" if number % 10 else "few") for number in range(1, 101)]
    drawn = draw(items, 20, seed=1)
    assert [each.category for each in drawn].count("few") == 2 and len(drawn) == 20
    assert drawn == draw(items, 20, seed=1) != draw(items, 20, seed=2)
    assert {each.category for each in draw(items, 2, seed=0)} == {"few", "many"}
    assert draw(items, 1000, seed=0) == items
    task = Limited(CountingTask(items), Limits(20, 1, 3))
    assert [each.id for each in task.items[:4]] == [
        f"{drawn[0].id}#1",
        f"{drawn[0].id}#2",
        f"{drawn[0].id}#3",
        f"{drawn[1].id}#1",
    ]
    assert task.items[1].group == drawn[0].id
    assert any("20 of 100 items" in note and "19.8 points" in note for note in task.notes)
    exchange = task.begin(task.items[1])
    assert isinstance(exchange, Counting) and exchange.item == drawn[0]


def test_pass_hat_k() -> None:
    # By hand: of 4 answers 3 are right; of the 6 pairs, 3 are all right.
    assert [pass_hat(3, 4, k) for k in (1, 2, 3, 4)] == [0.75, 0.5, 0.25, 0.0]
