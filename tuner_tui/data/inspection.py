"""A dataset file, looked at in one pass: what is in it, and what is wrong with it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from tuner_tui.data.audit import conclude
from tuner_tui.data.copies.leaks import leaked
from tuner_tui.data.engine.plan import make_plan, near_duplicates
from tuner_tui.data.engine.pool import sensible_workers, tallies
from tuner_tui.data.engine.task import Task
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.progress import Progress
from tuner_tui.data.readers import ALL_READ, LeftOut, open_rows
from tuner_tui.data.rendering.preflight import check_template, needed_parts
from tuner_tui.data.rendering.preview import ChatTemplate
from tuner_tui.data.rules import RULES, Finding, Severity, finding
from tuner_tui.data.sources import SAMPLE, layout_of_rows
from tuner_tui.data.statistics import Statistics, Tokens
from tuner_tui.data.stats import KINDS
from tuner_tui.data.tally import Tally

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
    inspection was limited or cancelled before the end. `seconds` is how long it took. Of a folder, `locate`
    tells the file of a row, and its number there; `left_out` are its files that were not read.
    """

    path: Path
    kind: str
    format: Format
    tally: Tally
    complete: bool = True
    seconds: float = 0.0
    files: int = 1
    locate: Callable[[int], tuple[Path, int]] | None = None
    left_out: LeftOut = ALL_READ

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

    @cached_property
    def statistics(self) -> Statistics:
        """What the sound rows are like."""
        return Statistics.of(self.tally)

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
            "tokens": _summary(self.statistics.tokens),
            "statistics": self.statistics.to_json(),
            **self.left_out.to_json(),
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
    all_tokens: bool = False,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Inspection:
    """Inspect a dataset of any known layout.

    Args:
        path: a file, or a folder of files.
        model: a model's folder, for lengths in tokens and checks of its chat template.
        max_length: in tokens; longer rows are findings. Only with a model.
        limit: look at the first so many rows only.
        format: the layout, instead of what is detected.
        goal: what the model is trained for, which decides how many rows are few.
        eval_path: a file for evaluation, none of whose questions may be in this one.
        near: whether near duplicates are looked for; None: when there are not too many rows for it.
        all_tokens: tokenise every sound row, and not only a sample of about 20,000.
        workers: processes; None: as many as the size of the file and the processors make sensible; 1: this
            one alone.
        progress: called now and then.
        cancelled: asked about every 0.05 s; when it says True, the inspection of the rows so far is returned.

    Raises:
        UserError: the file or the model cannot be read, or the layout is not known.
    """
    started = time.monotonic()
    stopped = cancelled or (lambda: False)
    source = open_rows(path)
    sample = list(source.rows(min(SAMPLE, limit or SAMPLE)))
    template = ChatTemplate.load(model) if model is not None else None
    plan = make_plan(
        source, layout_of_rows(path, sample, format), sample, model, max_length, limit, near, all_tokens
    )
    held_out = _questions(eval_path, stopped) if eval_path is not None else None
    task = replace(plan.task, questions=held_out is not None)
    count = sensible_workers(source.size) if workers is None else workers if workers > 1 else 0
    tally = Tally()
    for part in tallies(plan.chunks, task, count, stopped):
        tally.merge(part)
        if progress is not None:
            progress(Progress(tally.bytes_read, source.size, tally.rows, time.monotonic() - started))
    complete = not stopped() and (limit is None or tally.rows < limit)
    found = [conclude(tally, complete=complete, goal=goal)]
    if template is not None:
        found.append(check_template(template, needed_parts(tally)))
    if held_out is not None:
        found.append(leaked(tally.questions, held_out))
    if task.signatures:
        found.append(near_duplicates(path, task, tally, stopped))
    if source.filled_nulls:
        text = f"the columns of {source.kind} have structs, whose absent fields are stored as null"
        found.append(iter([finding("arrow_nulls", None, None, text)]))
    for one in chain.from_iterable(found):
        tally.findings.add(one)
    seconds = time.monotonic() - started
    files = len(source.files)
    return Inspection(
        path, source.kind, task.format, tally, complete, seconds, files, source.locate, source.left_out
    )


def _questions(path: Path, stopped: Callable[[], bool]) -> Sequence[int]:
    """The keys of the questions of an evaluation file, one a row."""
    source = open_rows(path)
    format = layout_of_rows(path, list(source.rows(SAMPLE)))
    tally = Tally()
    for part in tallies(source.chunks(), Task(path, format, questions=True), 0, stopped):
        tally.merge(part)
    return tally.questions


def _summary(tokens: Tokens | None) -> dict[str, int] | None:
    if tokens is None:
        return None
    lengths = tokens.lengths
    return {
        "rows": lengths.count,
        "total": lengths.total,
        "trained": tokens.trained.total,
        "shortest": lengths.minimum,
        "median": lengths.median,
        "p95": lengths.p95,
        "longest": lengths.maximum,
    }
