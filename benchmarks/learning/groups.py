"""GRPO and RLOO: the mean reward of held-out prompts, before the first step and after the last.

The embedded model has never seen the format of tool calls. Four steps of supervised fine-tuning on 64 rows,
the same for all seeds, bring it so far that it now and then makes a call; the rest is left to the rewards.
The held-out prompts are of `sample_data/heldout.jsonl`, whose tools occur nowhere else.
"""

import json
from functools import cache
from typing import Any

from benchmarks.learning.runs import run
from tuner_tui import paths
from tuner_tui.runs.reader import read_metrics
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.presets import load_preset

POSSIBLE = 4.0
"""The highest reward of an answer: the four rewards of a call, or four times that of none."""

HELD_OUT = 40
"""Prompts; the first of the file, which is shuffled."""


def measure(method: str, seed: int) -> dict[str, Any]:
    """Mean rewards, the part of the possible rise that was made, and the distance from the start.

    Args:
        method: "grpo" or "rloo".

    Returns:
        Rewards between 0 and 4; `rise` as a share of what was possible; `kl` in nats a token, of the answers
        to the held-out prompts. It holds where the rise is half of what was possible.
    """
    one_turn = [
        row for row in _shipped("train") if not any(turn["role"] == "tool" for turn in row["messages"])
    ]
    config = TrainConfig.model_validate(
        {
            "name": f"{method}-{seed}",
            "method": method,
            "seed": seed,
            "model": {"adapter": _start()},
            "quantization": {"bits": None},
            "data": {
                "train": [_file(one_turn, "prompts")],
                "eval": _file(_shipped("heldout")[:HELD_OUT], "heldout"),
                "max_length": 512,
            },
            "grpo": {"generations": 4, "max_new_tokens": 96},
            "optimization": {
                "learning_rate": 0.001,
                "schedule": "constant",
                "warmup_ratio": 0.0,
                "micro_batch": 16,
                "effective_batch": 16,
                "max_steps": 10,
            },
            "evaluation": {"batch": HELD_OUT},
            "logging": {"log_every": 1, "eval_every": 0},
        }
    )
    first, last = [record for record in read_metrics(run(config)) if "eval_reward" in record]
    before, after = first["eval_reward"], last["eval_reward"]
    rise = (after - before) / (POSSIBLE - before)
    return {
        "reward before": before,
        "reward after": after,
        "rise": rise,
        "right before": first["eval_right"],
        "right after": last["eval_right"],
        "kl": last["eval_kl"],
        "holds": rise >= 0.5,
    }


@cache
def _start() -> str:
    """The adapter that all begin with."""
    config = load_preset("demo")
    config.name, config.quantization.bits, config.logging.eval_every = "start", None, 0
    wanted = config.optimization
    wanted.learning_rate, wanted.schedule, wanted.warmup_ratio, wanted.max_steps = 0.002, "constant", 0.0, 4
    return str(run(config) / "adapter")


def _shipped(name: str) -> list[dict[str, Any]]:
    text = (paths.sample_data() / f"{name}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _file(rows: list[dict[str, Any]], name: str) -> str:
    path = paths.home() / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)
