"""Every dataset of a folder, inspected and converted: rows in, out and rejected, and what is found in them.

    python benchmarks/formats.py FOLDER [--json]

A folder in which each file holds one row (ToolBench's answers, API-Bank's dialogues) counts as one dataset;
any other file is one by itself. Documentation (.md) is passed over. Exits with 1 when the rows that went in
are not those that came out and those that were rejected, counted in the files themselves, or when anything
but a sentence for the user was raised.
"""

import sys

del sys.path[0]  # this folder's inspect.py would hide the standard library's

import argparse
import json
import tempfile
import textwrap
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import orjson

from tuner_tui.data.conversion import convert_file
from tuner_tui.data.inspection import inspect_file
from tuner_tui.data.readers import open_rows, read_rows
from tuner_tui.errors import UserError

DOCUMENTATION = (".md",)


@dataclass(slots=True)
class Line:
    """What became of one dataset.

    `findings` are those of rows that were converted and of the file as a whole, `left_out` the files of a
    folder that hold no rows, `unseen` rejections that the inspection has not found. `refused` is the sentence
    when nothing could be read, `broken` the traceback of anything that should not have been raised.
    """

    dataset: str
    kind: str = ""
    format: str = ""
    rows: int = 0
    converted: int = 0
    rejected: int = 0
    why: dict[str, int] = field(default_factory=dict)
    findings: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    unseen: dict[str, int] = field(default_factory=dict)
    refused: str = ""
    broken: str = ""

    @property
    def adds_up(self) -> bool:
        """Whether every row that went in came out, or was rejected for a reason that the inspection gives."""
        return not self.broken and not self.unseen and self.rows == self.converted + self.rejected


def datasets(folder: Path) -> Iterator[Path]:
    """The datasets below a folder, in order."""
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    files = [path for path in inside if path.is_file() and path.suffix not in DOCUMENTATION]
    if len(files) > 1 and all(holds_one_row(path) for path in files):
        yield folder
    else:
        yield from files
    for path in inside:
        if path.is_dir():
            yield from datasets(path)


def holds_one_row(path: Path) -> bool:
    """Whether the file has no second row; an empty one has none either."""
    try:
        return len(list(islice(read_rows(path), 2))) < 2
    except UserError:
        return path.stat().st_size == 0


def look_at(path: Path, name: str) -> Line:
    """Inspect and convert one dataset."""
    line = Line(name)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            out, refuse = Path(scratch) / "out.jsonl", Path(scratch) / "rejected.jsonl"
            inspection = inspect_file(path)
            line.kind, line.format, line.rows = inspection.kind, inspection.format.value, inspection.rows
            convert_file(path, out, refuse)
            refused = refuse.read_bytes().splitlines() if refuse.exists() else []
            line.converted, line.rejected = out.read_bytes().count(b"\n"), len(refused)
            line.why = dict(Counter(orjson.loads(one)["rule"] for one in refused).most_common())
            line.findings = dict(Counter(inspection.counts) - Counter(line.why))
            line.unseen = dict(Counter(line.why) - Counter(inspection.counts))
            line.left_out = [f"{file.name}: {reason}" for file, reason in open_rows(path).skipped]
    except UserError as error:
        line.refused = str(error).replace(str(path), name)
    except Exception:  # what must not happen is shown, and the others are still looked at
        line.broken = traceback.format_exc()
    return line


def print_table(lines: list[Line]) -> None:
    """The table, findings below each dataset."""
    width = max([len(line.dataset) for line in lines], default=0)
    print(f"{'dataset':{width}}  {'format':13} {'in':>6} {'out':>6} {'rejected':>8}  why")
    for line in lines:
        counts = f"{line.rows:6,} {line.converted:6,} {line.rejected:8,}"
        print(f"{line.dataset:{width}}  {line.format or '-':13} {counts}  {listed(line.why)}".rstrip())
        for text in (line.refused, listed(line.findings), *line.left_out):
            if text:
                print(textwrap.fill(text, 110, initial_indent="      ", subsequent_indent="      "))
        if line.broken:
            print(textwrap.indent(line.broken, "      "))
    total = f"{sum(line.rows for line in lines):,} in, {sum(line.converted for line in lines):,} out"
    print(f"{len(lines)} datasets: {total}, {sum(line.rejected for line in lines):,} rejected")


def listed(counts: dict[str, int]) -> str:
    """Rules and how often, the most frequent first."""
    return ", ".join(f"{rule} {count:,}" for rule, count in sorted(counts.items(), key=lambda one: -one[1]))


def main() -> int:
    """Look at all datasets of the folder, print, and say whether all rows are accounted for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="one object a dataset, in a list")
    arguments = parser.parse_args()
    if not arguments.folder.is_dir():
        parser.error(f"{arguments.folder} is not a folder")
    lines = [look_at(path, str(path.relative_to(arguments.folder))) for path in datasets(arguments.folder)]
    if arguments.json:
        print(json.dumps([asdict(line) | {"adds_up": line.adds_up} for line in lines], indent=2))
    else:
        print_table(lines)
    return 0 if all(line.adds_up for line in lines) else 1


if __name__ == "__main__":  # workers import this module again
    sys.exit(main())
