"""The keys that work on every screen; each has an id, so that a keymap can change it."""

from textual.binding import Binding, BindingType

APP_BINDINGS: list[BindingType] = [
    Binding("f1", "help", "Help", key_display="F1", id="app.help"),
    Binding("f2", "focus_tour", "Guide", key_display="F2", id="app.guide"),
    Binding("h", "go('home')", "Home", show=False, id="go.home"),
    Binding("1", "go('decide')", "Decide", show=False, id="go.decide"),
    Binding("2", "go('data')", "Data", show=False, id="go.data"),
    Binding("3", "go('configure')", "Configure", show=False, id="go.configure"),
    Binding("4", "go('train')", "Train", show=False, id="go.train"),
    Binding("5", "go('evaluate')", "Evaluate", show=False, id="go.evaluate"),
    Binding("6", "go('report')", "Report", show=False, id="go.report"),
    Binding("r", "go('runs')", "Runs", show=False, id="go.runs"),
    Binding("t", "toggle_dark", "Light/dark", show=False, id="app.toggle_dark"),
    Binding("comma", "settings", "Settings", show=False, id="app.settings"),
    Binding("q", "quit", "Quit", id="app.quit"),
]

STEP_BINDINGS: list[BindingType] = [
    Binding("n", "next_step", "Next step", id="step.next"),
    Binding("escape", "back", "Back", show=False, id="step.back"),
    Binding("pageup", "scroll_body(-1)", "Page up", show=False, id="step.page_up"),
    Binding("pagedown", "scroll_body(1)", "Page down", show=False, id="step.page_down"),
]

# The same, in words: the help of every screen ends with it.
EVERYWHERE = """\
### Keys everywhere

- **h** home, **1** to **6** the steps, **r** runs, **n** the next step, **Esc** back or cancel
- **Tab** and **Shift+Tab** move between fields, **Page Up** and **Page Down** scroll
- **Ctrl+P** the palette: everything that can be done here, by name
- **t** light or dark, **,** settings, **F1** this help, **q** quit (also **Ctrl+Q**)

A run goes on when the window is closed. `tuner watch last` comes back to it.
"""
