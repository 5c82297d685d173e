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
from tuner_tui.data.converters.finish import FINISH, calls_finish, with_answer
from tuner_tui.data.converters.messages import to_messages
from tuner_tui.data.converters.tools import to_tools
from tuner_tui.data.converters.turns import name_results
from tuner_tui.data.examples import Example


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
    messages = with_answer(to_messages(paths[-1], f"{field}[{len(paths) - 1}]"))
    tools = to_tools(search.get("function"), "answer_generation.function")
    if not any(calls_finish(message) for message in messages):
        tools = [tool for tool in tools if tool.get("name") != FINISH]
    return {"messages": name_results(messages), "tools": tools}
