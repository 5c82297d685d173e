"""BFCL, the Berkeley Function Calling Leaderboard: questions, the tools, and answers in a file of their own.

    BFCL_v4_simple_python.json …: {"id", "question": [[message, …], …], "function": [tool, …]}
    possible_answer/ (same name): {"id", "ground_truth": [{"math.area": {"base": [10], "unit": ["m", ""]}}]}

`question` has one list of messages a turn. Every value of an answer is a list of alternatives, of which the
first that is not "" is taken. "" says that the argument may be left out: so it is where there is nothing else
or null comes next; a required one is then the empty text. The multi-turn categories have `involved_classes`
in place of tools, which stand in multi_turn_func_doc/, and one list of call texts a turn.

What the benchmark leaves open stays open: no results (it runs the calls), no text where the model should
ask back or decline, so that two turns of the user meet there, and no assistant's turn in the categories
irrelevance and relevance, which have no answers. Tools that a category holds back until a turn
(`missed_function`) are offered from the start: an example has one list of tools.

Source: https://github.com/ShishirPatil/gorilla, berkeley-function-call-leaderboard/bfcl_eval/data.
"""

from collections.abc import Mapping
from typing import Any

from tuner_tui.data.converters.bfcl_answers import called, chosen
from tuner_tui.data.converters.errors import ConversionError, kind_of, malformed
from tuner_tui.data.converters.messages import to_messages
from tuner_tui.data.converters.tools import to_tools
from tuner_tui.data.examples import Example, Message, ToolCall
from tuner_tui.data.layouts.companions import Companion

_UNANSWERED = ("irrelevance", "live_irrelevance", "live_relevance")
_AGENTIC = ("memory", "web_search")
# A class of the multi-turn backends, and the file of its tools: constants/executable_backend_config.py.
_CLASS_FILES = {
    "GorillaFileSystem": "gorilla_file_system",
    "MathAPI": "math_api",
    "MessageAPI": "message_api",
    "TwitterAPI": "posting_api",
    "TicketAPI": "ticket_api",
    "TradingBot": "trading_bot",
    "TravelAPI": "travel_booking",
    "VehicleControlAPI": "vehicle_control",
}


def from_bfcl(value: Mapping[str, Any], companion: Companion) -> Example:
    """One question, with its answer.

    Raises:
        ConversionError: it is a row of an answer file, its answer or its tools are not there, or the category
            keeps only the last word of an answer (memory, web_search).
    """
    if "question" not in value:
        raise ConversionError(
            "no_answer",
            "ground_truth",
            "an answer without its question, which is in the file of the same name one folder up",
        )
    identity = str(value.get("id"))
    if identity.startswith("memory_prereq"):
        raise ConversionError(
            "no_answer", "question", "the user's part of a conversation, with no answers to it"
        )
    if identity.startswith(_AGENTIC):
        raise ConversionError(
            "no_answer", "question", "this category has final answers, and not the calls that lead to them"
        )
    turns = _turns(value["question"])
    tools = _tools(value, companion)
    truth = _truth(identity, companion)
    if truth is None:
        return {"messages": [message for turn in turns for message in turn], "tools": tools}
    multi_turn = all(isinstance(turn, list) for turn in truth)
    answers = truth if multi_turn else [truth]
    if len(answers) != len(turns):
        reason = f"{len(answers)} answers to {len(turns)} turns"
        raise ConversionError("no_answer", "ground_truth", reason)
    messages: list[Message] = []
    for index, (turn, answer) in enumerate(zip(turns, answers, strict=True)):
        field = f"ground_truth[{index}]" if multi_turn else "ground_truth"
        messages.extend(turn)
        if answer:
            calls = [_call(one, f"{field}[{number}]", tools) for number, one in enumerate(answer)]
            messages.append({"role": "assistant", "content": "", "tool_calls": calls})
    return {"messages": messages, "tools": tools}


def _turns(question: Any) -> list[list[Message]]:
    if not isinstance(question, list) or not all(isinstance(turn, list) for turn in question):
        raise malformed("question", "there is no list of turns, each a list of messages")
    return [to_messages(turn, f"question[{index}]") if turn else [] for index, turn in enumerate(question)]


def _tools(value: Mapping[str, Any], companion: Companion) -> list[dict[str, Any]]:
    if "function" in value:
        function = value["function"]
        return to_tools([function] if isinstance(function, Mapping) else function, "function")
    classes = value.get("involved_classes")
    if not isinstance(classes, list):
        raise ConversionError(
            "invalid_tool", "function", "there is neither `function` nor `involved_classes`"
        )
    tools: list[dict[str, Any]] = []
    for name in classes:
        stem = _CLASS_FILES.get(name) if isinstance(name, str) else None
        if stem is None or stem not in companion.tools:
            file = f"multi_turn_func_doc/{stem}.json" if stem else "any known file"
            reason = f"the tools of {str(name)[:40]} are not there; they stand in {file} beside the file"
            raise ConversionError("missing_companion", "involved_classes", reason)
        tools.extend(companion.tools[stem])
    excluded = value.get("excluded_function")
    return [tool for tool in tools if not isinstance(excluded, list) or tool.get("name") not in excluded]


def _truth(identity: str, companion: Companion) -> list[Any] | None:
    """The answer to a question, None where its category has none."""
    if identity not in companion.answers:
        if identity.startswith(_UNANSWERED):
            return None
        if companion.missing:
            raise ConversionError("missing_companion", None, f"the answers are missing: {companion.missing}")
        raise ConversionError("no_answer", "id", "there is no row with this id in possible_answer/")
    truth = companion.answers[identity]
    if not isinstance(truth, list) or not truth:
        raise ConversionError("no_answer", "ground_truth", f"{kind_of(truth)} where calls should be")
    return truth


def _call(answer: Any, field: str, tools: list[dict[str, Any]]) -> ToolCall:
    if isinstance(answer, str):
        return called(answer, field, tools)
    if isinstance(answer, Mapping) and len(answer) == 1:
        return chosen(answer, field, tools)
    raise malformed(field, f"{kind_of(answer)} where one call should be")
