"""A dataset file, looked at in one pass: what is in it, and what is wrong with it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tuner_tui.data.audit import Audit
from tuner_tui.data.dataset import Examined, examine
from tuner_tui.data.formats import Format
from tuner_tui.data.lengths import check_length
from tuner_tui.data.preview import ChatTemplate
from tuner_tui.data.probe import check_template
from tuner_tui.data.rules import Finding, Severity, finding
from tuner_tui.data.template import TemplateFailure

_BATCH = 64  # rows between two looks at `cancelled`, and in one call of the tokenizer
_FIRST_ROWS = 10  # that a group of findings names in JSON


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """All findings of one rule: how many, and the numbers of their rows (none for the file as a whole)."""

    rule: str
    severity: Severity
    count: int
    rows: list[int]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a dataset file holds.

    `rows` counts every row, readable or not; `kinds` the sound ones by kind, `tools` the calls by tool, most
    called first. `lengths` and `trained` are tokens per sound row, in the order of the file, empty without a
    model. `complete` is False when the inspection was limited or cancelled before the end.
    """

    path: Path
    format: Format
    rows: int
    kinds: dict[str, int]
    findings: list[Finding]
    tools: dict[str, int]
    lengths: list[int]
    trained: list[int]
    complete: bool = True

    @property
    def worst(self) -> Severity | None:
        """The worst severity among the findings."""
        return max((found.severity for found in self.findings), key=lambda one: one.rank, default=None)

    def by_rule(self) -> list[FindingGroup]:
        """The findings by rule, the worst and then the most frequent first."""
        grouped: dict[str, list[Finding]] = {}
        for found in self.findings:
            grouped.setdefault(found.rule, []).append(found)
        groups = []
        for rule, found_here in grouped.items():
            rows = dict.fromkeys(found.row for found in found_here if found.row is not None)
            groups.append(FindingGroup(rule, found_here[0].severity, len(found_here), list(rows)))
        return sorted(groups, key=lambda group: (-group.severity.rank, -group.count, group.rule))

    def to_json(self) -> dict[str, Any]:
        """The shape that `tuner inspect --json` prints."""
        first: dict[str, str] = {}
        for found in self.findings:
            first.setdefault(found.rule, found.message)
        return {
            "path": str(self.path),
            "format": self.format.value,
            "rows": self.rows,
            "complete": self.complete,
            "kinds": self.kinds,
            "tools": self.tools,
            "tokens": _summary(self.lengths, self.trained),
            "worst": self.worst,
            "findings": [
                {
                    "rule": group.rule,
                    "severity": group.severity.value,
                    "count": group.count,
                    "rows": group.rows[:_FIRST_ROWS],
                    "message": first[group.rule],
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
    progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Inspection:
    """Inspect a dataset of any known layout.

    Args:
        path: the file.
        model: a model's folder, for lengths in tokens and checks of its chat template.
        max_length: in tokens; longer rows are findings. Only with a model.
        limit: look at the first so many rows only.
        progress: called now and then with the number of rows done.
        cancelled: asked now and then; when it says True, the inspection of the rows so far is returned.

    Raises:
        UserError: the file or the model cannot be read, or the layout is not known.
    """
    template = ChatTemplate.load(model) if model is not None else None
    format, examined = examine(path, limit)
    audit = Audit()
    findings: list[Finding] = []
    lengths: list[int] = []
    trained: list[int] = []
    rows = 0
    complete = True
    for batch in _batches(examined):
        rows += len(batch)
        sound = [row for row in batch if row.sound and row.example is not None]
        for row in batch:
            findings.extend(row.findings)
            if row.sound and row.example is not None:
                findings.extend(audit.add(row.example, row.number))
        if template is not None:
            _measure(sound, template, max_length, findings, lengths, trained)
        if progress is not None:
            progress(rows)
        if cancelled is not None and cancelled():
            complete = False
            break
    complete = complete and (limit is None or rows < limit)
    findings.extend(audit.findings(complete=complete))
    if template is not None:
        findings.extend(_check_template(template, audit))
    return Inspection(
        path, format, rows, audit.kinds, findings, dict(audit.tools.most_common()), lengths, trained, complete
    )


def _batches(rows: Iterator[Examined]) -> Iterator[list[Examined]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _measure(
    rows: Sequence[Examined],
    template: ChatTemplate,
    max_length: int | None,
    findings: list[Finding],
    lengths: list[int],
    trained: list[int],
) -> None:
    """Encode sound rows, and append what comes out to the three lists."""
    examples = [row.example for row in rows if row.example is not None]
    for row, example, encoded in zip(rows, examples, template.encode(examples), strict=True):
        if isinstance(encoded, TemplateFailure):
            findings.append(finding("template_fails", row.number, None, str(encoded)))
            continue
        lengths.append(len(encoded.ids))
        trained.append(sum(encoded.mask))
        masked = template.marks_generation
        findings.extend(check_length(example, encoded, row.number, max_length, masked=masked))


def _check_template(template: ChatTemplate, audit: Audit) -> Iterator[Finding]:
    # A dataset without tools does not mind a template that drops them.
    for found in check_template(template):
        if audit.offers_tools or found.rule != "template_drops":
            yield found


def _summary(lengths: list[int], trained: list[int]) -> dict[str, float] | None:
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
