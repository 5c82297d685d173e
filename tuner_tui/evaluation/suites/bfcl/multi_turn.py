"""The suite of BFCL V4's multi-turn categories: the model works with simulated services, request by request.

Verdicts are those of the official `multi_turn_checker`: after every request whose answer needs calls the
services have to be in the state that the right calls lead to, and what those return must have been seen.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tuner_tui.data.answers.parsing import ParsedAnswer
from tuner_tui.data.examples import Call
from tuner_tui.errors import UserError
from tuner_tui.evaluation.subset import draw
from tuner_tui.evaluation.suites.bfcl import official
from tuner_tui.evaluation.suites.bfcl.backend import read_call
from tuner_tui.evaluation.suites.bfcl.tools import to_tool
from tuner_tui.evaluation.suites.bfcl.worlds import Backend, Broken
from tuner_tui.evaluation.tasks import (
    Answer,
    Ask,
    Exchange,
    Item,
    Measure,
    Messages,
    Outcome,
    Tools,
    Weights,
)

MULTI_TURN = {f"multi_turn_{name}": 200 for name in ("base", "miss_func", "miss_param", "long_context")}
"""Category -> its items."""
MOST_STEPS = 20
"""Answers with calls to one request, after which the official runner gives an item up."""
MORE_TOOLS = "I have updated some more functions you can choose from. What about now?"
"""What the user says where tools were held back (bfcl_eval/constants/default_prompts.py)."""

_MOST_CALLS = 64
"""Calls of one answer that are made: the right answers have ten at most."""
_NAME, _LARGEST = 200, 100_000
"""Characters of a call's name and arguments. What is larger is left out: no right call has a tenth."""
SHOWN = 50_000
"""Characters of a result that the model is shown."""

ERROR_TYPES = {
    "no_call": "made no call to a request that needs one",
    "unparsable_call": "tried to call, in text that no parser can read",
    "wrong_state": "left the services in another state than the right calls do",
    "missing_result": "never looked up what the request needs to be known",
    "step_limit": "was not done with a request after 20 answers with calls",
    "broken_call": "made a call that takes too long or too much memory",
}
"""Error type -> what the model did, in words."""


class BfclMultiTurnTask:
    """Multi-turn categories of BFCL V4.

    Args:
        categories: names of MULTI_TURN; None for all.
        limit: so many items, the same share of each category; None for all.
        seed: of the choice.

    Raises:
        UserError: bfcl-eval is not installed, or a category does not exist.
    """

    name = "bfcl_multi_turn"
    heading = "BFCL V4 multi-turn"
    measures = (
        Measure("official", "BFCL's verdict", "all items: every request done, as the official checker says"),
        Measure("state", "Right state", "all items: the services ended as the right calls leave them"),
        Measure("results", "Looked up", "items that got so far: what the right calls return was seen"),
        Measure(
            "strict_format", "Strict format", "items with calls: to the letter in the model's own format"
        ),
    )
    error_types: Mapping[str, str] = ERROR_TYPES
    rejected = 0

    def __init__(
        self, categories: Sequence[str] | None = None, limit: int | None = None, seed: int = 0
    ) -> None:
        unknown = [name for name in categories or () if name not in MULTI_TURN]
        if unknown:
            raise UserError(
                f"BFCL has no multi-turn category {', '.join(unknown)}; there are: {', '.join(MULTI_TURN)}."
            )
        official.data_folder()
        self.backend = Backend()
        self.entries: dict[str, dict[str, Any]] = {}
        items: list[Item] = []
        for category in MULTI_TURN if categories is None else dict.fromkeys(categories):
            items += self._read(category, len(items))
        self.items: Sequence[Item] = draw(items, limit, seed)
        whole = len(self.items) == sum(MULTI_TURN.values())
        self.title = f"{self.heading}{'' if whole else ' (subset)'}"
        self.notes: Sequence[str] = [
            "An item ends with the first request that is not done: officially, too, one is enough to fail.",
            "Calls are made by name and arguments, and the text of a model is never run; a call in the "
            "arguments of another, which the official executor runs, is an error here.",
        ]

    def begin(self, item: Item) -> Exchange:
        """The item from its first request."""
        return MultiTurn(item, self.entries[item.id], self.backend)

    def _read(self, category: str, before: int) -> list[Item]:
        truths = official.answers(category) or []
        items = []
        for place, (row, truth) in enumerate(zip(official.rows(category), truths, strict=True)):
            offered, held = _functions(row)
            self.entries[row["id"]] = {**row, "truth": truth, "held": held}
            every = [*offered, *(tool for tools in held.values() for tool in tools)]
            first = row["question"][0]
            items.append(
                Item(
                    id=row["id"],
                    row=before + place + 1,
                    request=first[-1]["content"],
                    messages=[dict(message) for message in first],
                    tools=offered,
                    gold=[named_call(text, every) for turn in truth for text in turn],
                    group=row["id"].rsplit("_", 1)[1],
                    category=category,
                )
            )
        return items


def _functions(row: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[int, list[dict[str, Any]]]]:
    """The tools that are offered from the start, and those that are held back until a turn."""
    files = official.load("constants.executable_backend_config").MULTI_TURN_FUNC_DOC_FILE_MAPPING
    folder = official.data_folder() / "multi_turn_func_doc"
    tools = [
        to_tool(orjson.loads(line))
        for name in row["involved_classes"]
        for line in (folder / files[name]).read_bytes().splitlines()
    ]
    until = {name: int(turn) for turn, names in (row.get("missed_function") or {}).items() for name in names}
    held: dict[int, list[dict[str, Any]]] = {}
    for tool in tools:
        if tool["function"]["name"] in until:
            held.setdefault(until[tool["function"]["name"]], []).append(tool)
    return [tool for tool in tools if tool["function"]["name"] not in until], held


