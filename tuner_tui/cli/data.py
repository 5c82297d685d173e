"""`tuner inspect`: what is in a dataset, and what is wrong with it."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner_tui.cli.data_fix import add_fix_flag, fix_verb
from tuner_tui.cli.output import add_json_flag, emit

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from tuner_tui.data.inspection import FindingGroup, Inspection
    from tuner_tui.data.progress import Progress

_SIGNS = {"error": ("✗", "bold red"), "warning": ("!", "bold yellow"), "info": ("i", "bold blue")}
_BAR_WIDTH = 24
_MOST_TOOLS = 8
_HISTOGRAM_BINS = 40
_HISTOGRAM_LEVELS = " ▁▂▃▄▅▆▇█"
_PROGRESS_SECONDS = 0.2


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verbs of this group."""
    inspect = subparsers.add_parser(
        "inspect",
        help="what is in a dataset, and what is wrong with it",
        description="Read a dataset in any known layout and report what is in it and what is wrong with it. "
        "Exit status 1 when there is a finding of severity error.",
    )
    inspect.add_argument("file", type=Path, metavar="FILE", help="JSON Lines or JSON")
    inspect.add_argument(
        "--model",
        metavar="M",
        help='a model\'s folder, or "embedded": lengths in tokens, and checks of its chat template',
    )
    inspect.add_argument(
        "--max-length", type=_positive, metavar="N", help="report rows of more than N tokens (with --model)"
    )
    inspect.add_argument("--limit", type=_positive, metavar="N", help="look at the first N rows only")
    add_fix_flag(inspect)
    add_json_flag(inspect)
    inspect.set_defaults(run=inspect_verb)


def inspect_verb(args: argparse.Namespace) -> int:
    """`tuner inspect`: 1 when something in the file is an error."""
    if args.fix is not None:
        return fix_verb(args)
    from tuner_tui.data.inspection import inspect_file
    from tuner_tui.data.rules import Severity
    from tuner_tui.errors import UserError
    from tuner_tui.paths import resolve_model

    if args.max_length is not None and args.model is None:
        raise UserError(
            "--max-length counts tokens, so that it needs --model (for instance --model embedded)."
        )
    model = Path(resolve_model(args.model)) if args.model is not None else None
    with _Progress() as progress:
        inspection = inspect_file(
            args.file, model=model, max_length=args.max_length, limit=args.limit, progress=progress
        )
    emit(args, inspection.to_json(), lambda console: _show(console, inspection, args.max_length))
    return 1 if inspection.worst is Severity.ERROR else 0


class _Progress:
    """Rows counted on stderr while a person waits; nothing when stderr is no terminal."""

    def __enter__(self) -> "Callable[[Progress], None]":
        from rich.console import Console

        self._shown = 0.0
        self._status = Console(stderr=True).status("Inspecting…")
        self._status.start()
        return self._count

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def _count(self, progress: "Progress") -> None:
        if progress.seconds - self._shown < _PROGRESS_SECONDS:
            return
        self._shown = progress.seconds
        rate, eta = progress.rows_per_second, progress.eta
        left = f", {eta:,.0f} s left" if eta is not None else ""
        self._status.update(f"Inspecting… {progress.rows:,} rows, {rate:,.0f} a second{left} (Ctrl-C stops)")


def _show(console: "Console", inspection: "Inspection", max_length: int | None) -> None:
    part = "" if inspection.complete else " (the first of them; not the whole file)"
    console.print(_text(inspection.path.name, "bold", "  ", "", inspection.format.label, "dim"))
    console.print(_text(f"{inspection.rows:,} rows", "", part, "yellow"))
    kinds = {name.replace("_", " "): count for name, count in inspection.kinds.items() if count}
    sound = sum(kinds.values())
    title = "Kinds" if sound == inspection.rows else f"Kinds of the {sound:,} rows that can be used"
    _show_bars(console, title, kinds, "cyan")
    _show_bars(console, _tools_title(inspection.tools), inspection.tools, "blue")
    if inspection.lengths:
        _show_lengths(console, inspection.lengths, inspection.trained, max_length)
    _show_findings(console, inspection)


