"""Several datasets in one, by weight, with a share of general conversation."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
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
from tuner_tui.tui.recent import data_suffixes, suggestions
from tuner_tui.tui.screens.data_plan import PlanPane
from tuner_tui.tui.widgets.file_picker import FilePicker
from tuner_tui.tui.widgets.form_fields import FormField, Kind
from tuner_tui.tui.widgets.form_row import FieldRow
from tuner_tui.tui.widgets.plan_reports import mix_content
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from tuner_tui.tui.dataset_rows import DatasetRows

_TITLE = 21  # cells of the name of a file
_PART = "part-"


class MixPane(PlanPane):
    """The files with their weights, general conversation, and the file that they become."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add a file"),
        Binding("d", "remove", "Take it away"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._parts: dict[str, tuple[Path, int]] = {}
        """By field: the file, and its size in bytes."""

    def fields(self) -> Sequence[FormField]:
        return (
            setting(
                "general",
                "General conversation",
                "A file of ordinary conversation, against forgetting: a model tuned on tool calls alone "
                "loses a part of what it could. Empty: none.",
                Kind.PATH,
                optional=True,
            ),
            setting("share", "Its share", "Of all rows of the mixture: above 0, below 1.", Kind.NUMBER),
            setting(
                "rows",
                "Rows in all",
                "Empty: as many as the weights allow without repeating one.",
                Kind.NUMBER,
                optional=True,
            ),
            setting(
                "repeat",
                "A file is used up",
                "Go on with fewer of its rows, or begin it again: repeated rows are soon known by heart.",
                Kind.CHOICE,
                ("go on", "repeat"),
            ),
            setting("seed", "Seed", "Another seed, another choice and order.", Kind.NUMBER),
            setting("out", "File", "The mixture, as canonical JSON Lines.", Kind.PATH),
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a file can be taken away."""
        if action == "remove":
            return self._focused_part() is not None
        return super().check_action(action, parameters)

    async def use(self, rows: "DatasetRows") -> None:
        """Mix this dataset with others."""
        for row in self._part_rows():
            await row.remove()
        self._parts.clear()
        values = {
            "general": "",
            "share": "0.2",
            "rows": "",
            "repeat": "go on",
            "seed": "0",
            "out": str(beside(rows.path, f"{stem(rows.path)}.mix.jsonl")),
        }
        for field, raw in values.items():
            row = self.row(field)
            row.stop_editing()
            row.baseline = row.raw = raw
        await self._add(rows.path, rows.bytes_on_disk)

    def plan(self) -> Plan:
        from tuner_tui.data.parts.mix import Part

        if not self._parts:
            raise UserError("a adds the files that are to be mixed.")
        general = Path(self.value("general")).expanduser() if self.value("general") else None
        if len(self._parts) == 1 and general is None:
            raise UserError("One file alone is no mixture: a adds another; or choose general conversation.")
        parts = [Part(path, self._weight(field)) for field, (path, _) in self._parts.items()]
        share = self.number("share", 0, 1) if general is not None else 0.5
        if not 0 < share < 1:
            raise SettingError("share", "above 0 and below 1")
        rows = int(self.number("rows", 1, 1e12, whole=True)) if self.value("rows") else None
        seed = int(self.number("seed", 0, MOST_SEED, whole=True))
        repeat = self.value("repeat") == "repeat"
        if not self.value("out"):
            raise SettingError("out", "the name of a file is wanted here")

        def run(targets: Sequence[Path], tell: Tell, cancelled: Cancelled) -> Any:
            from tuner_tui.data.parts.mix import mix_files

            return mix_files(
                targets[0],
                parts,
                general=general,
                share=share,
                rows=rows,
                seed=seed,
                repeat=repeat,
                progress=tell,
                cancelled=cancelled,
            )

        size = sum(size for _, size in self._parts.values())
        return Plan((Path(self.value("out")).expanduser(),), size, run)

    def describe(self, report: Any, width: int) -> Content:
        return mix_content(report, width)

    def ask_for_file(self, row: FieldRow) -> None:
        """General conversation is a file that is there; the mixture is one to be written."""
        if row.field.path != "general":
            super().ask_for_file(row)
            return
        picker = FilePicker(
            row.field.title, suggestions=suggestions(), suffixes=data_suffixes(), folders=True
        )
        self.app.push_screen(picker, lambda path: None if path is None else row.set_raw(str(path)))

    def action_add(self) -> None:
        """Choose one more file."""

        async def add(path: Path | None) -> None:
            from tuner_tui.data.readers import open_rows

            if path is None:
                return
            try:
                await self._add(path, open_rows(path).size)
            except UserError as error:
                self.app.notify(str(error), severity="error", markup=False)
                return
            self.refresh_plan()

        picker = FilePicker("Mix it with", suggestions=suggestions(), suffixes=data_suffixes(), folders=True)
        self.app.push_screen(picker, add)

    async def action_remove(self) -> None:
        """Take the focused file out of the mixture; the file itself stays."""
        row = self._focused_part()
        if row is not None:
            del self._parts[row.field.path]
            self.screen.focus_next(FieldRow)
            await row.remove()
            self.refresh_plan()

    def _part_rows(self) -> list[FieldRow]:
        return [row for row in self.query(FieldRow) if row.field.path.startswith(_PART)]

    def _focused_part(self) -> FieldRow | None:
        return next((row for row in self._part_rows() if row.has_focus), None)

    async def _add(self, path: Path, size: int) -> None:
        number = max((int(field.removeprefix(_PART)) for field in self._parts), default=-1) + 1
        field = f"{_PART}{number}"
        self._parts[field] = (path, size)
        title = visible(path.name, one_line=True, limit=_TITLE)
        weight = "Its weight against the other files. Empty in all of them: each row of each file once."
        row = FieldRow(setting(field, title, weight, Kind.NUMBER, optional=True))
        place = self.query_one(".plan-fields", VerticalScroll)
        await place.mount(row, before=self.row("general"))
        if number:
            self.screen.set_focus(row)

    def _weight(self, field: str) -> float | None:
        if not self.value(field):
            if any(self.value(other) for other in self._parts):
                raise SettingError(field, "a weight: either all files have one, or none")
            return None
        return self.number(field, 1e-9, 1e9)
