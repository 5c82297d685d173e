"""What is wrong inside one canonical example: its tools, its calls, the order of its turns, its texts.

Pure and deterministic: the findings of a row depend on the row alone.
"""

from collections.abc import Callable, Iterator, Mapping

from tuner_tui.data.examples import Example, Message, conversation, is_preference, is_unpaired
from tuner_tui.data.rules import RULES, Finding, Rule, Severity, finding
from tuner_tui.data.schemas.normalise import normalise_tools
from tuner_tui.data.validators.calls import check_calls, check_tools
from tuner_tui.data.validators.results import check_results
from tuner_tui.data.validators.texts import check_texts
from tuner_tui.data.validators.turns import check_roles, check_turns, says_something
from tuner_tui.data.validators.written import check_written

__all__ = ["RULES", "Finding", "Rule", "Severity", "validate"]


def validate(example: Example, row: int) -> list[Finding]:
    """Every finding inside one converted example; `row` is its number in the file, from 1.

    Of a preference pair the chosen side is checked in full. The rejected side is meant to be wrong: only what
    makes training on it senseless counts, that it is empty or that its turns are out of order. The calls of
    a completion with a bad label are meant to be wrong, too.
    """
    messages, place = conversation(example), _places(example)
    checkers, found = check_tools(example["tools"], row)
    if "original_tools" in example:
        found.extend(_check_original(example, row))
    wrong = is_unpaired(example) and not example["label"]
    found.extend(check_calls(example["prompt"] if wrong else messages, place, row, checkers))
    found.extend(check_roles(messages, place, row))
    found.extend(check_results(messages, place, row))
    found.extend(check_turns(messages, place, row))
    found.extend(check_texts(messages, place, row))
    found.extend(check_written(example, messages, place, row))
    if is_preference(example):
        found.extend(_check_pair(example, row))
    elif is_unpaired(example) and not any(map(says_something, example["completion"])):
        found.append(finding("empty_answer", row, "completion", "the completion is empty"))
    return found


def _places(example: Example) -> Callable[[int], str]:
    """The field of each message of `conversation(example)`, by its index."""
    if "messages" in example:
        return "messages[{}]".format
    answer = "chosen" if is_preference(example) else "completion"
    before = len(example["prompt"])
    return lambda index: f"prompt[{index}]" if index < before else f"{answer}[{index - before}]"


def _check_original(example: Example, row: int) -> Iterator[Finding]:
    """What normalising the tools has changed."""
    tools = [tool for tool in example["original_tools"] if isinstance(tool, Mapping)]
    normalised = normalise_tools(tools)
    for old, new in normalised.names.items():
        yield finding("renamed_tool", row, "tools", f'"{old[:64]}" is now "{new}", in its calls as well')
    if normalised.notes or len(tools) != len(example["tools"]) or _differ(example, tools, normalised.names):
        text = "; ".join(normalised.notes[:3]) or "the tools were written as JSON Schema"
        yield finding("normalised_schema", row, "tools", text)


def _differ(example: Example, tools: list[Mapping[str, object]], names: Mapping[str, str]) -> bool:
    """Whether more than names and wrapping was changed."""
    for tool, before in zip(example["tools"], tools, strict=True):
        function = before.get("function", before)
        if not isinstance(function, Mapping) or tool["function"].get("parameters") != function.get(
            "parameters"
        ):
            return True
    return not names


def _check_pair(example: Example, row: int) -> Iterator[Finding]:
    for side in ("chosen", "rejected"):
        if not any(map(says_something, example[side])):
            yield finding("empty_answer", row, side, f"the {side} answer is empty")
    if example["chosen"] == example["rejected"]:
        yield finding("identical_pair", row, "rejected", "both answers are the same")
    before: list[Message] = example["prompt"]
    found = check_roles(
        [*before, *example["rejected"]], lambda index: f"rejected[{index - len(before)}]", row
    )
    yield from (one for one in found if one.field and "[-" not in one.field)
