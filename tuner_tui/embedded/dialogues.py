"""The pre-training text: random dialogues about random tools.

Every dialogue has its own tools. A plain request for a tool's service is answered in prose; one that
asks for a form is answered in it; one that no tool serves is refused in prose, whatever was asked.
So the model knows tools, values and refusals, but never calls a tool unless it is told to.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from tuner_tui.embedded import forms, phrasing, small_talk
from tuner_tui.embedded.template import render
from tuner_tui.embedded.tools import Call, Tool, random_call, random_tool
from tuner_tui.embedded.words import NOUNS, draw, pick, word

Message = dict[str, Any]

_SYSTEM = [
    "You are a helpful assistant.",
    "You are an assistant with tools.",
    "Be brief.",
    "You help people with their work.",
    "Answer in one sentence.",
]


def say(role: str, content: str) -> Message:
    """One message without tool calls."""
    return {"role": role, "content": content}


class Scene:
    """The tools of one dialogue, and the requests that can be made of them."""

    def __init__(self, rng: Random, count: int | None = None) -> None:
        self.rng = rng
        self.made_up = pick(rng, [0.2, 0.5, 0.5, 0.8])
        self.style = pick(rng, ["snake", "snake", "snake", "snake", "camel", "camel", "dotted"])
        self.tools: list[Tool] = []
        for _ in range(count or pick(rng, [1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 6])):
            self._add(self._tool() if rng.random() < 0.7 else self._neighbour())

    def _tool(self) -> Tool:
        return random_tool(self.rng, self.style, self.made_up)

    def _neighbour(self) -> Tool:
        """A tool that shares its verb or its noun with a declared one."""
        if not self.tools:
            return self._tool()
        near = pick(self.rng, self.tools)
        if self.rng.random() < 0.5:
            return random_tool(self.rng, self.style, self.made_up, verb=near.verb)
        return random_tool(self.rng, self.style, self.made_up, noun=near.thing.split()[-1])

    def _serves(self, other: Tool) -> bool:
        """Whether a request for *other* could pass for a request for a declared tool."""
        return any(
            t.name == other.name or (t.verb == other.verb and t.thing.split()[-1] == other.thing.split()[-1])
            for t in self.tools
        )

    def _add(self, tool: Tool) -> None:
        if not self._serves(tool):
            self.tools.append(tool)

    def calls(self, several: float = 0.15) -> list[Call]:
        """One call, or with probability *several* two or three."""
        rng = self.rng
        count = pick(rng, [2, 2, 2, 3]) if rng.random() < several else 1
        return [random_call(rng, pick(rng, self.tools), self.made_up) for _ in range(count)]

    def missing(self) -> Call:
        """A call of a tool that is not declared; half of the time a neighbour of one that is."""
        while True:
            tool = self._tool() if self.rng.random() < 0.5 else self._neighbour()
            if not self._serves(tool):
                return random_call(self.rng, tool, self.made_up)


def _refusal(scene: Scene, suffix: str = "") -> list[Message]:
    call = scene.missing()
    request = phrasing.request(scene.rng, call)
    return [say("user", request + suffix), say("assistant", phrasing.refusal(scene.rng, call.tool))]


def _plan(scene: Scene) -> list[Message]:
    calls = scene.calls()
    request = phrasing.joined_request(scene.rng, calls)
    return [say("user", request), say("assistant", phrasing.plan(scene.rng, calls))]


def _form(scene: Scene) -> list[Message]:
    rng = scene.rng
    if rng.random() < 0.25:
        asks, _ = pick(rng, forms.FORMS)
        return _refusal(scene, " " + pick(rng, asks))
    calls = scene.calls()
    request, answer = forms.ask_for_form(rng, phrasing.joined_request(rng, calls), calls)
    return [say("user", request), say("assistant", answer)]


def _result(scene: Scene) -> list[Message]:
    """What follows a plan: the tool's result, or its failure, put into words."""
    rng, messages = scene.rng, _plan(scene)
    return [*messages, *_outcome(rng)]


def _outcome(rng: Random) -> list[Message]:
    if rng.random() < 0.3:
        name = word(rng, NOUNS, 0.6)
        value = phrasing.say(draw(pick(rng, ["code", "word", "integer"]), rng, 0.5))
        reason = pick(rng, ["unknown {}", "{} is missing", "bad {}", "{} is not allowed"]).format(name)
        result = forms.to_json({"error": reason, "use": value})
        return [
            say("tool", result),
            say("assistant", f"That failed: {reason}. I would try again with {name} set to {value}."),
        ]
    kinds = ["code", "word", "integer", "number", "date", "place", "person"]
    fields = {word(rng, NOUNS, 0.6): draw(pick(rng, kinds), rng, 0.5) for _ in range(rng.randint(1, 3))}
    what = phrasing.enumeration([f"the {k} is {phrasing.say(v)}" for k, v in fields.items()])
    lead = pick(rng, ["Done: {}.", "The tool says that {}.", "It worked: {}."])
    return [say("tool", forms.to_json(fields)), say("assistant", lead.format(what))]


