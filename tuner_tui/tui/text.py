"""Hostile text on the screen: control characters are shown, `[red]markup[/]` is never interpreted.

What comes from a dataset, a model or a log goes through `safe`, or through `visible` where a plain string is
wanted.
"""

from textual.content import Content
from textual.style import Style

from tuner_tui.visible import visible


def safe(text: str, style: str | Style = "", *, one_line: bool = False) -> Content:
    """`visible(text)` as content that is drawn as it is: square brackets stay square brackets."""
    return Content.styled(visible(text, one_line=one_line), style)
