"""The configuration as the YAML that stands for it."""

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import ScrollableContainer
from textual.content import Content
from textual.widgets import Static

from tuner_tui.tui.text import safe

if TYPE_CHECKING:
    from tuner_tui.training.config import TrainConfig


class YamlView(ScrollableContainer):
    """The text that Save writes, comments quieter than values; long lines are scrolled to, not wrapped."""

    DEFAULT_CSS = """
    YamlView {
        scrollbar-size-vertical: 1;
        & > Static { height: auto; width: auto; text-wrap: nowrap; }
    }
    """

    def compose(self) -> ComposeResult:
        yield Static(markup=False)

    def show(self, config: "TrainConfig | None") -> None:
        """Show the configuration; None while a value is wrong."""
        from tuner_tui.training.config import to_yaml

        page = self.query_one(Static)
        if config is None:
            page.update(Content.styled("✗ There is no YAML while a value is wrong; see Settings.", "$bad"))
            return
        lines = to_yaml(config).splitlines()
        page.update(
            Content("\n").join(
                safe(line, "$quiet" if line.lstrip().startswith("#") else "") for line in lines
            )
        )