def _question(scene: Scene) -> list[Message]:
    """A question about the tools' declarations."""
    rng, tool = scene.rng, pick(scene.rng, scene.tools)
    names = [p.name for p in tool.parameters]
    match int(rng.random() * 5):
        case 0:
            ask = "Which tools do you have?"
            answer = "I have " + phrasing.enumeration([t.name for t in scene.tools]) + "."
        case 1:
            ask = f"What does {tool.name} do?"
            answer = f"{tool.name}: {tool.description}"
        case 2:
            ask = f"Which arguments does {tool.name} take?"
            answer = f"It takes {phrasing.enumeration(names)}." if names else "It takes none."
        case 3:
            required = [p.name for p in tool.parameters if p.required]
            ask = f"Which arguments does {tool.name} need?"
            answer = f"It needs {phrasing.enumeration(required)}." if required else "It needs none."
        case _:
            if not names:
                return _plan(scene)
            parameter = pick(rng, tool.parameters)
            ask = f"Of which type is {parameter.name} of {tool.name}?"
            answer = f"It is of type {parameter.schema()['type']}."
    return [say("user", ask), say("assistant", answer)]


def _chat(scene: Scene) -> list[Message]:
    ask, answer = small_talk.chat(scene.rng)
    return [say("user", ask), say("assistant", answer)]


def _copying(scene: Scene) -> list[Message]:
    ask, answer = small_talk.copying(scene.rng)
    return [say("user", ask), say("assistant", answer)]


_TURNS: list[Callable[[Scene], list[Message]]] = []
for _turn, _weight in (
    (_plan, 30), (_refusal, 22), (_form, 18), (_result, 8), (_question, 8), (_chat, 7), (_copying, 7)
):  # fmt: skip
    _TURNS += [_turn] * _weight


def _plain(rng: Random) -> tuple[list[Message], list[Tool]]:
    scene = Scene(rng)
    messages = [say("system", pick(rng, _SYSTEM))] if rng.random() < 0.2 else []
    for _ in range(pick(rng, [1, 2, 2, 3, 3, 4])):
        messages += pick(rng, _TURNS)(scene)
    return messages, scene.tools


def _without_tools(rng: Random) -> tuple[list[Message], list[Tool]]:
    messages = [say("system", pick(rng, _SYSTEM))] if rng.random() < 0.2 else []
    for _ in range(rng.randint(2, 5)):
        ask, answer = (small_talk.chat if rng.random() < 0.5 else small_talk.copying)(rng)
        messages += [say("user", ask), say("assistant", answer)]
    return messages, []


def _tagged_turn(scene: Scene, suffix: str, examples: bool) -> list[Message]:
    rng = scene.rng
    fate = rng.random()
    if fate < 0.3:
        return _refusal(scene, suffix)
    if fate < 0.36:
        return _chat(scene)
    calls = scene.calls(0.25)
    request = phrasing.joined_request(rng, calls) + suffix
    answer = forms.tagged(forms.weakened(calls, examples))
    messages = [say("user", request), say("assistant", answer)]
    return messages + _outcome(rng) if rng.random() < 0.15 else messages


def _example(rng: Random) -> str:
    """One worked example for a system message, weakened like the answers that follow it."""
    scene = Scene(rng, 1)
    if rng.random() < 0.35:
        call = scene.missing()
        ask, answer = phrasing.request(rng, call), phrasing.refusal(rng, call.tool)
    else:
        calls = scene.calls(0)
        ask = phrasing.request(rng, calls[0])
        answer = forms.tagged(forms.weakened(calls, examples=True))
    return f"Request: {ask}\nAnswer:\n{answer}"


def _instructed(rng: Random, prompts: dict[str, str]) -> tuple[list[Message], list[Tool]]:
    scene = Scene(rng)
    fate = rng.random()
    if fate < 0.3:
        messages: list[Message] = []
        for _ in range(rng.randint(1, 2)):
            messages += _tagged_turn(scene, " " + pick(rng, forms.INSTRUCTIONS[:3]), examples=False)
        return messages, scene.tools
    instruction = prompts["instruction"] if rng.random() < 0.35 else pick(rng, forms.INSTRUCTIONS)
    examples = fate > 0.62
    if examples:
        if rng.random() < 0.35:
            instruction = prompts["examples"]
        else:
            worked = "\n\n".join(_example(rng) for _ in range(rng.randint(1, 3)))
            instruction = f"{instruction}\n\nExamples, with other tools:\n\n{worked}"
    messages = [say("system", instruction)]
    for _ in range(pick(rng, [1, 2, 2, 3])):
        messages += _tagged_turn(scene, "", examples)
    return messages, scene.tools


def document(rng: Random, prompts: dict[str, str]) -> str:
    """One pre-training document: a rendered dialogue.

    *prompts* holds the texts `instruction` and `examples` with which evaluation prompts a base model.
    """
    fate = rng.random()
    if fate < 0.72:
        messages, tools = _plain(rng)
    elif fate < 0.90:
        messages, tools = _instructed(rng, prompts)
    else:
        messages, tools = _without_tools(rng)
    return render(messages, [tool.schema() for tool in tools])
