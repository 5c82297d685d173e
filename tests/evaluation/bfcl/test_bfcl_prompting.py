"""BFCL's prompting mode: the official prompt, the official reader, and nothing run."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from bfcl_answers import answered, foreign, generated, listed, text_of
from official_runner import load, prompting_handler, wrong_items

from tuner_tui.data.answers.parsing import parse_answer
from tuner_tui.evaluation.driver import judge_given
from tuner_tui.evaluation.suites.bfcl import official
from tuner_tui.evaluation.suites.bfcl.categories import SINGLE_TURN
from tuner_tui.evaluation.suites.bfcl.decoding import OTHER_LANGUAGES, PARSERS, decode, reads
from tuner_tui.evaluation.suites.bfcl.prompting import BfclPromptingTask
from tuner_tui.evaluation.tasks import Answer, Item

pytestmark = pytest.mark.usefixtures("needs_bfcl")


@pytest.fixture(scope="module")
def task(needs_bfcl: None) -> BfclPromptingTask:
    return BfclPromptingTask()


def of(task: BfclPromptingTask, category: str) -> list[Item]:
    found = [item for item in task.items if item.category == category]
    if not found:
        pytest.skip(f"the official reader of {category} is not installed: pip install {PARSERS}")
    return found


@pytest.mark.parametrize("category", SINGLE_TURN)
def test_prompts_are_the_official_ones_to_the_letter(task: BfclPromptingTask, category: str) -> None:
    items = of(task, category)
    utils = load("model_handler.utils")
    for item, entry in zip(items, official.load("utils").load_dataset_entry(category), strict=True):
        wanted = utils.system_prompt_pre_processing_chat_model(
            entry["question"][0], entry["function"], entry["id"]
        )
        assert (item.id, item.messages, item.tools) == (entry["id"], wanted, [])


@pytest.mark.parametrize("category", SINGLE_TURN)
def test_every_verdict_is_the_official_one(task: BfclPromptingTask, category: str, tmp_path: Path) -> None:
    draw = random.Random(category)
    items = of(task, category)
    write = foreign if category in OTHER_LANGUAGES else listed
    offered = {row["id"]: row["function"] for row in official.rows(category)}
    texts = {item.id: generated(item, draw, write, offered[item.id]) for item in items}
    model = f"{official.DOTTED}tested"
    wrong = wrong_items(category, texts, tmp_path, prompting_handler(), model)
    ours = {item.id: answered(task, item, texts[item.id]) for item in items}
    assert {name for name, outcome in ours.items() if not outcome.right} == wrong.keys()
    assert 0 < len(wrong) < len(items)


def test_right_answers_pass(task: BfclPromptingTask) -> None:
    items = [item for item in task.items if item.gold and item.category not in OTHER_LANGUAGES]
    wrong = Counter(
        item.category for item in items if not answered(task, item, listed(list(item.gold))).right
    )
    assert sum(wrong.values()) == 4 and len(items) > 2200, wrong
    assert any("." in item.gold[0].name for item in items), "names keep their dots"
    assert all(answered(task, item, listed(list(item.gold))).strict for item in items[:20])


SAFE = [
    *("[f(a=1)]", "f(a=1)", "f(a=1), g(b='x')", "`f(a=1)`", "```\n[f(a=1)]\n```", "[a.b.c(x=1)]", "[f()]"),
    *("[]", "", "I cannot.", "Sorry", "[f(1, 2)]", "[f(1, b=2)]", "[f(a=(1, 2))]", "[f(a={1, 2})]"),
    *("[f(a={'b': [1, 2.5, None]})]", "[f(a={1: 'x'})]", "[f(a={(1, 2): 3})]", "[f(a=true, b=null)]"),
    *("[f(a=Color.RED)]", "[f(a=x)]", "[f(a=x[0])]", "[f(a=g())]", "[f(a=g(1))]", "[f(a=g(b=1))]"),
    *("[f(a=-1)]", "[f(a=+1)]", "[f(a=not True)]", "[f(a=~5)]", "[f(a=--1)]", "[f(a=-x)]", "[f(a=-'x')]"),
    *("[f(a=1+2)]", "[f(a=2*3.5)]", "[f(a=7//2)]", "[f(a=2**10)]", "[f(a='a'+'b')]", "[f(a=1/0)]"),
    *("[f(a=[1, [2, [3]]])]", "[f(a='it\\'s')]", "[f(a=b'x')]", "[f(a=...)]", "[f(a=1j)]"),
    *("[f(a=f'{x}')]", "[g]"),
    *(
        "[f(a=lambda: 1)]",
        "[f(**{'a': 1})]",
        "[f(*[1])]",
        "[f(a=[*b])]",
        "[f(a=1)] and more",
        "[f(a=1]",
        "[g]",
    ),
    *("[f(a=1), 'x']", "[f(a=1), g]", "[[f(a=1)]]", "[f(a=1)], [g(b=2)]", "[f(a=1 if x else 2)]"),
    *("[x for x in y]", "[f(a=1)][0]", "[f(a=None)]", "<tool_call>{}</tool_call>", "[f(a=1)\n, g(b=2)]"),
    *("[f (a = 1)]", "[f(a=1,)]", "[f(a=1); g(b=2)]", "['f(a=1)']", "[f(a='\\n')]", "[f(a=1.0e3)]"),
]


@pytest.mark.parametrize("text", SAFE, ids=range(len(SAFE)))
def test_the_reader_reads_as_the_official_one(text: str) -> None:
    try:
        theirs: Any = load("model_handler.utils").default_decode_ast_prompting(text)
    except Exception:
        theirs = None
    mine = decode(text, "simple_python")
    if theirs:
        named = [
            {name: {str(key): value for key, value in arguments.items()}}
            for call in theirs
            for name, arguments in call.items()
        ]
        assert [{call.name: call.arguments} for call in mine.calls] == pytest.approx(plain(named))
        assert mine.error is None
    else:
        assert not mine.calls


def plain(value: Any) -> Any:
    """What is no JSON at all stands as text with us: no answer holds any."""
    if isinstance(value, dict):
        return {str(k) if isinstance(k, tuple) else k: plain(each) for k, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, bytes | complex) else value


@pytest.mark.parametrize(
    "text",
    [
        *("[f(a=1+__import__('os').system('touch {canary}'))]", "[f(a='x'*open('{canary}','w').write('x'))]"),
        *("[f(a=9**9**9)]", "[f(a=10**15*10**15*10**15)]", "[f(a=" + "-" * 5000 + "1)]"),
        *(
            "[" * 20_000,
            "[f(a=" + "[" * 5000,
            "[f(a='" + "x" * 1_000_000 + "')]",
            "[f(a=1" + "+1" * 8000 + ")]",
        ),
    ],
    ids=range(9),
)
def test_nothing_is_run_and_nothing_breaks_off(task: BfclPromptingTask, text: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    text = text.replace("{canary}", str(canary))
    for category in ("simple_python", *(name for name in OTHER_LANGUAGES if reads(name))):
        item = of(task, category)[0]
        line = judge_given(task, item, [Answer(text, parse_answer(text), 1, 0.0)])
        assert line is not None and line["error"] != "suite_failed" and not line["verdict"]["right"]
        orjson.dumps(line)
    assert not canary.exists()


def test_another_notation_is_an_attempt_that_is_not_read(task: BfclPromptingTask) -> None:
    item = of(task, "simple_python")[0]
    outcome = answered(task, item, text_of(list(item.gold)))
    assert (outcome.right, outcome.error, outcome.strict) == (False, "unparsable_call", False)


def test_what_cannot_be_read_is_not_run_and_is_said(task: BfclPromptingTask) -> None:
    missing = [name for name in OTHER_LANGUAGES if not reads(name)]
    assert {item.category for item in task.items} == set(SINGLE_TURN) - set(missing)
    assert task.title == f"BFCL V4 single-turn, prompting{' (subset)' if missing else ''}"
    assert any(PARSERS in note for note in task.notes) is bool(missing)
