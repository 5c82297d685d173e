"""Arbitrary bytes and mutated rows through reader, detection, converters, validators and inspection.

    python benchmarks/fuzz.py [--cases 100000] [--seed 1] [--seeds FILE_OR_FOLDER ...]

Three kinds of cases, in turn: a row mutated as JSON (values exchanged for odd ones, keys renamed, parts of
other rows grafted in), which goes through every layout it may be taken for; a row mutated as bytes, and a
whole file of such lines, compressed or not, which goes through the readers and the inspection. Nothing may
be raised but `UserError`, and no case may last longer than `--deadline` seconds. The seeds are the rows of
`sample_data/` and of the given files. A case is repeated by `--seed S --first N --cases 1`.
"""

import sys

del sys.path[0]  # this folder's inspect.py would hide the standard library's

import argparse
import copy
import gzip
import json
import random
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from tuner_tui.data.converters import convert
from tuner_tui.data.copies.fingerprints import fingerprint
from tuner_tui.data.inspection import inspect_file
from tuner_tui.data.layouts.formats import Format, detect
from tuner_tui.data.readers import read_rows
from tuner_tui.data.validators import validate
from tuner_tui.errors import UserError
from tuner_tui.paths import sample_data

ODD: list[Any] = [
    *(None, True, False, 0, -1, 2**53 + 1, 2**64, 10**40, 1.5, -0.0, 1e308, "", " ", "null", "NaN"),
    *("\x00", "\x1b[31m", "\u202e", "\ud83d\ude00", "é" * 50, "A" * 5000, "{", "}", "[", '{"a":', "{'a': 1}"),
    *("<tool_call>", "</tool_call>", "<functioncall>", "###Instruction:", "[f(a=1, b=[2])]", "Action: f"),
    *("sk-" + "a" * 48, "a@b.co", "$ref", "object", "dict", "int, optional", "List[Union[int, float]]"),
    *([], {}, [[]], [{}], [None], {"": ""}, {"name": None}, {"type": "object", "properties": []}),
    {"$ref": "file:///etc/hosts"},
    {"type": ["string", "null"], "pattern": "(a+)+$"},
    {"role": "tool", "content": None},
    {"function": {"name": "f", "arguments": "{"}},
]
KEYS = [
    *("messages", "conversations", "conversation", "prompt", "chosen", "rejected", "completion", "label"),
    *("tools", "functions", "function", "tool_calls", "function_call", "role", "from", "content", "value"),
    *("text", "query", "answers", "system", "chat", "instruction", "output", "question", "ground_truth"),
    *("code", "api_call", "calling", "answer_generation", "Instructions", "arguments", "parameters", "name"),
]


class TooSlow(BaseException):
    """A case ran past its deadline; no `except Exception` may swallow it."""


