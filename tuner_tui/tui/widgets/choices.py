"""One question of a questionnaire: a line when closed, its options with their help when open."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from tuner_tui.decide.questions import Question
from tuner_tui.tui.widgets.prose import hanging


class QuestionView(Widget, can_focus=True):
    """A question that is answered with the arrow keys, space and enter, or the mouse.

    Space chooses (or, where several answers are allowed, adds and removes); enter chooses and asks for the
    next question. Beyond the first and the last option the arrows move on to the neighbouring question.
    """

    DEFAULT_CSS = """
    QuestionView {
        height: auto;
        padding: 0 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("space", "choose", "Choose"),
        Binding("enter", "advance", "Choose, go on"),
    ]

    is_open: reactive[bool] = reactive(False, layout=True)
    highlighted: reactive[int] = reactive(0)
    chosen: reactive[tuple[str, ...]] = reactive(())

    class Answered(Message):
        """The chosen options changed."""

        def __init__(self, view: "QuestionView") -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> "QuestionView":
            return self.view

    class Advanced(Message):
        """The person is done here, and wants the next question."""

        def __init__(self, view: "QuestionView") -> None:
            super().__init__()
            self.view = view

    class Opened(Message):
        """The question got the focus: the others may close."""

        def __init__(self, view: "QuestionView") -> None:
            super().__init__()
            self.view = view

    def __init__(self, question: Question, number: int, chosen: Sequence[str] = ()) -> None:
        super().__init__(id=f"question-{question.id}")
        self.question = question
        self.number = number
        self.set_reactive(QuestionView.chosen, tuple(chosen))
        self.set_reactive(QuestionView.highlighted, self._first_chosen())

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width).plain.split("\n"))

    def render(self) -> Content:
        return self._lines(self.content_size.width)

    def action_move(self, step: int) -> None:
        target = self.highlighted + step
        if 0 <= target < len(self.question.options):
            self.highlighted = target
        elif step > 0:
            self.screen.focus_next(QuestionView)
        else:
            self.screen.focus_previous(QuestionView)

    def action_choose(self) -> None:
        option, several = self.question.options[self.highlighted], self.question.multiple
        if several and option.id in self.chosen:
            self.chosen = tuple(each for each in self.chosen if each != option.id)
        elif option.alone or not several:
            self.chosen = (option.id,)
        else:
            alone = {each.id for each in self.question.options if each.alone}
            self.chosen = (*(each for each in self.chosen if each not in alone), option.id)
        self.post_message(self.Answered(self))

    def action_advance(self) -> None:
        # With several answers enter must not take away what space has just added.
        option = self.question.options[self.highlighted].id
        if option not in self.chosen and not (self.question.multiple and self.chosen):
            self.action_choose()
        self.post_message(self.Advanced(self))

    def on_focus(self) -> None:
        self.refresh()
        self.post_message(self.Opened(self))

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        index = event.style.meta.get("option")
        if index is not None:
            self.highlighted = index
            self.action_choose()

    def _first_chosen(self) -> int:
        ids = [option.id for option in self.question.options]
        return ids.index(self.chosen[0]) if self.chosen and self.chosen[0] in ids else 0

    def _lines(self, width: int) -> Content:
        lines = [self._heading(width)]
        if self.is_open:
            help_text = hanging(f"    {self.question.help}", width, 4)
            lines.append(Content.styled(help_text, "$quiet italic"))
            lines += [self._option(index, width) for index in range(len(self.question.options))]
            lines.append(Content())
        return Content("\n").join(lines)

    def _heading(self, width: int) -> Content:
        mark = ("✓", "$good") if self.chosen else ("·", "$quiet")
        parts = [mark, (f" {self.number} ", "$quiet")]
        parts.append((self.question.text, "bold" if self.is_open else ""))
        if self.is_open and self.question.multiple:
            parts.append(("  several allowed", "$quiet italic"))
        labels = [option.label for option in self.question.options if option.id in self.chosen]
        if not self.is_open and labels:
            parts.append((f"  {', '.join(labels)}", "$primary"))
        return Content.assemble(*parts).truncate(width, ellipsis=True)

    def _option(self, index: int, width: int) -> Content:
        option = self.question.options[index]
        taken = option.id in self.chosen
        empty, full = ("[ ]", "[x]") if self.question.multiple else ("( )", "(•)")
        mark = full if taken else empty
        here = index == self.highlighted
        pointer = "›" if here else " "
        style = "bold" if taken else ""
        if here and self.has_focus:
            style = "$block-cursor-foreground on $block-cursor-background"
        line = Content.assemble(f"  {pointer} ", (f"{mark} {option.label} ", style))
        if here:
            # The help of one option at a time: the list stays calm, and nothing jumps but this line.
            line = line.append(Content.styled("\n" + hanging(" " * 8 + option.help, width, 8), "$quiet"))
        return line.stylize(Style.from_meta({"option": index}))
