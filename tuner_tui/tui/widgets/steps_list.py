"""The six steps as a list: what each is for, what it has brought, which comes next."""

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tuner_tui.tui.journey import STEPS, Journey
from tuner_tui.tui.text import safe

_ABOUT = {
    "decide": "Do you need to fine-tune at all? An answer, reasoned",
    "data": "What is in your examples, and what is wrong with it",
    "configure": "Model, LoRA, learning rate; memory before you start",
    "train": "QLoRA in a process of its own: loss, speed, log",
    "evaluate": "Base and tuned model on the same examples, counted",
    "report": "The verdict, and the files that prove it",
}


class StepsList(OptionList):
    """One line per step; the option's id is the step's name."""

    DEFAULT_CSS = """
    StepsList { height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def show(self, journey: Journey) -> None:
        """Show how far the journey is."""
        done, following = journey.done(), journey.next_step()
        options = []
        for number, step in enumerate(STEPS, start=1):
            if step in done:
                mark = Content.styled("✓ done ", "$good")
            elif step == following:
                mark = Content.styled("› next ", "$primary bold")
            else:
                mark = Content("       ")
            result = _result(step, journey) if step in done else ""
            line = Content.assemble(
                f"{number}  ",
                (f"{step.capitalize():<11}", "bold"),
                mark,
                " ",
                safe(result, one_line=True) if result else Content.styled(_ABOUT[step], "$quiet"),
            )
            options.append(Option(line, id=step))
        self.clear_options()
        self.add_options(options)
        self.highlighted = STEPS.index(following)


def _result(step: str, journey: Journey) -> str:
    """What a finished step has brought, in a few words."""
    if step == "decide" and journey.recommendation is not None:
        return journey.recommendation.headline
    if step == "data" and journey.dataset is not None:
        return journey.dataset.name
    if step == "configure" and journey.config is not None:
        return journey.config.name
    if step in ("train", "evaluate", "report") and journey.run_dir is not None:
        return f"run {journey.run_dir.name}"
    return ""
