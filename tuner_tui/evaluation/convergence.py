"""Metric records of a run -> whether training converged, overfitted, or came apart. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner_tui.runs.metrics import ema

_FEWEST = 4
"""Records of the train loss below which nothing is said about its course."""
_RISE = 0.05
"""An eval loss this much above its best is a turn, not noise; a train loss above its start diverges."""
_STILL = 0.10
"""With this share of the whole fall within the last quarter of the steps, the loss was still falling."""
_SMOOTHING = 0.6


@dataclass(frozen=True, slots=True)
class TrainingVerdict:
    """What the loss curves say.

    `state`: unknown, unstable, diverged, overfitting, still_falling or converged. `rule` is how that was
    told. `best_step` is the step of the lowest eval loss, `gap` the last eval loss minus the smoothed train
    loss at its end; None without an eval loss.
    """

    state: str
    sentence: str
    rule: str
    best_step: int | None = None
    gap: float | None = None


def training_verdict(records: Sequence[Mapping[str, Any]]) -> TrainingVerdict:
    """Judge metric records (`step` with `loss` or `eval_loss`), oldest first.

    A loss that is null and named under "nonfinite" was NaN or infinite.
    """
    broken = next((r for r in records if {"loss", "grad_norm"} & set(r.get("nonfinite", ()))), None)
    if broken is not None:
        return TrainingVerdict(
            "unstable",
            f"The loss or its gradient stopped being a number at step {broken['step']}: lower the learning "
            "rate.",
            "A loss or a gradient norm that is not finite.",
        )
    train = _series(records, "loss")
    held = _series(records, "eval_loss")
    if len(train) < _FEWEST:
        return TrainingVerdict(
            "unknown",
            "Too few loss values to judge the course of training.",
            f"Fewer than {_FEWEST} values of the train loss.",
        )
    smooth = ema([value for _, value in train], _SMOOTHING)
    first, last = smooth[0], smooth[-1]
    best_step, best = min(held, key=lambda point: point[1], default=(None, None))
    gap = round(held[-1][1] - last, 4) if held else None
    if last > first * (1 + _RISE):
        return TrainingVerdict(
            "diverged",
            f"The train loss rose from {first:.3f} to {last:.3f}: lower the learning rate, or warm up for "
            "longer.",
            f"The smoothed train loss ends more than {_RISE:.0%} above its start.",
            best_step,
            gap,
        )
    if best is not None and len(held) >= 2 and held[-1][1] > best * (1 + _RISE):
        return TrainingVerdict(
            "overfitting",
            f"The eval loss turned at step {best_step} ({best:.3f}) and ended at {held[-1][1]:.3f} while the "
            "train "
            "loss went on to fall: train for fewer epochs, or on more rows.",
            f"The last eval loss is more than {_RISE:.0%} above the best one.",
            best_step,
            gap,
        )
    if (share := _late_fall(held if len(held) >= _FEWEST else _smoothed(train, smooth))) > _STILL:
        return TrainingVerdict(
            "still_falling",
            f"The loss was still falling at the end ({share:.0%} of its fall came in the last quarter): "
            "more steps would probably help.",
            f"More than {_STILL:.0%} of the fall of the loss lies in the last quarter of the steps.",
            best_step,
            gap,
        )
    end = f"; the eval loss ended at {held[-1][1]:.3f}, at or near its best" if held else ""
    return TrainingVerdict(
        "converged",
        f"The train loss fell from {first:.3f} to {last:.3f} and levelled off{end}.",
        "No rise of the eval loss, and little fall in the last quarter of the steps.",
        best_step,
        gap,
    )


def _series(records: Sequence[Mapping[str, Any]], name: str) -> list[tuple[int, float]]:
    return [(int(r["step"]), float(r[name])) for r in records if r.get(name) is not None]


def _smoothed(points: Sequence[tuple[int, float]], smooth: Sequence[float]) -> list[tuple[int, float]]:
    return [(step, value) for (step, _), value in zip(points, smooth, strict=True)]


def _late_fall(points: Sequence[tuple[int, float]]) -> float:
    """The share of the whole fall that lies in the last quarter of the steps; 0 when there was no fall."""
    fall = points[0][1] - points[-1][1]
    if fall <= 0:
        return 0.0
    since = points[0][0] + 0.75 * (points[-1][0] - points[0][0])
    at = next(value for step, value in reversed(points) if step <= since)
    return max(0.0, (at - points[-1][1]) / fall)
