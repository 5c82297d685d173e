"""The verbs of STEPS 4 and 5: `eval`, `report`."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.cli.output import add_json_flag, emit
from tuner_tui.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from tuner_tui.evaluation.progress import EvalProgress
    from tuner_tui.evaluation.shapes import Summary

_POLL_SECONDS = 0.5


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verbs."""
    evaluate = subparsers.add_parser("eval", help="base and tuned on the same items; Ctrl-C leaves it alive")
    evaluate.add_argument("what", metavar="RUN|MODEL", help='a run, "last", "embedded", a folder or a hub id')
    evaluate.add_argument("--data", type=Path, metavar="FILE", help="held-out rows; a run knows its own")
    evaluate.add_argument(
        "--arms", metavar="A,B", help="of base, instruction, examples, tuned; all by default"
    )
    evaluate.add_argument("--fresh", action="store_true", help="measure again what has been measured")
    evaluate.add_argument("--full-precision", action="store_true", help="a base model without 4-bit weights")
    add_json_flag(evaluate)
    evaluate.set_defaults(run=evaluate_now)

    report = subparsers.add_parser("report", help="the report of a run, also written beside it")
    report.add_argument("of", metavar="RUN", help='its id, the start of its id, or "last"')
    add_json_flag(report)
    report.set_defaults(run=report_now)


def evaluate_now(args: argparse.Namespace) -> int:
    """`tuner eval RUN|MODEL`. 1 when the evaluation failed."""
    from tuner_tui.evaluation.progress import load_summary, read_progress
    from tuner_tui.runs.layout import RunState

    eval_dir = _start(args)
    try:
        _follow(eval_dir, quiet=args.json)
    except KeyboardInterrupt:
        again = " ".join(["tuner eval", args.what, *(["--data", str(args.data)] if args.data else [])])
        sys.stderr.write(f"\nThe evaluation goes on. `{again}` comes back to it.\n")
        return 130
    progress, summary = read_progress(eval_dir), load_summary(eval_dir)
    if progress.state is not RunState.FINISHED or summary is None:
        sys.stderr.write(f"tuner: the evaluation {progress.state}: {progress.error or eval_dir}\n")
        return 1
    emit(args, {**summary, "path": str(eval_dir)}, lambda console: _print(summary, console))
    return 0


def report_now(args: argparse.Namespace) -> int:
    """`tuner report RUN`. 1 when the run failed."""
    from tuner_tui.report.build import MARKDOWN, write_report
    from tuner_tui.report.terminal import render
    from tuner_tui.runs.store import find_run

    run_dir = find_run(args.of)
    report = write_report(run_dir)

    def human(console: "Console") -> None:
        render(report, console)
        console.print(f"\nWritten to {run_dir / MARKDOWN}", markup=False, soft_wrap=True)

    emit(args, report, human)
    return int(report["run"]["state"] in ("failed", "lost"))


def _start(args: argparse.Namespace) -> Path:
    from tuner_tui import paths
    from tuner_tui.evaluation.arms import ARMS, PROMPT_ARMS
    from tuner_tui.evaluation.launch import start_baseline, start_evaluation
    from tuner_tui.runs.store import find_run

    arms = tuple(part.strip() for part in args.arms.split(",") if part.strip()) if args.arms else None
    for arm in arms or ():
        if arm not in ARMS:
            raise UserError(f"--arms: {arm!r} is none of: {', '.join(ARMS)}.")
    is_model = args.what == "embedded" or (Path(args.what).expanduser() / "config.json").is_file()
    if not is_model:
        try:
            run_dir = find_run(args.what)
        except UserError:
            # A hub id has a slash, as no run's id has; anything else is a mistyped run.
            if "/" not in args.what or Path(args.what).exists():
                raise
        else:
            return start_evaluation(run_dir, arms or ARMS, heldout=args.data, fresh=args.fresh)
    heldout = args.data
    if heldout is None and args.what == "embedded":
        heldout = paths.sample_data() / "heldout.jsonl"
    if heldout is None:
        raise UserError(f"{args.what} is a model, not a run: name the held-out rows with --data FILE.")
    return start_baseline(
        args.what,
        heldout,
        arms or PROMPT_ARMS,
        bits=None if args.full_precision else 4,
        fresh=args.fresh,
    )


def _follow(eval_dir: Path, *, quiet: bool) -> None:
    """Wait for the end; say on stderr how far it is, in place on a terminal."""
    from tuner_tui.evaluation.progress import read_progress

    in_place = sys.stderr.isatty()
    said = ""
    while True:
        progress = read_progress(eval_dir)
        line = _line(progress)
        if not quiet and line != said:
            sys.stderr.write(f"\r\x1b[2K{line}" if in_place else f"{line}\n")
            sys.stderr.flush()
            said = line
        if not progress.state.live:
            break
        time.sleep(_POLL_SECONDS)
    if in_place and not quiet:
        sys.stderr.write("\r\x1b[2K")


def _line(progress: "EvalProgress") -> str:
    from tuner_tui.evaluation.arms import ARM_TITLES

    if not progress.state.live:
        return f"evaluation {progress.state}"
    if progress.arm is None:
        return f"{progress.phase} ..."
    left = f", about {progress.eta:.0f} s left" if progress.eta is not None else ""
    done, total = progress.arms.get(progress.arm, (0, 0))
    return f"{ARM_TITLES[progress.arm]}: {done} of {total} items{left}"


def _print(summary: "Summary", console: "Console") -> None:
    from tuner_tui.report.terminal import print_evaluation

    print_evaluation(summary, console)
