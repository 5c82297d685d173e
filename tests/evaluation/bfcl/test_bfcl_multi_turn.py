"""BFCL's multi-turn: verdicts are the official checker's, and nothing that a model writes is run."""

import json
import random
import uuid
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from bfcl_answers import listed, other_value, text_of
from official_runner import load

from tuner_tui.data.answers.parsing import ParsedAnswer, parse_answer
from tuner_tui.data.examples import Call
from tuner_tui.evaluation.scoring_file import score_file
from tuner_tui.evaluation.suites.bfcl import official
from tuner_tui.evaluation.suites.bfcl.multi_turn import (
    MORE_TOOLS,
    MOST_STEPS,
    MULTI_TURN,
    BfclMultiTurnTask,
    named_call,
)
from tuner_tui.evaluation.suites.bfcl.multi_turn_prompting import BfclMultiTurnPromptingTask
from tuner_tui.evaluation.tasks import Answer, Ask, Item, Outcome

pytestmark = pytest.mark.usefixtures("needs_bfcl")

Trajectory = list[list[list[Call]]]
"""Turn -> answers with calls -> calls."""


@pytest.fixture(scope="module")
def task(needs_bfcl: None) -> BfclMultiTurnTask:
    return BfclMultiTurnTask()


def right(task: BfclMultiTurnTask, item: Item) -> Trajectory:
    entry = task.entries[item.id]
    tools = [*item.tools, *(tool for held in entry["held"].values() for tool in held)]
    return [[[named_call(text, tools) for text in turn]] if turn else [] for turn in entry["truth"]]


def perturbed(trajectory: Trajectory, draw: random.Random) -> Trajectory:
    """The right calls, with something changed: it may still be right."""
    turns = deepcopy(trajectory)
    turn = draw.choice([turn for turn in turns if turn])
    calls = turn[0]
    place = draw.randrange(len(calls))
    way = draw.randrange(9)
    if way == 0:
        del calls[place]
    elif way == 1 and calls[place].arguments:
        name = draw.choice(list(calls[place].arguments))
        calls[place].arguments[name] = other_value(calls[place].arguments[name])
    elif way == 2:
        calls.reverse()
    elif way == 3:
        calls.insert(place, deepcopy(calls[place]))
    elif way == 4:
        turn.clear()
    elif way == 5:
        calls[place] = Call("xyzzy", calls[place].arguments)
    elif way == 6:
        calls[place].arguments["xyzzy"] = 1
    elif way == 7:
        turn[:] = [[call] for call in calls]
    else:
        other = draw.choice(turns)
        other.append([deepcopy(draw.choice(draw.choice([t for t in turns if t and t[0]] or [[calls]])[0]))])
    return turns


def driven(task: BfclMultiTurnTask, item: Item, trajectory: Trajectory) -> Outcome:
    exchange = task.begin(item)
    for turn in trajectory:
        for calls in [*(calls for calls in turn if calls), []]:
            if exchange.question() is None:
                return exchange.outcome()
            exchange.answered(Answer("", ParsedAnswer("", calls), 1, 0.0))
    assert exchange.question() is None
    return exchange.outcome()


def official_verdict(task: BfclMultiTurnTask, item: Item, trajectory: Trajectory) -> bool:
    checker = official.load("eval_checker.multi_turn_eval.multi_turn_checker").multi_turn_checker
    texts = [
        [
            [
                f"{call.name}({','.join(f'{key}={value!r}' for key, value in call.arguments.items())})"
                for call in calls
            ]
            for calls in turn
            if calls
        ]
        for turn in trajectory
    ]
    entry = task.entries[item.id]
    return bool(
        checker(texts, entry["truth"], deepcopy(entry), item.category, f"tested{uuid.uuid4().hex}")["valid"]
    )


@pytest.mark.parametrize("category", MULTI_TURN)
def test_every_verdict_is_the_official_one(task: BfclMultiTurnTask, category: str) -> None:
    draw = random.Random(category)
    items = [item for item in task.items if item.category == category]
    assert len(items) == 200
    wrong = 0
    for item in items:
        gold = right(task, item)
        assert driven(task, item, gold).right
        assert official_verdict(task, item, gold)
        changed = perturbed(gold, draw)
        outcome = driven(task, item, changed)
        assert outcome.right is official_verdict(task, item, changed), (item.id, changed)
        assert (outcome.error in task.error_types) is not outcome.right
        wrong += not outcome.right
    assert 80 < wrong < 190


def test_a_file_with_all_that_a_model_said_gets_the_same_verdicts(
    task: BfclMultiTurnTask, tmp_path: Path
) -> None:
    draw = random.Random(3)
    chosen = task.items[::40]
    said, wanted = [], {}
    for place, item in enumerate(chosen):
        trajectory = right(task, item) if place % 2 else perturbed(right(task, item), draw)
        wanted[item.id] = driven(task, item, trajectory).right
        texts = [text for turn in trajectory for text in [*map(text_of, filter(None, turn)), "Done."]]
        said.append({"id": item.id, "text": texts})
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in said))
    score = score_file(path, task)
    assert {each["id"]: each["verdict"]["right"] for each in score.items} == wanted
    assert 0 < sum(wanted.values()) < len(chosen) == score.scored


