"""The journey of one person through the six steps: plain data that the screens share.

A screen assigns to it and calls `app.go(step)`; the next screen reads it when it is shown. Nothing
watches it.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuner_tui.data.inspection import Inspection
    from tuner_tui.decide.recommendation import Recommendation
    from tuner_tui.training.config import TrainConfig

STEPS = ("decide", "data", "configure", "train", "evaluate", "report")


@dataclass(slots=True)
class Journey:
    """What has been answered, chosen and made so far."""

    answers: dict[str, str | list[str]] = field(default_factory=dict)
    """The questionnaire: question id to option id (or several)."""
    recommendation: "Recommendation | None" = None
    baseline: dict[str, Any] | None = None
    """Outcomes of the untouched model by arm (`base`, `instruction`, `examples`), once measured."""
    baseline_dir: Path | None = None
    """Where the untouched model is being measured, or was, before any run existed."""
    base_queue: bool = False
    """Whether suites of the untouched model were asked for in this window."""
    dataset: Path | None = None
    """The training file that was chosen on the Data screen."""
    inspection: "Inspection | None" = None
    compare: Path | None = None
    """A file whose answers are to be compared, when the Prefer screen is shown next."""
    config: "TrainConfig | None" = None
    """What Configure made; None until a preset or the form has made one."""
    run_dir: Path | None = None
    """The run being watched, evaluated and reported."""
    tour: bool = False
    """Whether the guided tour is on."""

    def done(self) -> frozenset[str]:
        """The steps that have a result: in memory for the first three, on disk for those that a run
        holds.
        """
        found = {
            "decide": self.recommendation is not None,
            "data": self.dataset is not None,
            "configure": self.config is not None,
        }
        if self.run_dir is not None:
            found["train"] = any((self.run_dir / name).is_dir() for name in ("adapter", "model"))
            found["evaluate"] = any(self.run_dir.glob("eval/*/summary.json"))
            found["report"] = (self.run_dir / "report.json").is_file()
        return frozenset(step for step, is_done in found.items() if is_done)

    def next_step(self) -> str:
        """The first step without a result; "report" when all have one."""
        done = self.done()
        return next((step for step in STEPS if step not in done), STEPS[-1])
