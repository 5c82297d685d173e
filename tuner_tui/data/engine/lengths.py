"""Sound rows through a model's chat template and tokenizer: their lengths, and what a limit cuts off."""

from pathlib import Path

from tuner_tui.data.examples import Example
from tuner_tui.data.rendering.lengths import check_length
from tuner_tui.data.rendering.preview import ChatTemplate
from tuner_tui.data.rendering.probe import parts_of
from tuner_tui.data.rendering.template import TemplateFailure
from tuner_tui.data.rules import finding
from tuner_tui.data.tally import Tally

_BATCH = 64  # rows in one call of the tokenizer


class Measurer:
    """Measures rows in batches; one for each worker, since the template is loaded once."""

    def __init__(self, model: Path, max_length: int | None, share: float) -> None:
        """Load the model's template.

        Raises:
            UserError: the model's folder has no readable template or tokenizer.
        """
        self._template = ChatTemplate.load(model)
        self._max_length = max_length
        self._limit = int(share * 2**64)
        self._waiting: list[tuple[int, Example]] = []

    def chooses(self, fingerprint: int) -> bool:
        """Whether the sound row with this fingerprint is one of those that are measured."""
        return fingerprint <= self._limit

    def add(self, tally: Tally, row: int, example: Example) -> None:
        """Measure a row, now or with a later one; `row` counts from 1 within the tally."""
        self._waiting.append((row, example))
        if len(self._waiting) >= _BATCH:
            self.flush(tally)

    def flush(self, tally: Tally) -> None:
        """Measure the rows that wait."""
        waiting, self._waiting = self._waiting, []
        made = self._template.rows([example for _, example in waiting])
        for (row, example), encoded in zip(waiting, made, strict=True):
            tally.parts.update(parts_of(example))
            if isinstance(encoded, TemplateFailure):
                tally.findings.add(finding("template_fails", row, None, str(encoded)))
                continue
            tally.tokenised.append(row)
            tally.lengths.append(max((len(one.ids) for one in encoded), default=0))
            tally.trained.append(sum(sum(one.mask) for one in encoded))
            for found in check_length(example, encoded, row, self._max_length, ends=self._template.ends):
                tally.findings.add(found)
