"""Task completion: gold calls complete every task, and every fault of them fails it."""

import json
import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from tuner_tui.data.answers.parsing import ParsedAnswer, parse_answer
from tuner_tui.data.examples import Call
from tuner_tui.errors import UserError
from tuner_tui.evaluation.suites.environments import ENVIRONMENTS
from tuner_tui.evaluation.suites.task_files import CompletionItem, read_tasks
from tuner_tui.evaluation.suites.tasks import CompletionTask
from tuner_tui.evaluation.suites.trajectory import Trajectory, says
from tuner_tui.evaluation.tasks import Answer, Outcome
from tuner_tui.paths import sample_data

TASK = CompletionTask()
ITEMS = [TASK._tasks[item.id] for item in TASK.items]
IDS = [each.item.id for each in ITEMS]

Steps = Sequence[Sequence[Sequence[Call]]]
"""Of each request, the steps; of each step, the calls that are made at once."""

EXTRA = {
    "calendar": Call("create_event", {"title": "X", "date": "2026-05-01", "start": "09:00", "end": "10:00"}),
    "shop": Call("add_to_cart", {"product": "p-24", "quantity": 1}),
    "files": Call("make_folder", {"path": "/zzz"}),
    "desk": Call("set_priority", {"ticket": "t-106", "priority": "urgent"}),
}


def spoken(text: str) -> Answer:
    return Answer(text, parse_answer(text), tokens=1, seconds=0.0)


def written(calls: Sequence[Call]) -> Answer:
    """Calls as a model writes them, so that the parser has its part in the test."""
    return spoken(
        "\n".join(
            f"<tool_call>\n{json.dumps({'name': c.name, 'arguments': c.arguments})}\n</tool_call>"
            for c in calls
        )
    )


def gold(item: CompletionItem) -> Steps:
    return [request.steps for request in item.requests]


def play(item: CompletionItem, steps: Steps, *, retry: bool = True, words: str | None = None) -> Outcome:
    """Answer as a model would that knows the steps: it makes a call again that failed for a while."""
    exchange = Trajectory(item)
    lasting = {each.tool for each in item.failures if each.times > 5}
    for request, plan in zip(item.requests, steps, strict=True):
        for step in plan:
            calls = list(step)
            for _ in range(4):
                if exchange.question() is None:
                    return exchange.outcome()
                exchange.answered(written(calls))
                question = exchange.question()
                results = question.messages[-len(calls) :] if question else []
                again = [
                    call
                    for call, result in zip(calls, results, strict=False)
                    if any(each.error in result["content"] for each in item.failures)
                    and call.name not in lasting
                ]
                if not (again and retry):
                    break
                calls = again
        said = " and ".join(fact[0] for fact in request.facts) or "Done."
        exchange.answered(spoken(said if words is None else words))
    assert exchange.question() is None
    return exchange.outcome()


def dropped(steps: Steps) -> Iterator[tuple[str, Steps]]:
    for r, request in enumerate(steps):
        for s, step in enumerate(request):
            for c, call in enumerate(step):
                rest = [x for i, x in enumerate(step) if i != c]
                plan = [*request[:s], *([rest] if rest else []), *request[s + 1 :]]
                yield f"{call.name} dropped", [*steps[:r], plan, *steps[r + 1 :]]


def changed(steps: Steps) -> Iterator[tuple[str, Steps]]:
    for r, request in enumerate(steps):
        for s, step in enumerate(request):
            for c, call in enumerate(step):
                for name, value in call.arguments.items():
                    other = Call(call.name, {**call.arguments, name: _other(value)})
                    plan = [*request[:s], [*step[:c], other, *step[c + 1 :]], *request[s + 1 :]]
                    yield f"{call.name}.{name} changed", [*steps[:r], plan, *steps[r + 1 :]]


def _other(value: Any) -> Any:
    if isinstance(value, list):
        return value[:-1]
    if isinstance(value, str):
        return value + "q"
    return value + 17


def test_there_are_ten_tasks_and_more_of_every_environment() -> None:
    counts = {name: sum(each.item.category == name for each in ITEMS) for name in ENVIRONMENTS}
    assert len(counts) == 4 and min(counts.values()) >= 10
    assert len(set(IDS)) == len(IDS)
    assert sum(bool(each.failures) for each in ITEMS) >= 8
    assert sum(not each.item.gold for each in ITEMS) >= 8
    assert sum(any(len(step) > 1 for request in gold(each) for step in request) for each in ITEMS) >= 8
    assert sum(len(each.requests) > 1 for each in ITEMS) >= 4


