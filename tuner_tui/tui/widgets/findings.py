"""What is wrong with a dataset: the rules that were broken, worst first, why it matters, and the rows."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuner_tui.data.rules import RULES, Finding, Severity
from tuner_tui.tui.widgets.dataset_table import Column, DatasetTable, RowLine
from tuner_tui.visible import visible

# Worst first; each severity by symbol, word and colour.
MARKS: dict[Severity, tuple[str, str]] = {
    Severity.ERROR: ("✗", "$bad"),
    Severity.WARNING: ("▲", "$warning"),
    Severity.INFO: ("•", "$quiet"),
}


def severity_counts(findings: Sequence[Finding]) -> Content:
    """A short line such as "✗ 8 errors   ▲ 2 warnings   • 1 note"; "✓ nothing to mend" when there is none."""
    words = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    parts = []
    for severity, (symbol, colour) in MARKS.items():
        count = sum(finding.severity is severity for finding in findings)
        if count:
            word = words[severity] + ("" if count == 1 else "s")
            parts.append(Content.styled(f"{symbol} {count:,} {word}", colour))
    return Content("   ").join(parts) if parts else Content.styled("✓ nothing to mend", "$good")


class FindingsView(Widget):
    """Rules on one side; on the other the explanation, how to mend it, and each row with the fault."""

    DEFAULT_CSS = """
    FindingsView {
        layout: horizontal;
        & > #finding-rules { width: 38; height: 1fr; }
        & > #finding-detail { width: 1fr; padding: 0 0 0 2; }
        & #finding-text { height: auto; max-height: 50%; margin: 0 0 1 0; }
    }
    """
    COLUMNS: ClassVar[tuple[Column, ...]] = (Column("row", 9), Column("what is wrong"))

    class Opened(Message):
        """A finding was chosen: show its row (1-based), and say what is wrong with it."""

        def __init__(self, finding: Finding) -> None:
            super().__init__()
            self.finding = finding

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._groups: list[list[Finding]] = []
        self._current: list[Finding] = []

    def compose(self) -> ComposeResult:
        yield OptionList(id="finding-rules", compact=True, markup=False)
        with Vertical(id="finding-detail"):
            yield Static(id="finding-text", markup=False)
            yield DatasetTable(self.COLUMNS, id="finding-rows")

    def show(self, findings: Sequence[Finding]) -> None:
        """Show `findings`, grouped by rule, worst severity and most frequent first."""
        by_rule: dict[str, list[Finding]] = {}
        for finding in findings:
            by_rule.setdefault(finding.rule, []).append(finding)
        order = list(MARKS)
        self._groups = sorted(
            by_rule.values(), key=lambda group: (order.index(group[0].severity), -len(group))
        )
        rules = self.query_one("#finding-rules", OptionList)
        rules.clear_options()
        rules.add_options([Option(self._rule_line(group)) for group in self._groups])
        if self._groups:
            rules.highlighted = 0
        else:
            self._describe([])

    @on(OptionList.OptionHighlighted, "#finding-rules")
    def _rule_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._describe(self._groups[event.option_index])

    @on(OptionList.OptionSelected, "#finding-rules")
    def _rule_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.query_one("#finding-rows", DatasetTable).focus()

    @on(DatasetTable.Opened)
    def _finding_opened(self, event: DatasetTable.Opened) -> None:
        event.stop()
        self.post_message(self.Opened(self._current[event.index]))

    def _describe(self, group: list[Finding]) -> None:
        self._current = group
        text = self.query_one("#finding-text", Static)
        table = self.query_one("#finding-rows", DatasetTable)
        table.display = bool(group)
        table.show(len(group), self._finding_line)
        if not group:
            text.update(Content.styled("✓ Nothing to mend in this file.", "$good"))
            return
        first = group[0]
        rule = RULES[first.rule]
        symbol, colour = MARKS[first.severity]
        text.update(
            Content.assemble(
                (f"{symbol} {first.severity.value}  ", colour),
                (rule.title, "bold"),
                ("\n" + rule.explanation, ""),
                ("\nMend it: ", "bold"),
                (rule.mend, ""),
            )
        )

    def _finding_line(self, index: int) -> RowLine:
        finding = self._current[index]
        row = str(finding.row) if finding.row is not None else "file"
        where = f"{finding.field}: " if finding.field else ""
        return RowLine((row, visible(where + finding.message, one_line=True)))

    @staticmethod
    def _rule_line(group: list[Finding]) -> Content:
        symbol, colour = MARKS[group[0].severity]
        return Content.assemble(
            (f"{symbol} ", colour), (f"{len(group):>5,}  ", "$quiet"), RULES[group[0].rule].title
        )
