"""BFCL's single turn: right answers pass, wrong ones fail, and every verdict is the official one."""

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import jsonschema_rs
import orjson
import pytest
from bfcl_answers import answered, generated, other_value, perturbed, text_of
from official_runner import load, wrong_items

from tuner_tui.data.answers.parsing import ParsedAnswer, parse_answer
from tuner_tui.data.examples import Call
from tuner_tui.errors import UserError
from tuner_tui.evaluation.statistics import rate
from tuner_tui.evaluation.subset import Limited, Limits
from tuner_tui.evaluation.suites.bfcl import official
from tuner_tui.evaluation.suites.bfcl.categories import SINGLE_TURN, Kind, group_sentences, official_groups
from tuner_tui.evaluation.suites.bfcl.single import UNPASSABLE, BfclTask
from tuner_tui.evaluation.tasks import Item

pytestmark = pytest.mark.usefixtures("needs_bfcl")


@pytest.fixture(scope="module")
def task(needs_bfcl: None) -> BfclTask:
    return BfclTask()


def of_kind(task: BfclTask, *kinds: Kind) -> list[Item]:
    return [item for item in task.items if SINGLE_TURN[item.category][1] in kinds]


def test_all_items_of_all_categories(task: BfclTask) -> None:
    assert Counter(item.category for item in task.items) == {n: c for n, (c, _) in SINGLE_TURN.items()}
    assert len({item.id for item in task.items}) == len(task.items) == 3641
    assert [item.row for item in task.items] == list(range(1, 3642))
    assert task.title == "BFCL V4 single-turn"
    assert all(item.messages[-1]["role"] == "user" and item.request for item in task.items)


def test_every_right_answer_passes_but_those_that_cannot(task: BfclTask) -> None:
    started = time.process_time()
    wrong = {
        item.id: task.check(item, ParsedAnswer("", list(item.gold)))
        for item in of_kind(task, Kind.CALL)
        if not task.check(item, ParsedAnswer("", list(item.gold))).valid
    }
    assert time.process_time() - started < 4  # each item twice
    assert wrong.keys() == UNPASSABLE
    live = {name: wrong[name].error for name in wrong if name.startswith("live")}
    assert live == {
        "live_simple_106-63-0": "missing_argument",
        "live_simple_112-68-0": "missing_argument",
        "live_multiple_862-181-3": "unknown_argument",
        "live_multiple_964-207-0": "missing_argument",
    }


def test_where_no_tool_serves_words_are_right_and_calls_are_wrong(task: BfclTask) -> None:
    for item in of_kind(task, Kind.NO_CALL):
        assert answered(task, item, "There is no tool for that.").right
        wrong = answered(task, item, text_of([Call("anything", {})]))
        assert (wrong.right, wrong.error) == (False, "needless_call")
    for item in of_kind(task, Kind.ANY_CALL):
        assert answered(task, item, text_of([Call("anything", {})])).right
        assert answered(task, item, "No.").error == "missing_call"


def test_wrong_answers_never_pass(task: BfclTask) -> None:
    ways: Counter[str] = Counter()
    errors: dict[str, Counter[str]] = {}
    for item in of_kind(task, Kind.CALL):
        for way, calls in perturbed(item).items():
            checked = task.check(item, ParsedAnswer("", calls))
            assert not checked.valid, (item.id, way)
            assert checked.error in task.error_types
            ways[way] += 1
            errors.setdefault(way, Counter())[str(checked.error)] += 1
    assert min(ways.values()) > 2000
    assert set(errors["none"]) == {"missing_call"}
    assert set(errors["twice"]) == {"wrong_count"}
    assert set(errors["name"]) == {"invented_tool"}
    assert errors["missing"]["missing_argument"] > 0.95 * ways["missing"]


def test_wrong_values_of_the_right_type_never_pass(task: BfclTask) -> None:
    for item in of_kind(task, Kind.CALL):
        for place, call in enumerate(item.gold):
            for name, value in call.arguments.items():
                changed = list(item.gold)
                changed[place] = Call(call.name, {**call.arguments, name: other_value(value)})
                if value is True or value is False:
                    continue  # the opposite is among the alternatives of some
                assert not task.check(item, ParsedAnswer("", changed)).valid, (item.id, name, value)


@pytest.mark.parametrize("category", SINGLE_TURN)
def test_every_verdict_is_the_official_one(task: BfclTask, category: str, tmp_path: Path) -> None:
    draw = random.Random(category)
    items = [item for item in task.items if item.category == category]
    texts = {item.id: generated(item, draw) for item in items}
    wrong = wrong_items(category, texts, tmp_path)
    ours = {item.id: task.check(item, parse_answer(texts[item.id])) for item in items}
    assert {name for name, checked in ours.items() if not checked.valid} == wrong.keys()
    assert 0 < len(wrong) < len(items)
    for name, error_type in wrong.items():
        if ours[name].error not in ("missing_call", "unparsable_call"):  # officially a wrong number of calls
            assert ours[name].error_type == error_type


def test_tools_are_shown_as_the_official_handlers_show_them(task: BfclTask) -> None:
    utils = load("model_handler.utils")
    style = official.load("constants.enums").ModelStyle.OPENAI_COMPLETIONS
    mapping = official.load("constants.type_mappings").GORILLA_TO_OPENAPI
    count, schemas = 0, set()
    for category in SINGLE_TURN:
        shown = [item for item in task.items if item.category == category]
        entries = official.load("utils").load_dataset_entry(category)
        for item, entry in zip(shown, entries, strict=True):
            assert item.tools == utils.convert_to_tool(entry["function"], mapping, style)
            count += len(item.tools)
            schemas.update(orjson.dumps(tool["function"]["parameters"]) for tool in item.tools)
    assert count == 8726
    for schema in schemas:
        jsonschema_rs.Draft202012Validator(orjson.loads(schema))


