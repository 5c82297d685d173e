"""Memory and time of a run before it starts, and the explanation of one setting: text for Configure."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.content import Content

from tuner_tui.tui.widgets.form_fields import FormField, Raw, shown
from tuner_tui.tui.widgets.histogram import bar
from tuner_tui.tui.widgets.prose import hanging
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from tuner_tui.training.config import Method
    from tuner_tui.training.estimate import Estimate

_LABEL = 24


def human_bytes(count: int) -> str:
    """Bytes in the unit that suits them (powers of 1000, as memory is sold), with three figures at most."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.0f} GB" if size >= 100 else f"{size:.1f} GB"


def human_seconds(seconds: float) -> str:
    """Seconds as "45 s", "12 min" or "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def estimate_content(estimate: "Estimate", width: int) -> Content:
    """A bar for each part of the memory, the total, the time as a range, and what it rests on."""
    room = max(width - _LABEL - 12, 0)
    largest = max(estimate.parts.values(), default=1) or 1
    lines = [
        Content.assemble(
            f"{visible(name, one_line=True)[: _LABEL - 1]:<{_LABEL}}{human_bytes(size):>9}  ",
            (bar(size / largest, room) if size else "", "$primary"),
        )
        for name, size in estimate.parts.items()
    ]
    lines.append(
        Content.styled(f"{'together, at the peak':<{_LABEL}}{human_bytes(estimate.total):>9}", "bold")
    )
    if estimate.seconds is not None:
        lines.append(Content.assemble("\nTraining takes about ", (time_range(estimate.seconds), "bold"), "."))
    lines += [Content.styled(hanging(f"· {visible(note)}", width, 2), "$quiet") for note in estimate.notes]
    return Content("\n").join(lines)


def time_range(seconds: tuple[float, float]) -> str:
    """A range of time, such as "40 s to 2 min"."""
    low, high = (human_seconds(each) for each in seconds)
    return low if low == high else f"{low} to {high}"


def field_help(field: FormField, preset: Raw, changed: bool, width: int) -> Content:
    """What a setting does, what happens when it is too low or too high, and what the preset had."""
    lines = [
        Content.assemble((field.title, "bold"), ("  " + field.path, "$quiet")),
        Content(hanging(field.help, width, 0)),
    ]
    for word, text in (("Too low:", field.low), ("Too high:", field.high)):
        if text:
            rest = hanging(f"{word} {text}", width, 2).removeprefix(word)
            lines.append(Content.assemble((word, "bold"), rest))
    if changed:
        before = visible(shown(field, preset), one_line=True)
        said = (
            f"The preset has {before}; Backspace puts it back." if before else "Backspace empties it again."
        )
        lines.append(Content.styled(hanging(f"● {said}", width, 2), "$warning"))
    return Content("\n").join(lines)


def method_help(field: FormField, method: "Method", width: int) -> Content:
    """What the chosen method does, what it learns from, what has to be there first, what comes out."""
    from tuner_tui.training.method_notes import NOTES

    note = NOTES[method]
    lines = [
        Content.assemble((f"{method}: {note.title}", "bold"), ("  " + field.path, "$quiet")),
        Content(hanging(note.does, width, 0)),
    ]
    for word, text in (("Data:", note.needs), ("Before:", note.before), ("Result:", note.result)):
        if text:
            rest = hanging(f"{word} {text}", width, 2).removeprefix(word)
            lines.append(Content.assemble((word, "bold"), rest))
    lines.append(
        Content.styled(hanging("p lists presets of each method: their rates fit it.", width, 0), "$quiet")
    )
    return Content("\n").join(lines)


def config_state(
    origin: str, changed: int, faults: Mapping[str, str], estimate: "Estimate | None"
) -> Content:
    """One line: where the settings come from, how many changed, whether they are right, what they need."""
    parts: list[tuple[str, str]] = [(visible(origin, one_line=True), "")]
    if changed:
        parts.append((f"   ● {changed} changed", "$warning"))
    if faults:
        count = len([path for path in faults if path]) or 1
        parts.append((f"   ✗ {count} value{' is' if count == 1 else 's are'} wrong", "$bad"))
    else:
        parts.append(("   ✓ complete", "$good"))
        if estimate is not None:
            time = f", {time_range(estimate.seconds)}" if estimate.seconds else ""
            parts.append((f"   ≈ {human_bytes(estimate.total)}{time}", "$quiet"))
    return Content.assemble(*parts)
