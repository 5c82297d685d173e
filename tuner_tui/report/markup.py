"""Markdown that hostile text cannot get out of: what the page and the model card share."""

from collections.abc import Sequence

from tuner_tui.visible import visible

_LONGEST = 300
"""Characters of a code span that are shown."""


def plain(text: str) -> str:
    """A sentence that may quote an error message: nothing in it is Markdown or HTML."""
    return "".join(f"\\{c}" if c in r"\`*_[]<>|#" else c for c in visible(text, one_line=True))


def code(text: str) -> str:
    """Hostile text as a code span: its own backticks can't end it."""
    shown = visible(text, one_line=True, limit=_LONGEST)
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") or not shown.strip() else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def fence(text: str, language: str) -> str:
    """Lines of text as a block of code: backticks in it can't end it."""
    ticks = "`" * max(3, _longest_run(text) + 1)
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """The lines of a table; cells are Markdown already. The first `left` columns are text, the others
    figures."""
    align = ["---" if column < left else "---:" for column in range(len(heads))]
    return ["| " + " | ".join(cells) + " |" for cells in (heads, align, *rows)]


def _longest_run(text: str) -> int:
    """The longest run of backticks."""
    longest, run = 0, 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest
