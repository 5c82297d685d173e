"""What a chat template shows to the model, found out by rendering conversations made for it.

Some templates leave out tools, calls or results without a word, some refuse them, some write arguments twice
encoded. The probe needs no more than a function that renders, so that it serves the preview (jinja2 alone),
the recipe and the evaluator (transformers) alike.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tuner_tui.data.examples import Example, Message, Tool, conversation
from tuner_tui.data.rendering.shaping import SHAPES, Shape
from tuner_tui.data.rules import Finding, finding

Render = Callable[[Sequence[Any], Sequence[Tool], bool], str]
"""(messages, tools, with the generation prompt) -> text. Raises whatever the template raises."""


class Part(StrEnum):
    """What a conversation can hold, and a template can lose."""

    SYSTEM = "system prompts"
    TOOLS = "tools"
    NAMES = "the names of called tools"
    ARGUMENTS = "the arguments of calls"
    RESULTS = "tool results"
    PARALLEL_CALLS = "parallel calls"
    PARALLEL_RESULTS = "the results of parallel calls"
    REASONING = "reasoning"
    EARLIER_REASONING = "the reasoning of earlier turns"


@dataclass(frozen=True, slots=True)
class Probed:
    """What was found out about one template.

    `shape` is the form in which messages must be handed to it. `lost` are the parts that it drops or refuses;
    of those that it refuses, with its own words.
    """

    shape: Shape
    lost: dict[Part, str] = field(default_factory=dict)


# Words that no template contains of itself.
_WORDS = ("Quillonbury", "Vexholme")
_RESULTS = ("17.5 millibrams", "23.25 millibrams")
_IN_TOOL = "Tells the tide at a port of the probe."
_IN_SYSTEM = "Answer as a lighthouse keeper."
_THOUGHTS = ("Tides of the probe follow the moon.", "The second tide follows the first.")
_CALLED = "probe_tide"
_TOOL: Tool = {
    "type": "function",
    "function": {
        "name": "probe_port",
        "description": _IN_TOOL,
        "parameters": {
            "type": "object",
            "properties": {"port": {"type": "string", "description": "A port."}},
            "required": ["port"],
        },
    },
}
_USER: Message = {"role": "user", "content": "How high is the tide?"}
_ANSWER: Message = {"role": "assistant", "content": "It is high."}


def _calling(count: int) -> Message:
    # Not the name of the declared tool, so that a name in the text is the call's.
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {
                "type": "function",
                "id": f"call0000{number}",
                "function": {"name": _CALLED, "arguments": {"port": _WORDS[number]}},
            }
            for number in range(count)
        ],
    }


def _results(count: int) -> list[Message]:
    return [
        {"role": "tool", "name": _CALLED, "tool_call_id": f"call0000{number}", "content": _RESULTS[number]}
        for number in range(count)
    ]


def _thinking(number: int) -> Message:
    return {**_ANSWER, "reasoning_content": _THOUGHTS[number]}


# Of each part, a conversation that has it, the tools, and the words that the text must have.
_PROBES: dict[Part, tuple[list[Message], list[Tool], tuple[str, ...]]] = {
    Part.SYSTEM: ([{"role": "system", "content": _IN_SYSTEM}, _USER, _ANSWER], [], (_IN_SYSTEM,)),
    Part.TOOLS: ([_USER, _ANSWER], [_TOOL], (_IN_TOOL,)),
    Part.NAMES: ([_USER, _calling(1)], [_TOOL], (_CALLED,)),
    Part.ARGUMENTS: ([_USER, _calling(1)], [_TOOL], _WORDS[:1]),
    Part.RESULTS: ([_USER, _calling(1), *_results(1), _ANSWER], [_TOOL], _RESULTS[:1]),
    Part.PARALLEL_CALLS: ([_USER, _calling(2)], [_TOOL], _WORDS),
    Part.PARALLEL_RESULTS: ([_USER, _calling(2), *_results(2), _ANSWER], [_TOOL], _RESULTS),
    Part.REASONING: ([_USER, _thinking(0)], [], _THOUGHTS[:1]),
    Part.EARLIER_REASONING: ([_USER, _thinking(0), _USER, _thinking(1)], [], _THOUGHTS),
}


def probe(render: Render) -> Probed:
    """Find out in which shape a template shows most, and what it loses even then."""
    best: tuple[tuple[bool, int, int], Probed] | None = None
    for shape in SHAPES:
        probed = Probed(shape)
        texts = {}
        for part, (messages, tools, signs) in _PROBES.items():
            try:
                text = render(shape.apply(messages), tools, False)
            except Exception as error:  # a template is a program that somebody else wrote
                probed.lost[part] = _line(error)
                continue
            texts[part] = text
            if not all(sign in text for sign in signs):
                probed.lost[part] = ""
        rank = (_speaks(render, shape), _rightness(texts.get(Part.ARGUMENTS, "")), -len(probed.lost))
        if best is None or rank > best[0]:
            best = rank, probed
        if rank[:2] == (True, 2):
            break  # nothing is gained by another shape
    assert best is not None
    return best[1]


def _speaks(render: Render, shape: Shape) -> bool:
    """Whether a plain exchange is shown."""
    try:
        text = render(shape.apply([_USER, _ANSWER]), [], False)
    except Exception:
        return False
    return _USER["content"] in text and _ANSWER["content"] in text


def _rightness(text: str) -> int:
    """0: the value of the argument is not there; 1: encoded twice, or as Python writes it; 2: right."""
    word = _WORDS[0]
    if word not in text:
        return 0
    return 1 if f'\\"{word}' in text or f"'port': '{word}'" in text else 2


def parts_of(example: Example) -> set[Part]:
    """What a template must show of this example."""
    messages = conversation(example)
    found = {Part.TOOLS} if example.get("tools") else set()
    waiting = 0  # calls of the last assistant turn
    thought = False
    for message in messages:
        role = message["role"]
        if role == "system":
            found.add(Part.SYSTEM)
        elif role == "user" and thought:
            found.add(Part.EARLIER_REASONING)
        elif role == "tool":
            found.add(Part.RESULTS if waiting < 2 else Part.PARALLEL_RESULTS)
        elif role == "assistant":
            waiting = len(message.get("tool_calls", ()))
            if waiting:
                found |= {Part.NAMES, Part.ARGUMENTS}
            if waiting > 1:
                found.add(Part.PARALLEL_CALLS)
            if message.get("reasoning_content"):
                found.add(Part.REASONING)
                thought = True
    return found


def lost_parts(probed: Probed, needed: Collection[str]) -> str:
    """What of the needed parts the template loses, in words; empty for nothing.

    That earlier reasoning is dropped is how models that reason are made, and no loss.
    """
    lost = {part: words for part, words in probed.lost.items() if part in needed}
    lost.pop(Part.EARLIER_REASONING, None)
    if Part.PARALLEL_CALLS in lost:  # then their results cannot be shown either
        lost.pop(Part.PARALLEL_RESULTS, None)
    dropped = [str(part) for part, words in lost.items() if not words]
    refused: dict[str, list[str]] = {}
    for part, words in lost.items():
        if words:
            refused.setdefault(words, []).append(str(part))
    said = [f"leaves out {_listed(dropped)}"] if dropped else []
    said += [f'refuses {_listed(parts)} ("{words}")' for words, parts in refused.items()]
    return "; it ".join(said)


def obstacles(probed: Probed, needed: Collection[str]) -> str:
    """What of the needed parts the template loses so that a run makes no sense, in words.

    Dropped reasoning is not among them: what else a row holds is still learned.
    """
    return lost_parts(probed, set(needed) - {Part.REASONING})


def template_findings(probed: Probed, model: str, needed: Collection[str]) -> Iterator[Finding]:
    """What the template of a model loses: an error where the dataset needs it, else information.

    Of reasoning that is not there nothing is told: most models have none.
    """
    if lost := lost_parts(probed, needed):
        message = f'the chat template of "{model}" {lost}, which this dataset uses; take another model'
        if Part.PARALLEL_CALLS in probed.lost and not lost_parts(probed, set(needed) - _PARALLEL):
            message += ", or split the parallel calls into turns of one call each"
        yield finding("template_drops", None, None, message)
    if lost := lost_parts(probed, set(Part) - {Part.REASONING, *needed}):
        message = f'the chat template of "{model}" {lost}; this dataset does not use that'
        yield finding("template_lacks", None, None, message)
    if Part.EARLIER_REASONING in set(needed) & set(probed.lost) and Part.REASONING not in probed.lost:
        message = (
            f'the chat template of "{model}" shows the reasoning of the last turn alone: in rows of several '
            "turns, that of earlier turns is left out"
        )
        yield finding("template_lacks", None, None, message)


_PARALLEL = {Part.PARALLEL_CALLS, Part.PARALLEL_RESULTS}


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