def nested(depth: int) -> Any:
    """A list in a list, `depth` times."""
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with each of its keys or indexes, at most some thousand of them."""
    found: list[tuple[Any, Any]] = []
    stack = [value]
    while stack and len(found) < 2000:
        item = stack.pop()
        if isinstance(item, dict | list):
            keys = list(item) if isinstance(item, dict) else range(len(item))
            found.extend((item, key) for key in keys)
            stack.extend(item[key] for key in keys)
    return found


def mutate(value: Any, others: list[Any], chance: random.Random) -> Any:
    """A copy of a row with one to four changes."""
    value = copy.deepcopy(value)
    for _ in range(chance.randint(1, 4)):
        all_places = places(value)
        if not all_places:
            return chance.choice(ODD)
        container, key = chance.choice(all_places)
        change = chance.randrange(8)
        if change <= 2:
            container[key] = copy.deepcopy(chance.choice(ODD))
        elif change == 3:
            del container[key]
        elif change == 4:
            container[key] = copy.deepcopy(chance.choice(places(chance.choice(others)))[0])
        elif change == 5 and isinstance(container, dict):
            container[chance.choice(KEYS)] = container.pop(key)
        elif change == 6:
            container[key] = json.dumps(container[key], default=str)[: chance.choice((10**6, 20))]
        elif isinstance(container, list):
            container.insert(chance.randrange(len(container) + 1), copy.deepcopy(container[key]))
        else:
            container[key] = nested(chance.choice((3, 60, 400)))
    return value


def mutate_bytes(data: bytes, chance: random.Random) -> bytes:
    """A copy of some bytes with one to six changes."""
    result = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(result) + 1)
        end = min(len(result), at + chance.choice((1, 2, 10, 200)))
        change = chance.randrange(5)
        if change == 0:
            result[at:end] = chance.randbytes(end - at)
        elif change == 1:
            del result[at:end]
        elif change == 2:
            result[at:at] = result[at:end] * chance.randint(1, 5)
        elif change == 3:
            result[at:at] = chance.choice(
                (b"\n", b"\x00", b'"', b"\\", b"{", b"]", b"\xff\xfe", b"\xef\xbb\xbf")
            )
        else:
            del result[at:]
    return bytes(result)


def as_rows(value: Any, chance: random.Random) -> Counter[str]:
    """One mutated row through detection, conversion in two layouts, and every check of a row."""
    outcome: Counter[str] = Counter()
    if not isinstance(value, dict):
        return Counter({"not an object": 1})
    for layout in {detect([value]), chance.choice(list(Format))}:
        try:
            example = convert(value, layout)
        except UserError as error:
            outcome["refused"] += 1
            assert str(error), "a refusal without a sentence"
            continue
        findings = validate(example, 1)
        assert fingerprint(example) == fingerprint(json.loads(json.dumps(example))), (
            "the fingerprint depends on how"
        )
        outcome["findings" if findings else "clean"] += 1
    return outcome


def as_file(data: bytes, folder: Path) -> Counter[str]:
    """Some bytes as a file, read and inspected."""
    path = folder / "case"
    path.write_bytes(data)
    try:
        rows = sum(1 for _ in read_rows(path))
        inspection = inspect_file(path, workers=1)
    except UserError as error:
        assert str(path) in str(error), f"a refusal that does not name the file: {error}"
        return Counter({"file refused": 1})
    assert inspection.rows == rows, f"{inspection.rows} rows inspected of {rows} read"
    return Counter({"file inspected": 1})


def case(number: int, seed: int, rows: list[Any], folder: Path) -> Counter[str]:
    """Case `number`: the same for the same seed and the same rows."""
    chance = random.Random(f"{seed}:{number}")
    kind = number % 4
    if kind < 2:
        return as_rows(mutate(chance.choice(rows), rows, chance), chance)
    lines = [
        json.dumps(mutate(row, rows, chance) if chance.random() < 0.5 else row, default=str).encode()
        for row in chance.choices(rows, k=chance.randint(1, 6))
    ]
    data = b"\n".join(lines) if chance.random() < 0.8 else b"[" + b",".join(lines) + b"]"
    if chance.random() < 0.1:
        data = chance.randbytes(chance.randint(0, 400))
    if kind == 2:
        data = mutate_bytes(data, chance)
    if chance.random() < 0.1:
        data = gzip.compress(data, 1)
        data = mutate_bytes(data, chance) if chance.random() < 0.5 else data
    return as_file(data, folder)


def run(
    cases: range, seed: int, rows: list[Any], deadline: float, one: Callable[..., Counter[str]] = case
) -> tuple[Counter[str], list[str]]:
    """Outcomes of the cases, and a report of each that raised or lasted too long."""
    outcomes: Counter[str] = Counter()
    faults: list[str] = []

    def late(signum: int, frame: FrameType | None) -> None:
        raise TooSlow

    signal.signal(signal.SIGALRM, late)
    with tempfile.TemporaryDirectory() as folder:
        for number in cases:
            signal.setitimer(signal.ITIMER_REAL, deadline)
            try:
                outcomes += one(number, seed, rows, Path(folder))
            except TooSlow:
                faults.append(f"case {number}: longer than {deadline} s\n{traceback.format_exc(limit=-8)}")
            except Exception:
                faults.append(f"case {number}:\n{traceback.format_exc(limit=-8)}")
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            if len(faults) >= 20:
                break
    return outcomes, faults


def seed_rows(paths: list[Path]) -> Iterator[Any]:
    """At most forty rows of each file, at most 20 kB each."""
    for path in paths:
        files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
        for file in files:
            try:
                values = [row.value for row in read_rows(file, 40)]
            except UserError:
                continue
            yield from (value for value in values if value and len(json.dumps(value, default=str)) < 20_000)


def main() -> int:
    """Run the cases; 1 when one of them failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--deadline", type=float, default=20.0, help="seconds that a case may last")
    parser.add_argument("--seeds", type=Path, nargs="*", default=[], help="more files with rows to mutate")
    options = parser.parse_args()
    rows = list(seed_rows([sample_data(), *options.seeds]))
    started = time.perf_counter()
    outcomes, faults = run(
        range(options.first, options.first + options.cases), options.seed, rows, options.deadline
    )
    seconds = time.perf_counter() - started
    print(f"{options.cases:,} cases from {len(rows)} rows in {seconds:.0f} s, seed {options.seed}")
    for what, count in outcomes.most_common():
        print(f"{count:>10,}  {what}")
    print(f"{len(faults):>10,}  faults")
    for fault in faults:
        print(f"\n{fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
