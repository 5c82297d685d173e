"""One row as the model reads it: the rendered chat template, with the tokens that will be trained marked."""

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from tuner_tui.tui.text import safe

if TYPE_CHECKING:
    from tuner_tui.data.rendering.preview import Rendered, TokenSpan

# Wrapping a very long row would hold the window up; nobody reads beyond this many tokens.
SHOWN_TOKENS = 4000
# Underlined as well as coloured: the mark must not hang on colour alone.
TRAINED = "$foreground on $trained underline"


class TokenView(Static):
    """A rendered row: legend, a sentence with the counts, and the text itself."""

    DEFAULT_CSS = """
    TokenView {
        height: auto;
    }
    """

    def show(self, rendered: "Rendered", max_length: int | None = None, note: str = "") -> None:
        """Show `rendered`; tokens from `max_length` on are struck through, as a run would cut them off."""
        content = token_content(rendered, max_length)
        self.update(Content("\n").join([safe(note, "$quiet"), content]) if note else content)


def token_content(rendered: "Rendered", max_length: int | None = None) -> Content:
    """The whole view as one content: counted sentence, legend, text."""
    return Content("\n").join(
        [
            _counted(rendered, max_length),
            _legend(rendered, max_length),
            Content(" "),
            _body(rendered.tokens, max_length),
        ]
    )


def _counted(rendered: "Rendered", max_length: int | None) -> Content:
    total, trained = len(rendered.tokens), rendered.trained
    share = f" ({trained / total:.0%})" if total else ""
    parts = [Content.styled(f"{trained:,} of {total:,} tokens are trained{share}.", "bold")]
    if not trained:
        parts.append(Content.styled(" ✗ This row would teach nothing.", "$bad"))
    if max_length is not None and total > max_length:
        lost = sum(token.trained for token in rendered.tokens[max_length:])
        parts.append(
            Content.styled(
                f" ▲ max_length {max_length:,} cuts {total - max_length:,} off, {lost:,} of them trained.",
                "$warning",
            )
        )
    return Content("").join(parts)


def _legend(rendered: "Rendered", max_length: int | None) -> Content:
    parts: list[Content | str | tuple[str, str]] = [
        (" trained ", TRAINED),
        ("  underlined: the loss counts here     ", "$quiet"),
        (" context ", "$quiet"),
        ("  read, not learned", "$quiet"),
    ]
    if max_length is not None and len(rendered.tokens) > max_length:
        parts += [("     ", ""), ("cut off", "$quiet strike")]
    return Content.assemble(*parts)


def _body(tokens: "list[TokenSpan]", max_length: int | None) -> Content:
    shown = tokens[:SHOWN_TOKENS]
    limit = len(tokens) if max_length is None else max_length

    def look(pair: "tuple[int, TokenSpan]") -> tuple[bool, bool]:
        return pair[1].trained, pair[0] >= limit

    parts = [
        _run((token.text for _, token in pairs), trained, cut)
        for (trained, cut), pairs in groupby(enumerate(shown), key=look)
    ]
    if len(tokens) > SHOWN_TOKENS:
        rest = f"\n… and {len(tokens) - SHOWN_TOKENS:,} tokens more, which are not shown."
        parts.append(Content.styled(rest, "$quiet"))
    return Content("").join(parts)


def _run(texts: Iterable[str], trained: bool, cut: bool) -> Content:
    style = TRAINED if trained else "$quiet"
    return safe("".join(texts), f"{style} strike" if cut else style)
