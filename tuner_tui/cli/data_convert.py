"""`tuner convert`: a dataset of any known layout in the canonical one, or in another."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.cli.output import add_json_flag, emit, styled, waiting

if TYPE_CHECKING:
    from rich.console import Console

_LONGEST_REASON = 200


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

    rejected: Path = args.rejected or args.out.with_suffix(".rejected.jsonl")
    format = layout_named(args.format) if args.format is not None else None
    to = layout_named(args.to)
    with waiting("Converting") as progress:
        conversion = convert_file(args.file, args.out, rejected, format=format, to=to, progress=progress)

    def show(console: "Console") -> None:
        console.print(styled(f"{args.file} ", "", "read as ", "dim", conversion.format.label, ""))
        written = "" if to is Format.CANONICAL else f" as {to}"
        console.print(
            styled(f"{conversion.converted:>8,} rows converted  ", "", f"{args.out}{written}", "dim")
        )
        if conversion.rejected:
            console.print(styled(f"{conversion.rejected:>8,} rows rejected   ", "red", str(rejected), "dim"))
        for reason in conversion.reasons:
            told = f"row {reason.row}: {reason.message[:_LONGEST_REASON]}"
            console.print(styled(f"{reason.count:>8,} × {reason.rule}, ", "", told, "dim"))

    data = {
        "rows": conversion.rows,
        "converted": conversion.converted,
        "rejected": conversion.rejected,
        "format": conversion.format.value,
    }
    emit(args, data, show)
    return 1 if conversion.rejected else 0
