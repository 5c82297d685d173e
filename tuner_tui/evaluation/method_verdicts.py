"""Metric records of a run -> what its method has reached, by rules for each kind of method. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from tuner_tui.evaluation.convergence import TrainingVerdict, training_verdict
from tuner_tui.runs.metric_names import EVAL
from tuner_tui.runs.metrics import ema

_FEWEST = 4
"""Values below which nothing is said about the course of a run."""
_CHANCE = 0.6
"""Accuracy on pairs up to which nothing was learned: one half is chance, and held-out pairs are few."""
_RISE = 0.05
"""An eval loss this much above its best is a turn, not noise."""
_GAIN = 0.1
"""A reward that rose by less than this share of its spread among answers has not risen."""
_LATE = 0.10
"""With this share of the whole rise within the last quarter of the steps, the reward was still rising."""
_RUNAWAY = 4.0
"""A KL this many times its median before has run away, if it is large as well: see `_LARGE_KL`."""
_LARGE_KL = {"ppo": 5.0, "grpo": 0.5, "rloo": 5.0}
"""Nats: of an answer in ppo and rloo, of a token in grpo."""
_SMOOTHING = 0.6

Records = Sequence[Mapping[str, Any]]


def method_verdict(method: str, records: Records) -> TrainingVerdict:
    """Judge the metric records of a run, oldest first, by what its method is after.

    The `state` is one of `training_verdict`'s, or not_learned, learned (methods that learn from preferences),
    drifted, no_gain, still_rising, rose (methods that try answers out).
    """
    if method == "sft":
        return training_verdict(records)
    broken = next((r for r in records if set(r.get("nonfinite", ())) - {"entropy"}), None)
    if broken is not None:
        names = ", ".join(str(name) for name in broken["nonfinite"])
        return TrainingVerdict(
            "unstable",
            f"{names} stopped being a number at step {broken.get('step', '?')}: lower the learning rate.",
            "A metric that is not finite.",
        )
    if method in _LARGE_KL:
        return _tried_out(method, records)
    return _preferences(method, records)


def series(records: Records, name: str) -> list[tuple[int, float]]:
    """The points (step, value) of one metric."""
    return [(int(r["step"]), float(r[name])) for r in records if r.get(name) is not None]


def start_and_end(records: Records, name: str) -> tuple[float, float] | None:
    """The value of a metric at the start and at the end; None without points.

    Held-out values are taken as they are; of values on batches the first and the last tenth are averaged, at
    least three and at most twenty of them, because single ones are noisy.
    """
    values = [value for _, value in series(records, name)]
    if not values:
        return None
    if name.startswith(EVAL):
        return values[0], values[-1]
    count = min(len(values), max(3, min(20, len(values) // 10)))
    return sum(values[:count]) / count, sum(values[-count:]) / count


def _preferences(method: str, records: Records) -> TrainingVerdict:
    """Of dpo, kto and reward."""
    accuracy = {"dpo": "rewards/accuracies", "reward": "accuracy"}.get(method, "")
    margin = "margin" if method == "reward" else "rewards/margins"
    if len(series(records, "loss")) < _FEWEST:
        return TrainingVerdict(
            "unknown",
            "Too few values to judge the course of training.",
            f"Fewer than {_FEWEST} values of the train loss.",
        )
    held = series(records, EVAL + "loss")
    best_step, best = min(held, key=lambda point: point[1], default=(None, None))
    where, figure = "held-out", start_and_end(records, EVAL + accuracy) if accuracy else None
    gap = start_and_end(records, EVAL + margin)
    if accuracy and figure is None:
        where, figure = "training", start_and_end(records, accuracy)
    if gap is None:
        gap = start_and_end(records, margin)
    share = figure[1] if figure is not None else None
    if share is not None and share < _CHANCE:
        return TrainingVerdict(
            "not_learned",
            f"Only {share:.0%} of the {where} pairs are told apart, where one half is chance: check that the "
            "better answers are better for a reason, then train for longer, or at a higher learning rate.",
            f"Accuracy below {_CHANCE:.0%} at the end.",
            best_step,
        )
    if share is None and (gap is None or gap[1] <= 0):
        return TrainingVerdict(
            "not_learned",
            "The good answers have gained no more than the bad ones: train for longer, or at a higher rate.",
            "The margin between good and bad answers is not above zero at the end.",
            best_step,
        )
    if best is not None and len(held) >= 2 and held[-1][1] > best * (1 + _RISE):
        return TrainingVerdict(
            "overfitting",
            f"The held-out loss turned at step {best_step} ({best:.3f}) and ended at {held[-1][1]:.3f}: "
            "train for fewer epochs, or on more pairs.",
            f"The last held-out loss is more than {_RISE:.0%} above the best one.",
            best_step,
        )
    told = f"{share:.0%} of the {where} pairs are told apart" if share is not None else "Good and bad part"
    apart = f", with a margin of {gap[1]:.2f}" if gap is not None else ""
    return TrainingVerdict(
        "learned",
        f"{told}{apart}.{_less_likely(records)}",
        f"Accuracy of at least {_CHANCE:.0%} at the end, and no turn of the held-out loss."
        if share is not None
        else "A margin above zero at the end, and no turn of the held-out loss.",
        best_step,
    )


def _less_likely(records: Records) -> str:
    """A warning when the better answers have become less likely as well."""
    chosen = start_and_end(records, EVAL + "rewards/chosen") or start_and_end(records, "rewards/chosen")
    if chosen is None or chosen[1] >= 0:
        return ""
    return (
        " But the better answers have become less likely as well, only less so than the worse ones: look at "
        "free answers, and raise beta or lower the learning rate if they got worse."
    )


def _tried_out(method: str, records: Records) -> TrainingVerdict:
    """Of ppo, grpo and rloo."""
    tried = series(records, "reward")
    if len(tried) < _FEWEST:
        return TrainingVerdict(
            "unknown",
            "Too few values to judge the course of training.",
            f"Fewer than {_FEWEST} values of the reward.",
        )
    held = series(records, EVAL + "reward")
    name = EVAL + "reward" if len(held) >= 2 else "reward"
    ends = start_and_end(records, name)
    spread = start_and_end(records, "reward_std")
    assert ends is not None
    start, end = ends
    where = "held-out prompts" if len(held) >= 2 else "the prompts of training"
    course = f"The reward on {where} went from {start:.3g} to {end:.3g}"
    kl = [value for _, value in series(records, "kl")]
    if runaway := _runaway(method, kl):
        return TrainingVerdict(
            "drifted",
            f"{course} while the KL ran away, to {runaway:.3g} nats: the answers please the reward and "
            "may be good for nothing else. Read some; raise the KL weight, or lower the learning rate.",
            f"The KL at the end is more than {_RUNAWAY:g} times its median before, and above "
            f"{_LARGE_KL[method]:g} nats.",
        )
    if end - start <= _GAIN * (spread[0] if spread else 0.0):
        return TrainingVerdict(
            "no_gain",
            f"{course}: no gain. Where all answers to a prompt are alike nothing is learned; a higher "
            "temperature, more answers, or a higher learning rate may help.",
            f"A rise of less than {_GAIN:.0%} of the spread of the rewards at the start.",
        )
    points = held if len(held) >= _FEWEST else _smoothed(tried)
    if (share := _late_rise(points)) > _LATE:
        return TrainingVerdict(
            "still_rising",
            f"{course}, and was still rising ({share:.0%} of its rise came in the last quarter): more steps "
            "would probably help.",
            f"More than {_LATE:.0%} of the rise of the reward lies in the last quarter of the steps.",
        )
    return TrainingVerdict(
        "rose",
        f"{course}, and levelled off" + (f"; the KL ended at {kl[-1]:.3g} nats." if kl else "."),
        "A rise of the reward, little of it in the last quarter of the steps, and no runaway KL.",
    )


def _runaway(method: str, kl: Sequence[float]) -> float | None:
    """The KL at the end, if it has run away."""
    if len(kl) < _FEWEST:
        return None
    smooth = ema(kl, _SMOOTHING)
    before = sorted(smooth[: max(1, 3 * len(smooth) // 4)])
    median = before[len(before) // 2]
    return smooth[-1] if smooth[-1] > max(_LARGE_KL[method], _RUNAWAY * median) else None


def _smoothed(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    smooth = ema([value for _, value in points], _SMOOTHING)
    return [(step, value) for (step, _), value in zip(points, smooth, strict=True)]


def _late_rise(points: Sequence[tuple[int, float]]) -> float:
    """The share of the whole rise that lies in the last quarter of the steps; 0 when there was no rise."""
    rise = points[-1][1] - points[0][1]
    if rise <= 0:
        return 0.0
    since = points[0][0] + 0.75 * (points[-1][0] - points[0][0])
    at = next(value for step, value in reversed(points) if step <= since)
    return max(0.0, (points[-1][1] - at) / rise)