def _tools_title(tools: Mapping[str, int]) -> str:
    return (
        "Calls by tool"
        if len(tools) <= _MOST_TOOLS
        else f"Calls by tool ({_MOST_TOOLS} of {len(tools)} tools)"
    )


def _show_bars(console: "Console", title: str, counts: Mapping[str, int], style: str) -> None:
    if not counts:
        return
    total, most = sum(counts.values()), max(counts.values())
    shown = list(counts.items())[:_MOST_TOOLS]
    width = min(30, max(len(name) for name, _ in shown))
    console.print(_text(f"\n{title}", "bold"))
    for name, count in shown:
        bar = "█" * max(1, round(_BAR_WIDTH * count / most)) if count else ""
        label = name if len(name) <= width else f"{name[: width - 1]}…"
        console.print(
            _text(
                f"  {label:<{width}} {count:>7,}  ",
                "",
                f"{bar:<{_BAR_WIDTH}}",
                style,
                f" {count / total:4.0%}",
                "dim",
            )
        )


def _show_lengths(
    console: "Console", lengths: Sequence[int], trained: Sequence[int], max_length: int | None
) -> None:
    ordered = sorted(lengths)
    longest = ordered[-1]
    bins = [0] * _HISTOGRAM_BINS
    for length in lengths:
        bins[min(_HISTOGRAM_BINS - 1, length * _HISTOGRAM_BINS // (longest + 1))] += 1
    levels = len(_HISTOGRAM_LEVELS) - 1
    # Rounded up: a bin with one row is not shown as empty.
    bars = "".join(_HISTOGRAM_LEVELS[-(-count * levels // max(bins))] for count in bins)
    total = sum(lengths)
    median, p95 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
    console.print(_text("\nTokens per row", "bold"))
    console.print(_text(f"  0 {bars} {longest:,}", "green"))
    console.print(
        _text(f"  median {median:,} · 95% below {p95:,} · longest {longest:,} · {total:,} in all", "")
    )
    share = f"  {sum(trained):,} tokens are trained ({sum(trained) / max(1, total):.0%})"
    console.print(_text(share, ""))
    if max_length is not None:
        over = sum(length > max_length for length in lengths)
        style = "yellow" if over else "green"
        console.print(_text(f"  {over:,} rows are longer than max_length {max_length:,}", style))


def _show_findings(console: "Console", inspection: "Inspection") -> None:
    groups = inspection.by_rule()
    console.print(_text("\nFindings" if groups else "\n✓ Nothing is wrong with it.", "bold"))
    first: dict[str, Any] = {}
    for found in inspection.findings:
        first.setdefault(found.rule, found)
    for group in groups:
        _show_group(console, group, first[group.rule])
    if bad := inspection.severities.count(3):
        share = f"\n{bad:,} of {inspection.rows:,} rows have an error"
        console.print(_text(f"{share}: they teach nothing, or something wrong.", "bold red"))


def _show_group(console: "Console", group: "FindingGroup", first: Any) -> None:
    from tuner_tui.data.rules import RULES

    sign, style = _SIGNS[group.severity.value]
    where = f"  {group.count:,}×, {_rows(group.rows)}" if group.rows else ""
    console.print(
        _text(f"  {sign} {group.severity.value:<8}", style, RULES[group.rule].title, "bold", where, "dim")
    )
    place = f" at {first.field}" if first.field else ""
    row = f"row {first.row}{place}: " if first.row is not None else ""
    console.print(_indented(f"{row}{first.message}", ""))
    console.print(_indented(f"→ {first.fix}", "dim"))


def _rows(rows: Sequence[int]) -> str:
    shown = ", ".join(f"{row}" for row in rows[:6])
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{', …' if len(rows) > 6 else ''}"


def _indented(text: str, style: str) -> Any:
    from rich.padding import Padding

    return Padding(_text(text, style), (0, 0, 0, 4), expand=False)


def _text(*parts: str) -> "Text":
    """Pieces of text and their styles in turn; control characters shown, markup never interpreted."""
    from rich.text import Text

    from tuner_tui.visible import visible

    pieces = zip(parts[::2], parts[1::2], strict=True)
    return Text.assemble(*((visible(text), style) for text, style in pieces))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} must be at least 1")
    return number