@pytest.mark.parametrize("item", ITEMS, ids=IDS)
def test_gold_calls_complete_the_task(item: CompletionItem) -> None:
    outcome = play(item, gold(item))
    assert outcome.right and outcome.error is None, outcome
    assert outcome.verdict["no_harm"] and outcome.numbers["invalid_calls"] == 0
    assert outcome.verdict["recovered"] == (True if item.failures else None)
    assert outcome.verdict["valid_calls"] == (True if item.item.gold else None)
    assert outcome.verdict["kept_without_call"] == (None if item.item.gold else True)


@pytest.mark.parametrize("item", ITEMS, ids=IDS)
def test_faults_fail_the_task(item: CompletionItem) -> None:
    extra = [*gold(item)[0], [EXTRA[item.environment.name]]]
    too_many = play(item, [extra, *gold(item)[1:]])
    assert not too_many.right
    assert too_many.error == ("harm" if item.item.gold else "needless_call")
    assert not too_many.verdict["no_harm"]
    passed = [said for said, steps in [*dropped(gold(item)), *changed(gold(item))] if play(item, steps).right]
    assert passed == HARMLESS.get(item.item.id, [])


HARMLESS = {
    # how an answer is worded is not judged, as long as it has the words that were asked for
    "desk-article-reply": ["reply.message changed"],
    # the search is broken for good, and what is in the folder can be read without listing it
    "files-other-way": [
        "search_text dropped",
        "list_folder dropped",
        "search_text.words changed",
        "list_folder.path changed",
    ],
    # the order names the product as well: which of two it is was a lucky guess, and no wrong one
    "shop-return": ["search_products dropped", "search_products.words changed"],
    # the lamp that is not in stock need not be looked at, and a higher price finds the same lamps
    "shop-two-requests": [
        "product_details dropped",
        "search_products.max_price changed",
        "product_details.product changed",
    ],
}
"""Faults that do no harm to the result, and rightly pass: every other one has to fail."""


@pytest.mark.parametrize("item", [each for each in ITEMS if each.failures], ids=lambda each: each.item.id)
def test_a_model_that_does_not_try_again_has_not_recovered(item: CompletionItem) -> None:
    if item.item.id == "files-other-way":  # the gold calls take the other way at once
        return
    outcome = play(item, gold(item), retry=False)
    assert outcome.verdict["recovered"] is False and not outcome.right


@pytest.mark.parametrize(
    "item",
    [each for each in ITEMS if any(request.facts for request in each.requests)],
    ids=lambda each: each.item.id,
)
def test_facts_count_only_when_they_are_said_and_were_looked_up(item: CompletionItem) -> None:
    assert play(item, gold(item), words="It is done.").error == "wrong_answer"
    nothing = play(item, [[] for _ in item.requests])
    assert not nothing.right and nothing.error == "no_call"


def test_a_wrong_state_names_what_was_wrong() -> None:
    item = TASK._tasks["calendar-move"]
    wrong = Call("move_event", {"event": "ev-13", "date": "2026-03-05", "start": "09:15", "end": "10:30"})
    outcome = play(item, [[gold(item)[0][0], [wrong]]])
    assert outcome.error == "not_done" and outcome.verdict["no_harm"]
    other = Call("cancel_event", {"event": "ev-12"})
    outcome = play(item, [[*gold(item)[0], [Call("find_events", {})], [other]]])
    assert outcome.error == "harm" and outcome.verdict["no_harm"] is False
    outcome = play(item, [[gold(item)[0][1]]])
    assert outcome.error == "guessed"


def test_the_way_and_superfluous_looks_do_not_matter() -> None:
    item = TASK._tasks["calendar-two-at-once"]
    first, second = gold(item)[0][0]
    look = Call("find_events", {})
    outcome = play(item, [[[look], [second], [first], [look]]])
    assert outcome.right and outcome.numbers["steps"] == 5


