"""`tuner demo`: the whole journey on the embedded model and the sample data, guided or headless."""

import argparse
import sys
from typing import Any

from tuner_tui.cli.output import add_json_flag, emit


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    parser = subparsers.add_parser(
        "demo",
        help="the whole journey, guided, on what ships with tuner (about 4 minutes)",
        description="The whole journey on the embedded model and the sample data. On a terminal it is a "
        "guided tour in the app; with --headless, --json or without a terminal it runs by itself.",
    )
    parser.add_argument("--headless", action="store_true", help="run it all here, without the app")
    add_json_flag(parser)
    parser.set_defaults(run=demo)


def demo(args: argparse.Namespace) -> int:
    """Run the verb: 0 when every step succeeded, 1 when one failed, 130 after Ctrl-C."""
    from tuner_tui.cli.terminal import is_interactive

    if is_interactive() and not args.headless and not args.json:
        from tuner_tui.tui.app import run_app

        return run_app(tour=True)
    return _headless(args)


def _headless(args: argparse.Namespace) -> int:
    from rich.console import Console

    from tuner_tui.demo import DemoError, DemoInterrupted, run_demo

    # With --json stdout holds the JSON alone; a person who waits still sees the steps.
    console = Console(stderr=args.json, highlight=False, markup=False, soft_wrap=True)
    try:
        result = run_demo(console.print)
    except DemoError as error:
        print(f"tuner demo: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except DemoInterrupted as interruption:
        print(f"\n{interruption}", file=sys.stderr)  # noqa: T201
        return 130
    emit(args, result, lambda out: _print(out, result))
    return 0


def _print(console: Any, result: dict[str, Any]) -> None:
    from pathlib import Path

    from tuner_tui.report.build import build_report
    from tuner_tui.report.terminal import render

    console.print()
    render(build_report(Path(result["run_dir"])), console)
