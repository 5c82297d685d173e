"""The guided demo: the real app and real work, with a panel that explains each stop at the person's
pace.

The tour owns no screen and no process. It puts its panel under the screen that is shown, prepares
the journey for the next stop, and starts the same detached processes as the keys of the screens do.
Whoever leaves it stays in the app, with everything that was started still going on.
"""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from textual.screen import Screen

from tuner_tui.errors import UserError
from tuner_tui.tui.journey import Journey
from tuner_tui.tui.step import Body, StepScreen
from tuner_tui.tui.tour_stops import STOPS, Stop
from tuner_tui.tui.tour_work import Work
from tuner_tui.tui.widgets.tour_panel import TourPanel, TourText

if TYPE_CHECKING:
    from tuner_tui.tui.app import TunerApp

_POLL_SECONDS = 1.0


_tours: "WeakKeyDictionary[TunerApp, Tour]" = WeakKeyDictionary()
"""One tour for each app: begun again, it is the same one."""


def start_tour(app: "TunerApp") -> None:
    """Begin the tour at its first stop, also when one is on already."""
    if app not in _tours:
        _tours[app] = Tour(app)
    _tours[app].restart()


def focus_tour(app: "TunerApp") -> None:
    """Give the focus back to the panel; nothing happens without a tour."""
    for panel in app.screen.query(TourPanel):
        panel.focus()


def _find_or_start(work: Work, journey: Journey) -> Path:
    """What the person has started already with the screen's own key, if that goes on or went well."""
    place = work.existing(journey)
    if place is not None and ((seen := work.look(place)).live or seen.ok):
        return place
    return work.start(journey)


class TourPanelOf(TourPanel):
    """The panel, tied to its tour."""

    def __init__(self, tour: "Tour") -> None:
        super().__init__()
        self.tour = tour

    def on_tour_panel_go_on(self, message: TourPanel.GoOn) -> None:
        message.stop()
        self.tour.go_on()

    def on_tour_panel_leave(self, message: TourPanel.Leave) -> None:
        message.stop()
        self.tour.leave()


class Tour:
    """Where the tour stands, and what its present work is doing."""

    def __init__(self, app: "TunerApp") -> None:
        self.app = app
        self.index = 0
        self.over = False
        self.working = False
        self.finished = False
        self.progress = ""
        self.trouble = ""
        app.screen_change_signal.subscribe(app, self._screen_changed)

    @property
    def stop(self) -> Stop:
        """The stop where the tour stands."""
        return STOPS[self.index]

    def restart(self) -> None:
        """Go to the first stop; work that goes on is left alone."""
        self.over = False
        self.app.journey.tour = True
        self._arrive(0)

    def go_on(self) -> None:
        """What Enter does: come back to the stop's screen, start its work, or go to the next stop."""
        if self.working:
            return
        if self.app.current_mode != self.stop.step:
            self.app.go(self.stop.step)
        elif self.stop.work is not None and not self.finished:
            self._start_work()
        elif self.index + 1 < len(STOPS):
            self._arrive(self.index + 1)
        else:
            self.leave()

    def leave(self) -> None:
        """End the tour; the app stays, and so does what was started."""
        self.over = True
        self.app.journey.tour = False
        self.app.workers.cancel_group(self.app, "tour")
        self._screen_changed(self.app.screen)
        run = self.app.journey.run_dir
        said = f" Run {run.name} stays under r." if run is not None else ""
        self.app.notify(f"The tour is over; the app is yours.{said}", markup=False)

    def _arrive(self, index: int) -> None:
        self.index = index
        self.working = self.finished = False
        self.progress = self.trouble = ""
        self.app.workers.cancel_group(self.app, "tour")
        try:
            self.stop.arrive(self.app.journey)
        except UserError as error:
            self.trouble = str(error)
        if self.app.current_mode == self.stop.step:
            screen = self.app.screen
            if isinstance(screen, StepScreen) and screen.body_ready:
                screen.refresh_body()
            self._show_on(screen)
        else:
            self.app.go(self.stop.step)

    def _start_work(self) -> None:
        self.working, self.trouble = True, ""
        self.progress = "starting …"
        self._say()
        self.app.run_worker(self._work(), group="tour", exclusive=True, exit_on_error=False)

    async def _work(self) -> None:
        """Start the stop's process and follow its files until it has ended; file reading happens in
        threads.
        """
        stop, journey = self.stop, self.app.journey
        assert stop.work is not None
        try:
            place = await asyncio.to_thread(_find_or_start, stop.work, journey)
            stop.work.started(journey, place)
            self._refresh_screen()
            while True:
                progress = await asyncio.to_thread(stop.work.look, place)
                self.progress = progress.sentence
                if not progress.live:
                    break
                self._say()
                await asyncio.sleep(_POLL_SECONDS)
            self.finished = progress.ok
            self.trouble = "" if progress.ok else progress.sentence
            if progress.ok:
                stop.work.ended(journey, place)
        except UserError as error:
            self.trouble = str(error)
        self.working, self.progress = False, ""
        self._refresh_screen()
        self._say()

    def _refresh_screen(self) -> None:
        screen = self.app.screen
        if isinstance(screen, StepScreen) and screen.body_ready:
            screen.update_stepper()
            screen.refresh_body()

    def _screen_changed(self, screen: Screen[Any]) -> None:
        if self.over:
            # A mode keeps its screen while another is shown: its panel goes when it is shown again.
            screen.query(TourPanel).remove()
            screen.refresh_bindings()
        else:
            self._show_on(screen)

    def _show_on(self, screen: Screen[Any]) -> None:
        """Put the panel under the body of a step's screen (dialogs have none), fill it and focus
        it.
        """
        if not isinstance(screen, StepScreen):
            return
        if screen.query(TourPanel):
            self._say()
            screen.query_one(TourPanel).focus()
        else:
            screen.call_after_refresh(self._mount_on, screen)

    async def _mount_on(self, screen: StepScreen) -> None:
        if self.over or screen.query(TourPanel):
            return
        panel = TourPanelOf(self)
        panel.said = self._text()
        await screen.mount(panel, after=screen.query_one(Body))
        panel.focus()

    def _say(self) -> None:
        for panel in self.app.screen.query(TourPanel):
            panel.said = self._text()

    def _text(self) -> TourText:
        stop = self.stop
        away = self.app.current_mode != stop.step
        action = "retry" if self.trouble else stop.action
        if away:
            action = f"back to {stop.step.capitalize()}"
        elif self.working:
            action = ""
        elif self.finished or stop.work is None:
            action = stop.onward
        return TourText(
            number=self.index + 1,
            count=len(STOPS),
            title=stop.title,
            text=(stop.after if self.finished else stop.during if self.working else stop.before)(
                self.app.journey
            ),
            action=action,
            progress=self.progress if self.working else "",
            trouble=self.trouble,
        )