def test_invalid_calls_are_told_and_counted() -> None:
    item = TASK._tasks["calendar-create"]
    bad = [Call("create_event", {"title": "Piano lesson"}), Call("make_tea", {})]
    exchange = Trajectory(item)
    exchange.answered(written(bad))
    question = exchange.question()
    assert question is not None
    assert "required" in question.messages[-2]["content"] and "no tool" in question.messages[-1]["content"]
    outcome = play(item, [[bad, *gold(item)[0]]])
    assert outcome.right and outcome.verdict["valid_calls"] is False and outcome.numbers["invalid_calls"] == 2


def test_the_step_limit_ends_a_task() -> None:
    item = TASK._tasks["calendar-create"]
    exchange = Trajectory(item)
    while exchange.question() is not None:
        exchange.answered(written([Call("find_events", {})]))
    outcome = exchange.outcome()
    assert (outcome.error, outcome.numbers["step_limit"]) == ("step_limit", 1.0)
    assert outcome.numbers["steps"] == item.max_steps


HOSTILE = [
    "",
    "<tool_call>",
    "</tool_call>" * 1000,
    "[" * 100_000,
    "\x00\ud800 \x1b[2J",
    '<tool_call>{"name": "find_events", "arguments": {"__class__": 1}}</tool_call>',
    '<tool_call>{"name": "__import__(\'os\').system(\'touch /tmp/x\')", "arguments": {}}</tool_call>',
    '<tool_call>{"name": "find_events", "arguments": {"state": {}, "self": 1}}</tool_call>',
    '<tool_call>{"name": "delete", "arguments": {"path": "/"}}</tool_call>',
    '<tool_call>{"name": "move", "arguments": {"path": "/team", "to": "/team/a/../../etc"}}</tool_call>',
    '<tool_call>{"name": "move", "arguments": {"path": "/team", "to": "/team/inside"}}</tool_call>',
    '<tool_call>{"name": "read_file", "arguments": {"path": "../../../../etc/passwd"}}</tool_call>',
    '<tool_call>{"name": "find_events", "arguments": {"title": ' + "[" * 60 + "]" * 60 + "}}</tool_call>",
    '<tool_call>{"name": "add_to_cart", "arguments": {"product": "p-11", "quantity": 1e308}}</tool_call>',
    '<tool_call>{"name": "write_file", "arguments": {"path": "/x", "text": "'
    + "y" * 2_000_000
    + '"}}</tool_call>',
    '<tool_call>{"name": "list_orders", "arguments": {}}</tool_call>' * 5000,
]


@pytest.mark.parametrize("name", ["calendar-create", "shop-order", "files-rename", "desk-refund-busy"])
def test_hostile_answers_raise_nothing_and_change_nothing(name: str) -> None:
    item = TASK._tasks[name]
    before = json.dumps(item.state)
    for text in HOSTILE:
        exchange = Trajectory(item)
        for _ in range(item.max_steps):
            if exchange.question() is not None:
                exchange.answered(spoken(text))
        assert exchange.question() is None
        outcome = exchange.outcome()
        assert not outcome.right
        json.dumps(outcome.turns)
        assert sum(len(turn["content"]) for turn in outcome.turns or []) < 1_000_000
    assert json.dumps(item.state) == before


def test_arguments_that_only_a_program_could_make_raise_nothing() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    for value in (deep, math.nan, 10**400, {1: 2}, object()):
        for item in (TASK._tasks["shop-order"], TASK._tasks["desk-assign"]):
            exchange = Trajectory(item)
            call = Call("search_products", {"words": value, "max_price": value})
            exchange.answered(Answer("", ParsedAnswer("", [call]), 1, 0.0))
            assert exchange.outcome().right is False


def test_what_an_answer_says() -> None:
    assert says("It starts at 15:00.", "15:00") and not says("It starts at 115:00", "15:00")
    assert says("The total is 52.2 euros", "52.2") and not says("52.25", "52.2") and not says("12.7", "7")
    assert says("WHITE", "white") and not says("whitest", "white")


def test_a_model_that_never_calls_completes_only_what_needs_no_call() -> None:
    completed = {item.item.id for item in ITEMS if play(item, [[] for _ in item.requests]).right}
    assert completed == {item.item.id for item in ITEMS if not item.item.gold}
    assert any(f"{len(completed)} of {len(ITEMS)} tasks need no call" in note for note in TASK.notes)