def test_tools_are_held_back_until_their_turn(task: BfclMultiTurnTask) -> None:
    item = next(item for item in task.items if item.id == "multi_turn_miss_func_0")
    assert "sort" not in [tool["function"]["name"] for tool in item.tools]
    exchange = task.begin(item)
    asked: list[Ask] = []
    for turn in right(task, item):
        for calls in [*turn, []]:
            question = exchange.question()
            assert isinstance(question, Ask)
            asked.append(question)
            exchange.answered(Answer("", ParsedAnswer("", calls), 1, 0.0))
    offered = [["sort" in [tool["function"]["name"] for tool in ask.tools] for ask in asked]]
    assert offered[0].index(True) > 3
    begin = offered[0].index(True)
    assert asked[begin].messages[-1] == {"role": "user", "content": MORE_TOOLS}
    assert all(offered[0][begin:])
    assert exchange.outcome().right
    results = [each for each in asked[-1].messages if each["role"] == "tool"]
    assert results and all(isinstance(each["content"], str) for each in results)


def test_prompting_mode_shows_what_is_official_and_gets_the_same_verdicts(task: BfclMultiTurnTask) -> None:
    asked = BfclMultiTurnPromptingTask()
    utils, draw = load("model_handler.utils"), random.Random(7)
    entries = {
        entry["id"]: entry
        for category in MULTI_TURN
        for entry in official.load("utils").load_dataset_entry(category)
    }
    rights = 0
    for place, item in enumerate(asked.items):
        entry = entries[item.id]
        first = utils.system_prompt_pre_processing_chat_model(
            entry["question"][0], entry["function"], item.id
        )
        assert (item.messages, item.tools) == (first, [])
        if place % 20:
            continue
        known = next(each for each in task.items if each.id == item.id)
        trajectory = right(task, known) if place % 40 else perturbed(right(task, known), draw)
        exchange, said = asked.begin(item), []
        for turn in trajectory:
            for text in [*(listed(calls) for calls in turn if calls), "That is done."]:
                question = exchange.question()
                if question is None:
                    break
                assert isinstance(question, Ask)
                said.append(question.messages[-1])
                exchange.answered(Answer(text, parse_answer(text), 1, 0.0))
        outcome = exchange.outcome()
        assert outcome.right is driven(task, known, trajectory).right
        rights += outcome.right
        for functions in entry.get("missed_function", {}).values():
            told = {"role": "user", "content": f"{functions}\n{MORE_TOOLS}"}
            assert told in said or not outcome.right
    assert 20 < rights < 40


def test_words_alone_and_too_many_steps(task: BfclMultiTurnTask) -> None:
    item = task.items[0]
    exchange = task.begin(item)
    exchange.answered(Answer("Done.", parse_answer("Done."), 1, 0.0))
    assert (exchange.question(), exchange.outcome().error) == (None, "no_call")
    exchange = task.begin(item)
    exchange.answered(Answer("<tool_call>{", parse_answer("<tool_call>{"), 1, 0.0))
    assert (exchange.question(), exchange.outcome().error) == (None, "unparsable_call")
    exchange = task.begin(item)
    for step in range(MOST_STEPS + 1):
        assert exchange.question() is not None, step
        exchange.answered(Answer("", ParsedAnswer("", [Call("pwd", {})]), 1, 0.0))
    outcome = exchange.outcome()
    assert (exchange.question(), outcome.error) == (None, "step_limit")
    assert outcome.numbers["steps"] == MOST_STEPS + 1


HOSTILE_NAMES = [
    *("__init__", "__class__", "_load_scenario", "eval", "exec", "open", "print", "exit", "os.system", ""),
    "__import__('os').system('touch {canary}')",
    "(lambda: open('{canary}', 'w'))",
]
HOSTILE_VALUES = [
    *(
        "__import__('os').system('touch {canary}')",
        "open('{canary}','w').write('x')",
        "x" * 1_000_000,
        "\x00\ud800",
    ),
    *(10**18, 1e308, None, [], {"a": {"b": [1]}}, [[[[[[]]]]]], True, -1),
]


def test_nothing_that_a_model_writes_is_run(task: BfclMultiTurnTask, tmp_path: Path) -> None:
    canary = tmp_path / "canary"

    def filled(value: Any) -> Any:
        return value.replace("{canary}", str(canary)) if isinstance(value, str) else value

    for item in task.items[:800:100]:
        exchange = task.begin(item)
        calls = [Call(filled(name), {}) for name in HOSTILE_NAMES]
        exchange.answered(Answer("", ParsedAnswer("", calls), 1, 0.0))
        question = exchange.question()
        assert isinstance(question, Ask)
        results = [each["content"] for each in question.messages if each["role"] == "tool"]
        assert len(results) == len(calls)
        assert all(result.startswith("Error during execution: name") for result in results)
        functions = [tool["function"] for tool in item.tools]
        for value in map(filled, HOSTILE_VALUES):
            one = task.begin(item)
            calls = [
                Call(each["name"], dict.fromkeys(each["parameters"]["properties"], value))
                for each in functions
            ]
            one.answered(Answer("", ParsedAnswer("", calls), 1, 0.0))
    assert not canary.exists()


def test_a_call_that_brings_the_process_down_fails_one_item_only(
    task: BfclMultiTurnTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = next(item for item in task.items if "MathAPI" in task.entries[item.id]["involved_classes"])
    other = task.items[0]
    gold = right(task, other)
    going_on = task.begin(other)
    going_on.answered(Answer("", ParsedAnswer("", gold[0][0]), 1, 0.0))
    before = task.backend.generation
    exchange = task.begin(first)
    call = Call("power", {"base": 10.5, "exponent": 10**17})
    huge = Call("round_number", {"number": 1.5, "decimal_places": 10**17})
    exchange.answered(Answer("", ParsedAnswer("", [call, huge]), 1, 0.0))
    task.backend.close()  # what the limits do to it
    for calls in [[], *(calls for turn in gold[1:] for calls in [*turn, []])]:
        assert going_on.question() is not None
        going_on.answered(Answer("", ParsedAnswer("", calls), 1, 0.0))
    assert task.backend.generation > before
    assert going_on.outcome().right
