"""The tab of Evaluate with the answers that changed: a list, and the item under the cursor side by side."""

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuner_tui.tui.widgets.diff_view import DiffView
from tuner_tui.tui.widgets.evaluation_text import changed_line, changed_option, compared_titles

if TYPE_CHECKING:
    from tuner_tui.evaluation.compare import Changed
    from tuner_tui.tui.evaluation_view import EvaluationView

_FILTERS = ("all", "broken", "fixed")


class ChangedPane(Vertical):
    """What was right and is wrong now, or the other way round, on held-out rows."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: EvaluationView | None = None
        self._filter = _FILTERS[0]

    def compose(self) -> ComposeResult:
        yield Static(id="changed-line", classes="quiet")
        with Horizontal(id="changed-row"):
            yield OptionList(id="changed-list", compact=True, markup=False)
            yield VerticalScroll(id="changed-item", can_focus=True)

    def show(self, view: "EvaluationView") -> None:
        """List the changed answers of a reading."""
        self._view = view
        shown = self._shown()
        self.query_one("#changed-line", Static).update(changed_line(view, self._filter))
        options = self.query_one("#changed-list", OptionList)
        options.clear_options()
        options.add_options(Option(changed_option(each)) for each in shown)
        self.query_one("#changed-row").display = bool(shown)
        if shown:
            options.highlighted = 0

    def next_filter(self) -> None:
        """All changed answers, only the broken ones, only the fixed ones."""
        self._filter = _FILTERS[(_FILTERS.index(self._filter) + 1) % len(_FILTERS)]
        if self._view is not None:
            self.show(self._view)

    def _shown(self) -> "list[Changed]":
        changed = self._view.changed if self._view is not None else []
        return [each for each in changed if self._filter in ("all", each.direction)]

    @on(OptionList.OptionHighlighted, "#changed-list")
    async def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        shown = self._shown()
        if self._view is None or not 0 <= event.option_index < len(shown):
            return
        each = shown[event.option_index]
        place = self.query_one("#changed-item", VerticalScroll)
        async with self.batch():
            await place.remove_children()
            await place.mount(
                DiffView(each.request, each.gold, each.before, each.after, titles=compared_titles(self._view))
            )
        place.scroll_home(animate=False)
