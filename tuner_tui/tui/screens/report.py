"""Report: the verdict first, then what supports it, where the files lie, and how to repeat it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Markdown, Static, TabbedContent, TabPane
from textual.worker import get_current_worker

from tuner_tui.errors import UserError
from tuner_tui.tui.step import StepScreen

if TYPE_CHECKING:
    from tuner_tui.tui.journey import Journey

Report = Mapping[str, Any]

_NO_RUN = (
    "There is no run to report on yet. 3 configures one; d on the home screen starts the guided demo, "
    "a real run in a few minutes."
)


class ReportScreen(StepScreen):
    """Built from the run's files each time that it is shown; nothing is kept between."""

    STEP = "report"
    TITLE = "Report"
    CSS_PATH = "report.tcss"
    HELP = """\
# Report

The verdict and the rule that it follows from, the figures behind it, the course of training, and the commands
that repeat it. It is read from the run directory each time, so it works for a run that failed, was stopped or
was never evaluated: what is missing is named.

- **w** writes `report.md`, `report.html`, `report.json` and the model card into the run directory.
- **o** shows where the run directory is, and copies its path.
- **y** copies the commands that repeat the run.
- **[ ]** changes between the summary and the whole report.

`tuner report RUN` prints the same report in any terminal.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "write", "Write files", id="report.write"),
        Binding("o", "show_path", "Path", id="report.path"),
        Binding("y", "copy", "Copy commands", id="report.copy"),
        Binding("left_square_bracket", "tab(-1)", "Tab before", show=False),
        Binding("right_square_bracket", "tab(1)", "Tabs", key_display="[ ]"),
        Binding("enter", "go_on", "Go on", show=False, id="report.go_on"),
    ]

    class Built(Message):
        """The report was built; `text` is its Markdown."""

        def __init__(self, report: Report, text: str, *, adopted: bool) -> None:
            super().__init__()
            self.report, self.text, self.adopted = report, text, adopted

    class Failed(Message):
        """There is nothing to report on, or writing failed."""

        def __init__(self, sentence: str, *, no_run: bool = False) -> None:
            super().__init__()
            self.sentence, self.no_run = sentence, no_run

    class Written(Message):
        """The files were written."""

        def __init__(self, run_dir: Path) -> None:
            super().__init__()
            self.run_dir = run_dir

    def __init__(self) -> None:
        super().__init__()
        self._report: Report | None = None
        self._run_dir: Path | None = None

    def compose_body(self) -> ComposeResult:
        from tuner_tui.tui.widgets.curve_chart import CurveChart
        from tuner_tui.tui.widgets.tabs import SteadyTabs

        yield Static(id="verdict", classes="prose")
        with SteadyTabs(id="pages"):
            with TabPane("Summary", id="summary"):
                with Horizontal(id="evidence"):
                    with Vertical(id="evidence-figures"):
                        yield Static(id="method")
                        yield Static(id="figures")
                    with Vertical(id="training"):
                        yield Static(id="training-verdict")
                        yield CurveChart(smoothing=0.6, id="curve")
                        yield Static(id="checks")
                yield Static(id="notes", classes="prose")
            with TabPane("Whole report", id="whole"):
                yield Markdown(id="text", open_links=False)

    def on_body_ready(self) -> None:
        self.query_one("#pages").display = False
        self.refresh_body()

    def refresh_body(self) -> None:
        self._build()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a run there is nothing to write, show or copy."""
        if action in ("write", "show_path", "copy", "tab"):
            return self._report is not None
        return super().check_action(action, parameters)

    def action_write(self) -> None:
        """Write the report in all its forms, and the model card, into the run directory."""
        if self._run_dir is not None:
            self._write(self._run_dir)

    def action_show_path(self) -> None:
        """Say where the run directory is, and copy its path."""
        if self._run_dir is not None:
            self.app.copy_to_clipboard(str(self._run_dir))
            self.notify(str(self._run_dir), title="Run directory (copied)", markup=False)

    def action_copy(self) -> None:
        """Copy the commands that repeat the run."""
        if self._report is not None:
            commands = "\n".join(self._report["repeat"])
            self.app.copy_to_clipboard(commands)
            self.notify(commands, title="Copied", markup=False)

    def action_tab(self, step: int) -> None:
        """Show the neighbouring tab."""
        from tuner_tui.tui.widgets.tabs import cycle

        cycle(self.query_one(TabbedContent), step)

    def action_go_on(self) -> None:
        """What the verdict asks for next."""
        if self._report is None:
            self.tuner.go("home")
        elif self._report["verdict"]["decision"] == "not_evaluated":
            self.tuner.go("evaluate")
        elif self._report["verdict"]["decision"] == "not_finished":
            self.tuner.go("train")
        else:
            self.action_write()

    @work(thread=True, exclusive=True, exit_on_error=False, group="build")
    def _build(self) -> None:
        from tuner_tui.report.build import build_report
        from tuner_tui.report.markdown import render

        worker = get_current_worker()
        try:
            run_dir, adopted = _find_run(self.journey)
            if run_dir is None:
                self.post_message(self.Failed(_NO_RUN, no_run=True))
                return
            report = build_report(run_dir)
        except UserError as error:
            self.post_message(self.Failed(str(error), no_run=True))
            return
        if not worker.is_cancelled:
            self._run_dir = run_dir
            self.post_message(self.Built(report, render(report), adopted=adopted))

    @work(thread=True, exclusive=True, exit_on_error=False, group="write")
    def _write(self, run_dir: Path) -> None:
        from tuner_tui.report.build import write_report

        try:
            write_report(run_dir)
        except UserError as error:
            self.post_message(self.Failed(str(error)))
            return
        self.post_message(self.Written(run_dir))

    def on_report_screen_failed(self, message: Failed) -> None:
        if not message.no_run:
            self.tuner.complain(message.sentence)
            return
        self._report = None
        self.query_one("#pages").display = False
        self.query_one("#verdict", Static).update(Content.assemble(("○ ", "$quiet"), message.sentence))
        self.refresh_bindings()

    def on_report_screen_written(self, message: Written) -> None:
        self.update_stepper()
        self.notify(
            str(message.run_dir / "report.md"),
            title="Written, with report.html, report.json and the model card",
            markup=False,
        )

    async def on_report_screen_built(self, message: Built) -> None:
        from tuner_tui.tui.widgets.curve_chart import CurveChart
        from tuner_tui.tui.widgets.report_text import (
            checks,
            figures,
            method,
            notes,
            training_verdict,
            verdict,
        )

        self._report = report = message.report
        self.query_one("#verdict", Static).update(verdict(report, adopted=message.adopted))
        self.query_one("#training-verdict", Static).update(training_verdict(report))
        self.query_one("#notes", Static).update(notes(report))
        chart = self.query_one("#curve", CurveChart)
        chart.clear()
        curves = report["training"]["curves"]
        for series, key in (("train", "train"), ("eval", "held_out")) if curves else ():
            chart.extend(series, curves[0][key]["steps"], curves[0][key]["values"])
        chart.title = curves[0]["title"] if curves else "loss"
        chart.display = bool(curves)
        shown = method(report)
        self.query_one("#method", Static).update(shown)
        self.query_one("#method").display = bool(shown.plain)
        measured = figures(report)
        self.query_one("#figures", Static).update(measured)
        self.query_one("#figures").display = bool(measured.plain)
        self.query_one("#checks", Static).update(checks(report))
        await self.query_one("#text", Markdown).update(message.text)
        self.query_one("#evidence-figures").display = bool(measured.plain or shown.plain)
        self.query_one("#pages").display = True
        self.refresh_bindings()


def _find_run(journey: "Journey") -> tuple[Path | None, bool]:
    """The journey's run, else the newest one (True: it was not chosen), else None."""
    from tuner_tui.runs.store import list_runs

    if journey.run_dir is not None:
        return journey.run_dir, False
    newest = next(iter(list_runs()), None)
    return (newest.path, True) if newest is not None else (None, False)
