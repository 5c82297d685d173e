"""The verbs of STEP 5 and after: `report`, `compare`, `export`."""

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

    compare = subparsers.add_parser("compare", help="two tuned models on the same items")
    compare.add_argument("first", metavar="RUN", help='its id, the start of its id, or "last"')
    compare.add_argument("second", metavar="RUN", help="the one that is compared with it")
    add_json_flag(compare)
    compare.set_defaults(run=compare_now)

    export = subparsers.add_parser("export", help="the adapter or merged weights, with a model card")
    export.add_argument("of", metavar="RUN", help='its id, the start of its id, or "last"')
    what = export.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--adapter", type=Path, metavar="OUT", help="copy the adapter and its card to a new folder"
    )
    what.add_argument("--merged", type=Path, metavar="OUT", help="the base with the adapter merged into it")
    what.add_argument("--card", action="store_true", help="write README.md beside the adapter of the run")
    add_json_flag(export)
    export.set_defaults(run=export_now)


def report_now(args: argparse.Namespace) -> int:
    """`tuner report RUN`. 1 when the run failed."""
    from tuner_tui.report.build import CARD, HTML, JSON, MARKDOWN, write_report
    from tuner_tui.report.html import render as render_html
    from tuner_tui.report.terminal import render
    from tuner_tui.runs.store import find_run

    run_dir = find_run(args.of)
    report = write_report(run_dir)
    written = [path for name in (MARKDOWN, HTML, JSON, CARD) if (path := run_dir / name).exists()]
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


def compare_now(args: argparse.Namespace) -> int:
    """`tuner compare RUN RUN`."""
    from tuner_tui.report.compare_runs import compare_runs
    from tuner_tui.report.compare_text import render
    from tuner_tui.runs.store import find_run

    comparison = compare_runs(find_run(args.first), find_run(args.second))
    emit(args, comparison, lambda console: render(comparison, console))
    return 0


def export_now(args: argparse.Namespace) -> int:
    """`tuner export RUN`."""
    from tuner_tui.export.files import export_adapter, export_merged, write_card
    from tuner_tui.runs.store import find_run

    run_dir = find_run(args.of)
    if args.card:
        path = write_card(run_dir)
    elif args.adapter is not None:
        path = export_adapter(run_dir, args.adapter)
    else:
        path = export_merged(run_dir, args.merged)
    emit(
        args,
        {"run": run_dir.name, "path": str(path)},
        lambda console: console.print(f"Written to {path}", markup=False, soft_wrap=True),
    )
    return 0
