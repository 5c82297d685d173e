"""Executable tools: a file of Python functions → functions that TRL may call while the model answers.

They run in a process of their own (`tool_worker`), which is ended and started anew when a call takes too long
or the process dies. What goes wrong in a call is raised as `ToolError`: TRL puts its words into the
conversation as the tool's result, and counts a failure.
"""

import contextlib
import functools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tuner_tui.errors import UserError
from tuner_tui.recipes import tool_worker
from tuner_tui.training.tool_file import tool_functions

RESULT_LIMIT = 4000
"""Characters of a result that are shown to the model."""

_START_SECONDS = 60


class ToolError(Exception):
    """A call that failed; the message is for the model."""


class ToolBox:
    """The tools of one file.

    `functions` have the names, signatures and docstrings of the file's own; `schemas` are what the model is
    shown. Use it as a context manager, or `close` it.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        """Read the file, and see that each function can be a tool.

        Args:
            path: the Python file; it is run here for its signatures, and once more in the worker.
            seconds: how long one call may take.

        Raises:
            UserError: what is wrong with which function, or what its code raised.
        """
        names = tool_functions(path)
        try:
            module = tool_worker.load(path)
            own = [getattr(module, name) for name in names]
        except BaseException as error:  # the code of a person, who may exit or interrupt
            reason = str(error) or "no message"
            raise UserError(f"grpo.tools: {path} cannot be run: {type(error).__name__}: {reason}") from error
        self._path, self._seconds = path, seconds
        self._process: subprocess.Popen[str] | None = None
        self._replies: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.functions = [self._remote(function) for function in own]
        self.schemas = [_schema(path, function) for function in own]

    def __enter__(self) -> "ToolBox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # with what the tools started
            self._process.wait()
            self._process = None

    def call(self, name: str, arguments: dict[str, Any]) -> str:
        """The result of one call, cut at `RESULT_LIMIT` characters.

        Raises:
            ToolError: the tool raised, took too long, or ended its process.
        """
        if self._process is None or self._process.poll() is not None:
            self._start()
        assert self._process is not None and self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"name": name, "arguments": arguments}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self.close()
            raise ToolError(f"{name} found its process ended") from None
        line = self._reply(self._seconds)
        if line is None:
            raise ToolError(f"{name} took longer than {self._seconds:g} seconds")
        if not line:
            raise ToolError(f"{name} ended its process")
        reply: dict[str, str] = json.loads(line)
        if "error" in reply:
            raise ToolError(_cut(reply["error"]))
        return _cut(reply["result"])

    def _start(self) -> None:
        self.close()
        command = [sys.executable, "-m", tool_worker.__name__, str(self._path)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, encoding="utf-8", start_new_session=True
        )
        # A queue of its own for each process: the last word of a killed one must not answer the next call.
        self._replies = queue.SimpleQueue()
        threading.Thread(target=_forward, args=(self._process, self._replies), daemon=True).start()
        if not self._reply(_START_SECONDS):
            raise ToolError("the tools cannot be loaded")

    def _reply(self, seconds: float) -> str | None:
        """The worker's next line, "" when it is gone, None when it takes too long; in both cases it is
        ended."""
        try:
            line = self._replies.get(timeout=seconds)
        except queue.Empty:
            line = None
        if not line:
            self.close()
        return line

    def _remote(self, function: Callable[..., Any]) -> Callable[..., str]:
        # Not a coroutine to TRL, even where the tool is one: the worker awaits it.
        @functools.wraps(function)
        def remote(**arguments: Any) -> str:
            return self.call(function.__name__, arguments)

        return remote


def _forward(process: "subprocess.Popen[str]", replies: "queue.SimpleQueue[str]") -> None:
    """Each line of the worker's, and an empty text when it is gone."""
    assert process.stdout is not None
    for line in process.stdout:
        replies.put(line)
    replies.put("")


def _schema(path: Path, function: Callable[..., Any]) -> dict[str, Any]:
    from transformers.utils import get_json_schema

    try:
        schema: dict[str, Any] = get_json_schema(function)
    except Exception as error:  # its own kinds, and what a strange type hint raises
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"grpo.tools: {path}: {function.__name__} cannot be a tool: {reason}") from error
    # What it returns is no part of a declaration elsewhere, and small models take it for an argument.
    schema["function"].pop("return", None)
    return schema


def _cut(text: str) -> str:
    return text if len(text) <= RESULT_LIMIT else text[:RESULT_LIMIT] + "…"