def named_call(text: str, tools: Sequence[Mapping[str, Any]]) -> Call:
    """A right call with all arguments by name."""
    name, by_place, by_name = read_call(text)
    declared: Mapping[str, Any] = next(
        (t["function"]["parameters"]["properties"] for t in tools if t["function"]["name"] == name), {}
    )
    return Call(name, {**dict(zip(declared, by_place, strict=False)), **by_name})


def _fits(call: Call) -> bool:
    return len(call.name) <= _NAME and len(json.dumps(call.arguments)) <= _LARGEST


class MultiTurn:
    """One item under way."""

    def __init__(self, item: Item, entry: Mapping[str, Any], backend: Backend) -> None:
        self._item, self._entry = item, entry
        self._services = backend.begin(entry)
        self._messages: Messages = [dict(each) for each in item.messages]
        self._tools = list(item.tools)
        self._turn = self._steps = self._turn_steps = self._calls = self._failed = 0
        self._error: str | None = None
        self._state: bool | None = None
        self._results: bool | None = None
        self._strict: bool | None = None
        self._unparsable = self._over = False
        self._last: Answer | None = None

    def question(self) -> Ask | None:
        """The conversation so far, until the item is over."""
        return None if self._over else Ask(self._messages, self._tools)

    def answered(self, answer: Answer | Weights) -> None:
        """Make the calls of an answer, or take it as the end of this request. Raises nothing."""
        if not isinstance(answer, Answer) or self._over:
            return
        self._last = answer
        parsed = self._parse(answer)
        if parsed.attempted:
            self._strict = parsed.strict and self._strict is not False
        try:
            if parsed.calls:
                self._make(answer.text, parsed.content, parsed.calls[:_MOST_CALLS])
            else:
                self._unparsable |= parsed.attempted
                self._messages = [*self._messages, {"role": "assistant", "content": answer.text[:SHOWN]}]
                self._end_turn()
        except Broken:
            self._end("broken_call")

    def _parse(self, answer: Answer) -> ParsedAnswer:
        """The calls of an answer."""
        return answer.parsed

    def _make(self, text: str, content: str, calls: Sequence[Call]) -> None:
        calls = [call if _fits(call) else Call(call.name[:_NAME], {}) for call in calls]
        results = self._services.calls(calls)
        self._steps += 1
        self._turn_steps += 1
        self._failed += sum(result.startswith("Error during execution") for result in results)
        shown = [result[:SHOWN] for result in results]
        self._messages = [*self._messages, *self._told(text[:SHOWN], content[:SHOWN], calls, shown)]
        self._calls += len(calls)
        if self._turn_steps > MOST_STEPS:
            # Officially the item is given up, and judged only if this was its last request.
            if self._turn + 1 < len(self._entry["truth"]):
                self._end("step_limit")
            else:
                self._end_turn()

    def _told(self, text: str, content: str, calls: Sequence[Call], results: Sequence[str]) -> Messages:
        """An answer with calls, and their results, as the model is shown them."""
        ids = [f"call{self._calls + place:05d}" for place in range(len(calls))]
        spoken = [
            {"type": "function", "id": id, "function": {"name": call.name, "arguments": call.arguments}}
            for id, call in zip(ids, calls, strict=True)
        ]
        return [
            {"role": "assistant", "content": content, "tool_calls": spoken},
            *(
                {"role": "tool", "name": call.name, "tool_call_id": id, "content": result}
                for id, call, result in zip(ids, calls, results, strict=True)
            ),
        ]

    def _offer(self, tools: Tools) -> str:
        """Offer tools that were held back; what the user says then."""
        self._tools = [*self._tools, *tools]
        return MORE_TOOLS

    def _end_turn(self) -> None:
        gold = self._entry["truth"][self._turn]
        if gold:
            if not self._turn_steps:
                self._end("unparsable_call" if self._unparsable else "no_call")
                return
            self._state, self._results = self._services.end_turn(gold)
            if not self._state or not self._results:
                self._end("wrong_state" if not self._state else "missing_result")
                return
        self._turn += 1
        self._turn_steps, self._unparsable = 0, False
        if self._turn == len(self._entry["truth"]):
            self._end(None)
            return
        added = self._entry["held"].get(self._turn, [])
        question: Messages = self._entry["question"][self._turn]
        said = [{"role": "user", "content": self._offer(added)}] if added else question
        self._messages = [*self._messages, *said]

    def _end(self, error: str | None) -> None:
        self._error, self._over = error, True
        self._services.end()

    def outcome(self) -> Outcome:
        """The verdict, with what was counted on the way."""
        right = self._over and self._error is None
        last = self._last
        return Outcome(
            verdict={
                "official": right,
                "state": right or bool(self._state and self._error == "missing_result"),
                "results": None if self._error not in (None, "missing_result") else right,
                "strict_format": self._strict if self._calls else None,
            },
            right=right,
            error=None if right else self._error or "no_call",
            numbers={
                "requests_done": self._turn,
                "steps": self._steps,
                "calls": self._calls,
                "failed_calls": self._failed,
            },
            text=last.text if last else "",
            calls=self._parse(last).calls if last else (),
            strict=self._strict,
            turns=json.loads(json.dumps(self._messages)),
        )
