"""Preference pairs for tests, and a config that learns from them."""

import json
from pathlib import Path
from typing import Any

from tiny_runs import example

from tuner_tui.training.config import TrainConfig

CITIES = (
    "Ulm",
    "Jena",
    "Köln",
    "Trier",
    "Worms",
    "Mainz",
    "Celle",
    "Emden",
    "Fulda",
    "Gotha",
    "Halle",
    "Soest",
)


def pair(city: str, days: int) -> dict[str, Any]:
    """The right call against one with an argument that was not asked for and one that is not declared."""
    right = example(city, days)
    wrong = example(city, days + 1)
    *prompt, chosen = right["messages"]  # type: ignore[misc]
    rejected = wrong["messages"][-1]  # type: ignore[index]
    rejected["tool_calls"][0]["function"]["arguments"]["invented"] = "word"
    return {"prompt": prompt, "chosen": [chosen], "rejected": [rejected], "tools": right["tools"]}


def preferring(config: TrainConfig, method: str, folder: Path) -> TrainConfig:
    """`config` for a preference method: twelve pairs and a conversation to train on, five pairs held out."""
    train, held_out = folder / "pairs.jsonl", folder / "held_out.jsonl"
    rows = [pair(city, days) for days, city in enumerate(CITIES, 1)]
    _write(train, [*rows, example("Bonn", 2)])
    _write(held_out, [pair(f"city{number}", number) for number in range(5)])
    config.method = method  # type: ignore[assignment]
    config.data.train, config.data.eval = [train], held_out
    return config


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
