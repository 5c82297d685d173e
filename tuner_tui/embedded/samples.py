"""Write the repository's sample data.

    python -m tuner_tui.embedded.samples sample_data

The same files, byte for byte, each time: every file has a seed of its own.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

from tuner_tui.embedded import rows
from tuner_tui.embedded.broken import BROKEN
from tuner_tui.embedded.catalog import HELD_OUT, TRAINING
from tuner_tui.embedded.forms import to_json
from tuner_tui.embedded.rows import Row
from tuner_tui.embedded.shop import SHOP, TOOLS_FILE, instructed, one_step, two_steps, unserved
from tuner_tui.embedded.tools import Tool

Maker = Callable[[Random, Sequence[Tool]], Row]
Recipe = Sequence[tuple[Maker, int]]

TRAIN: Recipe = (
    (rows.single_call, 390),
    (rows.parallel_calls, 160),
    (rows.refused, 200),
    (rows.multi_step, 25),
    (rows.error_recovery, 25),
)
HELD_OUT_ITEMS: Recipe = (
    (rows.single_call, 54),
    (rows.parallel_calls, 10),
    (rows.refused, 24),
)
INSTRUCTED: Recipe = (
    (instructed(rows.single_call), 120),
    (instructed(rows.parallel_calls), 20),
    (instructed(rows.refused), 40),
)
SHOP_REQUESTS: Recipe = (
    (instructed(one_step), 60),
    (instructed(two_steps), 40),
    (instructed(unserved), 20),
)
FILES: dict[str, tuple[Recipe, Sequence[Tool]]] = {
    "train.jsonl": (TRAIN, TRAINING),
    "function_calls.jsonl": (((rows.single_call, 90), (rows.parallel_calls, 30)), TRAINING),
    "multi_step.jsonl": (((rows.multi_step, 60),), TRAINING),
    "error_recovery.jsonl": (((rows.error_recovery, 60),), TRAINING),
    "negatives.jsonl": (((rows.refused, 80),), TRAINING),
    "preferences.jsonl": (((rows.preference, 180),), TRAINING),
    "instructed.jsonl": (INSTRUCTED, TRAINING),
    "shop.jsonl": (SHOP_REQUESTS, SHOP),
    "heldout.jsonl": (HELD_OUT_ITEMS, HELD_OUT),
}
"""File name -> how many rows of each kind, and the tools that they are made of."""


def make_rows(name: str) -> Iterator[Row]:
    """The rows of one of `FILES`, shuffled, without duplicates."""
    recipe, catalog = FILES[name]
    rng = Random(f"sample_data/{name}")
    made: dict[str, Row] = {}
    for maker, count in recipe:
        target = len(made) + count
        while len(made) < target:
            row = maker(rng, catalog)
            made[to_json(row)] = row
    shuffled = list(made.values())
    rng.shuffle(shuffled)
    yield from shuffled


def write(folder: Path) -> None:
    """Write every file of the sample data but its README into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        lines = "".join(to_json(row) + "\n" for row in make_rows(name))
        (folder / name).write_text(lines, encoding="utf-8", newline="\n")
    (folder / TOOLS_FILE.name).write_bytes(TOOLS_FILE.read_bytes())
    broken = "".join(line + "\n" for _, line in BROKEN)
    (folder / "broken.jsonl").write_text(broken, encoding="utf-8", newline="\n")


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description="Write the sample data.")
    parser.add_argument("folder", type=Path, help="where to write it")
    write(parser.parse_args().folder)


if __name__ == "__main__":
    main()
