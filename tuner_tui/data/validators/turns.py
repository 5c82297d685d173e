"""The order of the turns, and turns that say nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from tuner_tui.data.examples import Message
from tuner_tui.data.rules import Finding, finding

# By role, the roles after which its turns come; a result without its call is a finding of its own.
_ROLE_BEFORE: Mapping[str, tuple[str | None, ...]] = {
    "system": (None,),
    "user": (None, "system", "assistant"),
    "assistant": ("user", "tool"),
}
# Out of the ordinary, and still what may come at inference: a greeting.
_ALSO_BEFORE: Mapping[str, tuple[str | None, ...]] = {"assistant": (None, "system")}
_EMPTY = {"user": ("empty_request", "the user says nothing"), "system": ("empty_system", "the turn is empty")}


def check_roles(messages: Sequence[Message], place: Callable[[int], str], row: int) -> Iterator[Finding]:
    """Turns that stand where such a turn never comes, or seldom: a greeting, and a system turn later on.

    One assistant turn alone is plain text, trained without a request: nothing is out of order.
    """
    if len(messages) == 1 and messages[0]["role"] == "assistant":
        return
    before: str | None = None
    for index, message in enumerate(messages):
        role = message["role"]
        later = role == "system" and index > 0  # the turns around it are in order as if it were not there
        if role in _ROLE_BEFORE and before not in _ROLE_BEFORE[role]:
            where = f"after a turn of {before}" if before else "at the beginning"
            seldom = later or before in _ALSO_BEFORE.get(role, ())
            rule = "unusual_order" if seldom else "role_order"
            yield finding(rule, row, f"{place(index)}.role", f"a turn of {role} stands {where}")
        before = before if later else role


def check_turns(messages: Sequence[Message], place: Callable[[int], str], row: int) -> Iterator[Finding]:
    """Empty turns, and an example in which nothing is trained."""
    answers = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
    if not answers:
        yield finding("nothing_to_train", row, None, "there is no assistant turn")
    elif all(messages[index].get("weight") == 0 for index in answers):
        yield finding("nothing_to_train", row, None, "every assistant turn has weight 0")
    for index in answers:
        if not says_something(messages[index]):
            yield finding("empty_turn", row, place(index), "the turn has neither text nor a call")
    for index, message in enumerate(messages):
        if message["role"] in _EMPTY and not message["content"].strip():
            rule, text = _EMPTY[message["role"]]
            yield finding(rule, row, place(index), text)


def says_something(message: Message) -> bool:
    """Whether a turn has text or a call."""
    return bool(message.get("tool_calls")) or bool(message["content"].strip())
