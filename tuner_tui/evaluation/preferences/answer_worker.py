"""The process behind `start_answers`: `python -m tuner_tui.evaluation.preferences.answer_worker FOLDER`.

Rows are appended whole, so that a stopped one goes on where it was when it is started again.
"""

import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner_tui.data.examples import Message
from tuner_tui.evaluation import layout
from tuner_tui.evaluation.ending import see_through
from tuner_tui.evaluation.heartbeat import Heartbeat
from tuner_tui.evaluation.preferences.answers import AnswersRequest, Prompt, prompts_of
from tuner_tui.runs import files
from tuner_tui.runs.layout import RunState

if TYPE_CHECKING:
    from tuner_tui.evaluation.generate import Generator
from tuner_tui.evaluation.tasks import Answer

_CHUNK = 4
"""Batches between two appends: answers of like length share a batch, and little is lost by a stop."""


class Stopped(Exception):
    """A watcher asked for the end, or the system did (SIGTERM)."""


def answer_all(folder: Path, request: AnswersRequest, heartbeat: Heartbeat) -> None:
    """Answer what has not been answered yet. Raises Stopped when it was asked to end."""
    prompts = prompts_of(Path(request.data))[: request.limit]
    out = Path(request.out)
    there = _rows(out)
    left = [prompt for prompt in prompts if prompt.row not in there]
    done, total = len(prompts) - len(left), len(prompts)
    heartbeat.progress("answers", done, total, 0)
    if not left:
        return
    heartbeat.update(phase="loading the model")
    from tuner_tui.evaluation.generate import Generator

    generator = Generator.load(
        request.model,
        Path(request.adapter) if request.adapter else None,
        bits=request.bits,
        double=request.double,
        dtype=request.dtype,
    )
    heartbeat.update(state=str(RunState.RUNNING), phase="answering", generating_since=time.time())
    size = _CHUNK * request.batch
    for start in range(0, len(left), size):
        part = left[start : start + size]
        first, second = (_answers(folder, generator, request, part, which) for which in (0, 1))
        for prompt, one, two in zip(part, first, second, strict=True):
            files.append_line(out, _row(prompt, (one, two), request))
        done += len(part)
        heartbeat.progress("answers", done, total, len(part))


def _answers(
    folder: Path, generator: "Generator", request: AnswersRequest, prompts: Sequence[Prompt], which: int
) -> "list[Answer]":
    """The first (0) or the second (1) answer to each prompt."""
    found: dict[int, Answer] = {}
    for batch in generator.answers(
        [([{**turn} for turn in prompt.messages], [{**tool} for tool in prompt.tools]) for prompt in prompts],
        tuned=request.tuned[which],
        batch=request.batch,
        max_new_tokens=request.max_new_tokens,
        cancelled=lambda: _stop_asked(folder),
        temperature=request.temperature,
        # Another one for each answer, or two samples would be the same.
        seed=request.seed * 1_000_003 + 2 * prompts[0].row + which,
    ):
        found.update(batch)
    if len(found) < len(prompts):
        raise Stopped
    return [found[index] for index in range(len(prompts))]


def _row(prompt: Prompt, answers: "tuple[Answer, Answer]", request: AnswersRequest) -> dict[str, Any]:
    return {
        "row": prompt.row,
        "prompt": prompt.messages,
        "answers": [[_message(answer)] for answer in answers],
        "sources": list(request.sources),
        "tools": prompt.tools,
    }


def _message(answer: "Answer") -> Message:
    """An answer as a message; what is no proper call stays in the text, for people to see."""
    parsed = answer.parsed
    if not parsed.calls or parsed.error is not None:
        return {"role": "assistant", "content": answer.text}
    return {
        "role": "assistant",
        "content": parsed.content,
        "tool_calls": [
            {"type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in parsed.calls
        ],
    }


def _rows(out: Path) -> set[int]:
    try:
        lines = out.read_bytes().split(b"\n")
    except FileNotFoundError:
        return set()
    found = set()
    for line in lines:
        try:
            found.add(int(json.loads(line)["row"]))
        except (ValueError, KeyError, TypeError):
            continue
    return found


_terminated = False


def _terminate(_signal: int, _frame: object) -> None:
    global _terminated
    _terminated = True


def _stop_asked(folder: Path) -> bool:
    return _terminated or (folder / layout.STOP).exists()


def main(arguments: Sequence[str]) -> int:
    """Answer; the exit status is 1 when it failed."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _terminate)
    folder = Path(arguments[0])
    request = AnswersRequest.from_json(json.loads((folder / layout.REQUEST).read_bytes()))
    heartbeat = Heartbeat(folder, {"answers": (0, 0)})
    return see_through(
        lambda: answer_all(folder, request, heartbeat),
        folder,
        heartbeat,
        stopped="stopped on request; what is answered so far is kept.",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
