"""What is wrong with a dataset: the rules that were broken, worst first, why it matters, and the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
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


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """All findings of one rule: how many, in how many rows, and the first of them in full."""

    rule: str
    count: int
    rows: int
    kept: Sequence[Finding]

    @property
    def severity(self) -> Severity:
        """How bad they are."""
        return RULES[self.rule].severity


def severity_counts(counts: Mapping[str, int]) -> Content:
    """Findings by rule in a short line: "✗ 8 errors   ▲ 2 warnings   • 1 note", or "✓ nothing to mend"."""
    words = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    parts = []
    for severity, (symbol, colour) in MARKS.items():
        count = sum(number for rule, number in counts.items() if RULES[rule].severity is severity)
        if count:
            word = words[severity] + ("" if count == 1 else "s")
            parts.append(Content.styled(f"{symbol} {count:,} {word}", colour))
    return Content("   ").join(parts) if parts else Content.styled("✓ nothing to mend", "$good")


class FindingsView(Widget):
    """Rules on one side; on the other the explanation, how to mend it, and each row with the fault."""

    DEFAULT_CSS = """
    FindingsView {
        layout: horizontal;
        & > #finding-rules { width: 42; height: 1fr; }
        & > #finding-detail { width: 1fr; padding: 0 0 0 2; }
        & #finding-page { height: auto; max-height: 60%; margin: 0 0 1 0; scrollbar-size-vertical: 1; }
        & #finding-text { height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f", "filter", "Only its rows")]
    COLUMNS: ClassVar[tuple[Column, ...]] = (Column("row", 9), Column("what is wrong"))

    class Opened(Message):
        """A finding was chosen: show its row (1-based), and say what is wrong with it."""

        def __init__(self, finding: Finding) -> None:
            super().__init__()
            self.finding = finding

    class Filtered(Message):
        """The rows that break one rule are to be shown, and no others."""

        def __init__(self, rule: str) -> None:
            super().__init__()
            self.rule = rule

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._groups: Sequence[RuleFindings] = ()
        self._current: RuleFindings | None = None

    def compose(self) -> ComposeResult:
        yield OptionList(id="finding-rules", compact=True, markup=False)
        with Vertical(id="finding-detail"):
            with VerticalScroll(id="finding-page", can_focus=False):
                yield Static(id="finding-text", markup=False)
            yield DatasetTable(self.COLUMNS, id="finding-rows")

    def show(self, groups: Sequence[RuleFindings]) -> None:
        """Show the rules that were broken, in this order."""
        self._groups = groups
        rules = self.query_one("#finding-rules", OptionList)
        rules.clear_options()
        rules.add_options([Option(_rule_line(group)) for group in groups])
        if groups:
            rules.highlighted = 0
        else:
            self._describe(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A rule about the file as a whole has no rows to show."""
        if action == "filter":
            return self._current is not None and self._current.rows > 0
        return True

    def action_filter(self) -> None:
        """Show the rows that break the highlighted rule."""
        if self._current is not None:
            self.post_message(self.Filtered(self._current.rule))

    @on(OptionList.OptionHighlighted, "#finding-rules")
    def _rule_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if event.option_index < len(self._groups):
            self._describe(self._groups[event.option_index])

    @on(OptionList.OptionSelected, "#finding-rules")
    def _rule_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.query_one("#finding-rows", DatasetTable).focus()

    @on(DatasetTable.Opened)
    def _finding_opened(self, event: DatasetTable.Opened) -> None:
        event.stop()
        if self._current is not None and event.index < len(self._current.kept):
            self.post_message(self.Opened(self._current.kept[event.index]))

    def _describe(self, group: RuleFindings | None) -> None:
        self._current = group
        text = self.query_one("#finding-text", Static)
        table = self.query_one("#finding-rows", DatasetTable)
        table.display = group is not None
        self.refresh_bindings()
        if group is None:
            table.show(0, self._finding_line)
            text.update(Content.styled("✓ Nothing to mend in this file.", "$good"))
            return
        # One line more for those that were not kept.
        table.show(len(group.kept) + (group.count > len(group.kept)), self._finding_line)
        text.update(_explanation(group))
        self.query_one("#finding-page").scroll_home(animate=False)

    def _finding_line(self, index: int) -> RowLine:
        group = self._current
        if group is None:
            return RowLine(("", ""))
        if index == len(group.kept):
            more = f"and {group.count - index:,} more" + ("; f shows all the rows" if group.rows else "")
            return RowLine(("…", more))
        finding = group.kept[index]
        row = str(finding.row) if finding.row is not None else "file"
        where = f"   {finding.field}" if finding.field else ""
        return RowLine((row, visible(finding.message + where, one_line=True)))


def _explanation(group: RuleFindings) -> Content:
    rule = RULES[group.rule]
    symbol, colour = MARKS[rule.severity]
    where = f" in {group.rows:,} rows" if group.rows and group.rows != group.count else ""
    return Content.assemble(
        (f"{symbol} {rule.severity.value}  ", colour),
        (rule.title, "bold"),
        (f"  {group.count:,}{where}", "$quiet"),
        "\n" + rule.explanation,
        ("\nFor example: ", "bold"),
        (visible(rule.example), "$quiet"),
        ("\nMend it: ", "bold"),
        rule.mend,
    )


def _rule_line(group: RuleFindings) -> Content:
    symbol, colour = MARKS[group.severity]
    return Content.assemble(
        (f"{symbol} ", colour), (f"{group.count:>7,}  ", "$quiet"), RULES[group.rule].title
    )
