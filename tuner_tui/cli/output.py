"""How every verb prints: for people on a terminal, JSON with `--json`; and how it passes the time."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson
from rich.console import Console
from rich.text import Text

from tuner_tui.visible import visible

if TYPE_CHECKING:
    from tuner_tui.data.progress import Progress


def emit(args: argparse.Namespace, data: Mapping[str, Any], human: Callable[[Console], None]) -> None:
    """Print `data` as JSON when `--json` was given, else let `human` draw it on a console."""
    if getattr(args, "json", False):
        sys.stdout.buffer.write(orjson.dumps(data, option=orjson.OPT_INDENT_2, default=str) + b"\n")
        sys.stdout.flush()
    else:
        human(Console(highlight=False))


def add_json_flag(parser: argparse.ArgumentParser) -> None:
    """Give a verb its `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def styled(*parts: str) -> Text:
    """Pieces of text and their styles in turn; control characters shown, markup never interpreted."""
    pieces = zip(parts[::2], parts[1::2], strict=True)
    return Text.assemble(*((visible(text), style) for text, style in pieces))


@contextmanager
def waiting(doing: str) -> "Iterator[Callable[[Progress], None]]":
    """A line on stderr that says how far the work has come, until it is done; nothing when stderr is no
    terminal. What comes out takes the progress."""
    with Console(stderr=True).status(f"{doing}…") as status:

        def show(progress: "Progress") -> None:
            eta = progress.eta
            left = "" if eta is None else f", {eta:,.0f} s left"
            size = f"{progress.done / 1e6:,.0f} of {progress.total / 1e6:,.0f} MB"
            done = f"{progress.rows:,} rows, {size}, {progress.rows_per_second:,.0f} rows/s{left}"
            status.update(f"{doing}… {done} (Ctrl-C stops, and writes nothing)")

        yield show
