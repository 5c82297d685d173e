"""What can be wrong with a dataset: every rule, with its severity, its reason, an example and its mend.

An error makes a row useless or harmful to train on: `dataset.load_dataset` leaves such rows out.
A warning is something that a person should decide about. Information is no fault.
"""

from tuner_tui.data.rules.files import FILES
from tuner_tui.data.rules.model import Finding, Rule, Severity
from tuner_tui.data.rules.preferences import PREFERENCES
from tuner_tui.data.rules.reading import READING
from tuner_tui.data.rules.rendering import RENDERING
from tuner_tui.data.rules.texts import TEXTS
from tuner_tui.data.rules.tools import TOOLS
from tuner_tui.data.rules.turns import TURNS

__all__ = ["RULES", "Finding", "Rule", "Severity", "finding"]

RULES: dict[str, Rule] = {
    rule.id: rule for rule in (*READING, *TOOLS, *TURNS, *TEXTS, *PREFERENCES, *RENDERING, *FILES)
}


def finding(rule: str, row: int | None, field: str | None, message: str) -> Finding:
    """A finding of the rule with this id, with the rule's severity and mend."""
    broken = RULES[rule]
    return Finding(rule, broken.severity, row, field, message, broken.mend)
