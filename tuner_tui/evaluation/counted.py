"""What is counted and not judged: means over items, and pass^k over repeated answers."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from tuner_tui.evaluation.lines import UNJUDGED
from tuner_tui.evaluation.shapes import Number
from tuner_tui.evaluation.subset import REPEAT

_DRAWS = 2_000


def numbers(items: Sequence[Mapping[str, Any]]) -> dict[str, Number]:
    """The mean of every number of the stored items, and pass^k where items were answered several times."""
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for item in items:
        if item["error"] in UNJUDGED:
            continue
        for name, value in (item.get("numbers") or {}).items():
            if value is not None:
                values[name][item.get("group") or item["id"]].append(float(value))
    return {name: mean(list(groups.values())) for name, groups in values.items()} | _pass_hat(items)


def pass_hat(right: int, answers: int, k: int) -> float:
    """The chance that k of the answers, drawn at random, are all right: C(right, k) / C(answers, k)
    (tau-bench, arXiv:2406.12045, section 4)."""
    return math.comb(right, k) / math.comb(answers, k)


def mean(groups: Sequence[Sequence[float]], seed: int = 0) -> Number:
    """The mean over all values, with the percentile interval (95%) of a bootstrap that draws whole groups."""
    import numpy as np

    sums = np.array([sum(group) for group in groups])
    sizes = np.array([len(group) for group in groups])
    drawn = np.random.default_rng(seed).integers(len(groups), size=(_DRAWS, len(groups)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [0.025, 0.975])
    return {
        "mean": round(float(sums.sum() / sizes.sum()), 6),
        "interval": [round(float(low), 6), round(float(high), 6)],
        "items": int(sizes.sum()),
    }


def _pass_hat(items: Sequence[Mapping[str, Any]]) -> dict[str, Number]:
    answers: dict[str, list[bool]] = defaultdict(list)
    groups: dict[str, str] = {}
    for item in items:
        origin, mark, number = str(item["id"]).rpartition(REPEAT)
        if mark and number.isdigit() and item["error"] not in UNJUDGED:
            answers[origin].append(bool(item["verdict"]["right"]))
            groups[origin] = item.get("group") or origin
    most = min((len(verdicts) for verdicts in answers.values()), default=0)
    found = {}
    for k in range(1, most + 1) if max(map(len, answers.values()), default=0) > 1 else ():
        by_group: dict[str, list[float]] = defaultdict(list)
        for origin, verdicts in answers.items():
            by_group[groups[origin]].append(pass_hat(sum(verdicts), len(verdicts), k))
        found[f"pass^{k}"] = mean(list(by_group.values()))
    return found
