"""A Python file of tools (`grpo.tools`), looked at before a run without running it.

Its public functions are the tools: those of the file's top level whose names do not begin with "_". Signature
and docstring become the tool's JSON schema, so each must have what that takes: a docstring in Google's style
(https://google.github.io/styleguide/pyguide.html#383-functions-and-methods), and a type and a description for
each argument.
"""

import ast
import re
from pathlib import Path

from tuner_tui.errors import UserError

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def tool_functions(path: Path) -> tuple[str, ...]:
    """The names of the tools in the file, in its order.

    Raises: UserError: it cannot be read, is not Python, or holds no function that can be a tool; the first
        fault of the first function that cannot.
    """
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except OSError as error:
        raise UserError(f"grpo.tools: cannot read {path}: {error.strerror}.") from error
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UserError(f"grpo.tools: {path}{line} is not Python: {message}.") from error
    functions = [node for node in tree.body if isinstance(node, _Function) and not node.name.startswith("_")]
    if not functions:
        raise UserError(
            f"grpo.tools: {path} has no public function; define one, with a docstring and typed arguments."
        )
    for function in functions:
        if fault := _fault(function):
            raise UserError(f"grpo.tools: {path}, line {function.lineno}: {function.name} {fault}.")
    return tuple(dict.fromkeys(function.name for function in functions))


def _fault(function: _Function) -> str:
    """What keeps a function from being a tool, as the end of a sentence; empty for nothing."""
    text = ast.get_docstring(function)
    if not text:
        return "has no docstring, so no model would know what it is for; write one"
    taken = function.args
    if taken.posonlyargs or taken.vararg or taken.kwarg:
        return "takes arguments without a name (*args, **kwargs or /); name each, as a call does"
    for argument in [*taken.args, *taken.kwonlyargs]:
        if argument.annotation is None:
            return f"has no type for its argument {argument.arg}; write {argument.arg}: str, or what it is"
        if not re.search(rf"^\s*{re.escape(argument.arg)}\s*(\(.*\))?:", text, re.MULTILINE):
            return f"does not describe its argument {argument.arg} under “Args:” in its docstring; do so"
    return ""
