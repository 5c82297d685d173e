"""Held-out rows about gates: odd ones need a call, every third needs none."""

import json
from pathlib import Path
from typing import Any

TOOL = {
    "type": "function",
    "function": {
        "name": "open_gate",
        "description": "Open a gate.",
        "parameters": {
            "type": "object",
            "properties": {"number": {"type": "integer"}},
            "required": ["number"],
        },
    },
}


def row(number: int) -> dict[str, Any]:
    call = {"type": "function", "function": {"name": "open_gate", "arguments": {"number": number}}}
    answer: dict[str, Any] = {"role": "assistant", "content": "", "tool_calls": [call]}
    if number % 3 == 0:
        answer = {"role": "assistant", "content": "None of the tools can do that."}
    request = f"Open gate {number}." if number % 3 else f"Paint wall {number}."
    return {"messages": [{"role": "user", "content": request}, answer], "tools": [TOOL]}


def write_rows(path: Path, count: int) -> Path:
    path.write_text("".join(json.dumps(row(number + 1)) + "\n" for number in range(count)))
    return path
