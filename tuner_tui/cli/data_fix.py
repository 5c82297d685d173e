"""`tuner inspect FILE --fix OUT`: the safe mends applied into a new file."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.cli.output import counted, emit, print_left_out, print_line, styled, waiting

if TYPE_CHECKING:
    from rich.console import Console

    from tuner_tui.data.mends.file import Fix

_OTHERS = ("model", "max_length", "all_tokens", "limit", "eval", "goal", "near", "workers")


def add_fix_flag(inspect: argparse.ArgumentParser) -> None:
    """Give `tuner inspect` its `--fix`."""
    inspect.add_argument(
        "--fix",
        type=Path,
        metavar="OUT",
        help="write the rows to OUT with everything mended that has one right answer, exact duplicates left "
        "out; rows that are still wrong go to OUT with .rejected.jsonl",
    )


def fix_verb(args: argparse.Namespace) -> int:
    """`tuner inspect --fix`: 1 when a row had to be rejected."""
    from tuner_tui.data.layouts.formats import layout_named
    from tuner_tui.data.mends.file import fix_file
    from tuner_tui.errors import UserError

    defaults = {"all_tokens": False}
    if given := [name for name in _OTHERS if getattr(args, name) is not defaults.get(name)]:
        flag = f"--{given[0].replace('_', '-')}"
        raise UserError(f"--fix mends rows and knows no {flag}; inspect OUT with {flag} afterwards.")
    named = getattr(args, "format", None)
    format = layout_named(named) if named is not None else None
    rejected: Path = args.fix.with_suffix(".rejected.jsonl")
    with waiting("Mending") as progress:
        fix = fix_file(args.file, args.fix, rejected, format=format, progress=progress)
    emit(args, fix.to_json(), lambda console: _show(console, fix, args, rejected))
    return 1 if fix.rejected else 0


def _show(console: "Console", fix: "Fix", args: argparse.Namespace, rejected: Path) -> None:
    from tuner_tui.data.rules import RULES

    print_line(console, styled(f"{args.file} ", "", "read as ", "dim", fix.format.label, ""), hang=2)
    print_left_out(console, fix.left_out)
    for count, what, style, where in (
        (fix.written, "written ", "", str(args.fix)),
        (fix.dropped, "dropped ", "", "exact duplicates"),
        (fix.rejected, "rejected", "red", str(rejected)),
    ):
        if count or what == "written ":
            line = styled(f"{counted(count, 8)} {what}  ", style, where, "dim")
            print_line(console, line, hang=24)
    for title, style, counts in (("Mended", "green", fix.mended), ("Left to you", "red", fix.left)):
        if counts:
            console.print(styled(f"\n{title}", "bold"))
            for rule, count in counts.most_common():
                console.print(styled(f"{count:>8,}  ", style, RULES[rule].title, ""))
