"""What is wrong with a dataset as a whole, gathered while its rows go by: copies, gaps, imbalance."""

from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b

import orjson

from tuner_tui.data.examples import Example, calls, conversation, gold_calls
from tuner_tui.data.rules import Finding, finding
from tuner_tui.data.stats import KINDS, kind

FEW_ROWS = 50
"""Fewer rows than this are too few for any fine-tuning."""
DOMINANT_SHARE = 0.5
"""One tool dominates when it gets more than this share of the calls, of at least DOMINANT_CALLS."""
DOMINANT_CALLS = 30
_LARGEST_SHARE_OF_FEW = 3  # with one or two tools, one of them always has half of the calls


class Audit:
    """Counts that need only one example at a time; `findings` draws the conclusions."""

    def __init__(self) -> None:
        self.kinds: dict[str, int] = dict.fromkeys(KINDS, 0)
        self.tools: Counter[str] = Counter()
        self._seen: dict[bytes, int] = {}
        self._rows = 0
        self._end_in_call = 0
        self.offers_tools = False
        self._called = False

    def add(self, example: Example, row: int) -> Iterator[Finding]:
        """Count one example; yields a finding when the same one was there before."""
        self._rows += 1
        self.kinds[kind(example)] += 1
        messages = conversation(example)
        made = [call for message in messages for call in calls(message)]
        self.tools.update(call.name for call in made)
        self._called |= bool(made)
        self.offers_tools |= bool(example["tools"])
        self._end_in_call += bool(messages and messages[-1]["role"] == "assistant" and gold_calls(example))
        # 16 bytes a row: equal rows have equal sums, others differ but for one in 2**64.
        digest = blake2b(orjson.dumps(example, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
        first = self._seen.setdefault(digest, row)
        if first != row:
            yield finding("duplicate_row", row, None, f"the same as row {first}")

    def findings(self, *, complete: bool = True) -> Iterator[Finding]:
        """The findings on the file as a whole, to be asked for after the last row that was looked at;
        `complete` when that was the last row of the file."""
        if complete and self._rows < FEW_ROWS:
            usable = "1 usable row" if self._rows == 1 else f"{self._rows} usable rows"
            yield finding("few_rows", None, None, f"{usable}; fewer than {FEW_ROWS} teach little")
        if self._called and not self.kinds["negative"]:
            yield finding("no_negatives", None, None, "no row offers tools and calls none of them")
        if self._called and not self.kinds["error_recovery"]:
            yield finding("no_error_recovery", None, None, "no row repairs a call that failed")
        if self._end_in_call:
            text = f"{self._end_in_call:,} of {self._rows:,} rows end in a call"
            yield finding("ends_in_call", None, None, text)
        total = self.tools.total()
        if total >= DOMINANT_CALLS and len(self.tools) >= _LARGEST_SHARE_OF_FEW:
            name, count = self.tools.most_common(1)[0]
            if count > DOMINANT_SHARE * total:
                text = f'"{name}" gets {count:,} of {total:,} calls ({count / total:.0%})'
                yield finding("dominant_tool", None, None, text)
