"""Prefer: two answers to a prompt side by side, and which is better: step one of RLHF."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import get_current_worker

from tuner_tui.errors import UserError
from tuner_tui.tui import prefer_files, prefer_notes
from tuner_tui.tui.recent import use_dataset
from tuner_tui.tui.screens.prefer_pair import JudgedPair
from tuner_tui.tui.step import StepScreen

if TYPE_CHECKING:
    from tuner_tui.evaluation.preferences.judging import Judging, Verdict

_POLL_SECONDS = 1.0


class PreferScreen(StepScreen):
    """A file of answers, the pair that is judged now, and what has been said so far."""

    STEP = "prefer"
    TITLE = "Prefer"
    CSS_PATH = "prefer.tcss"
    HELP = prefer_notes.HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a,left", "judge('left')", "A better", key_display="←", id="prefer.left"),
        Binding("b,right", "judge('right')", "B better", key_display="→", id="prefer.right"),
        Binding("e", "judge('tie')", "Equal", id="prefer.tie"),
        Binding("x", "judge('both_bad')", "Both bad", id="prefer.both_bad"),
        Binding("s", "judge('skip')", "Skip", id="prefer.skip"),
        Binding("u", "undo", "Undo", id="prefer.undo"),
        Binding("w", "note", "Note", id="prefer.note"),
        Binding("v", "tools", "Tools", id="prefer.tools"),
        Binding("o", "open", "Open", id="prefer.open"),
        Binding("g", "generate", "Let a model answer", id="prefer.generate"),
        Binding("c", "cancel", "Stop answering", id="prefer.cancel"),
        Binding("n", "next_step", "Use"),
        Binding("enter", "primary", "Next", show=False),
    ]
    AUTO_FOCUS = "#pane-a"

    class Opened(Message):
        """A file is ready to be judged."""

        def __init__(self, judging: "Judging") -> None:
            super().__init__()
            self.judging = judging

    class Comparable(Message):
        """A file holds two answers to each prompt."""

        def __init__(self, source: Path) -> None:
            super().__init__()
            self.source = source

    class Failed(Message):
        """It could not be opened, or no model could be asked; `prompts` is the file if it holds any."""

        def __init__(self, sentence: str, prompts: Path | None = None) -> None:
            super().__init__()
            self.sentence, self.prompts = sentence, prompts

    class Asked(Message):
        """A model is answering the prompts; `folder` is where."""

        def __init__(self, folder: Path) -> None:
            super().__init__()
            self.folder = folder

    def __init__(self) -> None:
        super().__init__()
        self._prompts: Path | None = None
        """A file of prompts that a model may answer."""
        self._folder: Path | None = None
        """Where a model is answering."""
        self._timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        yield Static(id="prefer-state", markup=False)
        yield Static(id="prefer-page", classes="prose", markup=False)
        yield JudgedPair(id="pair")

    def on_body_ready(self) -> None:
        self._timer = self.set_interval(_POLL_SECONDS, self._poll, pause=True)
        self.refresh_body()

    def refresh_body(self) -> None:
        wanted, self.journey.compare = self.journey.compare, None
        if wanted is not None:
            self._read(wanted)
        if self._folder is not None and self._timer is not None:
            self._timer.resume()
        self._show()

    def on_screen_suspend(self) -> None:
        if self._timer is not None:
            self._timer.pause()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the keys that do something now are shown."""
        judging = self._judging
        if action in ("judge", "note", "tools"):
            return judging is not None and judging.current is not None
        if action == "undo":
            return judging is not None
        if action == "next_step":
            return judging is not None and judging.tally().pairs > 0
        if action == "generate":
            return self._folder is None and (judging is None or judging.current is None)
        if action == "open":
            return judging is None or judging.current is None
        if action == "cancel":
            return self._folder is not None
        return super().check_action(action, parameters)

    @property
    def _pair(self) -> JudgedPair:
        return self.query_one(JudgedPair)

    @property
    def _judging(self) -> "Judging | None":
        """What is being judged; None before the body is there, and while no file is open."""
        return self._pair.judging if self.body_ready else None

    # What the person says

    def action_judge(self, verdict: "Verdict") -> None:
        """Record the verdict, and show the next two answers."""
        self._pair.judge(verdict)

    def action_undo(self) -> None:
        """Take the last verdict back, and show its answers again."""
        self._pair.undo()

    def action_note(self) -> None:
        """Write a note, which is kept with the next verdict."""
        self._pair.write_note()

    def action_tools(self) -> None:
        """Show the tools in full, or their names alone."""
        self._pair.toggle_tools()

    def on_judged_pair_changed(self) -> None:
        self._show()

    def action_primary(self) -> None:
        """Open a file at first; use the pairs in the end."""
        if self._judging is None and self._folder is None:
            self.action_open()
        elif self._judging is not None and self._judging.current is None and self._judging.tally().pairs:
            self.action_next_step()

    def action_next_step(self) -> None:
        """Train on the pairs: on to Configure."""
        if self._judging is not None:
            use_dataset(self.journey, self._judging.pairs)
            self.notify(prefer_notes.USE, title="The pairs are the training file", timeout=10, markup=False)
            self.tuner.go("configure")

    # Where the answers come from

    def action_open(self) -> None:
        """Choose a file of answers, of preference pairs, or of prompts."""
        prefer_files.choose_answers(self.tuner, self._read)

    def action_generate(self) -> None:
        """Let a model answer each prompt of a file twice."""
        prefer_files.choose_model(self.tuner, self._prompts, self._start)

    def action_cancel(self) -> None:
        """Ask the answering process to stop; what it has answered can be judged."""
        from tuner_tui.evaluation.launch import stop_evaluation

        if self._folder is not None:
            stop_evaluation(self._folder)
            self.notify("Stopping after this batch; what is answered so far is kept.", markup=False)

    @work(thread=True, exclusive=True, exit_on_error=False, group="open")
    def _read(self, source: Path) -> None:
        """Two answers to each prompt, or prompts, or neither?"""
        fault, has_prompts = prefer_notes.look_at(source)
        message = self.Failed(fault, source if has_prompts else None) if fault else self.Comparable(source)
        if not get_current_worker().is_cancelled:
            self.post_message(message)

    def on_prefer_screen_comparable(self, message: Comparable) -> None:
        """Ask where the pairs go; a file that is there is continued."""
        source = message.source
        prefer_files.choose_pairs(self.tuner, source, lambda pairs: self._open(source, pairs))

    @work(thread=True, exclusive=True, exit_on_error=False, group="open")
    def _open(self, source: Path, pairs: Path) -> None:
        from tuner_tui.evaluation.preferences.judging import Judging

        try:
            judging = Judging(source, pairs.expanduser().absolute())
        except UserError as error:
            self.post_message(self.Failed(str(error)))
            return
        if get_current_worker().is_cancelled:
            judging.close()
        else:
            self.post_message(self.Opened(judging))

    @work(thread=True, exclusive=True, exit_on_error=False, group="start")
    def _start(self, data: Path, what: str) -> None:
        from tuner_tui.evaluation.preferences.answers import start_answers

        run_dir = self.journey.run_dir if what != "base" else None
        try:
            folder = start_answers(run_dir, data, samples=what != "both", limit=prefer_notes.MOST_PROMPTS)
        except (UserError, OSError) as error:
            self.post_message(self.Failed(str(error)))
        else:
            self.post_message(self.Asked(folder))

    def on_prefer_screen_opened(self, message: Opened) -> None:
        self._pair.use(message.judging)

    def on_prefer_screen_failed(self, message: Failed) -> None:
        self._prompts = message.prompts
        if message.prompts is None:
            self.tuner.complain(message.sentence)
        elif self._judging is not None and self._judging.current is None:
            self._pair.use(None)
        self._show()

    def on_prefer_screen_asked(self, message: Asked) -> None:
        self._folder = message.folder
        if self._timer is not None:
            self._timer.resume()
        self._show()

    def _poll(self) -> None:
        """Look how far the model is; its answers are judged when it has ended."""
        from tuner_tui.evaluation.preferences.answers import ANSWERS
        from tuner_tui.evaluation.progress import read_progress

        folder = self._folder
        if folder is None:
            return
        progress = read_progress(folder)
        if progress.state.live:
            self._show()
            return
        self._folder = None
        if self._timer is not None:
            self._timer.pause()
        if progress.error:
            self.tuner.complain(f"The answers {progress.state}: {progress.error}")
        if progress.done:
            self._read(folder / ANSWERS)
        self._show()

    # What is shown

    def _show(self) -> None:
        judging = self._judging
        comparison = judging.current if judging is not None else None
        self.query_one("#prefer-state", Static).update(prefer_notes.state(judging, self._folder))
        self.set_class(comparison is not None, "-judging")
        page = self.query_one("#prefer-page", Static)
        if judging is None:
            page.update(prefer_notes.start(self._folder, self._prompts))
        elif comparison is None:
            page.update(prefer_notes.finished(judging))
        else:
            self._pair.show_current()
            if self.focused is None:
                self.set_focus(self.query_one("#pane-a"))
        self.refresh_bindings()
