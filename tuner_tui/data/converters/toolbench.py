"""ToolBench's answer files: one search over calls a file, and the path that it settled on.

    {"answer_generation": {"query", "function": [tool, …], "train_messages": [[message, …], …]}, "win", …}

`train_messages[-1]` is the path as it ended; the lists before it are its beginnings, one for each call, and
would be duplicates. The call of `Finish` is how the layout gives its final answer: it becomes plain text. A
search that gave up keeps its call of `Finish`, since that is what the assistant did.

Source: https://github.com/OpenBMB/ToolBench, data_example/answer and
preprocess/preprocess_toolllama_data.py.
"""

from collections.abc import Mapping
from typing import Any

from tuner_tui.data.converters.errors import ConversionError, kind_of, malformed
from tuner_tui.data.converters.messages import to_messages, to_tools
from tuner_tui.data.converters.turns import name_results
from tuner_tui.data.examples import Example, Message

_FINISH = "Finish"


def from_toolbench(value: Mapping[str, Any]) -> Example:
    """One answer file.

    Raises:
        ConversionError: it is a row of a query file, the search left no path, or a message is malformed.
    """
    if "answer_generation" not in value:
        raise ConversionError(
            "no_answer",
            "query",
            "a query and its APIs, with no answer to it; the answers are in a folder beside (G1_answer …)",
        )
    search = value["answer_generation"]
    if not isinstance(search, Mapping):
        raise malformed("answer_generation", f"{kind_of(search)} where an object should be")
    paths = search.get("train_messages")
    if not paths:
        raise ConversionError(
            "no_answer", "answer_generation.train_messages", "the search failed and left no messages"
        )
    field = "answer_generation.train_messages"
    if not isinstance(paths, list):
        raise malformed(field, f"{kind_of(paths)} where a list should be")
    messages = _with_answer(to_messages(paths[-1], f"{field}[{len(paths) - 1}]"))
    tools = to_tools(search.get("function"), "answer_generation.function")
    if not any(_calls_finish(message) for message in messages):
        tools = [tool for tool in tools if tool.get("name") != _FINISH]
    return {"messages": name_results(messages), "tools": tools}


def _with_answer(messages: list[Message]) -> list[Message]:
    """The messages, with a call of `Finish` that gives an answer as the text that it gives."""
    told: list[Message] = []
    for message in messages:
        answer = _answer(message)
        if answer is None:
            told.append(message)
            continue
        before = [message["content"]]
        if told and told[-1]["role"] == "assistant" and not told[-1].get("tool_calls"):
            before.insert(0, told.pop()["content"])  # text and `Finish` are two messages of one turn
        told.append({"role": "assistant", "content": "\n".join(filter(None, [*before, answer]))})
    return told


def _answer(message: Message) -> str | None:
    calls = message.get("tool_calls", ())
    if len(calls) != 1 or not _calls_finish(message):
        return None
    answer = calls[0]["function"]["arguments"].get("final_answer")
    return answer if isinstance(answer, str) and answer.strip() else None


def _calls_finish(message: Message) -> bool:
    return any(call["function"]["name"] == _FINISH for call in message.get("tool_calls", ()))
