"""The verb of STEP 4: `eval`."""

import argparse
import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner_tui.cli.arguments import whole
from tuner_tui.cli.output import add_json_flag, emit
from tuner_tui.errors import UserError
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from rich.console import Console

    from tuner_tui.evaluation.progress import EvalProgress

_POLL_SECONDS = 0.5
SUITE_NAMES = (
    *("heldout", "bfcl", "bfcl_prompting", "bfcl_multi_turn", "bfcl_multi_turn_prompting"),
    *("apibench", "tasks", "general", "lm_eval"),
)
"""The keys of `suites.SUITES`, which is not imported to print the help."""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    evaluate = subparsers.add_parser("eval", help="base and tuned on the same items; Ctrl-C leaves it alive")
    evaluate.add_argument("what", metavar="RUN|MODEL", help='a run, "last", "embedded", a folder or a hub id')
    evaluate.add_argument("--data", type=Path, metavar="FILE", help="held-out rows; a run knows its own")
    evaluate.add_argument(
        "--arms",
        metavar="A,B",
        help="base, instruction, examples and tuned by default; also retrieved, constrained, "
        "tuned_constrained, prompt:NAME",
    )
    evaluate.add_argument("--fresh", action="store_true", help="measure again what has been measured")
    evaluate.add_argument("--full-precision", action="store_true", help="a base model without 4-bit weights")
    evaluate.add_argument(
        "--suite",
        default="heldout",
        metavar="A,B",
        help=f"of {', '.join(SUITE_NAMES)}; held-out rows by default",
    )
    evaluate.add_argument(
        "--limit", type=whole(1), metavar="N", help="a subset of N items, each category with its share"
    )
    evaluate.add_argument(
        "--seed", type=whole(0), default=0, metavar="N", help="of the subset and of sampling"
    )
    evaluate.add_argument(
        "--repeats", type=whole(1, 100), default=1, metavar="K", help="answers to each item, for pass^k"
    )
    evaluate.add_argument(
        "--temperature", type=_temperature, default=0.0, metavar="T", help="0, the default, is greedy"
    )
    evaluate.add_argument(
        "--endpoint", metavar="URL", help="an OpenAI-compatible server that answers as MODEL, to its /v1"
    )
    evaluate.add_argument(
        "--api-key-env", metavar="NAME", help="the environment variable with the server's key"
    )
    evaluate.add_argument(
        "--concurrency", type=whole(1, 256), default=8, metavar="N", help="requests at once to the server"
    )
    evaluate.add_argument(
        "--max-new-tokens", type=whole(1), metavar="N", help="of an answer; a run knows its own, else 256"
    )
    evaluate.add_argument(
        "--plan", action="store_true", help="say what would be asked and how small a change it shows; no more"
    )
    add_json_flag(evaluate)
    evaluate.set_defaults(run=evaluate_now)


def evaluate_now(args: argparse.Namespace) -> int:
    """`tuner eval RUN|MODEL`. 1 when an evaluation failed."""
    from tuner_tui.evaluation.progress import load_summary, read_progress
    from tuner_tui.runs.layout import RunState

    suites = _suites(args.suite)
    if args.plan:
        return _plan(args, suites)
    summaries: dict[str, Any] = {}
    for suite in suites:
        eval_dir = _start(args, suite)
        try:
            follow(eval_dir, quiet=args.json)
        except KeyboardInterrupt:
            sys.stderr.write(f"\nThe evaluation goes on. `{_again(args)}` comes back to it.\n")
            return 130
        progress, summary = read_progress(eval_dir), load_summary(eval_dir)
        if progress.state is not RunState.FINISHED or summary is None:
            told = visible(f"the evaluation {progress.state}: {progress.error or eval_dir}", one_line=True)
            sys.stderr.write(f"tuner: {told}\n")
            return 1
        summaries[suite] = {**summary, "path": str(eval_dir)}

    def human(console: "Console") -> None:
        from tuner_tui.cli.suite_page import print_suite

        for number, summary in enumerate(summaries.values()):
            if number:
                console.print()
            print_suite(summary, console)

    emit(args, summaries[suites[0]] if len(suites) == 1 else {"suites": summaries}, human)
    return 0


