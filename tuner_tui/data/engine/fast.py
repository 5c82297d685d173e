"""The fast path: rows of messages and tools that are plainly clean, counted without being converted.

It may only say that a row is clean, which means: `convert` accepts it, `validate` finds nothing in it, and it
is counted as `counting.count` would. Whatever it is not sure of goes to `RowInspector`. So findings are the
same with it and without it.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from itertools import chain, islice
from string import ascii_letters
from typing import Any

import msgspec
import orjson
from msgspec import UnsetType

from tuner_tui.data.copies.fingerprints import MASK, SEPARATOR, digest, encode
from tuner_tui.data.engine.arguments import values as values_of
from tuner_tui.data.engine.counting import ARGUMENT_TYPES
from tuner_tui.data.engine.doubt import Doubt
from tuner_tui.data.engine.rows import RowInspector
from tuner_tui.data.engine.screen import screen
from tuner_tui.data.engine.shapes import ROLES, Plans, Shape
from tuner_tui.data.engine.task import Task
from tuner_tui.data.engine.telling import may_report_error
from tuner_tui.data.engine.tools import KnownTools, tool_hash
from tuner_tui.data.examples import Message
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.readers import decode
from tuner_tui.data.structs import row_decoder
from tuner_tui.data.tally import Tally
from tuner_tui.data.texts.checks import may_hold_calls
from tuner_tui.data.texts.scripts import script
from tuner_tui.data.validators.texts import check_texts

_SCRIPT_SAMPLE = 4000  # characters: no more than `scripts.script` looks at
_LETTERS = ascii_letters.encode()
_BATCH = 256  # rows whose texts are screened together
_DOUBTS = (msgspec.MsgspecError, ValueError, LookupError, RecursionError, OverflowError)
"""What is raised for a row that is not plainly clean."""


_Clean = tuple[int, int, Shape, str, str, Mapping[str, int], Sequence[str], Sequence[Any], bytes]
"""What a clean row adds to a tally.