def test_broken_output_is_right_officially_and_kept_apart(task: BfclTask) -> None:
    item = of_kind(task, Kind.NO_CALL)[0]
    broken = answered(task, item, "<tool_call>\n{broken\n</tool_call>")
    assert broken.right
    assert (broken.verdict["official"], broken.verdict["no_call"]) == (True, False)
    assert broken.verdict["call_or_no_call"] is False


def test_measures_of_a_right_and_a_wrong_answer(task: BfclTask) -> None:
    item = next(item for item in task.items if item.id == "simple_python_0")
    right = answered(task, item, text_of(list(item.gold)))
    assert right.verdict == {
        **dict.fromkeys(("official", "full_match", "tool_selection", "arguments", "call_or_no_call"), True),
        "no_call": None,
        "strict_format": True,
    }
    wrong = answered(task, item, text_of([Call(item.gold[0].name, {**item.gold[0].arguments, "base": 11})]))
    assert (wrong.right, wrong.error) == (False, "wrong_value")
    assert (wrong.verdict["tool_selection"], wrong.verdict["arguments"]) == (True, False)
    assert set(right.verdict) == {measure.name for measure in task.measures}


def test_a_subset_keeps_the_share_of_each_category() -> None:
    subset = BfclTask(limit=400, seed=3)
    assert subset.title == "BFCL V4 single-turn (subset)"
    counts = Counter(item.category for item in subset.items)
    assert counts["live_multiple"] == round(400 * 1053 / 3641)
    assert set(counts) == set(SINGLE_TURN)
    assert [i.id for i in BfclTask(limit=400, seed=3).items] == [i.id for i in subset.items]
    assert not any("overall" in words.lower() for words in (subset.title, *subset.notes))
    with pytest.raises(UserError, match="no single-turn category nonsense; there are: simple_python"):
        BfclTask(["nonsense"])


def test_groups_are_put_together_as_officially_and_only_where_complete() -> None:
    helper = load("eval_checker.eval_runner_helper")
    draw = random.Random(1)
    counts = {name: (draw.randrange(count + 1), count) for name, (count, _) in SINGLE_TURN.items()}

    def rate(name: str) -> dict[str, float]:
        right, total = counts[name]
        return {"accuracy": right / total, "total_count": total, "display_accuracy": right / total}

    mean = helper.calculate_unweighted_accuracy
    simple = mean([rate(f"simple_{name}") for name in ("python", "java", "javascript")])
    others = [rate(name) for name in ("multiple", "parallel", "parallel_multiple")]
    live = [f"live_{name}" for name in ("simple", "multiple", "parallel", "parallel_multiple")]
    assert official_groups(counts) == pytest.approx(
        {
            "non_live": mean([simple, *others])["accuracy"],
            "live": helper.calculate_weighted_accuracy([rate(name) for name in live])["accuracy"],
            "irrelevance": mean([rate("irrelevance"), rate("live_irrelevance")])["accuracy"],
        }
    )
    assert official_groups({**counts, "parallel": (1, 199)}).keys() == {"live", "irrelevance"}
    assert official_groups({"irrelevance": (1, 240)}) == {}


def test_hostile_values_are_judged_and_do_not_stop(task: BfclTask) -> None:
    item = next(item for item in task.items if item.category == "simple_javascript")
    for value in [
        "[" * 400,
        "[[a],[" * 80,
        "{a:" * 160,
        "x" * 2_000_000,
        "new Array(" * 40,
        None,
        [[]],
        {"a": {}},
    ]:
        started = time.process_time()
        call = Call(item.gold[0].name, dict.fromkeys(item.gold[0].arguments, value))
        assert not task.check(item, ParsedAnswer("", [call])).valid
        assert time.process_time() - started < 2


def test_loading_leaves_no_folders_in_the_package_and_no_clients(tmp_path: Path) -> None:
    site = official.data_folder().parents[1]
    before = {name for name in ("result", "score", ".file_locks") if (site / name).exists()}
    code = (
        "import os, sys; from tuner_tui.evaluation.suites.bfcl.single import BfclTask;"
        "BfclTask(['parallel']);"
        "print('BFCL_PROJECT_ROOT' in os.environ, 'openai' in sys.modules, 'numpy' in sys.modules,"
        "'bfcl_eval.constants.model_config' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False", "False", "False"]
    assert {name for name in ("result", "score", ".file_locks") if (site / name).exists()} == before
    assert not list(tmp_path.iterdir())


def test_without_the_package_it_is_said_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install --no-deps bfcl-eval==2026\.3\.23"):
        BfclTask()


def test_a_sentence_for_complete_groups_only() -> None:
    whole = {name: rate(count // 2, count) for name, (count, _) in SINGLE_TURN.items()}
    [sentence] = group_sentences({"base": whole, "tuned": {"simple_python": rate(1, 2)}})
    assert sentence == (
        "BFCL V4, put together as officially (base): non-live 50.00%, live 49.96%, irrelevance 50.00%."
    )


def test_a_part_of_the_suite_is_called_a_subset(task: BfclTask) -> None:
    assert Limited(task, Limits(items=100)).title == "BFCL V4 single-turn (subset)"
    assert Limited(BfclTask(["parallel"]), Limits(items=100)).title == "BFCL V4 single-turn (subset)"
    assert Limited(task, Limits(items=9_999)).title == "BFCL V4 single-turn"
