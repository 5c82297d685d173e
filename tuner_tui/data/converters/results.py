"""The result of a call as the text of a tool message."""

from typing import Any

from tuner_tui.data.literals.json_text import dump_json


def result_text(output: Any, exception: Any = None) -> str:
    """The output, as it is when it is text, else as JSON; with an exception, an object that holds it and the
    output, if there is one."""
    if exception is not None:
        failed = {"exception": exception} if output is None else {"output": output, "exception": exception}
        return dump_json(failed).decode()
    return output if isinstance(output, str) else dump_json(output).decode()
