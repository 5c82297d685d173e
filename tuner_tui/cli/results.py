"""The verb of STEP 5: `report`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.cli.output import add_json_flag, emit
from tuner_tui.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verbs."""
    report = subparsers.add_parser("report", help="the report of a run, also written beside it")
    report.add_argument("of", metavar="RUN", help='its id, the start of its id, or "last"')
    report.add_argument("--html", type=Path, metavar="FILE", help="write the page there, too")
    add_json_flag(report)
    report.set_defaults(run=report_now)


def report_now(args: argparse.Namespace) -> int:
    """`tuner report RUN`. 1 when the run failed."""
    from tuner_tui.report.build import HTML, MARKDOWN, write_report
    from tuner_tui.report.html import render as render_html
    from tuner_tui.report.terminal import render
    from tuner_tui.runs.store import find_run

    run_dir = find_run(args.of)
    report = write_report(run_dir)
    written = [run_dir / MARKDOWN, run_dir / HTML]
    if args.html is not None:
        try:
            args.html.write_text(render_html(report), "utf-8")
        except OSError as error:
            raise UserError(f"--html: {args.html} cannot be written: {error.strerror}.") from error
        written.append(args.html)

    def human(console: "Console") -> None:
        render(report, console)
        console.print()
        for path in written:
            console.print(f"Written to {path}", markup=False, soft_wrap=True)

    emit(args, report, human)
    return int(report["run"]["state"] in ("failed", "lost"))
