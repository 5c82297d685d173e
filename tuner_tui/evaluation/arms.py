"""The arms of an evaluation: one model, asked in several ways.

An arm is a prompt (`base`, the plain one; `instruction`, `examples`, `retrieved`, and `prompt:NAME` for each
`NAME.txt` in a person's own prompts folder) or `tuned`, the tuned model with the plain prompt. With
`+constrained` behind it the same is asked with constrained decoding; `constrained` and `tuned_constrained`
are short for `base+constrained` and `tuned+constrained`.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tuner_tui import paths
from tuner_tui.errors import UserError

ARMS = ("base", "instruction", "examples", "tuned")
"""What is measured by default."""
PROMPT_ARMS = ("base", "instruction", "examples")
"""Those of them that need no training."""
MORE_ARMS = ("retrieved", "constrained", "tuned_constrained")
"""What is measured when it is asked for."""

_CONSTRAINED = "+constrained"
_SHORT = {"constrained": f"base{_CONSTRAINED}", "tuned_constrained": f"tuned{_CONSTRAINED}"}
_OWN = "prompt:"
_EXAMPLES = "{examples}"
_PROMPTS = Path(__file__).parent / "prompts"
_TITLES = {
    "base": "Plain prompt",
    "instruction": "Instruction",
    "examples": "Instruction and examples",
    "retrieved": "Retrieved examples",
    "constrained": "Plain prompt, constrained",
    "tuned": "Tuned, plain prompt",
    "tuned_constrained": "Tuned, constrained",
}


class _Titles(dict[str, str]):
    """Arms that a person made have a title too."""

    def __missing__(self, arm: str) -> str:
        prompt, constrained = split(arm)
        title = _TITLES.get(prompt) or f"Prompt {prompt.removeprefix(_OWN)}"
        return f"{title}, constrained" if constrained else title


ARM_TITLES = _Titles(_TITLES)


def split(arm: str) -> tuple[str, bool]:
    """The prompt of an arm (or "tuned"), and whether decoding is constrained."""
    whole = _SHORT.get(arm, arm)
    return whole.removesuffix(_CONSTRAINED), whole.endswith(_CONSTRAINED)


def with_constraint(arm: str) -> str:
    """The same arm with constrained decoding."""
    return {whole: short for short, whole in _SHORT.items()}.get(arm + _CONSTRAINED, arm + _CONSTRAINED)


def is_tuned(arm: str) -> bool:
    """Whether the arm needs a trained adapter."""
    return split(arm)[0] == "tuned"


def own_prompts() -> list[str]:
    """The arms of a person's own prompts, by name."""
    return [f"{_OWN}{path.stem}" for path in sorted(paths.prompts_dir().glob("*.txt"))]


def check_arms(arms: Iterable[str]) -> None:
    """Refuse arms that there are not.

    Raises:
        UserError: no such arm, or the file of a prompt cannot be read.
    """
    known = [*ARMS, *MORE_ARMS, *own_prompts()]
    for arm in arms:
        prompt = split(arm)[0]
        if prompt not in known:
            raise UserError(
                f"no arm is called {arm!r}; there are: {', '.join(known)}, and each prompt with "
                f"{_CONSTRAINED} behind it. Prompts of your own are files {paths.prompts_dir()}/NAME.txt."
            )
        prompt_text(arm)


def in_order(arms: Iterable[str]) -> list[str]:
    """Arms from the plainest prompt to the tuned model, each once."""
    order = ["base", "instruction", "examples", "retrieved"]

    def place(arm: str) -> tuple[bool, bool, int, str]:
        prompt, constrained = split(arm)
        return is_tuned(arm), constrained, order.index(prompt) if prompt in order else len(order), prompt

    return sorted(set(arms), key=place)


def prompt_text(arm: str) -> str:
    """What the arm adds to the system message, "" for the plain prompt; `{examples}` in it stands for
    retrieved rows.

    Raises:
        UserError: the file of the prompt cannot be read.
    """
    prompt = split(arm)[0]
    if prompt in ("base", "tuned"):
        return ""
    own = prompt.startswith(_OWN)
    path = paths.prompts_dir() / f"{prompt.removeprefix(_OWN)}.txt" if own else _PROMPTS / f"{prompt}.txt"
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: the prompt cannot be read as UTF-8 text.") from error


def retrieves(arm: str) -> bool:
    """Whether the arm's prompt asks for retrieved rows."""
    return _EXAMPLES in prompt_text(arm)


def with_examples(text: str, examples: str) -> str:
    """The prompt with the retrieved rows in their place."""
    return text.replace(_EXAMPLES, examples)


def arm_mark(arm: str, training: Iterable[Path]) -> str:
    """What an arm's answers rest on beside model and items: its prompt, and the rows that it retrieves."""
    text = prompt_text(arm)
    found = hashlib.sha256(text.encode())
    for path in training if _EXAMPLES in text else ():
        stat = path.stat()
        found.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}".encode())
    return found.hexdigest()[:16]


def with_prompt(messages: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """The conversation with `text` in its system message, after what that says already."""
    if not text:
        return messages
    if messages and messages[0]["role"] == "system":
        system = {**messages[0], "content": f"{messages[0]['content']}\n\n{text}"}
        return [system, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]
