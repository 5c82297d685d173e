"""The suite of BFCL V4's single turn: 13 categories with 3,641 items, by the official checkers.

The items are shown as the package's own handlers show them to models that take tools as JSON Schema; answers
are parsed by the convention of the model, the same for base and tuned.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner_tui.data.answers.parsing import ParsedAnswer
from tuner_tui.data.examples import Call
from tuner_tui.errors import UserError
from tuner_tui.evaluation.subset import draw
from tuner_tui.evaluation.suites.bfcl import official
from tuner_tui.evaluation.suites.bfcl.categories import SINGLE_TURN, Kind
from tuner_tui.evaluation.suites.bfcl.gold import gold_calls
from tuner_tui.evaluation.suites.bfcl.tools import to_tool
from tuner_tui.evaluation.suites.bfcl.verdicts import ERROR_TYPES, Checked, Checker, storable
from tuner_tui.evaluation.tasks import (
    FUNCTION_CALLING,
    Answer,
    Exchange,
    Item,
    Measure,
    Messages,
    OneTurn,
    Outcome,
    Tools,
)

UNPASSABLE = frozenset(
    {
        *("live_simple_106-63-0", "live_simple_112-68-0"),
        *("live_multiple_862-181-3", "live_multiple_964-207-0"),
        *("simple_java_36", "simple_java_65"),
    }
)
"""Items that the official checker lets no answer pass. The answers of the four live ones name arguments that
no tool declares, or lack one that is required; those of the two Java ones are lists with numbers and
booleans, and the checker's own reader of `ArrayList<any>` makes text of every element."""

_NOTES = (
    "BFCL counts what no parser can read as no call: right where no tool serves. A model that writes nothing "
    "but broken calls gets 100% there; look at “kept without a call”, which counts attempts, and at the rate "
    "of live_relevance beside it.",
    f"Officially no answer can pass {', '.join(sorted(UNPASSABLE))}; live_multiple_507-149-4 passes only "
    "with an empty text.",
    "In the Java and JavaScript categories every argument has to be text in that language's notation, and an "
    "integer does not pass where a list of floats is expected.",
    "The parser is part of the figure: compare with published figures only where it is the same. "
    "“Strict format” tells how much of it is format.",
)


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: Kind
    category: str
    functions: list[dict[str, Any]]
    truth: list[Any]
    offered: frozenset[str]


class BfclTask:
    """Single-turn categories of BFCL V4.

    Args:
        categories: names of `categories.SINGLE_TURN`; None for all.
        limit: so many items, the same share of each category; None for all.
        seed: of the choice.

    Raises:
        UserError: bfcl-eval is not installed, or a category does not exist.
    """

    name = "bfcl"
    heading = "BFCL V4 single-turn"
    dotted = False
    """Whether functions are shown under names with dots; no provider takes these for a tool."""
    measures = (
        Measure("official", "BFCL's verdict", "all items: as the official checker says"),
        *FUNCTION_CALLING,
    )
    error_types: Mapping[str, str] = ERROR_TYPES
    rejected = 0

    def __init__(
        self, categories: Sequence[str] | None = None, limit: int | None = None, seed: int = 0
    ) -> None:
        unknown = [name for name in categories or () if name not in SINGLE_TURN]
        if unknown:
            raise UserError(
                f"BFCL has no single-turn category {', '.join(unknown)}; there are: {', '.join(SINGLE_TURN)}."
            )
        self._checker = Checker(f"{official.DOTTED if self.dotted else ''}tuner-{uuid.uuid4().hex}")
        self._entries: dict[str, _Entry] = {}
        items: list[Item] = []
        for category in SINGLE_TURN if categories is None else dict.fromkeys(categories):
            items += self._read(category, len(items))
        self.items: Sequence[Item] = draw(items, limit, seed)
        whole = len(self.items) == sum(count for count, _ in SINGLE_TURN.values())
        self.title = f"{self.heading}{'' if whole else ' (subset)'}"
        self.notes: Sequence[str] = [*_NOTES, *_version_note()]

    def begin(self, item: Item) -> Exchange:
        """One answer, judged by the official checker."""
        entry = self._entries[item.id]
        return OneTurn(
            item,
            lambda answer: _outcome(item, entry, self._checker, answer, self._parse(entry.category, answer)),
        )

    def check(self, item: Item, answer: ParsedAnswer) -> Checked:
        """The official verdict on an answer to an item."""
        return _check(self._checker, self._entries[item.id], answer)

    def _present(self, functions: list[dict[str, Any]], messages: Messages) -> tuple[Messages, Tools]:
        """How an item is put: its functions as tools, made of their descriptions, which are changed."""
        return messages, [to_tool(function) for function in functions]

    def _parse(self, category: str, answer: Answer) -> ParsedAnswer:
        """The calls of an answer."""
        return answer.parsed

    def _read(self, category: str, before: int) -> list[Item]:
        rows = official.rows(category)
        truths = official.answers(category) or [[] for _ in rows]
        utils = official.load("utils")
        shown = utils.add_language_specific_hint_to_function_doc(
            [{"id": row["id"], "function": row["function"]} for row in official.rows(category)]
        )
        items = []
        for place, (row, entry, truth) in enumerate(zip(rows, shown, truths, strict=True)):
            messages, tools = self._present(entry["function"], [dict(each) for each in row["question"][0]])
            names = [function["name"] for function in entry["function"]]
            gold = gold_calls(truth, row["function"], category, self.dotted)
            kind = SINGLE_TURN[category][1]
            self._entries[row["id"]] = _Entry(kind, category, row["function"], truth, frozenset(names))
            items.append(
                Item(
                    id=row["id"],
                    row=before + place + 1,
                    request=next((m["content"] for m in reversed(messages) if m["role"] == "user"), ""),
                    messages=messages,
                    tools=tools,
                    gold=gold,
                    group=gold[0].name if gold else next(iter(names), ""),
                    category=category,
                )
            )
        return items


def _outcome(item: Item, entry: _Entry, checker: Checker, answer: Answer, parsed: ParsedAnswer) -> Outcome:
    checked = _check(checker, entry, parsed)
    return Outcome(
        verdict=_measures(item, entry.kind, parsed, checked),
        right=checked.valid,
        error=checked.error,
        text=answer.text,
        calls=[Call(call.name, storable(call.arguments)) for call in parsed.calls],
        strict=parsed.strict,
    )


def _check(checker: Checker, entry: _Entry, answer: ParsedAnswer) -> Checked:
    return checker.check(entry.kind, entry.category, answer, entry.functions, entry.truth, entry.offered)


def _measures(item: Item, kind: Kind, answer: ParsedAnswer, checked: Checked) -> dict[str, bool | None]:
    wanted = kind is not Kind.NO_CALL
    names = sorted(call.name for call in answer.calls) == sorted(call.name for call in item.gold)
    compared = kind is Kind.CALL
    return {
        "official": checked.valid,
        "full_match": checked.valid if compared else None,
        "tool_selection": names if compared else None,
        "arguments": checked.valid if compared and names else None,
        "call_or_no_call": answer.attempted is wanted,
        "no_call": None if wanted else not answer.attempted,
        "strict_format": (answer.strict and bool(answer.calls)) if wanted else None,
    }


def _version_note() -> list[str]:
    found = official.installed_version()
    if found == official.CHECKED_VERSION:
        return []
    return [
        f"bfcl-eval {found} is installed; that the figures are the official ones was checked with "
        f"{official.CHECKED_VERSION}."
    ]
