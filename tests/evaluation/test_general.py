"""General ability: every checker both ways, every kind of item, and what a margin says."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tuner_tui.data.answers.parsing import parse_answer
from tuner_tui.errors import UserError
from tuner_tui.evaluation.suites.environments import ENVIRONMENTS
from tuner_tui.evaluation.suites.general import GeneralTask
from tuner_tui.evaluation.suites.general.checks import CHECKERS, fault, keeps
from tuner_tui.evaluation.suites.general.margin import non_inferior, paired_interval, t_quantile
from tuner_tui.evaluation.suites.general.regression import regressions
from tuner_tui.evaluation.tasks import Answer, Ask, Item, Outcome, Weigh, Weights

TASK = GeneralTask()

CASES: list[tuple[dict[str, Any], list[str], list[str]]] = [
    ({"words_exactly": 3}, ["One two three.", "It's well-known here"], ["One two", "One two three four"]),
    ({"words_at_least": 3}, ["a b c", "a b c d"], ["a b", "... - ..."]),
    ({"words_at_most": 2}, ["a", "a b."], ["a b c", "..."]),
    (
        {"sentences_exactly": 2},
        ["One. Two!", 'One? "Two."', "He paid 3.50 euros. Good."],
        ["One.", "A. B. C."],
    ),
    ({"lines_exactly": 2}, ["a\nb", "a\n\nb\n"], ["a", "a\nb\nc"]),
    ({"paragraphs_exactly": 2}, ["a\n\nb", "a\nb\n \nc"], ["a\nb", "a\n\nb\n\nc"]),
    ({"bullets_exactly": 2}, ["- a\n- b", "Here:\n* a\n* b"], ["- a", "-a\n-b", "1. a\n2. b"]),
    ({"numbered_exactly": 2}, ["1. a\n2. b", "1) a\n2) b"], ["1. a", "2. a\n1. b", "1. a\n1. b", "- a\n- b"]),
    (
        {"json_keys": ["a", "b"]},
        ['{"a": 1, "b": 2}'],
        ['{"a": 1}', '{"a": 1, "b": 2, "c": 3}', 'x {"a": 1, "b": 2}', "[1]"],
    ),
    ({"json_list": 2}, ["[1, 2]"], ["[1]", '{"a": 1}', "1, 2", "[1, 2", "```json\n[1, 2]\n```"]),
    ({"includes": ["blue", "Sea"]}, ["The sea is BLUE."], ["The sea.", "seaside, blue", ""]),
    ({"forbids": ["and"]}, ["A band plays."], ["A and b", "AND"]),
    ({"mentions": {"word": "rose", "times": 2}}, ["A rose is a rose."], ["A rose.", "roses rosebud rose"]),
    ({"times_of": {"text": ";", "times": 2}}, ["a; b; c"], ["a; b", "a;;;b"]),
    ({"without": ","}, ["a b"], ["a, b"]),
    ({"lowercase": True}, ["all is low, 3."], ["All", "123"]),
    ({"uppercase": True}, ["WET PAINT!"], ["Wet PAINT", "123"]),
    ({"starts_with": "Once"}, ["Once upon", "  Once"], ["Twice", "once"]),
    ({"ends_with": "The end."}, ["So. The end.", "The end.\n"], ["The end", "The end. Or not"]),
    ({"last_line_starts": "P.S."}, ["Dear\nP.S. x"], ["P.S. x", "P.S. x\nDear"]),
    ({"one_of": ["yes", "no"]}, ["Yes.", "no", '"No"'], ["yes, it is", "maybe"]),
    ({"equals": "The kettle."}, ["The kettle.", " The kettle.\n"], ["the kettle.", "The kettle. Yes"]),
    ({"quoted": True}, ['"Learn."', "“Learn.”"], ["Learn.", '"Learn', '""']),
    ({"no_digits": True}, ["seven"], ["7 days"]),
    ({"digits_only": True}, ["42", "42."], ["42 is it", "forty-two"]),
]


@pytest.mark.parametrize(("check", "kept", "broken"), CASES, ids=[next(iter(c[0])) for c in CASES])
def test_a_checker_accepts_and_refuses(check: dict[str, Any], kept: list[str], broken: list[str]) -> None:
    assert fault(check) is None
    assert [text for text in kept if not keeps(text, check)] == []
    assert [text for text in broken if keeps(text, check)] == []
    assert not keeps("", check) and not keeps(" \n", check)
    name = next(iter(check))
    assert fault({name: {}}) and fault({name: 0}) and fault({name: []})


def test_every_checker_is_tested_and_used() -> None:
    assert {next(iter(case[0])) for case in CASES} == set(CHECKERS)
    used = {name for each in TASK._found.values() for check in each.checks for name in check}
    assert used == set(CHECKERS)
    assert fault({"sings": 1}) and fault([]) and fault({}) and fault({"quoted": True, "lowercase": True})


@pytest.mark.parametrize(
    "text", ["." * 5000 + "x", "\n" * 5000 + "x", "[" * 5000, "a" * 3_000_000, "\x00\x1b[2J"]
)
def test_hostile_texts_are_checked_at_once(text: str) -> None:
    for check, _, _ in CASES:
        keeps(text, check)


def outcome_of(item: Item, *got: Answer | Weights) -> Outcome:
    exchange = TASK.begin(item)
    for each in got:
        assert exchange.question() is not None
        exchange.answered(each)
    assert exchange.question() is None
    return exchange.outcome()


def spoken(text: str) -> Answer:
    return Answer(text, parse_answer(text), 1, 0.0)


def items(kind: str) -> list[Item]:
    return [each.item for each in TASK._found.values() if each.kind == kind]


CALL = '<tool_call>\n{"name": "find_events", "arguments": {}}\n</tool_call>'


def test_there_is_enough_of_every_kind() -> None:
    assert len(items("instructions")) >= 30 and len(items("choices")) >= 40
    assert sum(not item.tools for item in items("chat")) >= 10
    assert sum(bool(item.tools) for item in items("chat")) >= 10
    assert len(items("texts")) >= 6
    places = [TASK._found[item.id].answer for item in items("choices")]
    assert max(places.count(n) for n in range(4)) == min(places.count(n) for n in range(4))
    assert {item.category for item in TASK.items} == {"instructions", "choices", "chat", ""}


def test_chat_stays_without_calls() -> None:
    for item in items("chat"):
        measure = "chat_with_tools" if item.tools else "chat_without_tools"
        question = TASK.begin(item).question()
        assert isinstance(question, Ask) and question.tools == item.tools
        assert outcome_of(item, spoken("Gladly.")).verdict == {measure: True}
        called = outcome_of(item, spoken(CALL))
        assert called.verdict == {measure: False} and called.error == "needless_call"
        assert outcome_of(item, spoken("<tool_call>{")).error == "needless_call"
        assert outcome_of(item, spoken(" ")).error == "empty_answer"


def test_the_format_of_a_needless_call_is_told() -> None:
    item = items("chat")[0]
    assert outcome_of(item, spoken(CALL)).strict is True
    assert outcome_of(item, spoken(CALL.replace("</tool_call>", ""))).strict is False


def test_an_instruction_is_kept_or_broken() -> None:
    item = next(item for item in items("instructions") if item.id == "instruction-yes-no")
    assert outcome_of(item, spoken("No.")).right
    assert outcome_of(item, spoken("It is a mammal.")).error == "instruction_broken"
    assert outcome_of(item, spoken(CALL)).error == "needless_call"


TREES = "Tall trees stand close together here. " * 10
GOOD = {
    "one-word": "Blue.",
    "short-sea": "Wide, blue and restless.",
    "long-forest": TREES,
    "exact-five": "The old dog sleeps here.",
    "json-city": '{"city": "Lima", "country": "Peru"}',
    "json-list": '["red", "yellow", "blue"]',
    "json-numbers": "[1, 2, 3, 4]",
    "json-person": '{"first_name": "Ida", "age": 31, "city": "Oslo"}',
    "bullets-three": "- apple\n- pear\n- plum",
    "bullets-five": "- dog\n- cat\n- cow\n- hen\n- fox",
    "numbered-four": "1. Boil water.\n2. Warm the pot.\n3. Add tea.\n4. Wait.",
    "numbered-two": "1. The light.\n2. The quiet.",
    "no-letter-word": "Nights are long and ponds freeze.",
    "no-and": "Dogs bark. They guard houses.",
    "no-comma": "People sleep to rest. The brain sorts the day.",
    "lowercase": "the train is late again.",
    "uppercase": "CAREFUL: WET PAINT!",
    "start-sure": "Fill a pot with water, boil it, and add the egg.",
    "start-once": "Once upon a time a frog sang.",
    "end-the-end": "A frog sang. The end.",
    "end-question": "A map shows where things lie. Is that clear?",
    "two-paragraphs": "Summer is warm.\n\nWinter is not.",
    "three-paragraphs": "We left.\n\nWe drove.\n\nWe came home.",
    "four-lines": "The moon\nso soon\nthe night\nis bright",
    "two-lines": "There sat a cat\nupon a mat",
    "one-sentence": "A bridge carries a road over a river.",
    "three-sentences": "Water rises. It cools. It falls.",
    "mention-twice": "A rose grows beside another rose.",
    "mention-three": "Music, music, music!",
    "include-words": "On Tuesday a lamp fell into the river.",
    "yes-no": "No.",
    "true-false": "true",
    "choose-one": "copper",
    "quoted": '"Learn together."',
    "no-digits": "A week has seven days.",
    "digits-only": "42",
    "title": "<<The Hum of June>>",
    "repeat": "The kettle sings at noon.",
    "separated": "Peru; Chad; Laos; Fiji",
    "no-exclamation": "Happy birthday, dear Ida.",
    "postscript": "Your parcel is here.\nP.S. It is heavy.",
}
BAD = ("!", "Yes, 7 roses And then? snow\n\n" * 30 + "Cold!")
"""Of the second, each instruction that asks for little is broken by; the first breaks all others."""


@pytest.mark.parametrize("item", items("instructions"), ids=lambda item: item.id)
def test_every_instruction_can_be_kept_and_broken(item: Item) -> None:
    assert outcome_of(item, spoken(GOOD[item.id.removeprefix("instruction-")])).right
    assert not all(outcome_of(item, spoken(text)).right for text in BAD)


def test_the_likeliest_option_wins_raw_and_by_length() -> None:
    item = next(item for item in items("choices") if item.request == "Which season comes after winter?")
    general = TASK._found[item.id]
    question = TASK.begin(item).question()
    assert isinstance(question, Weigh) and list(question.texts) == list(general.options)
    assert question.messages == item.messages
    best = [-5.0] * 4
    best[general.answer] = -1.0
    assert outcome_of(item, Weights(best, [1] * 4, 0.0)).verdict == {"choices": True, "choices_raw": True}
    # "night" is shorter than "spring": likelier as a whole, and not by the byte
    lengths = [len(option) for option in general.options]
    other = lengths.index(min(lengths))
    sums = [-50.0] * 4
    sums[general.answer], sums[other] = -6.6, -6.0
    assert (lengths[general.answer], lengths[other]) == (6, 5)
    assert outcome_of(item, Weights(sums, [1] * 4, 0.0)).verdict == {"choices": True, "choices_raw": False}
    for same in ([-1.0] * 4, [math.nan] * 4, [-math.inf] * 4):
        found = outcome_of(item, Weights(same, [1] * 4, 0.0))
        assert not found.verdict["choices_raw"] and found.error in ("wrong_option", None)


def test_bits_per_byte_of_a_model_that_knows_nothing_are_eight() -> None:
    for item in items("texts"):
        question = TASK.begin(item).question()
        assert isinstance(question, Weigh) and question.messages is None
        size = len(question.texts[0].encode())
        found = outcome_of(item, Weights([-size * math.log(256)], [size], 0.0))
        assert found.numbers["bits_per_byte"] == pytest.approx(8.0)
        assert found.right is None and found.error is None  # a text is not right or wrong
        assert outcome_of(item, Weights([math.nan], [1], 0.0)).numbers == {}


def test_own_items_are_added(tmp_path: Path) -> None:
    own = {
        "texts": [{"text": "Some words."}],
        "choices": [{"question": "Who?", "options": ["me", "you"], "answer": 1}],
        "instructions": [{"id": "mine", "request": "Shout.", "checks": [{"uppercase": True}]}],
        "chat": [{"request": "Hi", "tools": "shop"}, {"request": "Hi"}],
    }
    (tmp_path / "own.json").write_text(json.dumps(own))
    task = GeneralTask(tmp_path / "own.json")
    assert len(task.items) == len(TASK.items) + 5 and len({item.id for item in task.items}) == len(task.items)
    assert [item.row for item in task.items] == list(range(1, len(task.items) + 1))
    assert len(next(i for i in task.items if i.id == "own-chat-1").tools) == len(ENVIRONMENTS["shop"].tools)
    (tmp_path / "book.txt").write_text("\n\n".join(["A line of some length." * 40] * 6))
    passages = [i for i in GeneralTask(tmp_path / "book.txt").items if i.id.startswith("own-")]
    assert [i.id for i in passages] == ["own-book-1", "own-book-2", "own-book-3"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "neither JSON nor"),
        ("[]", "must be an object with some of the keys"),
        ('{"poems": []}', "must be an object with some of the keys"),
        ('{"texts": []}', "has no items"),
        ('{"texts": 3}', "texts: must be a list"),
        ('{"texts": [3]}', "texts, item 1, the item: must be an object"),
        ('{"texts": [{"text": " "}]}', "texts, item 1, text: must be a text"),
        ('{"chat": [{"request": "Hi", "tools": "garage"}]}', "chat, item 1, tools: only in chat"),
        ('{"choices": [{"question": "Q", "options": ["a"], "answer": 0}]}', "options: must be a list of two"),
        ('{"choices": [{"question": "Q", "options": ["a", "b"], "answer": 2}]}', "answer: must be the place"),
        ('{"instructions": [{"request": "R", "checks": [{"sing": 1}]}]}', 'checks: "sing" is no check'),
        (
            '{"instructions": [{"request": "R", "checks": [{"words_at_most": "x"}]}]}',
            "must be a whole number",
        ),
        ('{"chat": [{"id": "a", "request": "x"}, {"id": "a", "request": "y"}]}', 'the id "a" occurs twice'),
    ],
)
def test_a_bad_file_is_told_with_item_and_field(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "own.json").write_text(text)
    with pytest.raises(UserError) as caught:
        GeneralTask(tmp_path / "own.json")
    assert words in str(caught.value) and str(caught.value).startswith(str(tmp_path))


def test_a_margin_keeps_loses_or_leaves_open() -> None:
    same = [True, False] * 100
    kept = non_inferior(same, same, 0.05, title="Chat")
    assert kept.state == "kept" and kept.sentence.startswith("Chat was kept: +0.0 points")
    worse = non_inferior([True] * 200, [True] * 120 + [False] * 80, 0.05)
    assert worse.state == "lost" and worse.delta == pytest.approx(-0.4)
    few = non_inferior([True] * 10, [True] * 10, 0.05)
    assert few.state == "undecided" and "cannot be ruled out" in few.sentence
    slightly = non_inferior([True] * 2000, [True] * 1960 + [False] * 40, 0.05)
    assert slightly.state == "kept" and "though it did get worse" in slightly.sentence
    open_ = non_inferior([True] * 40, [True] * 32 + [False] * 8, 0.1, title="Chat")
    assert open_.state == "undecided" and open_.sentence.startswith("Chat did get worse: -20.0 points")
    assert non_inferior([], [], 0.05).state == "undecided"
    with pytest.raises(ValueError, match="as many items"):
        non_inferior([True], [], 0.05)
    with pytest.raises(ValueError, match="margin"):
        non_inferior([True], [True], 0.0)


def test_of_bits_per_byte_less_is_better() -> None:
    base = [1.0, 1.1, 0.9, 1.2, 1.05, 0.95, 1.0, 1.1]
    for change, state in ((-0.1, "kept"), (0.001, "kept"), (0.1, "lost")):
        found = non_inferior(
            base, [b + change + 1e-4 * i for i, b in enumerate(base)], 0.02, unit="bits per byte"
        )
        assert found.state == state and math.copysign(1, found.delta) == -math.copysign(1, change)
    noisy = non_inferior(base, base[::-1], 0.02, unit="bits per byte")
    assert noisy.state == "undecided"
    assert "too few items" in non_inferior(base[:3], base[:3], 0.02, unit="bits per byte").sentence


@pytest.mark.parametrize(
    ("freedom", "value"), [(5, 2.5706), (7, 2.3646), (9, 2.2622), (29, 2.0452), (99, 1.9842)]
)
def test_quantiles_of_students_t_are_those_of_the_tables(freedom: int, value: float) -> None:
    assert t_quantile(freedom) == pytest.approx(value, rel=3e-3)


def test_the_paired_interval_has_the_known_values() -> None:
    # Without a change the score test rejects where n d^2 / (d (1 - d)) = z^2: d = z^2 / (n + z^2).
    for pairs in (10, 48, 500):
        low, high = paired_interval(0, 0, pairs)
        assert high == pytest.approx(3.841459 / (pairs + 3.841459), abs=1e-6) and low == pytest.approx(-high)
    low, high = paired_interval(9, 1, 24)
    mirrored = paired_interval(1, 9, 24)
    assert (low, high) == pytest.approx((-mirrored[1], -mirrored[0]), abs=1e-9)
    assert paired_interval(0, 0, 0) == (-1.0, 1.0)


@pytest.mark.parametrize(("fixed", "broken", "pairs"), [(3, 7, 30), (9, 1, 24), (0, 4, 50), (1, 0, 12)])
def test_the_paired_interval_is_the_inverted_score_test(fixed: int, broken: int, pairs: int) -> None:
    """The same by brute force: the likeliest share of broken items is searched for on a fine grid."""
    shares = np.linspace(1e-7, 1, 200_001)

    def accepts(delta: float) -> bool:
        gain, rest = shares + delta, 1 - 2 * shares - delta
        possible = (gain > 0) & (rest > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            likelihood = (
                fixed * np.log(gain) + broken * np.log(shares) + (pairs - fixed - broken) * np.log(rest)
            )
        share = shares[np.argmax(np.where(possible, likelihood, -np.inf))]
        variance = pairs * (2 * share + delta - delta**2)
        return bool(abs(fixed - broken - pairs * delta) <= 1.959964 * math.sqrt(variance))

    low, high = paired_interval(fixed, broken, pairs)
    for bound, inside in ((low, 1), (high, -1)):
        assert accepts(bound + inside * 1e-3) and not accepts(bound - inside * 1e-3)


@pytest.mark.parametrize(("fixed", "broken"), [(0.02, 0.02), (0.1, 0.05), (0.05, 0.2)])
def test_the_paired_interval_covers_the_truth(fixed: float, broken: float) -> None:
    drawn = np.random.default_rng(7).multinomial(50, [fixed, broken, 1 - fixed - broken], size=400)
    held = [
        low <= fixed - broken <= high
        for low, high in (paired_interval(int(b), int(c), 50) for b, c, _ in drawn)
    ]
    assert 0.92 <= np.mean(held) <= 1.0


def line(item: Item, right: bool, bits: float | None = None) -> dict[str, Any]:
    return {
        "id": item.id,
        "category": item.category,
        "verdict": {"right": right},
        "error": None if right else "needless_call",
        "numbers": {} if bits is None else {"bits_per_byte": bits},
    }


def test_regressions_of_stored_items() -> None:
    def lines(chat: bool, bits: float) -> list[dict[str, Any]]:
        return [
            line(item, chat if item.category == "chat" else True, None if item.category else bits + n / 1e5)
            for n, item in enumerate(TASK.items)
        ]

    states = {each.measure: each.result.state for each in regressions(lines(True, 1.0), lines(False, 1.5))}
    assert states == {
        "right": "lost",
        "instructions": "kept",
        "choices": "kept",
        "chat": "lost",
        "bits_per_byte": "lost",
    }
    kept = regressions(lines(True, 1.0), lines(True, 1.0))
    assert {each.result.state for each in kept} == {"kept"}
    for each in kept:
        written = each.to_json()
        assert json.loads(json.dumps(written)) == written and written["sentence"] == each.result.sentence
    again = [{**each, "id": f"{each['id']}#{n}"} for each in lines(True, 1.0) for n in (1, 2)]
    assert [each.result for each in regressions(again, again)] == [each.result for each in kept]
    unjudged = [{**each, "error": "not_measured"} for each in lines(True, 1.0)]
    assert regressions(unjudged, lines(True, 1.0)) == []
