"""Tabs that stay where they are when news of an earlier one comes late."""

from conftest import until
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, TabPane, Tabs

from tuner_tui.tui.widgets.tabs import SteadyTabs, show


class TabsApp(App[None]):
    """Two tabs with a line each."""

    def compose(self) -> ComposeResult:
        with Vertical(id="body"), SteadyTabs(initial="first"):
            for name in ("first", "second"):
                with TabPane(name, id=name):
                    yield Input(id=f"{name}-line")


async def test_late_news_of_another_tab_changes_nothing() -> None:
    app = TabsApp()
    async with app.run_test() as pilot:
        tabs = app.query_one(SteadyTabs)
        show(tabs, "second")
        await until(pilot, lambda: app.focused is app.query_one("#second-line"))
        late: list[Message] = [
            TabPane.Focused(tabs.get_pane("first")),
            Tabs.TabActivated(tabs.query_one(Tabs), tabs.get_tab("first")),
        ]
        for message in late:
            tabs.post_message(message)
            await pilot.pause()
            assert tabs.active == "second" and app.query_one("#second").display
