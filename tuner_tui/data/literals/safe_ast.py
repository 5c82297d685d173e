"""Python expressions in a dataset's text: parsed, never evaluated."""

import ast
import warnings

LONGEST = 1_000_000
"""Characters; `ast` needs some hundred bytes for each."""


def parse_expression(text: str) -> ast.expr:
    """The tree of one expression.

    Raises:
        ValueError: it is no expression, too long, or nested too deeply; the message says which.
    """
    if len(text) > LONGEST:
        raise ValueError(f"longer than {LONGEST:,} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes such as "\d", which are kept as they are
            return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"not Python: {error.msg}, character {error.offset or 1}") from None
    except (RecursionError, MemoryError):
        raise ValueError("nested too deeply") from None
