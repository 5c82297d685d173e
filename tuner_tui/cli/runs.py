"""The verbs about runs and the machine: `ls`, `watch`, `stop`, `save`, `rm`, `doctor`."""

import argparse
import time
from typing import TYPE_CHECKING

from tuner_tui.cli.output import add_json_flag, emit
from tuner_tui.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from tuner_tui.runs.store import RunSummary

_COLORS = {"ok": "green", "warning": "yellow", "missing": "red", "error": "red"}


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verbs."""
    ls = subparsers.add_parser("ls", help="the runs, newest first")
    add_json_flag(ls)
    ls.set_defaults(run=list_all)

    watch = subparsers.add_parser("watch", help="a run in the app, or as lines of text")
    _run_argument(watch)
    watch.add_argument("--plain", action="store_true", help="lines of text also on a terminal")
    watch.set_defaults(run=watch_run)

    for name, function, text in (
        ("stop", stop, "write a checkpoint and end the run"),
        ("save", save, "write a checkpoint now and go on"),
    ):
        verb = subparsers.add_parser(name, help=text)
        _run_argument(verb)
        add_json_flag(verb)
        verb.set_defaults(run=function)

    rm = subparsers.add_parser("rm", help="delete a run that is not live")
    _run_argument(rm)
    add_json_flag(rm)
    rm.set_defaults(run=remove)

    doctor = subparsers.add_parser("doctor", help="what works on this machine, and how to mend what does not")
    add_json_flag(doctor)
    doctor.set_defaults(run=examine)


def list_all(args: argparse.Namespace) -> int:
    """`tuner ls`."""
    from tuner_tui.runs.store import list_runs

    runs = list_runs()

    def human(console: "Console") -> None:
        if not runs:
            console.print(
                "No runs yet; `tuner init demo` prints a configuration to start from.", markup=False
            )
            return
        _table(console, runs)

    emit(args, {"runs": [run.to_json() for run in runs]}, human)
    return 0


def watch_run(args: argparse.Namespace) -> int:
    """`tuner watch RUN`."""
    from tuner_tui.cli.terminal import is_interactive
    from tuner_tui.runs.store import find_run

    run_dir = find_run(args.of)
    if args.plain or not is_interactive():
        from tuner_tui.cli.follow import follow

        return follow(run_dir)
    from tuner_tui.tui.app import run_app

    return run_app(watch=run_dir)


def stop(args: argparse.Namespace) -> int:
    """`tuner stop RUN`."""
    return _request(args, "stop")


def save(args: argparse.Namespace) -> int:
    """`tuner save RUN`."""
    return _request(args, "save")


def remove(args: argparse.Namespace) -> int:
    """`tuner rm RUN`."""
    from tuner_tui.runs.store import delete_run, find_run

    run_dir = find_run(args.of)
    delete_run(run_dir)
    emit(
        args,
        {"removed": run_dir.name},
        lambda console: console.print(f"{run_dir.name} is deleted.", markup=False),
    )
    return 0


def examine(args: argparse.Namespace) -> int:
    """`tuner doctor`; 1 when something is missing or broken."""
    from rich.text import Text

    from tuner_tui.doctor import run_checks

    checks = run_checks()

    def human(console: "Console") -> None:
        width = max(len(check.name) for check in checks)
        for check in checks:
            line = Text(f"{check.state:<8}", style=_COLORS[check.state])
            line.append(f"{check.name:<{width}}  {check.detail}", style="default")
            console.print(line, soft_wrap=True)
            if check.mend:
                console.print(Text(f"{'':<{width + 10}}-> {check.mend}"), soft_wrap=True)

    emit(args, {"checks": [check.to_json() for check in checks]}, human)
    return int(any(check.state in ("missing", "error") for check in checks))


def _request(args: argparse.Namespace, what: str) -> int:
    from tuner_tui.runs import control
    from tuner_tui.runs.reader import read_status
    from tuner_tui.runs.store import find_run

    run_dir = find_run(args.of)
    status = read_status(run_dir)
    if not status.state.live:
        raise UserError(f"run {run_dir.name} is {status.state}, so there is nothing to {what}.")
    if what == "stop":
        control.request_stop(run_dir)
        text = f"{run_dir.name} will write a checkpoint and stop."
    else:
        control.request_save(run_dir)
        text = f"{run_dir.name} will write a checkpoint at its next step."
    emit(
        args,
        {"run": run_dir.name, "requested": what},
        lambda console: console.print(text, markup=False, soft_wrap=True),
    )
    return 0


def _table(console: "Console", runs: "list[RunSummary]") -> None:
    from rich.table import Table
    from rich.text import Text

    from tuner_tui.visible import visible

    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("RUN", "STATE", "STEP", "LOSS", "AGE", ""):
        table.add_column(column, no_wrap=column != "")
    for run in runs:
        loss = "" if run.last_loss is None else f"{run.last_loss:.4f}"
        cells = (
            run.id,
            str(run.status.state),
            f"{run.status.step}/{run.status.total}",
            loss,
            _age(time.time() - run.created),
            run.status.reason or run.status.phase,
        )
        table.add_row(*(Text(visible(cell, one_line=True)) for cell in cells))
    console.print(table)


def _age(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"


def _run_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("of", metavar="RUN", help='its id, the start of its id, or "last"')