def _plan(args: argparse.Namespace, suites: list[str]) -> int:
    """What each suite would ask. 1 when one of them cannot be measured."""
    from dataclasses import asdict

    from tuner_tui.evaluation.plans import ABOUT, look_at_items
    from tuner_tui.evaluation.several import heldout_file
    from tuner_tui.evaluation.suites import SUITES
    from tuner_tui.runs.layout import CONFIG
    from tuner_tui.runs.store import find_run
    from tuner_tui.training.config import load_config

    plans = []
    for suite in suites:
        source = _source(args, suite)
        if suite == "heldout" and source is None and not _is_model(args.what):
            source = heldout_file(load_config(find_run(args.what) / CONFIG))
        plans.append(look_at_items(suite, source).plan(args.limit))

    def human(console: "Console") -> None:
        for plan in plans:
            what, why = ABOUT[plan.suite]
            console.print(SUITES[plan.suite].title, style="bold", markup=False)
            console.print(visible(f"{what} {why}", one_line=True), markup=False, style="dim")
            console.print(visible(plan.sentence, one_line=True), markup=False)

    found = {plan.suite: {**asdict(plan), "sentence": plan.sentence} for plan in plans}
    emit(args, {"suites": found}, human)
    return int(any(plan.obstacle for plan in plans))


def _source(args: argparse.Namespace, suite: str) -> Path | None:
    """The file of a suite's items that the call names, or that comes with the embedded model."""
    from tuner_tui import paths

    own = paths.sample_data() / "heldout.jsonl" if args.what == "embedded" and suite == "heldout" else None
    return args.data or own


def _is_model(what: str) -> bool:
    return what == "embedded" or (Path(what).expanduser() / "config.json").is_file()


def _suites(text: str) -> list[str]:
    from tuner_tui.evaluation.suites import SUITES

    suites = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for suite in suites:
        if suite not in SUITES:
            raise UserError(f"--suite: {suite!r} is none of: {', '.join(SUITES)}.")
    if not suites:
        raise UserError(f"--suite: name at least one of: {', '.join(SUITES)}.")
    return suites


def _again(args: argparse.Namespace) -> str:
    """The command that comes back to an evaluation."""
    words = ["tuner", "eval", args.what]
    for name in ("data", "suite", "limit", "seed", "repeats", "temperature", "endpoint", "api_key_env"):
        value = getattr(args, name)
        if value and (name, value) not in (("suite", "heldout"), ("repeats", 1)):
            words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join(words)


def _start(args: argparse.Namespace, suite: str) -> Path:
    from tuner_tui.evaluation.arms import check_arms
    from tuner_tui.evaluation.launch import start_baseline, start_evaluation
    from tuner_tui.evaluation.subset import Limits
    from tuner_tui.evaluation.suites import SUITES
    from tuner_tui.runs.store import find_run

    arms = tuple(part.strip() for part in args.arms.split(",") if part.strip()) if args.arms else None
    check_arms(arms or ())
    limits = Limits(args.limit, args.seed, args.repeats)
    if not _is_model(args.what) and args.endpoint is None:
        try:
            run_dir = find_run(args.what)
        except UserError:
            # A hub id has a slash, as no run's id has; anything else is a mistyped run.
            if "/" not in args.what or Path(args.what).exists():
                raise
        else:
            return start_evaluation(
                run_dir,
                arms,
                suite=suite,
                heldout=args.data,
                limits=limits,
                temperature=args.temperature,
                fresh=args.fresh,
            )
    source = _source(args, suite)
    if source is None and SUITES[suite].source == "needed":
        raise UserError(
            f"{args.what} is a model, not a run: name the held-out rows with --data FILE."
            if suite == "heldout"
            else f"the suite {suite} needs a file with its items: name it with --data FILE."
        )
    if args.api_key_env and args.endpoint is None:
        raise UserError("--api-key-env is the key of a server: name that with --endpoint URL.")
    if args.endpoint is not None:
        from tuner_tui.evaluation.endpoint import checked_url

        args.endpoint = checked_url(args.endpoint)
        if args.api_key_env and not os.environ.get(args.api_key_env):
            raise UserError(f"--api-key-env: the environment variable {args.api_key_env} is not set.")
    return start_baseline(
        args.what,
        source,
        arms,
        suite=suite,
        bits=None if args.full_precision else 4,
        max_new_tokens=args.max_new_tokens or 256,
        limits=limits,
        temperature=args.temperature,
        endpoint=args.endpoint,
        api_key_env=args.api_key_env,
        concurrency=args.concurrency,
        fresh=args.fresh,
    )


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 5:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 5, not {text!r}")
    return value


def follow(eval_dir: Path, *, quiet: bool) -> None:
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
    return f"{ARM_TITLES.get(progress.arm, progress.arm)}: {done} of {total} items{left}"
