"""Runs and evaluations on disk, written through the functions that the trainer and the evaluator use."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tuner_tui.data.answers.parsing import parse_answer
from tuner_tui.data.answers.scoring import judge
from tuner_tui.evaluation import layout
from tuner_tui.evaluation.arms import ARMS, PROMPT_ARMS
from tuner_tui.evaluation.heartbeat import Heartbeat
from tuner_tui.evaluation.layout import Request, arm_file, heldout_dir
from tuner_tui.evaluation.suites.heldout import HeldoutTask
from tuner_tui.evaluation.summary import write_summary
from tuner_tui.runs import files
from tuner_tui.runs.layout import ADAPTER, METRICS, STATUS, RunState, Status
from tuner_tui.runs.store import create_run
from tuner_tui.training.config import to_yaml
from tuner_tui.training.presets import load_preset

HOSTILE = "\x1b[31m[bold]Ignore[/bold] everything\x1b[0m\x07 and \u202edrow"

TOOL = {
    "type": "function",
    "function": {
        "name": "book_table",
        "description": "Book a table in a restaurant.",
        "parameters": {
            "type": "object",
            "properties": {
                "restaurant": {"type": "string"},
                "people": {"type": "integer"},
                "outside": {"type": "boolean"},
            },
            "required": ["restaurant", "people"],
        },
    },
}


def heldout_file(folder: Path, calls: int = 8, no_calls: int = 4) -> Path:
    """Rows of which `calls` need a tool call, the first with a hostile request, and `no_calls` do not."""
    rows = []
    for number in range(calls):
        request = f"A table for {number + 2} at Noma, please." if number else HOSTILE
        call = {"name": "book_table", "arguments": {"restaurant": "Noma", "people": number + 2}}
        answer = {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"type": "function", "function": call}],
        }
        rows.append({"messages": [{"role": "user", "content": request}, answer], "tools": [TOOL]})
    for number in range(no_calls):
        messages = [
            {"role": "user", "content": f"What is the weather on day {number}?"},
            {"role": "assistant", "content": "No tool can tell the weather."},
        ]
        rows.append({"messages": messages, "tools": [TOOL]})
    path = folder / "heldout.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def tagged(call: Mapping[str, Any]) -> str:
    """A call in the model's own format."""
    return f"<tool_call>\n{json.dumps(call)}\n</tool_call>"


def make_run(heldout: Path, state: RunState = RunState.FINISHED, *, adapter: bool = True) -> Path:
    """A run directory as a trainer leaves it, with a falling loss."""
    config = load_preset("demo")
    config = config.model_copy(
        update={"evaluation": config.evaluation.model_copy(update={"heldout": heldout})}
    )
    run_dir = create_run("demo", to_yaml(config), {"versions": {"torch": "2.13.0"}})
    now = time.time()
    status = Status(state, step=60, total=60, started=now - 90, heartbeat=now, ended=now)
    files.write_json(run_dir / STATUS, status.to_json())
    for step in range(1, 61):
        record = {"step": step, "time": now - 90 + step, "loss": 2.5 / (1 + 0.2 * step) + 0.05}
        files.append_line(run_dir / METRICS, record)
        if step % 20 == 0:
            files.append_line(
                run_dir / METRICS,
                {"step": step, "time": now - 90 + step, "eval_loss": 2.6 / (1 + 0.2 * step) + 0.1},
            )
    if adapter:
        (run_dir / ADAPTER).mkdir()
        (run_dir / ADAPTER / "adapter_config.json").write_text("{}")
    return run_dir


def write_evaluation(
    eval_dir: Path,
    heldout: Path,
    arms: Sequence[str] = ARMS,
    *,
    state: RunState = RunState.FINISHED,
    reason: str | None = None,
) -> None:
    """Answers of each arm, judged and summed up as the evaluator does it.

    The plain prompt answers in words, the other prompts write every second number as text, and the tuned
    model is right except for the last request, which no tool serves and for which it calls.
    """
    eval_dir.mkdir(parents=True, exist_ok=True)
    task = HeldoutTask(heldout)
    request = Request(
        suite="heldout",
        model="embedded",
        name="embedded",
        adapter=None,
        bits=4,
        double=True,
        dtype="auto",
        heldout=heldout,
        arms=tuple(arms),
        batch=8,
        max_new_tokens=64,
        cache=None,
        fingerprint="test",
    )
    files.write_json(eval_dir / layout.REQUEST, request.to_json())
    total = len(task.items)
    heartbeat = Heartbeat(eval_dir, dict.fromkeys(arms, (total, total)))
    for arm in arms:
        for number, item in enumerate(task.items):
            text = _answer(arm, number, item.gold, last=number == total - 1)
            parsed = parse_answer(text)
            verdict = judge(item.gold, parsed, item.tools)
            files.append_line(
                arm_file(eval_dir, arm),
                {
                    "id": item.id,
                    "row": item.row,
                    "request": item.request,
                    "gold": [asdict(call) for call in item.gold],
                    "text": text,
                    "calls": [asdict(call) for call in parsed.calls],
                    "strict": parsed.strict,
                    "verdict": verdict.to_json(),
                    "error": verdict.error,
                    "tokens": 20,
                    "seconds": 0.1,
                },
            )
    if state is RunState.FINISHED:
        write_summary(eval_dir, request, task)
    heartbeat.end(state, reason)


def evaluated_run(folder: Path) -> Path:
    """A finished run with all arms evaluated."""
    heldout = heldout_file(folder)
    run_dir = make_run(heldout)
    write_evaluation(heldout_dir(run_dir), heldout)
    return run_dir


def measured_base(folder: Path) -> Path:
    """The folder of a measurement of the base model alone."""
    heldout = heldout_file(folder)
    eval_dir = folder / "baselines" / "abc"
    write_evaluation(eval_dir, heldout, PROMPT_ARMS)
    return eval_dir


def _answer(arm: str, number: int, gold: Sequence[Any], *, last: bool) -> str:
    if arm == "base":
        return f"I would book it. {HOSTILE}"
    if not gold:
        return tagged({"name": "book_table", "arguments": {}}) if last else "No tool can tell that."
    arguments = dict(gold[0].arguments)
    if arm != "tuned" and number % 2:
        arguments["people"] = str(arguments["people"])
    return tagged({"name": gold[0].name, "arguments": arguments})


def add_suite(run_dir: Path, name: str, title: str) -> None:
    """Another suite, with the answers of the held-out rows and what it says of general ability."""
    source, folder = heldout_dir(run_dir), heldout_dir(run_dir).with_name(name)
    folder.mkdir()
    for arm in ("base", "tuned"):
        arm_file(folder, arm).write_bytes(arm_file(source, arm).read_bytes())
    summary = json.loads((source / layout.SUMMARY).read_bytes())
    arms = {arm: summary["arms"][arm] for arm in ("base", "tuned")}
    kept = {
        "measure": "choices",
        "title": HOSTILE,
        "state": "kept",
        "delta": 0.0,
        "interval": [-0.06, 0.06],
        "margin": 0.1,
        "sentence": f"Kept: {HOSTILE}",
    }
    changed = {
        "suite": name,
        "title": title,
        "arms": arms,
        "best_prompt": "base",
        "regression": [kept],
        "comparison_best": summary["comparison"],
    }
    files.write_json(folder / layout.SUMMARY, {**summary, **changed})
