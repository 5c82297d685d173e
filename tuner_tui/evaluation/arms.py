"""The arms of an evaluation: one model, three prompts, and the tuned model with the plain "
"prompt."""

from pathlib import Path
from typing import Any

ARMS = ("base", "instruction", "examples", "tuned")
PROMPT_ARMS = ("base", "instruction", "examples")
"""The arms that need no training."""

ARM_TITLES = {
    "base": "Plain prompt",
    "instruction": "Instruction",
    "examples": "Instruction and examples",
    "tuned": "Tuned, plain prompt",
}

_PROMPTS = Path(__file__).parent / "prompts"


def prompt_text(arm: str) -> str:
    """What the arm adds to the system message; "" for the plain prompt."""
    if arm not in ("instruction", "examples"):
        return ""
    return (_PROMPTS / f"{arm}.txt").read_text("utf-8").strip()


def with_prompt(messages: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """The conversation with `text` in its system message, after what that says already."""
    if not text:
        return messages
    if messages and messages[0]["role"] == "system":
        system = {**messages[0], "content": f"{messages[0]['content']}\n\n{text}"}
        return [system, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]
