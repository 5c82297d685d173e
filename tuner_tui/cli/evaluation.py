"""The verb of STEP 4: `eval`."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.cli.arguments import names
from tuner_tui.cli.evaluation_options import add_options, again, chosen_suites, file_of
from tuner_tui.cli.output import add_json_flag, emit
from tuner_tui.cli.subjects import is_model, run_named
from tuner_tui.errors import UserError
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from rich.console import Console

    from tuner_tui.evaluation.orders import Model, Order


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    evaluate = subparsers.add_parser("eval", help="base and tuned on the same items; Ctrl-C leaves it alive")
    add_options(evaluate)
    add_json_flag(evaluate)
    evaluate.set_defaults(run=evaluate_now)


def evaluate_now(args: argparse.Namespace) -> int:
    """`tuner eval RUN|MODEL`. 1 when an evaluation failed."""
    from tuner_tui.evaluation.progress import load_summary

    suites = chosen_suites(args.suite)
    if args.plan:
        return _plan(args, suites)
    try:
        folders, faults = _measured(args, suites)
    except KeyboardInterrupt:
        sys.stderr.write(f"\nThe evaluation goes on. `{again(args)}` comes back to it.\n")
        return 130
    found = {suite: (folder, load_summary(folder)) for suite, folder in folders.items()}
    summaries = {suite: {**read, "path": str(folder)} for suite, (folder, read) in found.items() if read}
    faults += [f"{folder}: its summary cannot be read." for folder, read in found.values() if not read]

    def human(console: "Console") -> None:
        from tuner_tui.cli.suite_page import print_suite

        for number, summary in enumerate(summaries.values()):
            if number:
                console.print()
            print_suite(summary, console)

    if len(suites) > 1:
        emit(args, {"suites": summaries}, human)
    elif summaries:
        emit(args, summaries[suites[0]], human)
    for fault in faults:
        sys.stderr.write(f"tuner: {visible(fault, one_line=True)}\n")
    return int(bool(faults))


def _measured(args: argparse.Namespace, suites: list[str]) -> tuple[dict[str, Path], list[str]]:
    """Measure the suites and wait for the end: where each has been measured, and what went wrong.

    Several are led by a process of their own, so that they are measured all, whatever becomes of this one.
    """
    from tuner_tui.cli.follow_evaluation import follow
    from tuner_tui.evaluation.orders import begin
    from tuner_tui.evaluation.progress import read_progress
    from tuner_tui.evaluation.several import read_queue, start_suites
    from tuner_tui.runs.layout import RunState

    what = _subject(args)
    orders = [_order(args, what, suite) for suite in suites]
    if len(orders) == 1:
        folder = begin(what, orders[0])
        progress = follow(folder, quiet=args.json)
        if progress.state is RunState.FINISHED:
            return {suites[0]: folder}, []
        return {}, [f"the evaluation {progress.state}: {progress.error or folder}"]
    queue_folder = start_suites(what, orders)
    progress = follow(queue_folder, quiet=args.json)
    queue = read_queue(queue_folder)
    assert queue is not None, "it has just been followed"
    finished = {
        suite: folder
        for suite, folder in queue.folders.items()
        if read_progress(folder).state is RunState.FINISHED
    }
    faults = [f"{suite}: {why}" for suite, why in queue.faults.items()]
    if progress.state is not RunState.FINISHED and not faults:
        faults = [f"the evaluation {progress.state}: {progress.error or queue_folder}"]
    return finished, faults


def _plan(args: argparse.Namespace, suites: list[str]) -> int:
    """What each suite would ask. 1 when one of them cannot be measured."""
    from dataclasses import asdict

    from tuner_tui.evaluation.orders import heldout_file
    from tuner_tui.evaluation.plans import ABOUT, look_at_items
    from tuner_tui.evaluation.suites import SUITES
    from tuner_tui.runs.layout import CONFIG
    from tuner_tui.runs.store import find_run
    from tuner_tui.training.config import load_config

    plans = []
    for suite in suites:
        source = _source(args, suite)
        if suite == "heldout" and source is None and not is_model(args.what):
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
    return file_of(args, suite) or own


def _subject(args: argparse.Namespace) -> "Path | Model":
    """The run, or the model, that the call names.

    Raises:
        UserError: there is none of this name, or the server's key is not there.
    """
    from tuner_tui.evaluation.endpoint import checked_url
    from tuner_tui.evaluation.orders import Model

    if args.endpoint is None and (run_dir := run_named(args.what)) is not None:
        return run_dir
    if args.api_key_env and args.endpoint is None:
        raise UserError("--api-key-env is the key of a server: name that with --endpoint URL.")
    if args.api_key_env and not os.environ.get(args.api_key_env):
        raise UserError(f"--api-key-env: the environment variable {args.api_key_env} is not set.")
    return Model(
        args.what,
        bits=None if args.full_precision else 4,
        max_new_tokens=args.max_new_tokens or 256,
        endpoint=checked_url(args.endpoint) if args.endpoint is not None else None,
        api_key_env=args.api_key_env,
        concurrency=args.concurrency,
    )


def _order(args: argparse.Namespace, what: "Path | Model", suite: str) -> "Order":
    """What the call asks of one suite.

    Raises:
        UserError: an arm that does not exist, or a suite without the file of its items.
    """
    from tuner_tui.evaluation.arms import check_arms
    from tuner_tui.evaluation.orders import Order
    from tuner_tui.evaluation.suites import SUITES

    arms = tuple(names(args.arms)) if args.arms else None
    check_arms(arms or ())
    source = _source(args, suite)
    # A run's configuration names its held-out rows.
    known = suite == "heldout" and isinstance(what, Path)
    if source is None and SUITES[suite].source == "needed" and not known:
        raise UserError(
            f"{args.what} is a model, not a run: name the held-out rows with --data FILE."
            if suite == "heldout"
            else f"the suite {suite} needs a file with its items: name it with --data FILE."
        )
    return Order(suite, source, args.limit, args.fresh, arms, args.seed, args.repeats, args.temperature)
