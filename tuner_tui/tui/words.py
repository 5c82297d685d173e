"""How states, times and amounts are written, the same on every screen."""

import time

from textual.content import Content

from tuner_tui.runs.layout import RunState

# Symbol and colour of each state; the word always stands beside them.
_STATES: dict[RunState, tuple[str, str]] = {
    RunState.STARTING: ("◌", "$primary"),
    RunState.RUNNING: ("●", "$primary"),
    RunState.STOPPING: ("◐", "$warning"),
    RunState.STOPPED: ("■", "$warning"),
    RunState.FINISHED: ("✓", "$good"),
    RunState.FAILED: ("✗", "$bad"),
    RunState.LOST: ("?", "$bad"),
}


def state(value: RunState) -> Content:
    """Symbol, word and colour: `● running`."""
    symbol, colour = _STATES[value]
    return Content.styled(f"{symbol} {value}", f"bold {colour}")


def several(count: int, noun: str) -> str:
    """`1 row`, `1,024 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """`41 s`, `3 min 10 s`, `2 h 05 min`, `3 d 4 h`."""
    whole = max(0, round(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if not minutes:
        return f"{whole} s"
    if not hours:
        return f"{minutes} min {whole % 60:02} s"
    if not days:
        return f"{hours} h {minutes % 60:02} min"
    return f"{days} d {hours % 24} h"


def duration_range(low: float, high: float) -> str:
    """`70 to 90 s`, `3 to 5 min`: a time that is only known as a range, without false precision."""
    unit, name = (1, "s") if high < 120 else (60, "min") if high < 7200 else (3600, "h")
    first, last = round(low / unit), round(high / unit)
    return f"about {last} {name}" if first == last else f"{first} to {last} {name}"


def age(then: float, now: float | None = None) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `12 d ago`; both times in seconds since the Unix epoch."""
    seconds = max(0.0, (time.time() if now is None else now) - then)
    if seconds < 60:
        return "just now"
    unit, name = (60, "min") if seconds < 3600 else (3600, "h") if seconds < 86400 else (86400, "d")
    return f"{int(seconds // unit)} {name} ago"


def count(value: float) -> str:
    """A whole number with thousands set apart; from a million on in short: `12,340`, `1.2 M`."""
    if value < 1e6:
        return f"{value:,.0f}"
    return f"{value / 1e6:,.1f} M" if value < 1e9 else f"{value / 1e9:,.1f} G"


def size(amount: float) -> str:
    """Bytes in binary units: `512 MiB`, `2.1 GiB`."""
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"
