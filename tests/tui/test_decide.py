"""The Decide screen: answered with the keyboard alone, the recommendation follows."""

from collections.abc import Awaitable, Callable

from textual.pilot import Pilot
from textual.widgets import OptionList, TabbedContent

from tuner_tui.decide.questions import QUESTIONS
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.widgets.choices import QuestionView
from tuner_tui.tui.widgets.prose import Prose

Until = Callable[..., Awaitable[None]]


async def _open(app: TunerApp, pilot: Pilot[None], until: Until) -> None:
    app.go("decide")
    await until(pilot, lambda: bool(app.screen.query(QuestionView)) and app.screen.focused is not None)


def _text(app: TunerApp, selector: str) -> str:
    return app.screen.query_one(selector, Prose).render().plain


async def test_enter_answers_and_goes_to_the_next_question(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await _open(app, pilot, until)
        assert app.journey.recommendation is None
        await pilot.press("down", "down", "down", "enter")
        await until(pilot, lambda: app.screen.focused is app.screen.query_one("#question-prompting"))
        assert app.journey.answers == {"goal": "domain_tools"}
        assert app.journey.recommendation is not None
        assert app.journey.recommendation.verdict == "prompt"
        await until(pilot, lambda: "1 of 9 answered" in _text(app, "#headline"))


async def test_several_answers_are_added_and_taken_away(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(120, 40)) as pilot:
        await _open(app, pilot, until)
        answers = app.journey.answers
        app.screen.set_focus(app.screen.query_one("#question-failures"))
        await pilot.press("down", "down", "space", "down", "space")
        await until(pilot, lambda: answers.get("failures") == ["format", "wrong_tool"])
        await pilot.press("space")
        await until(pilot, lambda: answers["failures"] == ["format"])
        await pilot.press("enter")  # goes on, and takes nothing away
        await until(pilot, lambda: app.screen.focused is app.screen.query_one("#question-knowledge"))
        assert answers["failures"] == ["format"]
        app.screen.set_focus(app.screen.query_one("#question-failures"))
        await pilot.press("up", "space")
        await until(pilot, lambda: "failures" not in answers)


async def test_the_arrows_leave_a_question_at_its_ends(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await _open(app, pilot, until)

        def opened() -> list[str]:
            return [view.question.id for view in app.screen.query(QuestionView) if view.is_open]

        for _ in QUESTIONS[0].options:
            await pilot.press("down")
        await until(pilot, lambda: app.screen.focused is app.screen.query_one("#question-prompting"))
        await until(pilot, lambda: opened() == ["prompting"])
        await pilot.press("up")
        await until(pilot, lambda: app.screen.focused is app.screen.query_one("#question-goal"))
        await until(pilot, lambda: opened() == ["goal"])


async def test_a_tuning_answer_suggests_a_preset_and_a_baseline_is_quoted(until: Until) -> None:
    app = TunerApp()
    app.journey.answers = {
        "goal": "domain_tools",
        "prompting": "systematic",
        "failures": ["wrong_arguments"],
        "knowledge": "no",
        "rows": "hundreds",
        "gpu": "24gb",
        "model": "medium",
    }
    rate = {"count": 30, "total": 60, "rate": 0.5, "interval": [0.38, 0.62]}
    kept = {"count": 20, "total": 20, "rate": 1.0, "interval": [0.84, 1.0]}
    async with app.run_test(size=(120, 40)) as pilot:
        await _open(app, pilot, until)
        assert app.journey.recommendation is not None
        assert app.journey.recommendation.verdict == "tune"
        preset = app.journey.recommendation.preset
        assert preset is not None
        # The panel is first drawn before it has its width, with names cut in two.
        await until(pilot, lambda: preset in _text(app, "#reasons"))
        app.journey.baseline = {"examples": {"full_match": rate, "no_call": kept}}
        for key, mode in (("2", "data"), ("1", "decide")):
            await pilot.press(key)
            await until(pilot, lambda wanted=mode: app.current_mode == wanted)
        await until(pilot, lambda: "50% [38–62]" in _text(app, "#reasons"))


async def test_an_answer_that_stands_alone_takes_the_place_of_others(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(120, 40)) as pilot:
        await _open(app, pilot, until)
        answers = app.journey.answers
        app.screen.set_focus(app.screen.query_one("#question-failures"))
        await pilot.press("space", "down", "space")
        await until(pilot, lambda: answers.get("failures") == ["none"])
        await pilot.press("down", "space", "down", "space")
        await until(pilot, lambda: answers.get("failures") == ["format", "wrong_tool"])
        await pilot.press("up", "up", "up", "space")
        await until(pilot, lambda: answers.get("failures") == ["unknown"])
        await pilot.press("space")
        await until(pilot, lambda: "failures" not in answers)


async def test_answers_can_be_cleared(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await _open(app, pilot, until)
        for answered in (1, 2):
            await pilot.press("enter")
            await until(pilot, lambda answered=answered: len(app.journey.answers) == answered)
        await pilot.press("x")
        await until(pilot, lambda: app.journey.answers == {} and app.journey.recommendation is None)
        assert not any(view.chosen for view in app.screen.query(QuestionView))


async def test_techniques_are_explained(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await _open(app, pilot, until)
        for tab in ("why", "techniques"):
            await pilot.press("]")
            await until(pilot, lambda tab=tab: app.screen.query_one(TabbedContent).active == tab)
        await until(pilot, lambda: isinstance(app.screen.focused, OptionList))
        await pilot.press("end")
        await until(pilot, lambda: _text(app, "#technique-page").startswith("RLHF"))
        page = _text(app, "#technique-page")
        assert "When not" in page and "Needs" in page


async def test_the_reasons_have_a_tab_only_where_they_have_no_room_beside(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await _open(app, pilot, until)
        tabs = app.screen.query_one(TabbedContent)
        assert tabs.get_tab("why").display
        await pilot.press("]")
        await until(pilot, lambda: tabs.active == "why" and "Because" in _text(app, "#reasons-page"))
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: not tabs.get_tab("why").display)
        assert "Because" in _text(app, "#reasons")


async def test_n_goes_on_to_data(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await _open(app, pilot, until)
        await pilot.press("enter", "n")
        await until(pilot, lambda: app.current_mode == "data")
