"""A dataset file, looked at in one pass: what is in it, and what is wrong with it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from tuner_tui.data.audit import conclude
from tuner_tui.data.engine.rows import RowInspector
from tuner_tui.data.engine.task import Task
from tuner_tui.data.formats import Format
from tuner_tui.data.preflight import check_template, needed_parts
from tuner_tui.data.preview import ChatTemplate
from tuner_tui.data.progress import Progress
from tuner_tui.data.rules import RULES, Finding, Severity
from tuner_tui.data.sources import open_source
from tuner_tui.data.stats import KINDS
from tuner_tui.data.tally import Tally

_BATCH = 64  # rows between two looks at `cancelled`
_FIRST_ROWS = 10  # that a group of findings names in JSON


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """All findings of one rule: how many, and the numbers of their rows (none for the file as a whole)."""

    rule: str
    severity: Severity
    count: int
    rows: Sequence[int]


@dataclass(frozen=True)
class Inspection:
    """What a dataset holds.

    `tally` has all counts; the properties are the most used of them. `findings` are in full, at most
    `tally.KEPT_FINDINGS` of each rule; `counts` and `rows_of` know all. `complete` is False when the
    inspection was limited or cancelled before the end. `seconds` is how long it took.
    """

    path: Path
    kind: str
    format: Format
    tally: Tally
    complete: bool = True
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        """Every row, readable or not."""
        return self.tally.rows

    @cached_property
    def kinds(self) -> dict[str, int]:
        """The sound rows by kind."""
        return {kind: self.tally.kinds[kind] for kind in KINDS}

    @cached_property
    def tools(self) -> dict[str, int]:
        """The calls by tool, most called first; tools of equally many calls by name."""
        return dict(sorted(self.tally.tools_called.items(), key=lambda item: (-item[1], item[0])))

    @property
    def lengths(self) -> Sequence[int]:
        """Tokens of each measured row, in the order of the file; empty without a model."""
        return self.tally.lengths

    @property
    def trained(self) -> Sequence[int]:
        """Trained tokens of the same rows."""
        return self.tally.trained

    @cached_property
    def findings(self) -> list[Finding]:
        """The findings in full, by row; those on the file as a whole come last."""
        kept = [found for of_rule in self.tally.findings.kept.values() for found in of_rule]
        return sorted(kept, key=lambda found: (found.row is None, found.row or 0))

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each rule."""
        return dict(self.tally.findings.counts)

    def rows_of(self, rule: str) -> Sequence[int]:
        """The numbers of the rows with a finding of this rule, in order."""
        return self.tally.findings.rows.get(rule, ())

    @cached_property
    def severities(self) -> bytes:
        """One byte a row, the worst that was found in it: 0 nothing, 1 info, 2 warning, 3 error."""
        return self.tally.findings.severities(self.rows)

    @property
    def worst(self) -> Severity | None:
        """The worst severity among the findings."""
        found = (RULES[rule].severity for rule in self.tally.findings.counts)
        return max(found, key=lambda severity: severity.rank, default=None)

    def by_rule(self) -> list[FindingGroup]:
        """The findings by rule, the worst and then the most frequent first."""
        groups = [
            FindingGroup(rule, RULES[rule].severity, count, self.rows_of(rule))
            for rule, count in self.tally.findings.counts.items()
        ]
        return sorted(groups, key=lambda group: (-group.severity.rank, -group.count, group.rule))

    def to_json(self) -> dict[str, Any]:
        """The shape that `tuner inspect --json` prints."""
        kept = self.tally.findings.kept
        return {
            "path": str(self.path),
            "source": self.kind,
            "format": self.format.value,
            "rows": self.rows,
            "sound": self.tally.sound,
            "complete": self.complete,
            "seconds": round(self.seconds, 3),
            "kinds": self.kinds,
            "tools": self.tools,
            "tokens": _summary(self.lengths, self.trained),
            "worst": self.worst,
            "findings": [
                {
                    "rule": group.rule,
                    "severity": group.severity.value,
                    "count": group.count,
                    "rows": list(group.rows[:_FIRST_ROWS]),
                    "message": kept[group.rule][0].message,
                }
                for group in self.by_rule()
            ],
        }


def inspect_file(
    path: Path,
    *,
    model: Path | None = None,
    max_length: int | None = None,
    limit: int | None = None,
    format: Format | None = None,
    goal: str | None = None,
    eval_path: Path | None = None,
    near: bool | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Inspection:
    """Inspect a dataset of any known layout.

    Args:
        path: the file.
        model: a model's folder, for lengths in tokens and checks of its chat template.
        max_length: in tokens; longer rows are findings. Only with a model.
        limit: look at the first so many rows only.
        format: the layout, instead of what is detected.
        goal: what the model is trained for, which decides how many rows are few.
        eval_path: a file for evaluation, none of whose questions may be in this one.
        near: whether near duplicates are looked for; None: when the file is not too large.
        workers: processes; None: as many as the size of the file and the processors make sensible.
        progress: called now and then.
        cancelled: asked now and then; when it says True, the inspection of the rows so far is returned.

    Raises:
        UserError: the file or the model cannot be read, or the layout is not known.
    """
    started = time.monotonic()
    size = path.stat().st_size if path.is_file() else 0
    source = open_source(path, limit, format)
    template = ChatTemplate.load(model) if model is not None else None
    inspector = RowInspector(Task(source.format, model, max_length))
    tally = Tally()
    complete = True
    while batch := list(islice(source.rows, _BATCH)):
        for row in batch:
            inspector.add(tally, row)
        if progress is not None:
            progress(Progress(0, size, tally.rows, time.monotonic() - started))
        if cancelled is not None and cancelled():
            complete = False
            break
    inspector.finish(tally)
    complete = complete and (limit is None or tally.rows < limit)
    for found in conclude(tally, complete=complete, goal=goal):
        tally.findings.add(found)
    if template is not None:
        for found in check_template(template, needed_parts(tally)):
            tally.findings.add(found)
    return Inspection(path, "JSON Lines", source.format, tally, complete, time.monotonic() - started)


def _summary(lengths: Sequence[int], trained: Sequence[int]) -> dict[str, float] | None:
    if not lengths:
        return None
    ordered = sorted(lengths)
    return {
        "total": sum(lengths),
        "trained": sum(trained),
        "shortest": ordered[0],
        "median": ordered[len(ordered) // 2],
        "p95": ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))],
        "longest": ordered[-1],
    }
