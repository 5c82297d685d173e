"""`tuner convert`: a dataset of any known layout in the canonical one."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.cli.output import add_json_flag, emit

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    convert = subparsers.add_parser(
        "convert",
        help="a dataset of any known layout in the canonical one",
        description="Convert a dataset to canonical JSON Lines: messages and tools, or preference pairs.",
    )
    convert.add_argument("file", type=Path, metavar="FILE", help="JSON Lines or JSON")
    convert.add_argument("out", type=Path, metavar="OUT", help="the file to write")
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

    rejected: Path = args.rejected or args.out.with_suffix(".rejected.jsonl")
    conversion = convert_file(args.file, args.out, rejected)

    def show(console: "Console") -> None:
        console.print(_text(f"{args.file} ", "", "read as ", "dim", conversion.format.label, ""))
        console.print(_text(f"{conversion.converted:>8,} rows converted  ", "", str(args.out), "dim"))
        if conversion.rejected:
            console.print(_text(f"{conversion.rejected:>8,} rows rejected   ", "red", str(rejected), "dim"))

    data = {
        "rows": conversion.rows,
        "converted": conversion.converted,
        "rejected": conversion.rejected,
        "format": conversion.format.value,
    }
    emit(args, data, show)
    return 1 if conversion.rejected else 0


def _text(*parts: str) -> "Text":
    """Pieces of text and their styles in turn; control characters shown, markup never interpreted."""
    from rich.text import Text

    from tuner_tui.visible import visible

    pieces = zip(parts[::2], parts[1::2], strict=True)
    return Text.assemble(*((visible(text), style) for text, style in pieces))
