"""The first tab of Evaluate: which suites to measure, with how many items, and how far each is."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.worker import get_current_worker

from tuner_tui.evaluation.orders import Order
from tuner_tui.evaluation.plans import SuiteItems, SuitePlan, count_items, look_at_items
from tuner_tui.evaluation.suites import SUITES
from tuner_tui.tui.recent import suggestions
from tuner_tui.tui.widgets import suites_choice_text
from tuner_tui.tui.widgets.arm_progress import ArmProgress
from tuner_tui.tui.widgets.dialogs import ChooseDialog, Entry, TextDialog
from tuner_tui.tui.widgets.evaluation_text import arm_lines
from tuner_tui.tui.widgets.file_picker import FilePicker
from tuner_tui.tui.widgets.prose import Prose
from tuner_tui.tui.widgets.suite_list import HEADING, SuiteList

if TYPE_CHECKING:
    from tuner_tui.tui.evaluation_view import EvaluationView

_LIMITS = (50, 100, 200, 500, 1000)
_ANOTHER = "another"
_FOLDERS = ("tasks", "lm_eval")
"""Suites whose items may be those of a whole folder."""
Sources = dict[str, Path | None]


class SuitesPane(Vertical):
    """The suites to tick; beneath them what the one under the cursor is for."""

    class Counted(Message):
        """The items of a suite were counted, or looked at."""

        def __init__(self, items: SuiteItems) -> None:
            super().__init__()
            self.items = items

    class ChoiceChanged(Message):
        """Other suites, or another number of items, are chosen."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: EvaluationView | None = None
        self._chosen: list[str] = []
        self._limit: int | None = None
        self._sources: Sources = {}
        """Files that were chosen here, in place of the configuration's."""
        self._items: dict[str, SuiteItems] = {}
        self._looking: set[str] = set()

    def compose(self) -> ComposeResult:
        yield Static(HEADING, id="suites-heading", classes="quiet line", markup=False)
        yield SuiteList(id="suite-list")
        yield Static(id="choice")
        yield ArmProgress(id="arms")
        yield Prose(id="about")

    @property
    def orders(self) -> list[Order]:
        """What is chosen, in the order in which suites are listed."""
        return [Order(name, self._sources.get(name), self._limit) for name in SUITES if name in self._chosen]

    def show(self, view: "EvaluationView") -> None:
        """Show a reading. What has been measured by now is no longer ticked."""
        before, self._view = self._view, view
        if before is None or before.subject.what != view.subject.what:
            self._chosen, self._items = self._first_choice(view), {}
        elif before.live and not view.live:
            self._chosen = [order.suite for order in view.unfinished]
        if stale := [name for name in SUITES if self._is_stale(name)]:
            self._count({name: self._source(name) for name in stale})
        self._draw()

    @property
    def measured(self) -> list[str]:
        """The chosen suites that have been measured just so already."""
        view = self._view
        if view is None:
            return []
        return [
            order.suite
            for order in self.orders
            if _is_measured(view, order.suite)
            and (section := view.states[order.suite].section) is not None
            and section["settings"].get("limit") == order.items
        ]

    # What the person chooses

    @on(SuiteList.Toggled)
    def _toggled(self, event: SuiteList.Toggled) -> None:
        """Tick a suite, or no longer; of one that needs a file, ask for it first."""
        plan = self._plans().get(event.name)
        if event.name in self._chosen:
            self._chosen.remove(event.name)
        elif plan is not None and plan.obstacle:
            if SUITES[event.name].source == "none":
                self.notify(plan.obstacle, severity="warning", timeout=10, markup=False)
            else:
                self.choose_file()
            return
        else:
            self._chosen.append(event.name)
        self._changed()

    @on(SuiteList.Pointed)
    def _pointed(self) -> None:
        self._look()
        self._draw()

    def choose_file(self) -> None:
        """Ask for the file of the items of the suite under the cursor."""
        name = self.query_one(SuiteList).pointed
        if not name or SUITES[name].source == "none":
            self.notify("This suite has its own items.", markup=False)
            return

        def take(path: Path | None) -> None:
            if path is not None:
                self._sources[name] = path
                self._items.pop(name, None)
                self._chosen = [*dict.fromkeys([*self._chosen, name])]
                self._changed()

        # A suite of its own has a layout of its own: rows of a dataset are no suggestion for it.
        offered = suggestions() if name == "heldout" else ()
        title = f"{SUITES[name].title}: items from"
        picker = FilePicker(title, suggestions=offered, folders=name in _FOLDERS)
        self.app.push_screen(picker, take)

    def choose_limit(self) -> None:
        """Ask how many items of each suite are enough."""
        entries = [
            Entry("", "All items", "The figures that count. BFCL takes hours on a CPU."),
            *self._levels(),
        ]
        entries.append(Entry(_ANOTHER, "Another number", "Each category keeps its share."))

        def take(answer: str | None) -> None:
            if answer == _ANOTHER:
                self.app.push_screen(TextDialog("At most how many items of each suite?"), self._typed_limit)
            elif answer is not None:
                self._set_limit(int(answer) if answer else None)

        self.app.push_screen(ChooseDialog("How many items of each suite?", entries, self._limit_id()), take)

    def _levels(self) -> list[Entry]:
        from tuner_tui.evaluation.statistics import detectable_difference

        return [
            Entry(
                str(count),
                f"At most {count:,}",
                f"A change below about {100 * detectable_difference(count):.0f} points may go unseen.",
            )
            for count in _LIMITS
        ]

    def _limit_id(self) -> str:
        return "" if self._limit is None else str(self._limit) if self._limit in _LIMITS else _ANOTHER

    def _typed_limit(self, text: str | None) -> None:
        if text is None:
            return
        if not text.isdecimal() or not int(text):
            self.notify(f"{text!r} is not a whole number of at least 1.", severity="warning", markup=False)
            return
        self._set_limit(int(text))

    def _set_limit(self, limit: int | None) -> None:
        self._limit = limit
        self._changed()

    def _changed(self) -> None:
        if self._view is not None:
            self.show(self._view)
        self._look()
        self.post_message(self.ChoiceChanged())

    # What is known

    def _first_choice(self, view: "EvaluationView") -> list[str]:
        """What was begun and is not over, to go on with; else the held-out rows, until they are measured."""
        if orders := view.unfinished:
            self._sources |= {order.suite: order.source for order in orders if order.source}
            self._limit = orders[0].items
            return [order.suite for order in orders]
        return [] if _is_measured(view, "heldout") or view.suites else ["heldout"]

    def _source(self, name: str) -> Path | None:
        chosen = self._sources.get(name)
        return chosen or (self._view.subject.source(name) if self._view is not None else None)

    def _is_stale(self, name: str) -> bool:
        return name not in self._items or self._items[name].source != self._source(name)

    def _plans(self) -> dict[str, SuitePlan]:
        return {name: items.plan(self._limit) for name, items in self._items.items()}

    def _look(self) -> None:
        """Look closely at what is chosen, or under the cursor, and was only counted."""
        wanted = {*self._chosen, self.query_one(SuiteList).pointed}
        for name in wanted - self._looking:
            found = self._items.get(name)
            if found is not None and found.can_be_looked_at:
                self._looking.add(name)
                self._look_at(name, found.source)

    @work(thread=True, exclusive=True, exit_on_error=False, group="count")
    def _count(self, sources: Sources) -> None:
        worker = get_current_worker()
        for name, source in sources.items():
            found = count_items(name, source)
            if worker.is_cancelled:
                return
            self.post_message(self.Counted(found))

    @work(thread=True, exit_on_error=False, group="look")
    def _look_at(self, name: str, source: Path | None) -> None:
        self.post_message(self.Counted(look_at_items(name, source)))

    def on_suites_pane_counted(self, message: Counted) -> None:
        message.stop()
        found = message.items
        if found.source != self._source(found.suite):
            return
        self._items[found.suite] = found
        self._looking.discard(found.suite)
        if found.obstacle and found.suite in self._chosen:
            self._chosen.remove(found.suite)
        self._look()
        self._draw()
        self.post_message(self.ChoiceChanged())

    def _draw(self) -> None:
        view = self._view
        if view is None:
            return
        plans = self._plans()
        suites = self.query_one(SuiteList)
        suites.show(suites_choice_text.lines(view, plans, self._chosen))
        said = suites_choice_text.choice(plans, self._chosen, self._limit, live=view.live)
        self.query_one("#choice", Static).update(said if not view.subject.obstacle else Content(""))
        arms = self.query_one("#arms", ArmProgress)
        work = view.at_work
        arms.arms = arm_lines(work.progress) if work is not None and work.progress is not None else ()
        arms.display = bool(arms.arms)
        self.set_class(bool(arms.arms), "-live")
        name = suites.pointed
        about = self.query_one("#about", Prose)
        about.show(partial(suites_choice_text.about, view, name, plans.get(name)))


def _is_measured(view: "EvaluationView", name: str) -> bool:
    """Whether a suite has figures of what the subject is: the tuned model of a run, or a base model."""
    section = view.states[name].section
    return section is not None and (view.subject.run_dir is None or "tuned" in section["arms"])
