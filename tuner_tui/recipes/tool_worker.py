"""The process in which executable tools run: `python -m tuner_tui.recipes.tool_worker FILE`.

One JSON object a line on stdout when it is ready, `{"ready": true}`; then one a line on stdin, `{"name",
"arguments"}`, and its answer on stdout, `{"result": text}` or `{"error": text}`. A tool that never returns,
prints, exits or crashes harms this process alone. No torch here.
"""

import asyncio
import importlib.util
import inspect
import json
import os
import queue
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO


def load(path: Path) -> ModuleType:
    """The file as a module. Raises whatever its code raises."""
    spec = importlib.util.spec_from_file_location("tuner_tools", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["tuner_tools"] = module  # as dataclasses and pickle want it
    spec.loader.exec_module(module)
    return module


def answer(module: ModuleType, name: str, arguments: dict[str, Any]) -> dict[str, str]:
    """Call one tool; what it returns or raises, as the conversation shows it."""
    try:
        function = getattr(module, name)
        result = function(**arguments)
        if inspect.iscoroutine(result):
            result = asyncio.run(result)
        return {"result": as_text(result)}
    except BaseException as error:  # whatever a tool raises, exits included, is its answer
        return {"error": str(error) or type(error).__name__}


def as_text(result: Any) -> str:
    """A result as the model reads it: text as it is, anything else as JSON, what JSON has not as `str`."""
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=str)


def main() -> None:
    """Answer until stdin ends, and end then, even in the middle of a call."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    # What a tool prints goes to the log, not between the replies; and it reads no requests.
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, waiting), daemon=True).start()
    module = load(Path(sys.argv[1]))
    reply: dict[str, Any] = {"ready": True}
    while True:
        replies.write(json.dumps(reply) + "\n")
        replies.flush()
        request = json.loads(waiting.get())
        reply = answer(module, request["name"], request["arguments"])
        sys.stdout.flush()


def _listen(requests: TextIO, waiting: "queue.SimpleQueue[str]") -> None:
    for line in requests:
        waiting.put(line)
    os._exit(0)  # the trainer is gone


if __name__ == "__main__":
    main()
