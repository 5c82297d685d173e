"""What is in a dataset, in figures: drawn from the counters of a `Tally`, ready for JSON and for drawing."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tuner_tui.data.spreads import Bin, Spread, bins, count_each, spread
from tuner_tui.data.stats import KINDS
from tuner_tui.data.tally import Tally

_JSON_TOOLS = 1000  # that are listed in JSON; the counts stand for all


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One tool: the rows that offer it, and its calls."""

    name: str
    offered: int
    called: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """Lengths of the rows that were tokenised, and how much of them is trained (under the loss mask)."""

    lengths: Spread
    trained: Spread
    histogram: list[Bin]
    trained_histogram: list[Bin]

    @property
    def trained_share(self) -> float:
        """Trained tokens of all tokens, 0 to 1."""
        return self.trained.total / self.lengths.total if self.lengths.total else 0.0


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is in a dataset. `rows` counts every row; everything else is about the `sound` ones.

    `calls`, `turns` (messages) and `tools_offered` are per row, `calls_per_turn` is of the assistant turns
    that call. `tools` are in the order of their calls, most called first; `argument_types` counts arguments
    by JSON type, `scripts` rows by the script of their user. `tokens` is None when no row was tokenised.
    """

    rows: int
    sound: int
    kinds: dict[str, int]
    calls: Spread
    calls_histogram: list[Bin]
    turns: Spread
    turns_histogram: list[Bin]
    tools_offered: Spread
    tools_offered_histogram: list[Bin]
    calls_per_turn: Spread
    parallel_turns: int
    tools: list[ToolUse]
    argument_types: dict[str, int]
    scripts: dict[str, int]
    tokens: Tokens | None

    @classmethod
    def of(cls, tally: Tally, *, bin_count: int = 20) -> "Statistics":
        """The statistics of what was counted; histograms have at most `bin_count` bins."""
        names = {**tally.tools_called, **tally.tools_offered}
        tools = [ToolUse(name, tally.tools_offered[name], tally.tools_called[name]) for name in names]
        return cls(
            rows=tally.rows,
            sound=tally.sound,
            kinds={name: tally.kinds[name] for name in KINDS},
            calls=spread(tally.calls_per_row),
            calls_histogram=bins(tally.calls_per_row, bin_count),
            turns=spread(tally.turns_per_row),
            turns_histogram=bins(tally.turns_per_row, bin_count),
            tools_offered=spread(tally.tools_per_row),
            tools_offered_histogram=bins(tally.tools_per_row, bin_count),
            calls_per_turn=spread(tally.calls_per_turn),
            parallel_turns=sum(turns for calls, turns in tally.calls_per_turn.items() if calls > 1),
            tools=sorted(tools, key=lambda tool: (-tool.called, -tool.offered, tool.name)),
            argument_types=dict(tally.argument_types.most_common()),
            scripts=dict(tally.scripts.most_common()),
            tokens=_tokens(tally, bin_count) if tally.lengths else None,
        )

    @property
    def kind_shares(self) -> dict[str, float]:
        """Each kind's share of the sound rows, 0 to 1."""
        return {name: count / self.sound if self.sound else 0.0 for name, count in self.kinds.items()}

    @property
    def never_called(self) -> list[str]:
        """The tools that are offered and never called: nothing here teaches their arguments."""
        return [tool.name for tool in self.tools if not tool.called]

    @property
    def called_once(self) -> list[str]:
        """The tools that are called a single time."""
        return [tool.name for tool in self.tools if tool.called == 1]

    @property
    def undeclared(self) -> list[str]:
        """The tools that are called and offered by no row."""
        return [tool.name for tool in self.tools if not tool.offered]

    def table(self) -> list[tuple[str, str]]:
        """Labels and figures as plain text, for a terminal."""
        tokens = self.tokens
        calling = self.calls_per_turn.count
        rows = [
            ("turns per row", _line(self.turns)),
            ("tools offered per row", _line(self.tools_offered)),
            ("calls per row", _line(self.calls)),
        ]
        if calling:
            share = self.parallel_turns / calling
            rows.append(
                ("parallel calls", f"in {self.parallel_turns:,} of {calling:,} calling turns ({share:.0%})")
            )
        if self.tools:
            rows.append(("tools", self._coverage()))
        if self.argument_types:
            rows.append(("argument types", _counts(self.argument_types)))
        if self.scripts:
            rows.append(("scripts", _counts(self.scripts)))
        if tokens is not None:
            rows.append(("tokens per row", f"{_line(tokens.lengths)}; {tokens.lengths.total:,} in all"))
            rows.append(("trained tokens", f"{tokens.trained.total:,} ({tokens.trained_share:.0%})"))
        return rows

    def to_json(self) -> dict[str, Any]:
        """Everything, in JSON's own types; of the tools the first thousand."""
        return {
            "rows": self.rows,
            "sound": self.sound,
            "kinds": {
                name: {"count": count, "share": round(self.kind_shares[name], 4)}
                for name, count in self.kinds.items()
            },
            "calls_per_row": _spread_json(self.calls, self.calls_histogram),
            "turns_per_row": _spread_json(self.turns, self.turns_histogram),
            "tools_per_row": _spread_json(self.tools_offered, self.tools_offered_histogram),
            "calls_per_turn": {**self.calls_per_turn.to_json(), "parallel": self.parallel_turns},
            "tools": {
                "count": len(self.tools),
                "never_called": len(self.never_called),
                "called_once": len(self.called_once),
                "undeclared": len(self.undeclared),
                "most_called": [asdict(tool) for tool in self.tools[:_JSON_TOOLS]],
            },
            "argument_types": self.argument_types,
            "scripts": self.scripts,
            "tokens": _tokens_json(self.tokens),
        }

    def _coverage(self) -> str:
        parts = [f"{len(self.tools):,}"]
        for names, what in (
            (self.never_called, "never called"),
            (self.called_once, "called once"),
            (self.undeclared, "called and never offered"),
        ):
            if names:
                parts.append(f"{len(names):,} {what}")
        return ", ".join(parts)


def _tokens(tally: Tally, bin_count: int) -> Tokens:
    lengths, trained = count_each(tally.lengths), count_each(tally.trained)
    return Tokens(spread(lengths), spread(trained), bins(lengths, bin_count), bins(trained, bin_count))


def _spread_json(figures: Spread, histogram: list[Bin]) -> dict[str, Any]:
    return {**figures.to_json(), "histogram": [asdict(one) for one in histogram]}


def _tokens_json(tokens: Tokens | None) -> dict[str, Any] | None:
    if tokens is None:
        return None
    return {
        **_spread_json(tokens.lengths, tokens.histogram),
        "trained": _spread_json(tokens.trained, tokens.trained_histogram),
        "trained_share": round(tokens.trained_share, 4),
    }


def _line(figures: Spread) -> str:
    if figures.minimum == figures.maximum:
        return f"{figures.minimum:,}"
    return (
        f"{figures.minimum:,} to {figures.maximum:,}, median {figures.median:,}, 95% at most {figures.p95:,}"
    )


def _counts(counts: Mapping[str, int]) -> str:
    total = Counter(counts).total()
    return ", ".join(f"{name} {count / total:.0%}" for name, count in counts.items())
