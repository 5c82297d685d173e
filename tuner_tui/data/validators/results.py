"""Calls and the tool messages that answer them."""

from collections.abc import Callable, Iterator, Sequence

from tuner_tui.data.examples import Message, ToolCall
from tuner_tui.data.rules import Finding, finding
from tuner_tui.data.validators.calls import quoted


def check_results(messages: Sequence[Message], place: Callable[[int], str], row: int) -> Iterator[Finding]:
    """Results without a call, calls without a result, and ids that tie nothing together."""
    waiting: list[ToolCall] = []
    asked = 0  # the index of the turn that made the waiting calls
    seen: set[str] = set()
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            answered = answered_call(message, waiting)
            if answered is None:
                yield _orphan(message, waiting, place(index), row)
            else:
                waiting.remove(answered)
            continue
        if waiting:
            yield _unanswered(waiting, place(asked), row)
        waiting, asked = list(message.get("tool_calls", ())), index
        for number, call in enumerate(waiting):
            identity = call.get("id")
            if identity in seen:
                field = f"{place(index)}.tool_calls[{number}].id"
                yield finding("repeated_id", row, field, f"an earlier call has the id {quoted(identity)}")
            elif identity:
                seen.add(identity)
    if waiting and messages[-1]["role"] == "tool":
        yield _unanswered(waiting, place(asked), row)


def answered_call(message: Message, waiting: Sequence[ToolCall]) -> ToolCall | None:
    """The waiting call that this result belongs to: by id where both have one, else by name or order."""
    identity, name = message.get("tool_call_id"), message.get("name")
    for call in waiting:
        if identity and call.get("id"):
            if call["id"] == identity:
                return call
        elif not name or call["function"]["name"] == name:
            return call
    return None


def _orphan(message: Message, waiting: Sequence[ToolCall], field: str, row: int) -> Finding:
    identity = message.get("tool_call_id")
    if identity and (open_ids := [call["id"] for call in waiting if "id" in call]):
        ids = ", ".join(quoted(one) for one in open_ids)
        text = f"{quoted(identity)} is the id of no open call; open: {ids}"
        return finding("orphan_id", row, f"{field}.tool_call_id", text)
    named = f" {quoted(message['name'])}" if message.get("name") else ""
    return finding("orphan_result", row, field, f"the result{named} answers no open call")


def _unanswered(waiting: Sequence[ToolCall], field: str, row: int) -> Finding:
    names = ", ".join(quoted(call["function"]["name"]) for call in waiting)
    return finding("missing_result", row, field, f"no result follows the call of {names}")
