"""What the rules are given, and what they say."""

from collections.abc import Mapping
from dataclasses import dataclass

from tuner_tui.decide.baseline import Baseline
from tuner_tui.decide.evidence import Evidence

# The values of Recommendation.verdict.
VERDICTS = {
    "prompt": "Stay with prompting",
    "measure": "Measure first",
    "retrieve": "Add retrieval",
    "collect": "Collect data first",
    "tune": "Fine-tune",
}


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another technique (an id of TECHNIQUES), and when it would be the better choice."""

    technique: str
    reason: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to do now.

    `verdict` is a key of VERDICTS, `technique` an id of TECHNIQUES, `preset` the name of a training
    preset. `rule` names the rule that decided, so that the advice can be questioned.
    """

    verdict: str
    technique: str
    headline: str
    reasons: list[str]
    first_steps: list[str]
    preset: str | None
    alternatives: list[Alternative]
    rule: str


@dataclass(frozen=True, slots=True)
class Situation:
    """Checked answers and the measured baseline, as the rules see them."""

    answers: Mapping[str, tuple[str, ...]]
    baseline: Baseline | None
    evidence: Evidence | None = None

    def one(self, question: str) -> str:
        """The answer to a single-choice question, "" when it was left open."""
        return next(iter(self.answers.get(question, ())), "")

    @property
    def failures(self) -> frozenset[str]:
        """The kinds of failure that were seen."""
        return frozenset(self.answers.get("failures", ())) - {"unknown", "none"}
