"""Metric records of a run -> whether training converged, overfitted, or came apart. Pure.

`training_verdict` is the one that matters most; `training_checks` are the four questions one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from tuner_tui.runs.metrics import ema

_FEWEST = 4
"""Records of the train loss below which nothing is said about its course."""
_RISE = 0.05
"""An eval loss this much above its best is a turn, not noise; a train loss above its start diverges."""
_STILL = 0.10
"""With this share of the whole fall within the last quarter of the steps, the loss was still falling."""
_SMOOTHING = 0.6
_HARDLY = 0.05
"""A train loss that fell by less than this share of its start has hardly moved."""
_GAP = 0.5
"""An eval loss of which more than this share is not in the train loss: rows are being learned by heart."""
_FEW_NATS = 0.1
"""A smaller gap is of no account, whatever its share."""
_NEIGHBOURS = 10
"""Values before one that say what is usual; a spike is far above their median."""
_SPIKE, _SPREAD = 1.5, 6.0
"""A loss is a spike at more than so many times that median, and so many median deviations above it."""
_NORM = 10.0
"""A gradient norm this many times the median of those before it is a jump."""
_NONFINITE = frozenset({"loss", "grad_norm", "eval_loss"})


@dataclass(frozen=True, slots=True)
class TrainingVerdict:
    """What the loss curves say.

    `state`: unknown, unstable, diverged, overfitting, still_falling, not_learned or converged. `rule` is how
    that was told. `best_step` is the step of the lowest eval loss, `gap` the last eval loss minus the
    smoothed train loss at its end; None without an eval loss.
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
    broken = _nonfinite(records)
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
    if first - last < _HARDLY * first:
        return TrainingVerdict(
            "not_learned",
            f"The train loss hardly fell, from {first:.3f} to {last:.3f}: raise the learning rate, or find "
            "out whether the model could do it already.",
            f"The smoothed train loss fell by less than {_HARDLY:.0%} of its start.",
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


@dataclass(frozen=True, slots=True)
class Check:
    """One question about training: `good`, `bad`, or `unknown` where there is too little to tell by.

    `values` are the figures that it rests on.
    """

    name: Literal["convergence", "overfitting", "under_training", "instability"]
    state: Literal["good", "bad", "unknown"]
    sentence: str
    rule: str
    values: Mapping[str, float]


def training_checks(records: Sequence[Mapping[str, Any]], checkpoints: Sequence[int] = ()) -> list[Check]:
    """The four questions, each by a rule of its own.

    Args:
        records: metric records, oldest first.
        checkpoints: the steps whose checkpoints are there, to name the best of them.
    """
    train = _series(records, "loss")
    held = _series(records, "eval_loss")
    smooth = _smoothed(train, ema([value for _, value in train], _SMOOTHING))
    return [
        _convergence(smooth),
        _overfitting(smooth, held, checkpoints),
        _under_training(records, smooth, held),
        _instability(records, train),
    ]


def _convergence(smooth: Sequence[tuple[int, float]]) -> Check:
    rule = (
        f"The smoothed train loss falls by {_HARDLY:.0%} of its start at least, and by {_STILL:.0%} of its "
        "whole fall at most in the last quarter of the steps."
    )
    if len(smooth) < _FEWEST:
        return Check("convergence", "unknown", "Too few loss values.", rule, {})
    first, last, late = smooth[0][1], smooth[-1][1], _late_fall(smooth)
    values = {"first": first, "last": last, "late_share": late}
    course = f"The train loss went from {first:.3f} to {last:.3f}"
    if first - last < _HARDLY * first:
        return Check("convergence", "bad", f"{course}: no fall to speak of.", rule, values)
    state: Literal["good", "bad"] = "bad" if late > _STILL else "good"
    return Check("convergence", state, f"{course}, {late:.0%} of it in the last quarter.", rule, values)


def _overfitting(
    smooth: Sequence[tuple[int, float]], held: Sequence[tuple[int, float]], checkpoints: Sequence[int]
) -> Check:
    rule = (
        f"The last eval loss is {_RISE:.0%} above its best at most, and no more than {_GAP:.0%} of it "
        f"(and {_FEW_NATS:g} nats) is missing from the train loss."
    )
    if len(held) < 2 or len(smooth) < _FEWEST:
        return Check("overfitting", "unknown", "Needs two eval losses at least.", rule, {})
    best_step, best = min(held, key=lambda point: point[1])
    last, gap = held[-1][1], held[-1][1] - smooth[-1][1]
    values = {"best_step": float(best_step), "best": best, "last": last, "gap": gap}
    if last > best * (1 + _RISE):
        near = min(checkpoints, key=lambda step: (_held_at(held, step), step), default=None)
        saved = f"; of the checkpoints, step {near} is the best" if near is not None else ""
        if near is not None:
            values["best_checkpoint"] = float(near)
        return Check(
            "overfitting",
            "bad",
            f"The eval loss turned at step {best_step} ({best:.3f}) and ended at {last:.3f}{saved}.",
            rule,
            values,
        )
    if gap > max(_GAP * last, _FEW_NATS):
        words = (
            f"The eval loss ({last:.3f}) is far above the train loss ({smooth[-1][1]:.3f}): learned by heart."
        )
        return Check("overfitting", "bad", words, rule, values)
    words = f"The eval loss ended at {last:.3f}, its best was {best:.3f}; {gap:+.3f} to the train loss."
    return Check("overfitting", "good", words, rule, values)


def _held_at(held: Sequence[tuple[int, float]], step: int) -> float:
    """The eval loss measured nearest to a step."""
    return min(held, key=lambda point: abs(point[0] - step))[1]


def _under_training(
    records: Sequence[Mapping[str, Any]],
    smooth: Sequence[tuple[int, float]],
    held: Sequence[tuple[int, float]],
) -> Check:
    rule = (
        f"The eval loss (or the train loss, without one) fell by {_STILL:.0%} of its whole fall at most in "
        f"the last quarter of the steps, and by {_HARDLY:.0%} of its start at least."
    )
    points = held if len(held) >= _FEWEST else smooth
    if len(points) < _FEWEST:
        return Check("under_training", "unknown", "Too few loss values.", rule, {})
    epochs = max((value for _, value in _series(records, "epoch")), default=None)
    late = _late_fall(points)
    values = {"late_share": late, **({"epochs": epochs} if epochs is not None else {})}
    if late > _STILL:
        words = f"{late:.0%} of the fall came in the last quarter: more steps would probably help."
        return Check("under_training", "bad", words, rule, values)
    if points[0][1] - points[-1][1] < _HARDLY * points[0][1]:
        return Check("under_training", "bad", "The loss hardly fell: little was learned.", rule, values)
    seen = f", after {epochs:.0%} of the rows" if epochs is not None and epochs < 0.995 else ""
    return Check("under_training", "good", f"The loss had levelled off at the end{seen}.", rule, values)


def _instability(records: Sequence[Mapping[str, Any]], train: Sequence[tuple[int, float]]) -> Check:
    rule = (
        f"No value that is not finite; no loss above {_SPIKE:g} times the median of the {_NEIGHBOURS} before "
        f"it and {_SPREAD:g} median deviations above it; no gradient norm above {_NORM:g} times that median."
    )
    if broken := _nonfinite(records):
        words = f"A value stopped being a number at step {broken['step']}."
        return Check("instability", "bad", words, rule, {"nonfinite_step": float(broken["step"])})
    if len(train) < _FEWEST:
        return Check("instability", "unknown", "Too few loss values.", rule, {})
    spikes = _above(train, _SPIKE, _SPREAD)
    jumps = _above(_series(records, "grad_norm"), _NORM, 0.0)
    values = {"spikes": float(len(spikes)), "norm_jumps": float(len(jumps))}
    if spikes or jumps:
        told = [
            f"{len(found)} {name} (the first at step {found[0]})"
            for found, name in ((spikes, "loss spikes"), (jumps, "jumps of the gradient norm"))
            if found
        ]
        return Check("instability", "bad", " and ".join(told).capitalize() + ".", rule, values)
    return Check("instability", "good", "No spikes, and every value is a number.", rule, values)


def _above(points: Sequence[tuple[int, float]], times: float, deviations: float) -> list[int]:
    """The steps of values far above those before them; values that were told are not taken as usual."""
    usual: list[float] = []
    steps = []
    for step, value in points:
        recent = usual[-_NEIGHBOURS:]
        if len(recent) >= _FEWEST:
            middle = median(recent)
            spread = median(abs(each - middle) for each in recent)
            if value > times * middle and value > middle + deviations * spread:
                steps.append(step)
                continue
        usual.append(value)
    return steps


def _nonfinite(records: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return next((each for each in records if _NONFINITE & set(each.get("nonfinite", ()))), None)


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
