"""Whether each method learns: the embedded model, the sample data, held-out data with tools never trained on.

    python benchmarks/learn.py --methods sft dpo ipo kto reward --seeds 0 1 2

Other values than a preset's are tried with --set METHOD:SECTION.FIELD=VALUE, as often as needed:

    python benchmarks/learn.py --methods ppo --set ppo:ppo.rollouts=64 --set ppo:optimization.max_steps=24

Every method is a module of `benchmarks/learning` with `measure(seed)`, which returns figures and `holds`:
whether what is claimed of the method is true of them. The exit status is 1 when something does not hold.
"""

import sys

sys.path[0] = sys.path[0].removesuffix("benchmarks")  # whose inspect.py would hide the standard library's

import argparse
import importlib
import json
import os
import tempfile
import time
from pathlib import Path

from benchmarks.learning.runs import SETTINGS
from tuner_tui.training.config import METHODS as TRAINED

METHODS = sorted(
    path.stem
    for path in (Path(__file__).parent / "learning").glob("*.py")
    if "def measure(seed: int)" in path.read_text("utf-8")
)


def main() -> int:
    """Measure, one line for each method and seed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS, metavar="METHOD")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="SEED")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="METHOD:FIELD=VALUE")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for setting in options.settings:
        method, _, override = setting.partition(":")
        if method not in TRAINED or not override:
            parser.error(
                f"--set takes METHOD:SECTION.FIELD=VALUE, METHOD one of {', '.join(TRAINED)}: {setting}"
            )
        SETTINGS.setdefault(method, []).append(override)
    held = True
    with tempfile.TemporaryDirectory(prefix="learn-") as folder:
        # An empty home of its own, so that the runs of the person who measures are left alone.
        os.environ["TUNER_HOME"] = os.environ.get("LEARN_HOME", folder)
        for method in options.methods:
            measure = importlib.import_module(f"benchmarks.learning.{method}").measure
            for seed in options.seeds:
                began = time.monotonic()
                found = {"method": method, "seed": seed, **measure(seed)}
                found["seconds"] = round(time.monotonic() - began, 1)
                held &= bool(found["holds"])
                print(json.dumps(found) if options.json else _line(found), flush=True)
    return int(not held)


def _line(found: dict[str, object]) -> str:
    """`dpo     seed 0  accuracy 0.975  ...`: the figures with three decimals."""
    figures = [
        f"{name} {value:.3f}" if isinstance(value, float) and name != "seconds" else f"{name} {value}"
        for name, value in found.items()
        if name not in ("method", "seed")
    ]
    return f"{found['method']:<7} seed {found['seed']}  " + "  ".join(figures)


if __name__ == "__main__":
    sys.exit(main())
