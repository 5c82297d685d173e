"""What a split or a mix of datasets gives, in words and figures."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from tuner_tui.data.rules import RULES
from tuner_tui.tui.widgets.histogram import bar
from tuner_tui.tui.widgets.prose import hanging
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from tuner_tui.data.parts.mix import Mix, PartReport
    from tuner_tui.data.parts.split import Split

_NAMES = 8  # tools that are named; the rest is counted
_LABEL = 20


def split_content(split: "Split", width: int) -> Content:
    """Rows on both sides, the kinds, and the tools that only one side knows."""
    lines = [
        Content.assemble((f"{split.train:>9,}", "bold"), " rows to train on"),
        Content.assemble(
            (f"{split.eval:>9,}", "bold"),
            f" set aside: {split.reached:.1%}",
            (f" (asked {split.asked:.1%})", "$quiet"),
        ),
    ]
    if split.rejected:
        lines.append(_rejected(split.rejected))
    if split.largest_group > 1:
        text = f" groups kept together, the largest of {split.largest_group:,} rows"
        lines.append(Content.assemble((f"{split.groups:>9,}", "bold"), text))
    if split.near_duplicates:
        lines.append(
            Content.styled(f"{split.near_duplicates:>9,} rows kept with one nearly the same", "$quiet")
        )
    lines.append(_title(f"{'Kinds of rows':<{_LABEL}}{'train':>9}{'aside':>9}"))
    lines += [
        Content(f"{name.replace('_', ' '):<{_LABEL}}{sides.train:>9,}{sides.eval:>9,}")
        for name, sides in split.kinds.items()
        if sides.train or sides.eval
    ]
    called = sum(1 for tool in split.tools if tool.called.train or tool.called.eval)
    if called:
        both = called - len(split.unseen) - len(split.untested)
        lines += [
            _title("Tools that are called"),
            Content(f"{both:>9,} on both sides"),
            _tools(split.untested, "in training alone", width, "$quiet"),
            _tools(split.unseen, "set aside alone", width, "$quiet" if split.by == "tool" else "$warning"),
        ]
    return Content("\n").join(lines)


def mix_content(mix: "Mix", width: int) -> Content:
    """What each file gives, and its share of the mixture."""
    lines = [Content.assemble((f"{mix.rows:,}", "bold"), " rows, in random order"), Content()]
    for part in mix.parts:
        lines += _part(part, width)
    return Content("\n").join(lines)


def _part(part: "PartReport", width: int) -> list[Content]:
    name = visible(part.path.name, one_line=True, limit=max(width - 12, 12))
    general = ("  general", "$quiet") if part.general else ""
    room = min(max(width - 44, 4), 30)
    lines = [
        Content.assemble((name, "bold"), general),
        Content.assemble(
            ("  " + bar(part.share_reached, room), "$primary"),
            f" {part.share_reached:>6.1%}",
            (f" (asked {part.share_asked:>5.1%})", "$quiet"),
            f"  {part.taken:,} of {part.rows:,} rows",
        ),
    ]
    if part.repeated:
        lines.append(Content.styled(f"  ▲ used up: {part.repeated:,} rows are repeated", "$warning"))
    elif part.exhausted:
        missing = part.asked - part.taken
        lines.append(Content.styled(f"  ▲ used up: {missing:,} rows are missing", "$warning"))
    if part.rejected:
        lines.append(_rejected(part.rejected))
    return [*lines, Content()]


def _rejected(rules: Mapping[str, int]) -> Content:
    reasons = ", ".join(f"{RULES[rule].title.lower()} {count:,}" for rule, count in rules.items())
    count = f"{sum(rules.values()):>9,}"
    return Content.assemble((count, "bold $bad"), (" rows cannot be converted", "$bad"), f": {reasons}")


def _tools(names: Sequence[str], where: str, width: int, style: str) -> Content:
    shown = ", ".join(visible(name, one_line=True) for name in names[:_NAMES])
    more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
    text = f"{len(names):>9,} {where}" + (f": {shown}{more}" if names else "")
    return Content.styled(hanging(text, width, 10), style) if names else Content(text)


def _title(text: str) -> Content:
    return Content.styled(f"\n{text}", "bold $primary")
