"""Which published tool-use benchmark a row comes from, told by its keys; `formats` asks it.

The converters of these layouts, with their sources, are in `converters`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tuner_tui.data.layouts.reshape import is_dialogue_turn, is_toolalpaca_api


def published_layout(value: Mapping[str, Any]) -> str | None:
    """The value of the `Format` that a row has, None when it comes from none of these benchmarks."""
    return next((name for name, belongs in _BENCHMARKS.items() if belongs(value)), None)


def _is_toolbench(value: Mapping[str, Any]) -> bool:
    return "answer_generation" in value or {"query", "api_list"} <= value.keys()


def _is_toolalpaca(value: Mapping[str, Any]) -> bool:
    return is_toolalpaca_api(value) or ("Documentation" in value and "Instruction" in value)


def _is_api_bank(value: Mapping[str, Any]) -> bool:
    dialogue = value.get("dialogue")
    if isinstance(dialogue, list) and dialogue:
        return isinstance(dialogue[0], Mapping) and is_dialogue_turn(dialogue[0])
    return is_dialogue_turn(value)


def _is_seal_tools(value: Mapping[str, Any]) -> bool:
    match value:
        case {"conversations": [{"value": str(prompt)}, *_]}:
            return "\napi_list = [" in prompt and "\ntask_instruction = " in prompt
        case {"query": _, "calling": _} | {"api_name": _, "api_description": _}:
            return True
    return False


def _is_tooltalk(value: Mapping[str, Any]) -> bool:
    turns = value.get("conversation")
    return isinstance(turns, list) and any(isinstance(turn, Mapping) and "text" in turn for turn in turns)


def _is_apibench(value: Mapping[str, Any]) -> bool:
    return {"code", "api_call"} <= value.keys() or {"domain", "api_name", "api_call"} <= value.keys()


def _is_bfcl(value: Mapping[str, Any]) -> bool:
    question = value.get("question")
    if "question" not in value:
        return {"id", "ground_truth"} <= value.keys()
    return isinstance(question, list) and bool(question) and all(isinstance(turn, list) for turn in question)


_BENCHMARKS: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "toolbench": _is_toolbench,
    "toolalpaca": _is_toolalpaca,
    "api_bank": _is_api_bank,
    "seal_tools": _is_seal_tools,
    "tooltalk": _is_tooltalk,
    "apibench": _is_apibench,
    "bfcl": _is_bfcl,
}
