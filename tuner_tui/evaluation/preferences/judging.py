"""A person's verdicts on comparisons: kept line by line, so that a crash or a closed window loses nothing.

Two files: PAIRS, canonical preference pairs that dpo, kto and reward learn from at once; and beside it the
journal, PAIRS.judgements.jsonl, which has every verdict (ties and skips as well), on which side each answer
stood, and what was taken back.
"""

import fcntl
import hashlib
import os
import secrets
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import orjson

from tuner_tui.data.rules import Severity
from tuner_tui.data.validators import validate
from tuner_tui.errors import UserError
from tuner_tui.evaluation.preferences.comparisons import Comparison, load_comparisons, pair_key
from tuner_tui.evaluation.shapes import Rate
from tuner_tui.evaluation.statistics import rate
from tuner_tui.runs import files

Verdict = Literal["left", "right", "tie", "both_bad", "skip"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True, slots=True)
class Tally:
    """What was said so far.

    `judged` of `total` comparisons have a verdict: `pairs` a better answer, the others are `ties` or
    `both_bad`; `skipped` ones come again when the file is opened next time. `left` says how often the better
    answer stood on the left (one half, but for chance or habit); `sources` how often each source was better.
    """

    total: int
    judged: int
    pairs: int
    ties: int
    both_bad: int
    skipped: int
    left: Rate
    sources: dict[str, Rate]
    same: int
    unusable: int

    def to_json(self) -> dict[str, Any]:
        """The figures, as `tuner prefer --json` prints them."""
        return asdict(self)


def journal_of(pairs: Path) -> Path:
    """The journal beside a file of pairs."""
    return pairs.with_name(f"{pairs.name.removesuffix('.jsonl')}.judgements.jsonl")


