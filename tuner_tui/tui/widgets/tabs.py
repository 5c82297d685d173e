"""Go through tabs with a key, and put the focus where the new tab expects it."""

from textual.widget import Widget
from textual.widgets import TabbedContent, TabPane, Tabs


class SteadyTabs(TabbedContent):
    """Tabs that do not go back to one which was chosen, or had the focus, before the one that is shown: news
    of that may come late, as when two keys follow each other quickly.
    """

    def on_tab_pane_focused(self, event: TabPane.Focused) -> None:
        focused = self.screen.focused
        if focused is None or event.tab_pane not in focused.ancestors:
            event.stop()
            event.prevent_default()

    def on_tabs_tab_activated(self, event: Tabs.TabActivated) -> None:
        if event.tab.id != event.tabs.active:
            event.stop()
            event.prevent_default()


def cycle(tabs: TabbedContent, step: int) -> None:
    """Show the tab `step` places on (around the end), and focus the first thing on it."""
    names = [pane.id for pane in tabs.query(TabPane) if pane.id and tabs.get_tab(pane.id).display]
    show(tabs, names[(names.index(tabs.active) + step) % len(names)])


def show(tabs: TabbedContent, name: str, target: Widget | None = None) -> None:
    """Show the tab `name`, and focus `target`, or the first thing on the tab that takes keys.

    A focus that lies outside the tabs' part of the screen (on the guide's panel) stays where it is.
    """

    def is_elsewhere() -> bool:
        focused = tabs.screen.focused
        return focused is not None and tabs.screen.query_one("#body") not in focused.ancestors

    if is_elsewhere():
        tabs.active = name
        return
    # Off what will be hidden: a pane that still has the focus would bring itself back. Not by `focus()`: that
    # waits for the app, and could come after what is focused below.
    tabs.screen.set_focus(tabs.query_one(Tabs), scroll_visible=False)
    tabs.active = name
    pane = tabs.get_pane(name)

    def focus() -> None:
        found = target or next((each for each in pane.query("*") if each.focusable), None)
        if found is not None and tabs.active == name and not is_elsewhere():
            tabs.screen.set_focus(found, scroll_visible=target is not None)

    # The pane is shown by a message that is on its way; only then can something on it be focused.
    tabs.call_later(tabs.call_after_refresh, focus)
