"""How many near duplicates are found, and how fast.

    python benchmarks/near.py [--rows 20000] [--seed 1]

Half of the rows are random originals (16 to 200 words of a vocabulary of 3,000, as rows are that come from a
few patterns), each followed by a copy with random words replaced, dropped or added. Their likeness is
computed exactly; recall is the share of the pairs at or over the threshold that is found, precision the
share of the findings that are such pairs.
"""

import sys

del sys.path[0]  # this folder's inspect.py would hide the standard library's

import argparse
import random
import time
from array import array
from collections import Counter

from tuner_tui.data.copies.near import THRESHOLD, likeness, pairs, shingles, signature


def changed(words: list[str], vocabulary: list[str], share: float, chance: random.Random) -> list[str]:
    """A copy in which about `share` of the words are replaced, dropped or followed by a new one."""
    copy: list[str] = []
    for word in words:
        if chance.random() >= share:
            copy.append(word)
        elif (what := chance.randrange(3)) == 0:
            copy.append(chance.choice(vocabulary))
        elif what == 1:
            copy += (word, chance.choice(vocabulary))
    return copy or words[:1]


def main() -> int:
    """Measure; 1 when recall is below 0.97 or anything is found that is not so."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    vocabulary = [f"word{number}" for number in range(3000)]
    texts: list[str] = []
    while len(texts) < options.rows:
        words = chance.choices(vocabulary, k=chance.randint(16, 200))
        texts += (" ".join(words), " ".join(changed(words, vocabulary, chance.random() * 0.12, chance)))
    started = time.perf_counter()
    signatures = [signature(text) for text in texts]
    signed = time.perf_counter()
    found = list(
        pairs(
            signatures,
            range(1, len(texts) + 1),
            lambda row: texts[row - 1],
            array("Q", (hash(text) % 2**64 for text in texts)),
        )
    )
    ended = time.perf_counter()

    rows = {one.row for one in found}
    wanted: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    for row in range(2, len(texts) + 1, 2):
        if texts[row - 2] == texts[row - 1]:
            continue
        alike = likeness(shingles(texts[row - 2]), shingles(texts[row - 1]))
        if alike >= THRESHOLD:
            bin = f"{int(alike * 20) / 20:.2f}"
            wanted[bin] += 1
            hits[bin] += row in rows
    false = sum(one.row is not None and one.row % 2 == 1 for one in found) + len(rows) - hits.total()
    print(f"{len(texts):,} rows, threshold {THRESHOLD}")
    for bin, count in sorted(wanted.items()):
        print(f"  likeness from {bin}: {hits[bin]:>6,} of {count:>6,} found ({hits[bin] / count:.4f})")
    recall = hits.total() / max(1, wanted.total())
    print(f"recall {recall:.4f}, findings that are none: {false}")
    print(f"signatures {len(texts) / (signed - started):,.0f} rows/s, pairs {ended - signed:.2f} s")
    return 0 if recall >= 0.97 and not false else 1


if __name__ == "__main__":
    sys.exit(main())
