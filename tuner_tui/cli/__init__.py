"""The command line: one verb per function; bare `tuner` opens the app.

Exit status: 0 all well; 1 the thing that was looked at is bad; 2 the call itself is wrong, in one line on
stderr. The modules of the verbs import their heavy parts inside each verb, so that `tuner --help` is fast.
"""

import argparse
import sys
from collections.abc import Sequence

from tuner_tui import __version__
from tuner_tui.cli.terminal import is_interactive
from tuner_tui.errors import UserError
from tuner_tui.visible import visible


def build_parser() -> argparse.ArgumentParser:
    """The parser with every verb."""
    from tuner_tui.cli import (
        chain,
        data,
        data_convert,
        data_split,
        decide,
        demo,
        evaluation,
        preferences,
        results,
        runs,
        score,
        training,
    )
    from tuner_tui.cli.arguments import Parser

    parser = Parser(
        prog="tuner",
        description="From failing tool calls to a measured answer. Without a verb: the app.",
    )
    parser.add_argument("--version", action="version", version=f"tuner {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    for group in (
        demo,
        decide,
        data,
        data_convert,
        data_split,
        preferences,
        training,
        chain,
        runs,
        evaluation,
        results,
        score,
    ):
        group.register(verbs)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the return value is the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if not words:
            # Before the parser is built: the modules of the verbs would delay the first paint.
            return _open_app()
        args = build_parser().parse_args(words)
        if args.verb is None:
            return _open_app()
        return int(args.run(args))
    except UserError as error:
        print(f"tuner: {visible(str(error), one_line=True)}", file=sys.stderr)  # noqa: T201
        return 2
    except BrokenPipeError:
        # The reader of what a verb prints bit by bit (`| head`) has gone.
        from tuner_tui.cli.output import discard_output

        discard_output()
        return 0
    except KeyboardInterrupt:
        return 130


def _open_app() -> int:
    if not is_interactive():
        raise UserError(
            "the app needs a terminal (TERM other than dumb); "
            "`tuner --help` lists the verbs that do without one."
        )
    from tuner_tui.tui.app import run_app

    return run_app()