def test_a_part_of_the_tasks_is_shared_among_the_environments() -> None:
    part = CompletionTask(limit=10, seed=3)
    counts = sorted(sum(i.category == name for i in part.items) for name in ENVIRONMENTS)
    assert counts == [2, 2, 3, 3] and "10 of" in " ".join(part.notes)
    assert [i.id for i in part.items] == [i.id for i in CompletionTask(limit=10, seed=3).items]
    assert [i.id for i in part.items] != [i.id for i in CompletionTask(limit=10, seed=4).items]


OWN = sample_data() / "tasks.json"


def test_the_example_of_own_tasks_completes_by_its_gold_calls() -> None:
    for item in read_tasks(OWN):
        assert play(item, gold(item)).right
        assert not play(item, [[] for _ in item.requests]).right or not item.item.gold
    assert len(CompletionTask(OWN).items) == len(read_tasks(OWN)) >= 3


def _set(document: Any, path: str, value: Any) -> None:
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        document = document[part]
    if value is ...:
        del document[last]
    else:
        document[last] = value


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("environment", "warehouse", 'environment: "warehouse" is not known'),
        ("environment", 3, "environment: must be the name"),
        ("environment.tools", [], "environment.tools: must be a list with a tool"),
        ("environment.tools.1.parameters", {"type": "nonsense"}, "environment.tools[1].parameters"),
        ("environment.tools.1.effects.0", {"run": "rm"}, "environment.tools[1].effects[0]: must be"),
        ("environment.tools.1.effects.0.set", "no path", "must be a path such as"),
        ("environment.tools.1.checks.0.path", "/cars/{nobody}", '"{nobody}" is no required parameter'),
        ("environment.tools.1.python", "import os", "environment.tools[1].python: is no field"),
        ("tasks.0.id", ..., "task 1, id: must be a text"),
        ("tasks.1.calls.0.0.name", "fly", 'task "garage-wash", calls: fly does not work there'),
        ("tasks.1.calls.0", {}, 'task "garage-wash", calls: must be a list of steps'),
        ("tasks.1.state", "nowhere", 'task "garage-wash", state: must name one of'),
        ("tasks.1.max_steps", 0, 'task "garage-wash", max_steps: must be a whole number'),
        ("tasks.1.id", "garage-look", "id: is taken"),
        ("tasks.1.gold", [], 'task "garage-wash", gold: is no field'),
        ("tasks.1.failures", [{"tool": "fly", "error": "x"}], '"tool" must name a tool'),
        ("tasks.0.answer", [3], "answer: must be a list of texts"),
        ("states", [], "states: must be an object"),
        ("tasks", [], "tasks: must have a task"),
    ],
)
def test_a_bad_file_is_told_with_task_and_field(tmp_path: Path, path: str, value: Any, words: str) -> None:
    document = json.loads(OWN.read_text("utf-8"))
    _set(document, path, value)
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(document))
    with pytest.raises(UserError) as caught:
        CompletionTask(file)
    assert words in str(caught.value) and str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


def test_files_that_are_no_tasks(tmp_path: Path) -> None:
    for text, words in (("{", "is no JSON"), ("[" * 100_000, "is no JSON"), ("[]", "must be an object")):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(UserError, match=words):
            CompletionTask(tmp_path / "x.json")
    with pytest.raises(UserError, match="cannot be read"):
        CompletionTask(tmp_path / "absent.json")


def mutated(draw: random.Random, text: str) -> str:
    """A text with some cuts, repetitions and foreign characters."""
    for _ in range(draw.randint(0, 4)):
        a, b = sorted((draw.randint(0, len(text)), draw.randint(0, len(text))))
        piece = draw.choice(
            ["", "{", "}", '"', "\\u0000", "[" * 70, "é", "null", "-1e999", text[a:b] * 2, "\ud800"]
        )
        text = text[:a] + piece + text[draw.choice([a, b]) :]
    return text


def test_mutated_answers_raise_nothing() -> None:
    draw = random.Random(11)
    for _ in range(1500):
        item = draw.choice(ITEMS)
        exchange = Trajectory(item)
        calls = [*item.item.gold, EXTRA[item.environment.name]]
        while exchange.question() is not None:
            text = written(draw.sample(calls, k=draw.randint(1, len(calls)))).text
            exchange.answered(spoken(mutated(draw, text if draw.random() < 0.9 else "Done.")))
        outcome = exchange.outcome()
        assert outcome.error is None or outcome.error in TASK.error_types
        assert outcome.numbers["steps"] <= item.max_steps
        orjson.dumps([outcome.turns, outcome.text])
