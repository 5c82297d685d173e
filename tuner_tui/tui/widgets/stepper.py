"""The line on top: where one is, what is done, where one can go (click, or press the key shown)."""

from collections.abc import Collection

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

_STEPS = (
    ("decide", "1", "Decide"),
    ("data", "2", "Data"),
    ("configure", "3", "Configure"),
    ("train", "4", "Train"),
    ("evaluate", "5", "Evaluate"),
    ("report", "6", "Report"),
)


class Stepper(Widget):
    """`Home · 1 Decide ✓ 2 Data ✓ 3 Configure › 4 Train › …`: a check stands where a finished
    step's arrow stood.

    The line is 72 to 76 cells wide, so that it fits on 80 columns with the current step marked.
    """

    DEFAULT_CSS = """
    Stepper { height: 1; padding: 0 2; background: $panel; color: $foreground; text-wrap: nowrap; }
    """

    done: reactive[Collection[str]] = reactive(frozenset())
    """Names of the steps that have a result."""

    def __init__(self, current: str, done: Collection[str] = frozenset()) -> None:
        super().__init__()
        self.current = current
        self.set_reactive(Stepper.done, done)

    def render(self) -> Content:
        # Home, Runs and Prefer share the first place: together they would not fit on 80 columns.
        others = {"runs": "Runs", "prefer": "Prefer"}
        first = (self.current, others[self.current]) if self.current in others else ("home", "Home")
        parts = [self._entry(*first), Content.styled(" · ", "$quiet")]
        for index, (step, key, title) in enumerate(_STEPS):
            parts.append(self._entry(step, f"{key} {title}"))
            if step in self.done:
                parts.append(Content.styled(" ✓ ", "$good bold"))
            elif index < len(_STEPS) - 1:
                parts.append(Content.styled(" › ", "$quiet"))
        return Content.assemble(*parts)

    def _entry(self, step: str, label: str) -> Content:
        if step == self.current:
            # Underlined as well as coloured: it must be found without colour.
            return Content.styled(label, "$primary bold underline")
        return Content.styled(label, f"@click=app.go('{step}')")
