"""The screen that every step is built on: shell first, body after the first paint."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen

from tuner_tui.tui.bindings import STEP_BINDINGS
from tuner_tui.tui.journey import STEPS, Journey
from tuner_tui.tui.widgets.key_bar import KeyBar
from tuner_tui.tui.widgets.stepper import Stepper

if TYPE_CHECKING:
    from tuner_tui.tui.app import TunerApp


class Body(VerticalScroll, can_focus=False):
    """Scrolls what does not fit; follows the focus, the wheel, and Page Up/Down."""


class StepScreen(Screen[None]):
    """A step's screen: the stepper on top, a body that scrolls, the keys of this screen below.

    A subclass sets `STEP`, `TITLE` and `HELP` (Markdown, shown by F1) and writes `compose_body`.
    Its heavy imports belong inside that method: the shell is on the screen before it is called.
    """

    STEP: ClassVar[str]
    HELP: ClassVar[str] = ""
    BINDINGS = STEP_BINDINGS

    _body_begun = False
    body_ready = False
    """Whether the body has been mounted."""

    @property
    def tuner(self) -> "TunerApp":
        """The app, by its own type."""
        return cast("TunerApp", self.app)

    @property
    def journey(self) -> Journey:
        """What the screens share."""
        return self.tuner.journey

    def compose(self) -> ComposeResult:
        yield Stepper(self.STEP, self.journey.done())
        yield Body(id="body")

    def compose_body(self) -> ComposeResult:
        """The widgets of the step; called once, after the shell has been painted."""
        yield from ()

    def on_body_ready(self) -> None:
        """The body is mounted: fill it."""

    def refresh_body(self) -> None:
        """The screen is shown again: what it shows may have changed meanwhile."""

    async def mount_body(self) -> None:
        """Mount the body, once; the app calls this after its first paint, later screens do it themselves."""
        if self._body_begun:
            return
        self._body_begun = True
        body = self.query_one(Body)
        with self.app.batch_update():
            # The footer too: its keys take as long to lay out as the rest of a shell.
            await self.mount(KeyBar(compact=True))
            await body.mount_compose(self.compose_body())
            self.body_ready = True
            self.on_body_ready()
        self.refresh_bindings()
        if self.focused is None and self.AUTO_FOCUS != "":
            self.focus_next(self.AUTO_FOCUS or "*")

    def on_screen_resume(self) -> None:
        self.update_stepper()
        if self.body_ready:
            self.refresh_body()
        elif self.tuner.painted:
            self.call_later(self.mount_body)

    def update_stepper(self) -> None:
        """Mark the steps that have a result by now."""
        for stepper in self.query(Stepper):
            stepper.done = self.journey.done()

    def action_next_step(self) -> None:
        """Go to the step after this one."""
        index = STEPS.index(self.STEP) + 1 if self.STEP in STEPS else 0
        self.tuner.go(STEPS[min(index, len(STEPS) - 1)])

    def action_back(self) -> None:
        """Go home; a screen with something to cancel cancels it first."""
        self.tuner.go("home")

    def action_scroll_body(self, direction: int) -> None:
        """Move the body by a page."""
        body = self.query_one(Body)
        if direction > 0:
            body.scroll_page_down(animate=False)
        else:
            body.scroll_page_up(animate=False)
