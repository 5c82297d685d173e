"""Rows of `sample_data` in the canonical layout: one function per kind of row."""

from collections.abc import Sequence
from random import Random
from typing import Any

from tuner_tui.embedded import phrasing, small_talk
from tuner_tui.embedded.forms import tagged, to_json
from tuner_tui.embedded.tools import Call, Tool, random_call
from tuner_tui.embedded.words import draw, made_up_word, pick

Row = dict[str, Any]
Message = dict[str, Any]

MADE_UP = 0.3  # share of made-up words among the values


def user(content: str) -> Message:
    """A user's turn."""
    return {"role": "user", "content": content}


def answer(content: str) -> Message:
    """An assistant's turn in words."""
    return {"role": "assistant", "content": content}


def calling(calls: Sequence[Call], content: str = "") -> Message:
    """An assistant's turn that calls."""
    return {
        "role": "assistant",
        "content": content,
        "tool_calls": [call.message() for call in calls],
    }


def result(tool: Tool, value: dict[str, Any]) -> Message:
    """A tool's answer."""
    return {"role": "tool", "name": tool.name, "content": to_json(value)}


def row(messages: list[Message], tools: Sequence[Tool]) -> Row:
    """A canonical row."""
    return {"messages": messages, "tools": [tool.schema() for tool in tools]}


def declared(rng: Random, catalog: Sequence[Tool], needed: Sequence[Tool]) -> list[Tool]:
    """*needed* and others of the catalog, one to four in all, in random order."""
    others = [tool for tool in catalog if tool not in needed]
    count = max(len(needed), pick(rng, [1, 1, 2, 2, 3, 4]))
    tools = [*needed, *rng.sample(others, count - len(needed))]
    rng.shuffle(tools)
    return tools


def single_call(rng: Random, catalog: Sequence[Tool]) -> Row:
    """One request, one call."""
    call = random_call(rng, pick(rng, catalog), MADE_UP, optional=0.4)
    request = phrasing.request(rng, call)
    return row([user(request), calling([call])], declared(rng, catalog, [call.tool]))


def parallel_calls(rng: Random, catalog: Sequence[Tool]) -> Row:
    """One request, two or three calls at once."""
    tools = rng.sample(list(catalog), pick(rng, [2, 2, 3]))
    calls = [random_call(rng, tool, MADE_UP, optional=0.3) for tool in tools]
    request = phrasing.joined_request(rng, calls)
    return row([user(request), calling(calls)], declared(rng, catalog, tools))


def refused(rng: Random, catalog: Sequence[Tool]) -> Row:
    """A request which none of the declared tools serves; most are for a tool that is not there."""
    tools = declared(rng, catalog, [])
    if rng.random() < 0.15:
        ask, reply = small_talk.chat(rng)
        return row([user(ask), answer(reply)], tools)
    missing = pick(rng, [tool for tool in catalog if tool not in tools])
    call = random_call(rng, missing, MADE_UP)
    request = phrasing.request(rng, call)
    return row([user(request), answer(phrasing.refusal(rng, missing))], tools)


def _outcome(rng: Random, tool: Tool) -> tuple[dict[str, Any], str]:
    """A tool's result, and the sentence that reports it."""
    fields: dict[str, Any] = {"status": pick(rng, ["ok", "done"])}
    if rng.random() < 0.6:
        kind = pick(rng, ["code", "integer", "date"])
        fields[{"code": "number", "integer": "count", "date": "date"}[kind]] = draw(kind, rng, 0)
    said = phrasing.enumeration([f"the {k} is {phrasing.say(v)}" for k, v in fields.items()])
    return fields, pick(rng, ["Done: {}.", "It worked: {}."]).format(said)


def multi_step(rng: Random, catalog: Sequence[Tool]) -> Row:
    """A plan and a first call, its result, a second call that needs the result, and the answer."""
    second = pick(rng, [t for t in catalog if any(p.kind == "code" for p in t.parameters)])
    first = pick(rng, [t for t in catalog if t is not second])
    key = next(p for p in second.parameters if p.kind == "code")
    call = random_call(rng, first, MADE_UP, optional=0.2)
    code = draw("code", rng, 0)
    others = random_call(rng, second, MADE_UP, optional=0.0).arguments
    follow_up = Call(second, {**others, key.name: code})
    rest = {k: v for k, v in follow_up.arguments.items() if k != key.name}
    ask = phrasing.joined_request(rng, [call, Call(second, rest)])
    ask += f" Take the {key.spoken} from the first result."
    reported, said = _outcome(rng, second)
    messages = [
        user(ask),
        calling([call], f"First I need the {key.spoken}."),
        result(first, {key.name: code}),
        calling([follow_up]),
        result(second, reported),
        answer(said),
    ]
    return row(messages, declared(rng, catalog, [first, second]))


def error_recovery(rng: Random, catalog: Sequence[Tool]) -> Row:
    """A call that fails, its repair by what the error says, and the answer."""
    tool = pick(rng, [t for t in catalog if any(p.required and not p.choices for p in t.parameters)])
    wrong = pick(rng, [p for p in tool.parameters if p.required and not p.choices])
    call = random_call(rng, tool, MADE_UP, optional=0.3)
    better = wrong.value(rng, MADE_UP)
    repaired = Call(tool, {**call.arguments, wrong.name: better})
    reported, said = _outcome(rng, tool)
    messages = [
        user(phrasing.request(rng, call)),
        calling([call]),
        result(tool, {"error": f"bad {wrong.name}", "use": better}),
        calling([repaired]),
        result(tool, reported),
        answer(said),
    ]
    return row(messages, declared(rng, catalog, [tool]))


def preference(rng: Random, catalog: Sequence[Tool]) -> Row:
    """A prompt with a better and a worse answer: the right one against one of six faults.

    A needless call and a needless refusal both occur: a reward model that never saw a refusal lose would pay
    for refusing everything.
    """
    fault = pick(rng, ["wrong tool", "malformed", "invented", "told", "refused", "needless"])
    if fault == "needless":
        base = refused(rng, catalog)
        tool = next(t for t in catalog if t.schema() == base["tools"][0])
        rejected = calling([random_call(rng, tool, MADE_UP)])
    else:
        call = random_call(rng, pick(rng, catalog), MADE_UP)
        other = pick(rng, [t for t in catalog if t is not call.tool])
        tools = declared(rng, catalog, [call.tool, other])
        base = row([user(phrasing.request(rng, call)), calling([call])], tools)
        match fault:
            case "wrong tool":
                rejected = calling([random_call(rng, other, MADE_UP)])
            case "malformed":
                rejected = answer(tagged([call]).replace("}}\n", "}\n"))
            case "told":
                rejected = answer(phrasing.plan(rng, [call]))
            case "refused":
                rejected = answer(phrasing.refusal(rng, call.tool))
            case _:
                invented = {**call.arguments, made_up_word(rng): draw("word", rng, 0)}
                rejected = calling([Call(call.tool, invented)])
    return {
        "prompt": base["messages"][:1],
        "chosen": base["messages"][1:],
        "rejected": [rejected],
        "tools": base["tools"],
    }
