"""`tuner score`: verdicts on answers that were made elsewhere, without a model."""

import argparse
from pathlib import Path

from tuner_tui.cli.evaluation_options import SUITE_NAMES
from tuner_tui.cli.output import add_json_flag, emit
from tuner_tui.errors import UserError


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    score = subparsers.add_parser("score", help="verdicts on answers made elsewhere, without a model")
    score.add_argument(
        "file", type=Path, metavar="FILE", help='JSON Lines with "id" and "text", or a list of texts'
    )
    score.add_argument(
        "--suite",
        default="heldout",
        metavar="S",
        choices=SUITE_NAMES,
        help=f"one of {', '.join(SUITE_NAMES)}",
    )
    score.add_argument("--data", type=Path, metavar="FILE", help="the suite's items, where it needs a file")
    score.add_argument("--items", type=Path, metavar="OUT", help="write every item with its verdict there")
    add_json_flag(score)
    score.set_defaults(run=score_now)


def score_now(args: argparse.Namespace) -> int:
    """`tuner score FILE --suite S`. 1 when lines of the file cannot be used."""
    from dataclasses import asdict

    from tuner_tui.cli.suite_page import print_score
    from tuner_tui.evaluation.scoring_file import score_file
    from tuner_tui.evaluation.suites import open_suite
    from tuner_tui.runs import files

    task = open_suite(args.suite, args.data)
    found = score_file(args.file, task)
    if args.items:
        if args.items.exists():
            raise UserError(f"{args.items} is there already; name a new file with --items.")
        try:
            files.append_lines(args.items, found.items)
        except OSError as error:
            raise UserError(f"{args.items} cannot be written: {error.strerror}.") from error
    score = asdict(found)
    del score["items"]
    score |= {
        "suite": args.suite,
        "title": task.title,
        "file": str(args.file),
        "suite_items": len(task.items),
        "measures": [asdict(measure) for measure in task.measures],
        "error_types": dict(task.error_types),
        "notes": list(task.notes),
    }
    emit(args, score, lambda console: print_score(score, console))
    return int(bool(found.bad_lines))
