"""What an inspection is made for: the model and the lengths, the evaluation file, the goal."""

from dataclasses import dataclass
from pathlib import Path

from tuner_tui.tui.journey import Journey


@dataclass(frozen=True, slots=True)
class InspectionSettings:
    """`model` is a name or a folder; without `max_length` nothing is too long."""

    model: str = "embedded"
    max_length: int | None = None
    eval_path: Path | None = None
    goal: str | None = None

    @classmethod
    def of(cls, journey: Journey, path: Path) -> "InspectionSettings":
        """For the dataset `path`, after what the other steps have decided."""
        goal = journey.answers.get("goal")
        goal = goal if isinstance(goal, str) else None
        config = journey.config
        if config is None:
            return cls(goal=goal)
        eval_path = config.data.eval
        if eval_path is not None and (eval_path == path or not eval_path.exists()):
            eval_path = None
        return cls(config.model.name, config.data.max_length, eval_path, goal)
