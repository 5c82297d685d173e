"""The other end of `backend`: starts the process, and starts it again when a request has brought it down."""

import contextlib
import json
import os
import subprocess
import sys
import weakref
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from tuner_tui.data.examples import Call


class Broken(Exception):
    """A request took too long or too much memory, or could not be served; the item cannot go on."""


class Backend:
    """One process for all items of a suite."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._generation = 0
        self._keys = count()

    def begin(self, entry: Mapping[str, Any]) -> "Conversation":
        """The services of one official entry, in the state that it begins with."""
        return Conversation(self, next(self._keys), entry)

    @property
    def generation(self) -> int:
        """Grows when the process is a new one, which knows nothing of the items before."""
        self._running()
        return self._generation

    def ask(self, request: Mapping[str, Any]) -> Any:
        """One request and its reply.

        Raises:
            Broken: it brought the process down, or was refused.
        """
        process = self._running()
        assert process.stdin and process.stdout
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except (OSError, UnicodeError):
            line = ""
        if not line.endswith("\n"):
            self.close()
            raise Broken("the call took too long, or too much memory")
        reply = json.loads(line)
        if "failed" in reply:
            raise Broken(reply["failed"])
        return reply["reply"]

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            _end(self._process)
            self._process = None

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(
                [sys.executable, "-B", "-m", "tuner_tui.evaluation.suites.bfcl.backend"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # No key or token of the caller's: the services need none.
                env={
                    "PATH": os.environ.get("PATH", ""),
                    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                    "PYTHONHASHSEED": "0",
                    "TZ": os.environ.get("TZ", ""),
                },
                start_new_session=True,
                text=True,
                encoding="utf-8",
            )
            self._generation += 1
            weakref.finalize(self, _end, self._process)
        return self._process


class Conversation:
    """One item's services. What was asked of them before a restart is asked again after it."""

    def __init__(self, backend: Backend, key: int, entry: Mapping[str, Any]) -> None:
        self._backend, self._key = backend, key
        self._log: list[dict[str, Any]] = [
            {
                "do": "begin",
                "key": key,
                "classes": entry["involved_classes"],
                "config": entry["initial_config"],
                "long_context": "long_context" in entry["id"],
            }
        ]
        self._generation = -1

    def calls(self, calls: Sequence[Call]) -> list[str]:
        """The results of calls, in order. Raises Broken."""
        asked = [[call.name, call.arguments] for call in calls]
        results: list[str] = self._ask({"do": "calls", "key": self._key, "calls": asked})
        return results

    def end_turn(self, gold: Sequence[str]) -> tuple[bool, bool]:
        """Whether the state is the right one, and whether every right result was seen. Raises Broken."""
        reply = self._ask({"do": "end_turn", "key": self._key, "gold": list(gold)})
        return reply["state"], reply["results"]

    def end(self) -> None:
        """Forget the item."""
        with contextlib.suppress(Broken):
            self._backend.ask({"do": "end", "key": self._key})

    def _ask(self, request: dict[str, Any]) -> Any:
        if self._generation != self._backend.generation:
            for each in self._log:
                self._backend.ask(each)
            self._generation = self._backend.generation
        reply = self._backend.ask(request)
        self._log.append(request)
        return reply


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()
