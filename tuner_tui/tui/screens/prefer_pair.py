"""The two answers that are judged now: verdicts, undo, notes."""

from typing import TYPE_CHECKING

from textual.message import Message

from tuner_tui.errors import UserError
from tuner_tui.tui.widgets.answer_pair import AnswerPair
from tuner_tui.tui.widgets.dialogs import TextDialog

if TYPE_CHECKING:
    from tuner_tui.evaluation.preferences.judging import Judging, Verdict


class JudgedPair(AnswerPair):
    """A pair of answers after the other, out of a file; every verdict is on the disk before the next pair."""

    class Changed(Message):
        """There is another pair, another file, or another note."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.judging: Judging | None = None
        """The file that is judged; None while none is open."""
        self._note = ""

    def on_unmount(self) -> None:
        if self.judging is not None:
            self.judging.close()

    def use(self, judging: "Judging | None") -> None:
        """Judge another file, or none."""
        if self.judging is not None:
            self.judging.close()
        self.judging, self._note = judging, ""
        self.post_message(self.Changed())

    def show_current(self) -> None:
        """Show the pair that is judged now."""
        judging = self.judging
        comparison = judging.current if judging is not None else None
        if judging is not None and comparison is not None:
            self.show(comparison, judging.sides(comparison), self._note)

    def judge(self, verdict: "Verdict") -> None:
        """Record the verdict, and go on to the next two answers."""
        if self.judging is None:
            return
        try:
            faults = self.judging.judge(verdict, self._note)
        except UserError as error:
            self._complain(str(error))
            return
        self._note = ""
        if faults:
            text = f"Training would leave this pair out: {faults[0]}."
            self.notify(text, title="The better answer has a fault", severity="warning", markup=False)
        self.post_message(self.Changed())

    def undo(self) -> None:
        """Take the last verdict back, and go back to its answers."""
        if self.judging is None:
            return
        try:
            found = self.judging.undo()
        except UserError as error:
            self._complain(str(error))
            return
        if found is None:
            self.notify("There is nothing to take back.", markup=False)
        self.post_message(self.Changed())

    def write_note(self) -> None:
        """Ask for a note, which is kept with the next verdict."""

        def keep(note: str | None) -> None:
            if note is not None:
                self._note = note
                self.post_message(self.Changed())

        self.app.push_screen(TextDialog("A note on this comparison", self._note), keep)

    def toggle_tools(self) -> None:
        """The tools in full, or their names alone."""
        self.toggle_class("-tools")
        self.post_message(self.Changed())

    def _complain(self, sentence: str) -> None:
        self.notify(sentence, severity="error", timeout=10, markup=False)
