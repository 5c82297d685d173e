"""`tuner convert`: a dataset of any known layout in the canonical one, or in another."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.cli.output import (
    add_json_flag,
    counted,
    emit,
    print_left_out,
    print_line,
    styled,
    waiting,
)
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from rich.console import Console

    from tuner_tui.data.layouts.formats import Format

_LONGEST_REASON = 200
_NOT_WRITTEN = "No place for it"  # the one reason that is no fault of the row, and no rule


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    convert = subparsers.add_parser(
        "convert",
        help="a dataset of any known layout in the canonical one",
        description="Convert a dataset to canonical JSON Lines (messages and tools, or preference pairs), or "
        "to the layout that another program wants. No row is lost: rows = converted + rejected. "
        "Exit status 1 when a row was rejected.",
    )
    convert.add_argument("file", type=Path, metavar="FILE", help="a dataset, or a folder of its files")
    convert.add_argument("out", type=Path, metavar="OUT", help="the file to write")
    convert.add_argument(
        "--to", metavar="LAYOUT", default="canonical", help="the layout to write (default: canonical)"
    )
    convert.add_argument(
        "--format", metavar="LAYOUT", help="the layout of FILE (default: told from its content)"
    )
    convert.add_argument(
        "--rejected",
        type=Path,
        metavar="FILE",
        help="where rows go that cannot be converted, with the reason (default: OUT with .rejected.jsonl)",
    )
    add_json_flag(convert)
    convert.set_defaults(run=convert_verb)


def convert_verb(args: argparse.Namespace) -> int:
    """`tuner convert`: 1 when a row was rejected."""
    from tuner_tui.data.conversion import convert_file
    from tuner_tui.data.layouts.formats import Format, layout_named
    from tuner_tui.data.rules import RULES

    rejected: Path = args.rejected or args.out.with_suffix(".rejected.jsonl")
    format = layout_named(args.format) if args.format is not None else None
    to = _writable(args.to)
    with waiting("Converting") as progress:
        conversion = convert_file(args.file, args.out, rejected, format=format, to=to, progress=progress)

    def show(console: "Console") -> None:
        print_line(console, styled(f"{args.file} ", "", "read as ", "dim", conversion.format.label, ""), 2)
        print_left_out(console, conversion.left_out)
        written = "" if to is Format.CANONICAL else f" as {to}"
        good, bad = counted(conversion.converted, 8), counted(conversion.rejected, 8)
        print_line(console, styled(f"{good} converted  ", "", f"{args.out}{written}", "dim"), 25)
        if conversion.rejected:
            print_line(console, styled(f"{bad} rejected   ", "red", str(rejected), "dim"), 25)
        for reason in conversion.reasons:
            told = visible(f"row {reason.row}: {reason.message}", one_line=True, limit=_LONGEST_REASON)
            title = RULES[reason.rule].title if reason.rule in RULES else _NOT_WRITTEN
            print_line(console, styled(f"{reason.count:>8,} × {title}, ", "", told, "dim"), 11)

    data = {
        "rows": conversion.rows,
        "converted": conversion.converted,
        "rejected": conversion.rejected,
        "format": conversion.format.value,
        "reasons": [asdict(reason) for reason in conversion.reasons],
        **conversion.left_out.to_json(),
    }
    emit(args, data, show)
    return 1 if conversion.rejected else 0


def _writable(name: str) -> "Format":
    """The layout of this name, of those that are written."""
    from tuner_tui.data.layouts.formats import layout_named
    from tuner_tui.data.writers import WRITERS
    from tuner_tui.errors import UserError

    try:
        layout = layout_named(name)
    except UserError:
        layout = None
    if layout is None or layout not in WRITERS:
        what = "there is no layout" if layout is None else "read and not written is the layout"
        raise UserError(f'--to: {what} "{name}"; --to knows {", ".join(WRITERS)}.')
    return layout
