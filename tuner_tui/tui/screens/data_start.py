"""What the Data screen shows before a dataset is open: datasets to begin with, and what can be opened."""

from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuner_tui.data.layouts.formats import KNOWN_LAYOUTS
from tuner_tui.tui.recent import suggestions
from tuner_tui.visible import visible

_NAME = 22  # cells


class StartPane(VerticalScroll, can_focus=False):
    """Datasets that were used lately and the samples; the layouts that are known."""

    class Chosen(Message):
        """One of the datasets is to be opened."""

        def __init__(self, path: Path) -> None:
            super().__init__()
            self.path = path

    def compose(self) -> ComposeResult:
        yield Static(
            "Which rows shall the model learn from? Open a file with o, or look at one of these:",
            classes="prose",
            markup=False,
        )
        options = [
            Option(
                Content.assemble(
                    f"{visible(each.path.name, one_line=True):<{_NAME}}",
                    (visible(each.note, one_line=True), "$quiet"),
                ),
                id=str(each.path),
            )
            for each in suggestions()
        ]
        samples = OptionList(*options, id="samples", compact=True, markup=False)
        samples.highlighted = 0 if options else None
        yield samples
        yield Static(
            "JSON Lines, JSON, CSV, Parquet and Arrow, plain or packed (gzip, zstd), a folder of such files, "
            "or a dataset of the Hugging Face hub by its name. The layout is told from the content: "
            f"{KNOWN_LAYOUTS}.",
            classes="prose quiet",
            id="layouts",
            markup=False,
        )

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Chosen(Path(event.option_id or "")))
