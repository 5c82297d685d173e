"""A dataset in two files: rows to train on, and rows to evaluate with."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual.content import Content

from tuner_tui.errors import UserError
from tuner_tui.tui.dataset_plans import (
    MOST_SEED,
    Cancelled,
    Plan,
    SettingError,
    Tell,
    beside,
    setting,
    stem,
)
from tuner_tui.tui.screens.data_plan import PlanPane
from tuner_tui.tui.widgets.form_fields import FormField, Kind
from tuner_tui.tui.widgets.plan_reports import split_content

if TYPE_CHECKING:
    from tuner_tui.data.parts.groups import By
    from tuner_tui.tui.dataset_rows import DatasetRows

_BY = ("row", "template", "tool")


class SplitPane(PlanPane):
    """Share, what is kept together, seed and the two files; beside them the split that they give."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._source: Path | None = None
        self._bytes = 0

    def fields(self) -> Sequence[FormField]:
        return (
            setting(
                "share", "Share set aside", "Of the rows, to evaluate with: above 0, below 1.", Kind.NUMBER
            ),
            setting(
                "by",
                "Kept together",
                "row: rows that ask the same of the same tools.\n"
                "template: rows made from one template too, or a template known by heart looks like skill.\n"
                "tool: some tools are held out with all rows that call them, to see what becomes of tools "
                "that were never trained.",
                Kind.CHOICE,
                _BY,
            ),
            setting(
                "seed", "Seed", "Another seed, another choice; the same seed, the same split.", Kind.NUMBER
            ),
            setting("train", "Training file", "The rows to train on, as canonical JSON Lines.", Kind.PATH),
            setting("eval", "Evaluation file", "The rows set aside, as canonical JSON Lines.", Kind.PATH),
        )

    def use(self, rows: "DatasetRows") -> None:
        """Split this dataset."""
        self._source, self._bytes = rows.path, rows.bytes_on_disk
        name = stem(rows.path)
        for field, raw in {
            "share": "0.1",
            "by": "row",
            "seed": "0",
            "train": str(beside(rows.path, f"{name}.train.jsonl")),
            "eval": str(beside(rows.path, f"{name}.eval.jsonl")),
        }.items():
            row = self.row(field)
            row.stop_editing()
            row.baseline = row.raw = raw

    def plan(self) -> Plan:
        source = self._source
        if source is None:
            raise UserError("Open a dataset first (o).")
        share = self.number("share", 0, 1)
        if not 0 < share < 1:
            raise SettingError("share", "above 0 and below 1")
        seed = int(self.number("seed", 0, MOST_SEED, whole=True))
        by = cast("By", self.value("by"))
        for field in ("train", "eval"):
            if not self.value(field):
                raise SettingError(field, "the name of a file is wanted here")
        if self.value("train") == self.value("eval"):
            raise SettingError("eval", "this is the training file; name another")

        def run(targets: Sequence[Path], tell: Tell, cancelled: Cancelled) -> Any:
            from tuner_tui.data.parts.split import split_file

            train, aside = targets
            return split_file(
                source, train, aside, by=by, share=share, seed=seed, progress=tell, cancelled=cancelled
            )

        targets = tuple(Path(self.value(field)).expanduser() for field in ("train", "eval"))
        return Plan(targets, self._bytes, run)

    def describe(self, report: Any, width: int) -> Content:
        return split_content(report, width)
