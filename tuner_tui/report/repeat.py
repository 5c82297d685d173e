"""The commands that make a run and its evaluations again, with the settings that they had."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner_tui.evaluation.arms import ARMS, in_order
from tuner_tui.runs import layout

_TEMPERATURE = "temperature "


def commands(run_dir: Path, suites: Sequence[Mapping[str, Any]]) -> list[str]:
    """`tuner train`, then `tuner eval last` for each suite that was measured."""
    return [shlex.join(["tuner", "train", str(run_dir / layout.CONFIG)]), *map(_evaluation, suites)]


def _evaluation(suite: Mapping[str, Any]) -> str:
    settings = suite["settings"]
    words = ["tuner", "eval", "last"]
    if suite["name"] != "heldout":
        words += ["--suite", suite["name"]]
    if suite["source"]:
        words += ["--data", suite["source"]]
    if not set(suite["arms"]) <= set(ARMS):
        words += ["--arms", ",".join(in_order(suite["arms"]))]
    if settings.get("limit"):
        words += ["--limit", str(settings["limit"]), "--seed", str(settings.get("seed") or 0)]
    if (settings.get("repeats") or 1) > 1:
        words += ["--repeats", str(settings["repeats"])]
    decoding = str(settings.get("decoding") or "")
    if decoding.startswith(_TEMPERATURE):
        words += ["--temperature", decoding.removeprefix(_TEMPERATURE)]
    if settings.get("endpoint"):
        words += ["--endpoint", str(settings["endpoint"])]
    return shlex.join(words)
