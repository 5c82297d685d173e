"""`tuner inspect`: what is in a dataset, and what is wrong with it."""

import argparse
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.cli.arguments import whole
from tuner_tui.cli.data_fix import add_fix_flag, fix_verb
from tuner_tui.cli.output import add_json_flag, emit, waiting

if TYPE_CHECKING:
    from types import FrameType

_INTERRUPTED = 130


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verbs of this group."""
    inspect = subparsers.add_parser(
        "inspect",
        help="what is in a dataset, and what is wrong with it",
        description="Read a dataset in any known layout and report what is in it and what is wrong with it. "
        "Exit status 1 when there is a finding of severity error. Ctrl-C ends it early and reports the rows "
        "so far (status 130).",
    )
    inspect.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="JSON Lines, JSON, CSV, Parquet or Arrow, also compressed, a folder of them, or a hub id",
    )
    inspect.add_argument("--format", metavar="F", help="the layout, instead of what is detected")
    inspect.add_argument(
        "--model",
        metavar="M",
        help='a model\'s folder, or "embedded": lengths in tokens, and checks of its chat template',
    )
    inspect.add_argument(
        "--max-length", type=whole(1), metavar="N", help="report rows of more than N tokens (with --model)"
    )
    inspect.add_argument(
        "--all-tokens",
        action="store_true",
        help="measure every row with --model, and not a sample of about 20,000",
    )
    inspect.add_argument("--limit", type=whole(1), metavar="N", help="look at the first N rows only")
    inspect.add_argument(
        "--eval", type=Path, metavar="FILE", help="report the rows of which the question is in this file, too"
    )
    inspect.add_argument("--goal", metavar="G", help="what the model is to learn: how many rows are few")
    inspect.add_argument(
        "--near",
        action=argparse.BooleanOptionalAction,
        help="look for near duplicates (default: in up to 50,000 rows)",
    )
    inspect.add_argument(
        "--workers", type=whole(1), metavar="N", help="processes (default: by size and processors)"
    )
    add_fix_flag(inspect)
    add_json_flag(inspect)
    inspect.set_defaults(run=inspect_verb)


def inspect_verb(args: argparse.Namespace) -> int:
    """`tuner inspect`: 1 when something in the file is an error, 130 when it was interrupted."""
    if args.fix is not None:
        return fix_verb(args)
    from tuner_tui.cli.inspection_page import show
    from tuner_tui.data.audit import NEEDS
    from tuner_tui.data.inspection import inspect_file
    from tuner_tui.data.layouts.formats import layout_named
    from tuner_tui.data.rules import Severity
    from tuner_tui.errors import UserError
    from tuner_tui.paths import resolve_model

    if args.model is None and (args.max_length is not None or args.all_tokens):
        flag = "--all-tokens" if args.max_length is None else "--max-length"
        raise UserError(f"{flag} counts tokens, so that it needs --model (for instance --model embedded).")
    if args.goal is not None and args.goal not in NEEDS:
        raise UserError(f'there is no goal "{args.goal}"; there are {", ".join(NEEDS)}.')
    model = Path(resolve_model(args.model)) if args.model is not None else None
    with (
        _interruptible() as interrupted,
        waiting("Inspecting", "Ctrl-C ends it", writes=False) as progress,
    ):
        inspection = inspect_file(
            args.file,
            model=model,
            max_length=args.max_length,
            limit=args.limit,
            format=layout_named(args.format) if args.format is not None else None,
            goal=args.goal,
            eval_path=args.eval,
            near=args.near,
            all_tokens=args.all_tokens,
            workers=args.workers,
            progress=progress,
            cancelled=interrupted,
        )
        stopped = interrupted()
    emit(args, inspection.to_json(), lambda console: show(console, inspection, args.max_length))
    if stopped:
        return _INTERRUPTED
    return 1 if inspection.worst is Severity.ERROR else 0


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed; pressed again, it interrupts as ever."""
    pressed = threading.Event()

    def note(number: int, frame: "FrameType | None") -> None:
        pressed.set()
        signal.signal(signal.SIGINT, before)

    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set  # only the main thread may handle signals
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)