The fingerprints of the row and of its answer; its shape, kind and script; the tools that it offers (names and
digests); the names of those that it calls; the arguments of the calls; and its texts, those of the messages
with SEPARATOR between them. A plain tuple: they are many.
"""


class FastPath:
    """Adds lines of JSON to tallies."""

    def __init__(self, task: Task, inspector: RowInspector) -> None:
        self._inspector = inspector
        self._decode = row_decoder(
            text_arguments=task.format is Format.OPENAI, extra_keys=task.extra_keys
        ).decode
        tools = KnownTools()
        self._tool_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
        self._known, self._learn = tools.get, tools.learn
        self._parsers = tools.parsers
        self._plans = Plans()
        self._plan = self._plans.get

    @staticmethod
    def serves(format: Format) -> bool:
        """Whether rows of this layout can be decided here."""
        return format in (Format.CANONICAL, Format.OPENAI)

    def add(self, tally: Tally, data: bytes, stopped: Callable[[], bool]) -> None:
        """Add lines of JSON, one row each, until `stopped`, which is asked every 256 rows."""
        lines = BytesIO(data)
        clean: list[_Clean] = []
        while (batch := list(islice(lines, _BATCH))) and not stopped():
            clean += self._add_batch(tally, batch)
        _count(tally, clean)

    def _add_batch(self, tally: Tally, lines: Sequence[bytes]) -> Sequence[_Clean]:
        """Add rows, all but what `_count` counts of the clean ones, which are returned."""
        judge = self._judge
        rows: list[_Clean] = []
        places: list[int] = []  # of the rows among the lines
        doubtful: set[int] = set()
        for place, line in enumerate(lines):
            try:
                rows.append(judge(line))
                places.append(place)
            except _DOUBTS:
                doubtful.add(place)
        separators = sum([row[2].separators for row in rows])
        for index in reversed(screen([row[-1] for row in rows], separators)):
            if not self._speaks_cleanly(lines[places[index]]):
                doubtful.add(places.pop(index))
                del rows[index]
        done = 0
        for place in sorted(doubtful):
            # Rows before it: its place among the lines, less the doubtful ones that were there before.
            clean = bisect_left(places, place)
            self._place(tally, rows[done:clean], places[done:clean], lines)
            done = clean
            if not lines[place].isspace():
                self._inspector.add(tally, decode(tally.rows + 1, lines[place]))
        self._place(tally, rows[done:], places[done:], lines)
        return rows

    def _place(
        self, tally: Tally, rows: Sequence[_Clean], places: Sequence[int], lines: Sequence[bytes]
    ) -> None:
        """Give clean rows, which stand at these places among the lines, theirs in the arrays of a tally."""
        if not self._inspector.asks:
            tally.rows += len(rows)
            tally.fingerprints.extend([row[0] for row in rows])
            tally.answers.extend([row[1] for row in rows])
            return
        for row, place in zip(rows, places, strict=True):
            tally.rows += 1
            tally.fingerprints.append(row[0])
            tally.answers.append(row[1])
            if self._inspector.wants(row[0]):
                self._inspector.add_wanted(tally, decode(tally.rows, lines[place]))

    def _judge(self, line: bytes) -> _Clean:
        """The row, if it is plainly clean but for what its texts say. Raises _DOUBTS if not.

        It runs for each row of a dataset of millions: a statement costs more than its elegance.
        """
        row = self._decode(line)
        raws = row.tools or ()
        if type(raws) is str:
            raws = self._tool_list(raws)
        known, learn = self._known, self._learn
        offered = [known(tool_hash(raw)) or learn(raw) for raw in raws]
        named = dict(offered)
        if len(named) != len(offered):
            raise Doubt
        messages = row.messages
        types = tuple(map(type, messages))
        plan = self._plan(types) or self._plans.learn(types)
        contents = [message.content or "" for message in messages]
        called: list[str] = []
        ids: list[str | None] = []
        arguments: list[Any] = []  # of the calls, parsed
        marks: list[int] = []
        unusual: list[int] = []
        turns = [1 if named else 0]
        texts: list[str] = []  # beside those of the messages
        for index in plan.assistants:
            message = messages[index]
            calls = message.tool_calls
            if calls:
                last = len(marks)
                for call in calls:
                    function = call.function
                    name = function.name
                    called.append(name)
                    ids.append(call.id)
                    text = function.arguments
                    tool = named[name]
                    parsed = self._parsers[tool](text)
                    arguments.append(parsed)
                    texts.append(text if type(text) is str else str(text, "utf-8"))
                    marks.append(tool)
                    marks.append(digest(encode(parsed)))
                turns.append(len(calls))
            elif contents[index]:
                turns.append(0)
            else:
                raise Doubt
            if message.weight == 0:
                turns[-1] = ~turns[-1]
            if reasoning := message.reasoning_content:
                if SEPARATOR in reasoning:
                    raise Doubt
                texts.append(reasoning)
                unusual += (index, digest(reasoning.encode()))
        if ids:
            if len(ids) > 1 or ids[0] == "":
                given = [one for one in ids if one]
                if len(set(given)) != len(ids) and (given or "" in ids):
                    raise Doubt
            for index, name, identity in zip(plan.results, called, ids):  # noqa: B905 - the last calls may have none
                result = messages[index]
                if result.name is not None and result.name != name:
                    raise Doubt
                if result.tool_call_id is not None and result.tool_call_id != identity:
                    raise Doubt
        key = tuple(turns)
        shape = plan.known.get(key) or plan.learn(key)
        if True in map(str.isspace, contents):
            raise Doubt
        kind = shape.kind
        for index in shape.telling:
            if may_report_error(contents[index]):
                kind = "error_recovery"
                break
        said = SEPARATOR.join(contents).encode()
        asked = (
            contents[plan.users[0]]
            if len(plan.users) == 1
            else "\n".join([contents[at] for at in plan.users])
        )
        return (
            hash((*named.values(), digest(said), shape.order, *marks, *unusual)) & MASK or 1,
            hash((digest(contents[plan.assistants[-1]].encode()), *(marks[last:] if calls else ()))) & MASK
            or 1,
            shape,
            kind,
            "latin" if asked[:1].isalpha() and asked.isascii() else _script(asked),
            named,
            called,
            arguments,
            b"%b\n%b" % (said, "\n".join(texts).encode()) if texts else said,
        )

    def _speaks_cleanly(self, line: bytes) -> bool:
        """Whether the texts of a row that is clean in all else are clean, too."""
        messages = [_message(message) for message in self._decode(line).messages]
        if any(may_hold_calls(message["content"]) for message in messages):
            return False
        return not any(check_texts(messages, str, 1))


def _script(text: str) -> str:
    """As `scripts.script`, which counts every sign: where more letters are ASCII than there can be others,
    they are the most."""
    data = text[:_SCRIPT_SAMPLE].encode()
    letters = len(data) - len(data.translate(None, _LETTERS))
    return "latin" if letters > len(data) - min(len(text), _SCRIPT_SAMPLE) else script(text)


def _message(struct: Any) -> Message:
    """A message with what its texts are checked for."""
    message: Message = {"role": ROLES[type(struct)], "content": struct.content or ""}
    if message["role"] == "assistant":
        if struct.reasoning_content:
            message["reasoning_content"] = struct.reasoning_content
        if struct.weight == 0:
            message["weight"] = 0
        if struct.tool_calls:
            message["tool_calls"] = [
                {
                    "type": "function",
                    "function": {
                        "name": call.function.name,
                        "arguments": orjson.loads(_text(call.function.arguments)),
                    },
                }
                for call in struct.tool_calls
            ]
    return message


def _text(arguments: str | msgspec.Raw) -> str:
    return arguments if isinstance(arguments, str) else str(arguments, "utf-8")


def _count(tally: Tally, rows: Sequence[_Clean]) -> None:
    """Add what clean rows count, but for what has a place in the tally's arrays."""
    if not rows:
        return
    _, _, shapes, kinds, scripts, offered, called, arguments, _ = zip(*rows, strict=True)
    tally.sound += len(rows)
    tally.kinds.update(kinds)
    tally.scripts.update(filter(None, scripts))
    tally.tools_per_row.update(map(len, offered))
    tally.tools_offered.update(chain.from_iterable(offered))
    tally.tools_called.update(chain.from_iterable(called))
    values = chain.from_iterable(map(values_of, chain.from_iterable(arguments)))
    for kind, times in Counter(map(type, values)).items():
        if kind is not UnsetType:
            tally.argument_types[ARGUMENT_TYPES.get(kind, "object")] += times
    for shape, times in Counter(shapes).items():
        tally.ends_in_call += shape.tally.ends_in_call * times
        for name in ("turns_per_row", "calls_per_row", "calls_per_turn"):
            mine, theirs = getattr(tally, name), getattr(shape.tally, name)
            for key, count in theirs.items():
                mine[key] += count * times
