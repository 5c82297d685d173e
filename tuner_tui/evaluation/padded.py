"""Answers in batches of padded rows, through `generate`: it works with every model on every device.

On a CUDA device a batch has as many rows as the card holds: a step of few rows is bound by launching kernels
and reading weights, and costs hardly less than one of many."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from transformers import LogitsProcessorList, StoppingCriteriaList

from tuner_tui.evaluation.driver import Failure, Stopped
from tuner_tui.evaluation.likelihood import weigh
from tuner_tui.evaluation.room import MOST, rows_at_once
from tuner_tui.evaluation.speaking import Decoding, Spoken
from tuner_tui.evaluation.tasks import Answer, Ask, Tools, Weigh, Weights

if TYPE_CHECKING:
    from tuner_tui.evaluation.constrain import Constraint

_AHEAD = 4
"""Batches' worth of questions from which the next batch is chosen, so that its rows are of like length."""


class PaddedSpeaker:
    """See `driver.Speaker`."""

    knows_format = True
    engine = "padded batches"

    def __init__(
        self,
        spoken: Spoken,
        decoding: Decoding,
        cancelled: Callable[[], bool],
        constraint: "Constraint | None" = None,
    ) -> None:
        self._constraint = constraint
        self._spoken = spoken
        self._decoding = decoding
        self._cancelled = cancelled
        self._open: list[tuple[int, list[int], Tools]] = []
        self.refused: dict[int, Failure] = {}
        """Questions that cannot be put, until `ready` hands them out."""
        self.most = max(decoding.batch, MOST if spoken.model.device.type == "cuda" else 0)
        """Rows of a batch, at most; fewer once memory lacked."""
        if decoding.temperature:
            torch.manual_seed(decoding.seed)

    @property
    def width(self) -> int:
        return _AHEAD * self.most

    def submit(self, key: int, ask: Ask) -> None:
        """Take a question."""
        prompt = self._spoken.prompt(ask)
        if isinstance(prompt, Failure):
            self.refused[key] = prompt
        else:
            self._open.append((key, prompt, ask.tools))

    def ready(self) -> list[tuple[int, Answer | Failure]]:
        """The answers of one batch, the longest prompts first."""
        if self.refused:
            refused, self.refused = self.refused, {}
            return list(refused.items())
        if self._cancelled():
            raise Stopped
        if not self._open:
            return []
        self._open.sort(key=lambda each: -len(each[1]))
        began = time.perf_counter()
        chosen, (limit, generated) = self._answered()
        if self._cancelled():
            raise Stopped
        seconds = (time.perf_counter() - began) / len(chosen)
        return [
            (key, self._spoken.answer(ids, prompt, tools, seconds, limit))
            for (key, prompt, tools), ids in zip(chosen, generated, strict=True)
        ]

    def weigh(self, requests: Sequence[Weigh]) -> list[Weights]:
        """See `likelihood.weigh`."""
        return weigh(self._spoken, requests, self._decoding.batch)

    def close(self) -> None:
        """Nothing is held."""

    def _answered(self) -> tuple[list[tuple[int, list[int], Tools]], tuple[int, list[list[int]]]]:
        """The first rows that are open, taken out, and what was generated; fewer where memory lacks."""
        while True:
            longest = len(self._open[0][1]) + self._decoding.max_new_tokens
            rows = min(self.most, rows_at_once(self._spoken.model, longest, self._decoding.batch))
            chosen = self._open[:rows]
            try:
                made = self._generate([prompt for _, prompt, _ in chosen], [tools for _, _, tools in chosen])
            except torch.cuda.OutOfMemoryError:
                if len(chosen) == 1:
                    raise
                self.most = len(chosen) // 2
            else:
                self._open = self._open[len(chosen) :]
                return chosen, made
            torch.cuda.empty_cache()

    def _generate(self, prompts: list[list[int]], tools: list[Tools]) -> tuple[int, list[list[int]]]:
        """The most new tokens that there could be, and those of each prompt."""
        spoken = self._spoken
        padded = spoken.tokenizer.pad({"input_ids": prompts}, return_tensors="pt").to(spoken.model.device)
        width = padded["input_ids"].shape[1]
        config = self._decoding.config(spoken.ends, spoken.tokenizer.pad_token_id, spoken.window - width)

        def stop(ids: torch.Tensor, _scores: Any, **_: Any) -> torch.Tensor:
            return torch.full((ids.shape[0],), self._cancelled(), dtype=torch.bool, device=ids.device)

        held = [self._constraint.processor(tools, width)] if self._constraint else []
        with spoken.switched():
            output = spoken.model.generate(
                **padded,
                generation_config=config,
                stopping_criteria=StoppingCriteriaList([stop]),
                logits_processor=LogitsProcessorList(held),
            )
        return config.max_new_tokens, output[:, width:].tolist()
