"""`tuner split` and `tuner mix`: one dataset parted in two without a leak, several mixed into one."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.cli.arguments import number, whole
from tuner_tui.cli.output import (
    add_json_flag,
    counted,
    emit,
    print_left_out,
    print_line,
    styled,
    waiting,
)
from tuner_tui.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from tuner_tui.data.parts.mix import Mix, Part, PartReport
    from tuner_tui.data.parts.split import Split

_MOST_NAMES = 8
_LAYOUTS = "a dataset in any known layout"


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verbs of this group."""
    _register_split(subparsers)
    _register_mix(subparsers)


def _register_split(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    split = subparsers.add_parser(
        "split",
        help="a dataset in two: rows to train on, rows to evaluate with",
        description="Part a dataset into rows to train on and rows that are set aside, both as canonical "
        "JSON Lines in the order of the source. Rows that ask the same of the same tools stay together, so "
        "do near duplicates (of up to 50,000 rows), and each kind of row gives its share. Exit status 1 when "
        "a row could not be converted.",
    )
    split.add_argument("file", type=Path, metavar="FILE", help=_LAYOUTS)
    split.add_argument("train", type=Path, metavar="TRAIN", help="the file to write rows to train on into")
    split.add_argument("eval", type=Path, metavar="EVAL", help="the file to write rows set aside into")
    split.add_argument(
        "--by",
        choices=("row", "tool", "template"),
        default="row",
        help="row: at random, as new requests will come for the tools that are trained. template: rows made "
        "from one template stay together (their first requests are equal with numbers, quotes, names and "
        "argument values masked), so that a template known by heart earns nothing. tool: tools are held out, "
        "which measures what becomes of tools that were never trained. Default: row",
    )
    split.add_argument(
        "--share", type=number, default=0.1, metavar="S", help="of the rows that are set aside (default: 0.1)"
    )
    split.add_argument(
        "--seed", type=whole(0, 2**32 - 1), default=0, metavar="N", help="another seed, another choice"
    )
    add_json_flag(split)
    split.set_defaults(run=split_verb)


def _register_mix(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    mix = subparsers.add_parser(
        "mix",
        help="several datasets in one, by weight",
        description="Mix datasets into one file of canonical JSON Lines, in random order. Without weights "
        "each row is taken once; with weights each file gives its part, as many rows as there are without "
        'repeating one. Each row keeps the name of its file under "source". Exit status 1 when a row could '
        "not be converted.",
        epilog="Tuned on tool calls alone, a model forgets a part of what it could. AgentTuning "
        "(arXiv:2310.12823) trained all weights on one part of agent data and four parts of general "
        "conversation, and kept general abilities. An adapter forgets less than full fine-tuning "
        "(arXiv:2405.09673): the default share is a point to start from; measure, and raise it if needed.",
    )
    mix.add_argument("out", type=Path, metavar="OUT", help="the file to write")
    mix.add_argument("files", nargs="+", metavar="FILE[:WEIGHT]", help=f"{_LAYOUTS}, and its weight")
    mix.add_argument("--general", type=Path, metavar="FILE", help="general conversation, against forgetting")
    mix.add_argument(
        "--share",
        type=number,
        metavar="S",
        help="of general rows in the mixture (default: 0.2; with --general)",
    )
    mix.add_argument("--rows", type=whole(1), metavar="N", help="rows of the mixture")
    mix.add_argument(
        "--repeat", action="store_true", help="begin a file again when it has fewer rows than its part"
    )
    mix.add_argument(
        "--seed", type=whole(0, 2**32 - 1), default=0, metavar="N", help="another seed, another choice"
    )
    add_json_flag(mix)
    mix.set_defaults(run=mix_verb)


def split_verb(args: argparse.Namespace) -> int:
    """`tuner split`: 1 when a row was rejected."""
    from tuner_tui.data.parts.split import split_file

    with waiting("Splitting") as progress:
        split = split_file(
            args.file,
            args.train,
            args.eval,
            by=args.by,
            share=args.share,
            seed=args.seed,
            progress=progress,
        )
    assert split is not None, "nothing cancels it"
    emit(args, split.to_json(), lambda console: _show_split(console, args, split))
    return 1 if split.rejected else 0


def mix_verb(args: argparse.Namespace) -> int:
    """`tuner mix`: 1 when a row was rejected."""
    from tuner_tui.data.parts.mix import GENERAL_SHARE, mix_files

    if args.share is not None and args.general is None:
        raise UserError("--share is the share of general rows, so that it needs --general FILE.")
    with waiting("Mixing") as progress:
        mix = mix_files(
            args.out,
            [_part(text) for text in args.files],
            general=args.general,
            share=GENERAL_SHARE if args.share is None else args.share,
            rows=args.rows,
            seed=args.seed,
            repeat=args.repeat,
            progress=progress,
        )
    assert mix is not None, "nothing cancels it"
    emit(args, mix.to_json(), lambda console: _show_mix(console, args.out, mix))
    return 1 if any(part.rejected for part in mix.parts) else 0


def _part(text: str) -> "Part":
    """A file, or a file and its weight: `FILE:WEIGHT`."""
    from tuner_tui.data.parts.mix import Part

    name, colon, weight = text.rpartition(":")
    if not colon or Path(text).exists():
        return Part(Path(text))
    try:
        return Part(Path(name), float(weight))
    except ValueError:
        example = f"{name.partition(':')[0]}:0.5"
        raise UserError(f'{text}: after the last ":" a weight is expected, such as {example}.') from None


def _show_split(console: "Console", args: argparse.Namespace, split: "Split") -> None:
    console.print(styled(args.file.name, "bold", f"  split by {split.by}, seed {split.seed}", "dim"))
    print_left_out(console, split.left_out)
    print_line(console, styled(f"{counted(split.train, 9)} to train on  ", "", str(args.train), "dim"), 28)
    reached = f" ({split.reached:.1%} of them; asked {split.asked:.1%})"
    aside = f"{counted(split.eval, 9)} set aside    "
    print_line(console, styled(aside, "", str(args.eval), "dim", reached, "dim"), 28)
    if split.rejected:
        print_line(console, _rejected(split.rejected), 28)
    if split.near_duplicates is None:
        console.print(styled("          too many rows to look for near duplicates", "dim"))
    if split.largest_group > 1:
        text = f"{split.groups:>9,} groups of rows kept together, the largest of {split.largest_group:,}"
        console.print(styled(text, ""))
    console.print(styled(f"\n{'Kinds':<20}{'train':>9}{'aside':>9}", "bold"))
    for name, sides in split.kinds.items():
        if sides.train or sides.eval:
            label = name.replace("_", " ")
            console.print(styled(f"  {label:<18}{sides.train:>9,}{sides.eval:>9,}", ""))
    _show_tools(console, split)


def _show_tools(console: "Console", split: "Split") -> None:
    called = [tool for tool in split.tools if tool.called.train or tool.called.eval]
    if not called:
        return
    console.print(styled("\nTools that are called", "bold"))
    both = len(called) - len(split.unseen) - len(split.untested)
    console.print(styled(f"{both:>9,} on both sides", ""))
    untested = f"{len(split.untested):>9,} in training alone  "
    print_line(console, styled(untested, "", _names(split.untested), "dim"), 29)
    style = "" if split.by == "tool" or not split.unseen else "yellow"
    what = f"{len(split.unseen):>9,} set aside alone    "
    print_line(console, styled(what, style, _names(split.unseen), "dim"), 29)
    if split.by == "tool":
        held_out = set(split.held_out)
        offered = [tool.name for tool in split.tools if tool.name in held_out and tool.offered.train]
        if offered:
            text = f"{len(offered):,} of the tools held out are offered, and not called, in training rows"
            print_line(console, styled(f"          {text}", "dim"), 10)


def _show_mix(console: "Console", out: Path, mix: "Mix") -> None:
    print_line(console, styled(counted(mix.rows), "bold", f"  {out}", "dim"), 2)
    console.print(styled(f"\n{'taken':>9}{'of':>9}{'share':>8}{'asked':>8}", "bold"))
    for part in mix.parts:
        figures = f"{part.taken:>9,}{part.rows:>9,}{part.share_reached:>8.1%}{part.share_asked:>8.1%}"
        general = "  general" if part.general else ""
        console.print(
            styled(f"{figures}  ", "", part.path.name, "bold", general, "dim", _remark(part), "yellow")
        )
        if part.rejected:
            print_line(console, _rejected(part.rejected), 28)
        print_left_out(console, part.left_out)


def _remark(part: "PartReport") -> str:
    if part.repeated:
        return f"  exhausted: {_are(part.repeated)} repeated"
    if part.exhausted:
        return f"  exhausted: {_are(part.asked - part.taken)} missing (--repeat takes rows again)"
    return ""


def _are(count: int) -> str:
    return f"{counted(count)} {'is' if count == 1 else 'are'}"


def _rejected(rules: Mapping[str, int]) -> "Text":
    from tuner_tui.data.rules import RULES

    reasons = ", ".join(f"{RULES[rule].title.lower()} {count:,}" for rule, count in rules.items())
    count = f"{counted(sum(rules.values()), 9)} rejected     "
    return styled(count, "red", f"{reasons} (`tuner convert` names each)", "dim")


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
