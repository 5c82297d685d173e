"""One item side by side: what was asked, what was expected, what the model wrote before and after
training.

Calls are compared argument by argument, as the scoring does, and not letter by letter: key order
and spacing of JSON mean nothing. Marks: `✓` as expected, `✗` differs, `−` missing, `+` not asked
for.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from textual import events
from textual.app import ComposeResult
from textual.containers import Grid, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tuner_tui.data.answers.scoring import same_value
from tuner_tui.tui.text import safe

Call = Mapping[str, Any]
Mark = Literal["same", "differs", "missing", "extra"]

SYMBOLS: Final[Mapping[Mark, tuple[str, str]]] = {
    "same": ("✓", "$good"),
    "differs": ("✗", "$bad"),
    "missing": ("−", "$bad"),
    "extra": ("+", "$bad"),
}
_MOST_TEXT = 1200
_TWO, _THREE = 64, 108
"""Widths in cells from which two and three sides stand beside each other."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a compared answer: a tool name (`indent` 0) or an argument (`indent` 1)."""

    mark: Mark
    text: str
    indent: int = 0
    expected: str = ""


def compare_calls(gold: Sequence[Call], calls: Sequence[Call]) -> list[Line]:
    """Compare the calls of an answer with the expected ones, in the order of the expected ones.

    A call is paired with the first unpaired call of the same tool; what stays unpaired is missing
    or extra.
    """
    left = list(calls)
    lines: list[Line] = []
    for expected in gold:
        # Of two calls of one tool, the one that agrees in more arguments is the one that was meant.
        same_tool = [call for call in left if call.get("name") == expected.get("name")]
        if not same_tool:
            lines.append(Line("missing", str(expected.get("name"))))
            continue
        call = max(same_tool, key=lambda call: _agreement(expected, call))
        left.remove(call)
        lines.append(Line("same", str(call.get("name"))))
        lines += _compare_arguments(_arguments(expected), _arguments(call))
    for call in left:
        lines.append(Line("extra", str(call.get("name"))))
        lines += [Line("extra", _argument(*pair), 1) for pair in _arguments(call).items()]
    if not gold and not calls:
        lines.append(Line("same", "no call"))
    return lines


def _compare_arguments(expected: Mapping[str, Any], given: Mapping[str, Any]) -> list[Line]:
    lines = []
    for name, value in expected.items():
        if name not in given:
            lines.append(Line("missing", _argument(name, value), 1))
        else:
            same = same_value(value, given[name])
            wanted = "" if same else json.dumps(value, ensure_ascii=False)
            mark: Mark = "same" if same else "differs"
            lines.append(Line(mark, _argument(name, given[name]), 1, wanted))
    extra = [name for name in given if name not in expected]
    return lines + [Line("extra", _argument(name, given[name]), 1) for name in extra]


class DiffView(Widget):
    """Request above; expected, before and after beneath: beside each other, or stacked when the
    place is narrow.
    """

    DEFAULT_CSS = """
    DiffView { height: auto; }
    DiffView .request { height: auto; margin: 0 0 1 0; }
    DiffView Grid { height: auto; grid-size: 1; grid-rows: auto; grid-gutter: 1 3; }
    DiffView.-two Grid { grid-size: 2; }
    DiffView.-two .expected { column-span: 2; }
    DiffView.-three Grid { grid-size: 3; }
    DiffView .side { height: auto; }
    DiffView .side Static { height: auto; }
    DiffView .wrote { color: $quiet; margin: 1 0 0 0; }
    """

    def __init__(
        self,
        request: str,
        gold: Sequence[Call],
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        *,
        titles: tuple[str, str] = ("Before", "After"),
        id: str | None = None,
    ) -> None:
        """`before` and `after` are item lines of the evaluation (`text`, `calls`, `error`)."""
        super().__init__(id=id)
        self._request, self._gold = request, list(gold)
        self._sides = tuple(zip(titles, (before, after), strict=True))

    def compose(self) -> ComposeResult:
        request = Content.assemble(("Request  ", "bold"), safe(self._request))
        yield Static(request, classes="request")
        with Grid():
            with Vertical(classes="side expected"):
                yield Static(Content.styled("Expected", "bold"))
                yield Static(_expected(self._gold))
            for title, item in self._sides:
                with Vertical(classes="side"):
                    yield Static(_heading(title, item))
                    yield Static(_compared(self._gold, item))
                    yield Static(_wrote(item), classes="wrote")

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(_TWO <= event.size.width < _THREE, "-two")
        self.set_class(event.size.width >= _THREE, "-three")


def _expected(gold: Sequence[Call]) -> Content:
    if not gold:
        return Content.assemble("no call", ("\nno tool serves this request", "$quiet"))
    lines = []
    for call in gold:
        lines.append(Content.styled(safe(str(call.get("name"))).plain, "bold"))
        lines += [Content("  ") + safe(_argument(*pair)) for pair in _arguments(call).items()]
    return Content("\n").join(lines)


def _heading(title: str, item: Mapping[str, Any]) -> Content:
    if item.get("error"):
        word = str(item["error"]).replace("_", " ").replace(":", ": ")
        return Content.assemble((f"{title}  ", "bold"), ("✗ ", "$bad"), safe(word))
    return Content.assemble((f"{title}  ", "bold"), ("✓ right", "$good"))


def _compared(gold: Sequence[Call], item: Mapping[str, Any]) -> Content:
    lines = compare_calls(gold, item.get("calls") or [])
    drawn = []
    for line in lines:
        symbol, colour = SYMBOLS[line.mark]
        text = safe(line.text)
        if line.mark != "same":
            text = text.stylize(colour)
        if line.expected:
            text = Content.assemble(text, ("  not ", "$quiet"), safe(line.expected, "$quiet"))
        drawn.append(Content.assemble("  " * line.indent, (symbol + " ", colour), text))
    return Content("\n").join(drawn)


def _wrote(item: Mapping[str, Any]) -> Content:
    text = str(item.get("text") or "")
    if not text.strip():
        return Content("wrote nothing")
    if len(text) > _MOST_TEXT:
        text = text[:_MOST_TEXT] + " …"
    return Content("wrote: ") + safe(text)


def _arguments(call: Call) -> Mapping[str, Any]:
    found = call.get("arguments")
    return found if isinstance(found, Mapping) else {}


def _argument(name: str, value: Any) -> str:
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"


def _agreement(expected: Call, given: Call) -> int:
    wanted, found = _arguments(expected), _arguments(given)
    return sum(name in found and same_value(value, found[name]) for name, value in wanted.items())
