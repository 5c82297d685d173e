"""Decide: prompt engineering or fine-tuning? A questionnaire, and a recommendation that follows it."""

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import OptionList, TabbedContent, TabPane
from textual.widgets.option_list import Option

from tuner_tui.decide.questions import QUESTIONS
from tuner_tui.decide.rules import recommend
from tuner_tui.decide.techniques import TECHNIQUES, technique
from tuner_tui.tui.step import StepScreen
from tuner_tui.tui.widgets.advice import headline, reasons, technique_page
from tuner_tui.tui.widgets.choices import QuestionView
from tuner_tui.tui.widgets.prose import Prose
from tuner_tui.tui.widgets.tabs import SteadyTabs, cycle


class DecideScreen(StepScreen):
    """Questions on one side, the recommendation on the other; techniques on a page of their own."""

    STEP = "decide"
    TITLE = "Decide"
    CSS_PATH = "decide.tcss"
    HELP = """\
# Decide

Fine-tuning is the right answer less often than one thinks. Answer what you know, in any order; the
recommendation follows each answer, says why, and what to try first. Nothing is sent anywhere.

**The rule of thumb**: prompt first, and count. Tune when the counts still show the same failure again and
again. Once the base model has been measured on held-out cases (the guided demo does that), its figures are
quoted here and outweigh impressions.

**Techniques** explains each method from prompt engineering to RLHF: what it is, when, when not, and what it
needs.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "tab(-1)", "Tab before", show=False),
        Binding("right_square_bracket", "tab(1)", "Tabs", key_display="[ ]"),
        Binding("x", "clear", "Clear"),
    ]
    AUTO_FOCUS = "QuestionView"

    def compose_body(self) -> ComposeResult:

        with Horizontal(id="decide"):
            with SteadyTabs(initial="questions", id="decide-tabs"):
                with TabPane("Questions", id="questions"), VerticalScroll(can_focus=False):
                    for number, question in enumerate(QUESTIONS, 1):
                        yield QuestionView(question, number, self._chosen(question.id))
                with TabPane("Why", id="why"), VerticalScroll(id="why-scroll"):
                    yield Prose(id="reasons-page", classes="reasons")
                with TabPane("Techniques", id="techniques"), Horizontal(id="techniques-row"):
                    names = [Option(each.name, id=each.id) for each in TECHNIQUES]
                    yield OptionList(*names, id="technique-list", compact=True, markup=False)
                    with VerticalScroll(id="technique-scroll"):
                        yield Prose(id="technique-page")
            with VerticalScroll(id="advice"):
                yield Prose(id="headline")
                yield Prose(id="reasons", classes="reasons")

    def on_body_ready(self) -> None:
        self.query(QuestionView).first().is_open = True
        self.query_one("#technique-list", OptionList).highlighted = 0
        self._recommend()

    def refresh_body(self) -> None:
        # Answers may have come from elsewhere (the guided tour), a baseline from an evaluation.

        for view in self.query(QuestionView):
            view.chosen = self._chosen(view.question.id)
        self._recommend()

    def action_tab(self, step: int) -> None:
        """Show the neighbouring tab."""

        cycle(self.query_one(TabbedContent), step)

    def action_clear(self) -> None:
        """Forget all answers."""
        self.journey.answers.clear()
        self.refresh_body()

    def on_question_view_opened(self, event: QuestionView.Opened) -> None:

        for view in self.query(QuestionView):
            view.is_open = view is event.view
        self.call_after_refresh(event.view.scroll_visible, animate=False)

    def on_question_view_answered(self, event: QuestionView.Answered) -> None:
        view = event.view
        if not view.chosen:
            self.journey.answers.pop(view.question.id, None)
        elif view.question.multiple:
            self.journey.answers[view.question.id] = list(view.chosen)
        else:
            self.journey.answers[view.question.id] = view.chosen[0]
        self._recommend()

    def on_question_view_advanced(self, event: QuestionView.Advanced) -> None:

        views = list(self.query(QuestionView))
        after = views[views.index(event.view) + 1 :]
        open_ones = [view for view in after if not view.chosen]
        if open_ones or after:
            (open_ones or after)[0].focus()

    @on(OptionList.OptionHighlighted, "#technique-list")
    def _technique_highlighted(self, event: OptionList.OptionHighlighted) -> None:

        chosen = technique(event.option_id or "")
        self.query_one("#technique-page", Prose).show(partial(technique_page, chosen))
        self.query_one("#technique-scroll").scroll_home(animate=False)

    def _chosen(self, question: str) -> tuple[str, ...]:
        answer = self.journey.answers.get(question, ())
        return (answer,) if isinstance(answer, str) else tuple(answer)

    def _recommend(self) -> None:

        answers = self.journey.answers
        recommendation = recommend(answers, self.journey.baseline)
        # A recommendation on no answer at all is a default, not a result.
        known = bool(answers) or self.journey.baseline is not None
        self.journey.recommendation = recommendation if known else None
        self.update_stepper()
        self.query_one("#headline", Prose).show(
            partial(headline, recommendation, len(answers), len(QUESTIONS))
        )
        for place in self.query(".reasons").results(Prose):
            place.show(partial(reasons, recommendation))
