"""One row of messages and tools: whether it is plainly clean, and what it counts then.

A row is plainly clean when `convert` accepts it and `validate` finds nothing in it. Here is told so without
converting it, of its structs; what its texts say is looked at later, for many rows at once.
"""

from string import ascii_letters
from typing import Any

import msgspec
import orjson
from msgspec.structs import astuple

from tuner_tui.data.copies.fingerprints import SEPARATOR, digest, encode, escaped
from tuner_tui.data.engine.columns import Columns
from tuner_tui.data.engine.doubt import Doubt
from tuner_tui.data.engine.screen import ROW
from tuner_tui.data.engine.shapes import ROLES, Plans
from tuner_tui.data.engine.task import Task
from tuner_tui.data.engine.telling import may_report_error
from tuner_tui.data.engine.tools import KnownTool, KnownTools, tool_hash
from tuner_tui.data.examples import Message
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.rules import Finding
from tuner_tui.data.structs import row_decoder
from tuner_tui.data.texts.checks import may_hold_calls
from tuner_tui.data.texts.scripts import script
from tuner_tui.data.validators.texts import check_texts

_SCRIPT_SAMPLE = 4000  # characters: no more than `scripts.script` looks at
_LETTERS = ascii_letters.encode()

DOUBTS = (msgspec.MsgspecError, ValueError, LookupError, RecursionError, OverflowError)
"""What is raised for a row that is not plainly clean."""


class Judge:
    """Judges lines of JSON; what it learns from one (tools, shapes) serves the next.

    The clean rows go into `columns`.
    """

    def __init__(self, task: Task) -> None:
        self.columns = Columns()
        self._decode = row_decoder(
            text_arguments=task.format is Format.OPENAI, extra_keys=task.extra_keys
        ).decode
        tools = KnownTools()
        self._tool_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
        self._known, self._learn = tools.get, tools.learn
        self._plans = Plans()
        self._plan = self._plans.get

    def judge(self, line: bytes) -> None:
        """Add the row to the columns, if it is plainly clean but for what its texts say; else raises DOUBTS.

        It runs for each row of a dataset of millions: a statement costs more than its elegance.
        """
        row = self._decode(line)
        raws = row.tools
        if type(raws) is not list:
            raws = self._tool_list(raws) if raws else ()
        known, learn = self._known, self._learn
        named: dict[str, KnownTool] = {}
        numbers: list[int] = []  # of which the row's fingerprint is mixed
        for raw in raws:
            tool = known(tool_hash(raw)) or learn(raw)
            named[tool[0]] = tool
            numbers.append(tool[1])
        if len(named) != len(numbers):
            raise Doubt
        messages = row.messages
        types = tuple(map(type, messages))
        plan = self._plan(types) or self._plans.learn(types)
        contents = [message.content or "" for message in messages]
        if True in map(str.isspace, contents):
            raise Doubt
        said = SEPARATOR.join(contents).encode()
        numbers += (digest(said), 0)  # in place of 0 comes the order
        order = len(numbers) - 1
        texts: list[Any] = [b"", said]
        called: list[str] = []
        ids: list[str | None] = []
        values: list[Any] = []
        unusual: list[int] = []
        turns = [1 if named else 0]
        for index in plan.assistants:
            message = messages[index]
            calls = message.tool_calls
            if calls:
                last = len(numbers)
                for call in calls:
                    function = call.function
                    name = function.name
                    text = function.arguments
                    _, mark, parse = named[name]
                    parsed = parse(text)
                    called.append(name)
                    ids.append(call.id)
                    values += parsed.values() if type(parsed) is dict else astuple(parsed)
                    texts.append(text.encode() if type(text) is str else text)
                    numbers.append(mark)
                    numbers.append(digest(encode(parsed)))
                turns.append(len(calls))
            elif contents[index]:
                turns.append(0)
            else:
                raise Doubt
            if message.weight is not None and message.weight == 0:
                turns[-1] = ~turns[-1]
            if reasoning := message.reasoning_content:
                if SEPARATOR in reasoning:
                    raise Doubt
                texts.append(reasoning.encode())
                unusual += (index, digest(texts[-1]))
        if ids:
            if len(ids) > 1 or ids[0] == "":
                given = [one for one in ids if one]
                if len(set(given)) != len(ids) and (given or "" in ids):
                    raise Doubt
            for index, name, identity in zip(plan.results, called, ids):  # noqa: B905 - the last calls may have none
                result = messages[index]
                if result.tool_call_id != identity and result.tool_call_id is not None:
                    raise Doubt
                if result.name is not None and result.name != name:
                    raise Doubt
        key = tuple(turns)
        shape = plan.known.get(key) or plan.learn(key)
        numbers[order] = shape.order
        for index in shape.telling:
            if may_report_error(contents[index]):
                shape = shape.recovering or shape
                break
        user = plan.user
        asked = contents[user] if user is not None else "\n".join([contents[at] for at in plan.users])
        answer = digest(contents[plan.last].encode())
        written = "latin" if asked[:1].isalpha() and asked.isascii() else _script(asked)
        text = ROW.join(texts)
        columns = self.columns  # from here on nothing is raised
        columns.fingerprints.append(hash((*numbers, *unusual)) or 1)
        columns.answers.append(hash((answer, *numbers[last:]) if calls else (answer,)) or 1)
        columns.shapes.append(shape)
        columns.scripts.append(written)
        columns.tools.append(len(named))
        columns.offered += named
        columns.called += called
        columns.values.append(len(values))
        columns.types += map(type, values)
        columns.texts += text
        columns.ends.append(len(columns.texts))

    def texts(self, line: bytes) -> list[Finding] | None:
        """What is found in the texts of a row that is clean in all else, as if it were the first one; None
        when calls may stand in them, or they are hashed in another way than `judge` does."""
        messages = [_message(message) for message in self._decode(line).messages]
        for text in (message["content"] for message in messages):
            if may_hold_calls(text) or escaped(text) != text:
                return None
        return list(check_texts(messages, "messages[{}]".format, 1))


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