class Judging:
    """The comparisons of one file, and the verdicts on them; a context manager, which holds the journal.

    Comparisons without a verdict come in the order of the file. Which answer stands on the left is drawn at
    random for each of them, and recorded.
    """

    def __init__(self, source: Path, pairs: Path, *, seed: int | None = None) -> None:
        """Open, or open again where one stopped.

        Args:
            source: a file for `load_comparisons`.
            pairs: the file of pairs; made when it is not there, else continued.
            seed: of the order of the answers, for a new journal; None draws one.

        Raises:
            UserError: `source` has nothing to compare, a file cannot be written, or somebody else is judging
                into `pairs` at this moment.
        """
        if source.absolute() == pairs.absolute():
            raise UserError(f"{pairs}: the pairs cannot go into the file that is judged; name another file.")
        loaded = load_comparisons(source)
        self.source, self.pairs = source, pairs
        self.comparisons = loaded.items
        self._same, self._unusable = loaded.same, loaded.unusable
        self._by_key = {each.key: each for each in self.comparisons}
        self._journal = journal_of(pairs)
        self._lock: int | None = _take(self._journal)
        try:
            self._seed, self._verdicts = self._read(seed)
            self._reconcile()
        except BaseException:
            self.close()
            raise
        self._queue = [each for each in self.comparisons if self._needs(each.key)]
        self._passed: set[str] = set()

    def __enter__(self) -> "Judging":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the journal."""
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None

    @property
    def current(self) -> Comparison | None:
        """The comparison to judge now; None when all are judged."""
        return next((each for each in self._queue if each.key not in self._passed), None)

    def sides(self, comparison: Comparison) -> tuple[int, int]:
        """Which of its answers stand left and right: (0, 1) or (1, 0)."""
        drawn = hashlib.sha256(f"{self._seed} {comparison.key}".encode()).digest()[0]
        return (0, 1) if drawn % 2 else (1, 0)

    def judge(self, verdict: Verdict, note: str = "") -> list[str]:
        """Record the verdict on the current comparison, and go on.

        Returns:
            What is wrong with the better answer, so that training would leave the pair out; mostly nothing.

        Raises:
            UserError: there is nothing to judge, or a file cannot be written.
        """
        comparison = self.current
        if comparison is None:
            raise UserError("all comparisons are judged.")
        left, right = self.sides(comparison)
        better = {"left": left, "right": right}.get(verdict)
        record = {
            "key": comparison.key,
            "file": str(self.source),
            "row": comparison.row,
            "verdict": verdict,
            "left": comparison.sources[left],
            "right": comparison.sources[right],
            "better": None if better is None else comparison.sources[better],
            "note": note,
            "time": round(time.time(), 1),
        }
        # The journal first: what it says of a pair that was not written is made good at the next opening.
        self._append(self._journal, record)
        self._verdicts[comparison.key] = record
        self._passed.add(comparison.key)
        if better is None:
            return []
        pair = comparison.pair(better)
        self._append(self.pairs, pair)
        faults = validate(pair, comparison.row)
        return [fault.message for fault in faults if fault.severity is Severity.ERROR]

    def undo(self) -> Comparison | None:
        """Take the last verdict back; its comparison is the current one again. None: there is none."""
        last = next((key for key in reversed(self._verdicts) if key in self._by_key), None)
        if last is None:
            return None
        self._append(self._journal, {"undo": last, "time": round(time.time(), 1)})
        record = self._verdicts.pop(last)
        if record["verdict"] in ("left", "right"):
            self._remove({last})
        comparison = self._by_key[last]
        self._passed.discard(last)
        self._queue = [comparison, *(each for each in self._queue if each.key != last)]
        return comparison

    def note_of(self, comparison: Comparison) -> str:
        """What was noted with the verdict on it; "" for nothing."""
        return str(self._verdicts.get(comparison.key, {}).get("note", ""))

    def tally(self) -> Tally:
        """The figures of this file's comparisons."""
        said = [self._verdicts[key] for key in self._by_key if key in self._verdicts]
        counts = Counter(each["verdict"] for each in said)
        decided = [each for each in said if each["better"] is not None]
        better = Counter(each["better"] for each in decided)
        names = sorted({name for each in self.comparisons for name in each.sources})
        among = Counter(name for each in decided for name in {each["left"], each["right"]})
        return Tally(
            total=len(self.comparisons),
            judged=len(said) - counts["skip"],
            pairs=len(decided),
            ties=counts["tie"],
            both_bad=counts["both_bad"],
            skipped=counts["skip"],
            left=rate(counts["left"], len(decided)),
            sources={name: rate(better[name], among[name]) for name in names},
            same=self._same,
            unusable=self._unusable,
        )

    def _needs(self, key: str) -> bool:
        return key not in self._verdicts or self._verdicts[key]["verdict"] == "skip"

    def _read(self, seed: int | None) -> tuple[int, dict[str, dict[str, Any]]]:
        """The seed and the verdicts that stand, the oldest first; an empty journal begins with its seed."""
        verdicts: dict[str, dict[str, Any]] = {}
        drawn: int | None = None
        for record in _objects(self._journal):
            if "order_seed" in record:
                drawn = int(record["order_seed"])
            elif "undo" in record:
                verdicts.pop(record["undo"], None)
            elif record.get("verdict") in VERDICTS:
                verdicts.pop(record["key"], None)
                verdicts[record["key"]] = record
        if drawn is None:
            drawn = secrets.randbits(32) if seed is None else seed
            self._append(self._journal, {"order_seed": drawn})
        return drawn, verdicts

    def _reconcile(self) -> None:
        """Make the pairs what the journal says, should the last writer have died between the two."""
        there = {pair_key(row) for row in _objects(self.pairs) if _is_pair(row)}
        wanted: dict[str, int] = {}
        for key, record in self._verdicts.items():
            if key in self._by_key and record["verdict"] in ("left", "right"):
                left, right = self.sides(self._by_key[key])
                wanted[key] = left if record["verdict"] == "left" else right
        if surplus := (there & self._by_key.keys()) - wanted.keys():
            self._remove(surplus)
        for key, better in wanted.items():
            if key not in there:
                self._append(self.pairs, self._by_key[key].pair(better))

    def _remove(self, keys: set[str]) -> None:
        kept = [row for row in _objects(self.pairs) if not _is_pair(row) or pair_key(row) not in keys]
        try:
            files.write_atomic(self.pairs, b"".join(orjson.dumps(row) + b"\n" for row in kept))
        except OSError as error:
            raise UserError(f"{self.pairs}: cannot be written ({error.strerror}).") from error

    def _append(self, path: Path, value: dict[str, Any]) -> None:
        try:
            files.append_line(path, value)
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror}).") from error


def _take(journal: Path) -> int:
    """The descriptor that holds the journal for this process."""
    try:
        descriptor = os.open(journal, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UserError(f"{journal}: cannot be written ({error.strerror}).") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise UserError(f"{journal}: somebody else is judging into this file at this moment.") from None
    return descriptor


def _is_pair(row: dict[str, Any]) -> bool:
    return {"prompt", "chosen", "rejected", "tools"} <= row.keys()


def _objects(path: Path) -> list[dict[str, Any]]:
    """The JSON objects of a file, one a line; a line that was cut in half is passed over."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}).") from error
    found = []
    for line in lines:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found
