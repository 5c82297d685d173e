"""Fit: which card, what would change on it and why."""

from typing import TYPE_CHECKING

from tuner_tui.tui.widgets.dialogs import Entry
from tuner_tui.tui.widgets.estimate_view import human_bytes

if TYPE_CHECKING:
    from tuner_tui.training.config import TrainConfig
    from tuner_tui.training.fit import Fit

_CARDS = (
    ("16", "A GPU with 16 GB", "T4, V100, RTX 4080, A4000"),
    ("24", "A GPU with 24 GB", "RTX 3090 and 4090, A10, L4"),
    ("48", "A GPU with 48 GB", "A40, A6000, L40S"),
    ("A100:80", "A100 with 80 GB", ""),
    ("H100:80", "H100 with 80 GB", ""),
    ("H200:141", "H200 with 141 GB", ""),
)


def cards() -> list[Entry]:
    """The cards to choose from; the one that is here first."""
    from tuner_tui.training.cards import detect

    found = detect()
    here = (
        [] if found is None else [Entry("here", found.name, f"In this machine, {human_bytes(found.memory)}")]
    )
    return [*here, *(Entry(*each) for each in _CARDS)]


def compute(config: "TrainConfig", card: str) -> "Fit":
    """The fit of a configuration to a card.

    Raises:
        UserError: nothing fits, or the model's shape is not known.
    """
    from tuner_tui.training.fit import card_named, fit

    return fit(config, card_named(card))


def title(fit: "Fit") -> str:
    """What the question is."""
    return "Change these settings?" if fit.changes else "Nothing to change"


def text(config: "TrainConfig", fit: "Fit") -> str:
    """The changed fields, from and to, and the reasons."""
    lines = []
    for path, value in fit.changes.items():
        before: object = config
        for part in path.split("."):
            before = getattr(before, part)
        lines.append(f"{path:<38} {_said(before)} → {_said(value)}")
    if not lines:
        lines.append("As it stands, this is the fastest that fits.")
    return "\n".join([*lines, "", *(f"· {reason}" for reason in fit.reasons)])


def _said(value: object) -> str:
    return "none" if value is None else str(value)
