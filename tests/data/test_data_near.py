"""Near duplicates: what is alike, what is not, and how many of a known number are found."""

import random
from array import array
from typing import Any

from data_rows import answer, call, example, user

from tuner_tui.data.copies.fingerprints import fingerprint
from tuner_tui.data.copies.near import THRESHOLD, likeness, matches, pairs, shingles, signature, text

LONG = (
    "Could you please look up the cheapest hotel in the centre of Rome for two guests from Friday to Sunday"
)


def found(texts: list[str], prints: list[int] | None = None) -> list[tuple[int, int]]:
    rows = range(1, len(texts) + 1)
    signatures = [signature(one) for one in texts]
    fingerprints = array("Q", prints or rows)
    return [
        (row, other) for row, other, _ in matches(signatures, rows, lambda row: texts[row - 1], fingerprints)
    ]


def test_what_is_almost_the_same_is_found() -> None:
    other = "Tell me which of my unread messages of this week are from the accounting department, with dates"
    assert found([LONG, other, LONG.upper() + "!", LONG.replace("Could", "Can")]) == [(3, 1), (4, 1)]
    assert found([LONG, other, LONG.replace("Rome", "Oslo").replace("two", "six")]) == []


def test_scripts_without_spaces_are_compared_by_sign() -> None:
    text = "请帮我查一下罗马市中心最便宜的酒店，两位客人，周五到周日，最好含早餐并且可以免费取消预订"
    assert found(
        [text, f"{text}。", "明天上午九点提醒我给财务部门打电话讨论本季度的预算安排和报销流程问题"]
    ) == [(2, 1)]


def test_short_texts_and_exact_copies_are_left_out() -> None:
    assert found(["What are you?", "What are you?!"]) == []
    assert found([LONG, LONG, LONG + " please"], [7, 7, 9]) == [(3, 1)]
    assert found([]) == []


def test_the_finding_names_the_earlier_row() -> None:
    texts = {4: LONG, 9: LONG + ".", 12: LONG.replace("Could", "Can")}
    signatures = [signature(one) for one in texts.values()]
    all_found = list(pairs(signatures, list(texts), texts.__getitem__, array("Q", range(1, 13))))
    assert [(one.rule, one.row) for one in all_found] == [("near_duplicate", 9), ("near_duplicate", 12)]
    assert all_found[0].message == "the same words as row 4"
    assert "% like row 4" in all_found[1].message


def test_it_ends_when_it_is_cancelled() -> None:
    signatures = [signature(LONG + end) for end in ("", ".", "!")]
    assert not list(
        matches(signatures, [1, 2, 3], lambda row: LONG, array("Q", [1, 2, 3]), cancelled=lambda: True)
    )


def test_the_text_is_request_and_answer() -> None:
    row = example(
        {"role": "system", "content": "Be brief."}, user("Rain?"), answer("Looking.", call(city="Rome"))
    )
    assert text(row) == 'Rain?\nLooking.\nweather\n{"city":"Rome"}'
    assert fingerprint(row)  # what it is told apart from


def test_recall_and_precision() -> None:
    chance = random.Random(5)
    vocabulary = [f"word{number}" for number in range(2000)]
    texts: list[str] = []
    wanted = set()
    for _ in range(300):
        words = chance.choices(vocabulary, k=chance.randint(20, 120))
        copy = [chance.choice(vocabulary) if chance.random() < 0.03 else word for word in words]
        texts += (" ".join(words), " ".join(copy))
        if likeness(shingles(texts[-2]), shingles(texts[-1])) >= THRESHOLD:
            wanted.add((len(texts), len(texts) - 1))
    hits = set(found(texts))
    assert len(wanted) > 100
    assert hits <= wanted  # each was compared exactly
    assert len(hits) >= 0.97 * len(wanted)


def test_a_large_cluster_is_found_row_by_row() -> None:
    def number(index: int) -> Any:
        return LONG + f" and the booking for the meeting number {index}"

    rows = found([number(index) for index in range(300)])
    assert len(rows) >= 290
    assert all(other < row for row, other in rows)
