"""How every verb prints: for people on a terminal, JSON with `--json`; and how it passes the time."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from rich.console import Console
from rich.text import Text

from tuner_tui.errors import UserError
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from tuner_tui.data.progress import Progress
    from tuner_tui.data.readers import LeftOut

_PROGRESS_SECONDS = 0.2
_NARROW = 20  # columns that a wrapped line must have


class _Page(Console):
    """A console for which a reader that has gone is no failure of the verb; Rich would exit with status 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def emit(args: argparse.Namespace, data: Mapping[str, Any], human: Callable[[Console], None]) -> None:
    """Print `data` as JSON when `--json` was given, else let `human` draw it on a console.

    A reader that wants no more of it (`| head`) is no failure.

    Raises:
        UserError: standard output cannot be written.
    """
    try:
        with printing():
            if getattr(args, "json", False):
                sys.stdout.buffer.write(orjson.dumps(data, option=orjson.OPT_INDENT_2, default=str) + b"\n")
            else:
                human(_Page(highlight=False))
            sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def make_console(*, stderr: bool = False) -> Console:
    """A console for a verb that talks with a person; with `stderr` beside what it prints for programs."""
    return _Page(highlight=False, stderr=stderr)


@contextmanager
def printing() -> Iterator[None]:
    """What is printed inside may not find room.

    Raises:
        UserError: standard output cannot be written.
        BrokenPipeError: its reader has gone.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise UserError(f"standard output cannot be written ({error.strerror or error}).") from None


def discard_output() -> None:
    """Point standard output away, so that what is left in its buffer makes no noise at the exit."""
    with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def add_json_flag(parser: argparse.ArgumentParser) -> None:
    """Give a verb its `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def styled(*parts: str) -> Text:
    """Pieces of text and their styles in turn; control characters shown, markup never interpreted."""
    pieces = zip(parts[::2], parts[1::2], strict=True)
    return Text.assemble(*((visible(text), style) for text, style in pieces))


def print_line(console: Console, text: Text, hang: int = 0) -> None:
    """Print a line: on a terminal wrapped, with `hang` blanks before what comes after the first line; whole
    where a program reads it."""
    if not console.is_terminal:
        console.print(text, soft_wrap=True)
        return
    width = max(console.width, hang + _NARROW)
    first, *more = text.wrap(console, width) or [Text()]
    lines = [first]
    if more:
        # Wrapped again, for these lines have less room.
        start = len(first) + len(text.plain[len(first) :]) - len(text.plain[len(first) :].lstrip())
        lines += [Text(" " * hang) + line for line in text[start:].wrap(console, width - hang)]
    for line in lines:
        line.rstrip()
        console.print(line, soft_wrap=True)


def print_left_out(console: Console, left_out: "LeftOut") -> None:
    """Say which files of a folder were not read, if there are any."""
    if sentence := left_out.sentence():
        print_line(console, styled(sentence, "yellow"), hang=2)


def counted(count: int, width: int = 0) -> str:
    """A number of rows: "1 row", "1,024 rows"; with a `width` for the number, padded to it in columns."""
    return f"{count:>{width},} row{'s' if count != 1 else ' ' * bool(width)}"


@contextmanager
def waiting(
    doing: str, interrupt: str = "Ctrl-C stops", *, writes: bool = True
) -> "Iterator[Callable[[Progress], None]]":
    """A line on stderr that says how far the work has come, until it is done; nothing when stderr is no
    terminal. What comes out takes the progress. `interrupt` says what Ctrl-C does; when that ends a verb that
    `writes`, one line says that it has not."""
    try:
        with Console(stderr=True).status(f"{doing}…") as status:
            shown = 0.0

            def show(progress: "Progress") -> None:
                nonlocal shown
                now = time.monotonic()
                if now - shown >= _PROGRESS_SECONDS:
                    shown = now
                    text = f"{doing}… {_progress(progress)} ({interrupt})"
                    status.update(Text(text, no_wrap=True, overflow="ellipsis"))

            yield show
    except KeyboardInterrupt:
        if writes:
            sys.stderr.write("tuner: stopped; nothing was written\n")
        raise


def _progress(progress: "Progress") -> str:
    """At most 50 columns."""
    parts = [f"{progress.rows:,} rows", f"{progress.share:.0%}", f"{progress.rows_per_second:,.0f}/s"]
    if progress.eta is not None:
        parts.append(f"{progress.eta:,.0f} s left")
    return ", ".join(parts)
