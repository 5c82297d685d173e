"""The shape of a conversation: who speaks when, and how many calls each turn makes.

Whether a shape is in order, and what it counts, is asked once, of `validators` and `counting` themselves,
with a made-up conversation of that shape; then every row of the shape is known.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuner_tui.data.copies.fingerprints import order_digest
from tuner_tui.data.engine.counting import count
from tuner_tui.data.engine.doubt import Doubt
from tuner_tui.data.examples import Example, Message, conversation
from tuner_tui.data.stats import usual_kind
from tuner_tui.data.structs import Assistant, OpenAssistant, Result, System, User
from tuner_tui.data.tally import Tally
from tuner_tui.data.validators import validate

_MOST = 4096  # plans, and shapes of each, that are kept
_MOST_CALLS = 64  # in one turn of a shape
_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Looks up a word.",
        "parameters": {"type": "object", "properties": {}},
    },
}
ROLES: dict[type, str] = {
    System: "system",
    User: "user",
    Assistant: "assistant",
    OpenAssistant: "assistant",
    Result: "tool",
}
"""The role of a struct."""
_TEXTS = {
    "system": "You look up words.",
    "user": "What does the word mean?",
    "assistant": "It means a small house.",
    "tool": "A small house.",
}

Turns = tuple[int, ...]
"""1 when tools are offered, else 0; then for each assistant turn its number of calls, or, when it is not
trained, that number's complement (-1 for none)."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A shape that is in order, with the `tally` of one such row, of which that counts what follows from the
    shape.

    `recovering` is the same for a row of which one of the results at `telling` reports an error. `calls` are
    those of the row; `order` stands for it in fingerprints; `separators` are those between its texts.
    """

    tally: Tally
    recovering: "Shape | None"
    telling: Sequence[int]
    calls: int
    order: int
    separators: int


class Plan:
    """Where the roles stand in conversations of one order of roles, and their shapes by their turns.

    `last` is the last assistant's place, that of no message without one; `user` the user's, if there is one.
    """

    __slots__ = ("_roles", "assistants", "known", "last", "results", "user", "users")

    def __init__(self, roles: Sequence[str]) -> None:
        self._roles = roles
        self.assistants = [index for index, role in enumerate(roles) if role == "assistant"]
        self.results = [index for index, role in enumerate(roles) if role == "tool"]
        self.users = [index for index, role in enumerate(roles) if role == "user"]
        self.last = self.assistants[-1] if self.assistants else len(roles)
        self.user = self.users[0] if len(self.users) == 1 else None
        self.known: dict[Turns, Shape | None] = {}

    def learn(self, turns: Turns) -> Shape:
        """The shape with these turns.

        Raises:
            Doubt: `validators` finds something in it.
        """
        if turns not in self.known:
            if len(self.known) >= _MOST:
                self.known.clear()
            self.known[turns] = _judge(self._roles, turns)
        if (shape := self.known[turns]) is None:
            raise Doubt
        return shape


class Plans:
    """Plans by the types of the messages."""

    def __init__(self) -> None:
        self._known: dict[tuple[type, ...], Plan] = {}
        self.get = self._known.get

    def learn(self, types: tuple[type, ...]) -> Plan:
        """The plan, made now unless it is known."""
        if len(self._known) >= _MOST:
            self._known.clear()
        return self._known.setdefault(types, Plan([ROLES[one] for one in types]))


def sample(roles: Sequence[str], turns: Turns) -> Example:
    """A conversation without fault but for those that its shape has."""
    messages: list[Message] = []
    left = iter(turns[1:])
    made = answered = 0
    for role in roles:
        message: Message = {"role": role, "content": _TEXTS[role]}
        if role == "tool":
            message |= {"name": "look_up", "tool_call_id": f"call{answered:05}"}
            answered += 1
        elif role == "assistant":
            calls = next(left)
            if calls < 0:
                message["weight"] = 0
                calls = ~calls
            if calls:
                message["content"] = ""
                message["tool_calls"] = [
                    {
                        "type": "function",
                        "function": {"name": "look_up", "arguments": {}},
                        "id": f"call{number:05}",
                    }
                    for number in range(made, made + calls)
                ]
            made += calls
        messages.append(message)
    return {"messages": messages, "tools": [_TOOL] if turns[0] else []}


def _judge(roles: Sequence[str], turns: Turns) -> Shape | None:
    if not roles or any(not -_MOST_CALLS < calls < _MOST_CALLS for calls in turns):
        return None
    example = sample(roles, turns)
    if validate(example, 1):
        return None
    tally = Tally()
    count(tally, example)
    calling = ((message["role"], "tool_calls" in message) for message in conversation(example))
    _, telling = usual_kind(bool(turns[0]), calling)
    (calls,) = tally.calls_per_row
    shape = Shape(tally, None, telling, calls, order_digest(roles, turns[1:]), len(roles) - 1)
    recovery = replace(tally, kinds=Counter(("error_recovery",)))
    return replace(shape, recovering=replace(shape, tally=recovery))
