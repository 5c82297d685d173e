"""The fast path: rows of messages and tools that are plainly clean, counted without being converted.

It may only say that a row is clean, which means: `convert` accepts it, `validate` finds nothing in it, and it
is counted as `counting.count` would. Whatever it is not sure of goes to `RowInspector`. So findings are the
same with it and without it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from io import BytesIO
from itertools import chain, islice
from operator import attrgetter
from string import ascii_letters
from typing import Any

import msgspec
import orjson
from msgspec import UnsetType

from tuner_tui.data.copies.fingerprints import digest, encode
from tuner_tui.data.engine.arguments import values
from tuner_tui.data.engine.counting import ARGUMENT_TYPES
from tuner_tui.data.engine.doubt import Doubt
from tuner_tui.data.engine.rows import RowInspector
from tuner_tui.data.engine.screen import screen
from tuner_tui.data.engine.shapes import ROLES, Plan, Plans, Shape
from tuner_tui.data.engine.task import Task
from tuner_tui.data.engine.tools import KnownTools, tool_hash
from tuner_tui.data.examples import Message
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.readers import decode
from tuner_tui.data.stats import kind_of, reports_error
from tuner_tui.data.structs import row_decoder
from tuner_tui.data.tally import Tally
from tuner_tui.data.texts.scripts import script
from tuner_tui.data.validators.texts import check_texts

_SCRIPT_SAMPLE = 4000  # characters: no more than `scripts.script` looks at
_LETTERS = ascii_letters.encode()
_BATCH = 256  # rows whose texts are screened together
_DOUBTS = (msgspec.MsgspecError, ValueError, LookupError, RecursionError)
"""What is raised for a row that is not plainly clean."""


class _Clean(msgspec.Struct, gc=False):
    """What a clean row adds to a tally, and its texts."""

    fingerprint: int
    answer: int
    shape: Shape
    kind: str
    script: str
    offered: Sequence[tuple[str, int]]
    called: Sequence[str]
    types: Sequence[type]
    text: str


class FastPath:
    """Adds lines of JSON to tallies."""

    def __init__(self, task: Task, inspector: RowInspector) -> None:
        self._inspector = inspector
        self._decode = row_decoder(
            text_arguments=task.format is Format.OPENAI, extra_keys=task.extra_keys
        ).decode
        self._tool_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
        self._tools = KnownTools()
        self._plans = Plans()

    @staticmethod
    def serves(format: Format) -> bool:
        """Whether rows of this layout can be decided here."""
        return format in (Format.CANONICAL, Format.OPENAI)

    def add(self, tally: Tally, data: bytes, stopped: Callable[[], bool]) -> None:
        """Add lines of JSON, one row each, until `stopped`, which is asked every 256 rows."""
        lines = BytesIO(data)
        while (batch := list(islice(lines, _BATCH))) and not stopped():
            self._add_batch(tally, batch)

    def _add_batch(self, tally: Tally, lines: Sequence[bytes]) -> None:
        judge = self._judge
        judged: list[_Clean | None] = []
        for line in lines:
            try:
                judged.append(judge(line))
            except _DOUBTS:
                judged.append(None)
        clean = [index for index, row in enumerate(judged) if row is not None]
        for place in screen([row.text for row in judged if row is not None]):
            if not self._speaks_cleanly(lines[clean[place]]):
                judged[clean[place]] = None
        _count(tally, [row for row in judged if row is not None])
        inspector = self._inspector
        wants = inspector.wants if inspector.asks else None
        add_fingerprint, add_answer = tally.fingerprints.append, tally.answers.append
        for line, row in zip(lines, judged, strict=True):
            if row is not None:
                tally.rows += 1
                add_fingerprint(row.fingerprint)
                add_answer(row.answer)
                if wants is not None and wants(row.fingerprint):
                    inspector.add_wanted(tally, decode(tally.rows, line))
            elif not line.isspace():
                inspector.add(tally, decode(tally.rows + 1, line))

    def _judge(self, line: bytes) -> _Clean:
        """The row, if it is plainly clean but for what its texts say. Raises _DOUBTS if not."""
        row = self._decode(line)
        raws = row.tools or ()
        if type(raws) is str:
            raws = self._tool_list(raws)
        tools, plans = self._tools, self._plans
        known = tools.get
        offered = [known(tool_hash(raw)) or tools.learn(raw) for raw in raws]
        named = dict(offered)
        if len(named) != len(offered):
            raise Doubt
        messages = row.messages
        types = tuple(map(type, messages))
        plan = plans.get(types) or plans.learn(types)
        texts = [*filter(None, [message.content for message in messages])]
        called: list[str] = []
        ids: list[str | None] = []
        kinds: list[type] = []  # of the values of arguments
        turns = [1 if offered else 0]
        for index in plan.assistants:
            message = messages[index]
            calls = message.tool_calls
            if calls:
                for call in calls:
                    function = call.function
                    called.append(function.name)
                    ids.append(call.id)
                    call.id = call.type = None
                    text = function.arguments
                    texts.append(text if type(text) is str else str(text, "utf-8"))
                    function.arguments = parsed = tools.parsers[named[function.name]](text)
                    kinds += map(type, values(parsed))
                turns.append(len(calls))
                if message.content == "":
                    message.content = None
            else:
                message.tool_calls = None
                if not message.content:
                    raise Doubt
                turns.append(0)
            if message.weight is not None:
                if message.weight == 0:
                    turns[-1] = ~turns[-1]
                else:
                    message.weight = None
            if message.reasoning_content is not None:
                texts.append(message.reasoning_content)
                message.reasoning_content = message.reasoning_content or None
        for index, name, identity in zip(plan.results, called, ids):  # noqa: B905 - calls at the end have none
            result = messages[index]
            if result.tool_call_id is not None:
                if result.tool_call_id != identity:
                    raise Doubt
                result.tool_call_id = None
            if result.name is None:
                result.name = name
            elif result.name != name:
                raise Doubt
        key = tuple(turns)
        shape = plan.known.get(key) or plan.learn(key)
        if (ids and (not all(ids) or len(set(ids)) != len(ids))) and ids.count(None) != len(ids):
            raise Doubt
        if True in map(str.isspace, texts):
            raise Doubt
        asked = [messages[index].content for index in plan.users]
        question = asked[0] if len(asked) == 1 else "\n".join(asked)
        return _Clean(
            digest(encode((offered, messages))) or 1,
            (digest(encode((message.content, calls))) if calls else digest(message.content.encode())) or 1,
            shape,
            shape.kind if shape.fixed else _kind(messages, plan, shape),
            "latin" if question[:1].isalpha() and question.isascii() else _script(question),
            offered,
            called,
            kinds,
            "\n".join(texts),
        )

    def _speaks_cleanly(self, line: bytes) -> bool:
        """Whether the texts of a row that is clean in all else are clean, too."""
        messages = [_message(message) for message in self._decode(line).messages]
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


def _kind(messages: Sequence[Any], plan: Plan, shape: Shape) -> str:
    if not any(reports_error(messages[index].content) for index in plan.results):
        return shape.kind
    turns = (
        (ROLES[type(message)], bool(getattr(message, "tool_calls", None)), message.content or "")
        for message in messages
    )
    return kind_of(True, turns)


def _count(tally: Tally, rows: Sequence[_Clean]) -> None:
    """Add what clean rows count, but for what has a place in the tally's arrays."""
    tally.sound += len(rows)
    tally.kinds.update(map(attrgetter("kind"), rows))
    tally.scripts.update(filter(None, map(attrgetter("script"), rows)))
    offered = [row.offered for row in rows]
    tally.tools_per_row.update(map(len, offered))
    for (name, _), times in Counter(chain.from_iterable(offered)).items():
        tally.tools_offered[name] += times
    tally.tools_called.update(chain.from_iterable(map(attrgetter("called"), rows)))
    for kind, times in Counter(chain.from_iterable(map(attrgetter("types"), rows))).items():
        if kind is not UnsetType:
            tally.argument_types[ARGUMENT_TYPES.get(kind, "object")] += times
    for shape, times in Counter(map(attrgetter("shape"), rows)).items():
        tally.ends_in_call += shape.tally.ends_in_call * times
        for name in ("turns_per_row", "calls_per_row", "calls_per_turn"):
            mine, theirs = getattr(tally, name), getattr(shape.tally, name)
            for key, count in theirs.items():
                mine[key] += count * times
