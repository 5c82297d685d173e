"""One arm of a loaded model: what every way of asking it needs."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GenerationConfig

from tuner_tui.errors import UserError
from tuner_tui.evaluation.driver import Failure
from tuner_tui.evaluation.tasks import Answer, Ask, Tools
from tuner_tui.recipes.conventions import Convention


@dataclass(frozen=True, slots=True)
class Decoding:
    """How answers are made: `batch` rows at once where rows are padded; greedy at temperature 0."""

    batch: int
    max_new_tokens: int
    temperature: float = 0.0
    seed: int = 0

    def config(self, ends: set[int], pad: int | None, room: int) -> GenerationConfig:
        """For transformers; settings that come with some models would change the result, so all are given.

        Args:
            ends: the tokens that end an answer.
            pad: the token that fills rows.
            room: tokens left in the model's window.
        """
        sampled = self.temperature > 0
        return GenerationConfig(
            do_sample=sampled,
            num_beams=1,
            temperature=self.temperature if sampled else None,
            top_p=1.0 if sampled else None,
            top_k=0 if sampled else None,
            repetition_penalty=None,
            max_new_tokens=min(self.max_new_tokens, room),
            eos_token_id=sorted(ends),
            pad_token_id=pad,
        )


@dataclass(frozen=True, slots=True)
class Spoken:
    """`ends` are the tokens that end an answer, `window` is the most tokens of prompt and answer together;
    `with_adapter` says whether the model's adapter, if it has one, takes part."""

    model: Any
    tokenizer: Any
    convention: Convention
    ends: set[int]
    window: int
    with_adapter: bool

    @contextmanager
    def switched(self) -> Iterator[None]:
        """Without gradients, and with the adapter on or off."""
        off = not self.with_adapter and hasattr(self.model, "disable_adapter")
        with torch.inference_mode(), self.model.disable_adapter() if off else nullcontext():
            yield

    def prompt(self, ask: Ask) -> list[int] | Failure:
        """The tokens of a question, or why it cannot be put."""
        try:
            text = self.convention.render(ask.messages, ask.tools)
        except UserError as error:
            return Failure("refused", str(error))
        tokens: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(tokens) + 1 > self.window:
            return Failure(
                "too_long",
                f"the prompt has {len(tokens)} tokens and the model's window {self.window}",
            )
        return tokens

    def answer(self, ids: list[int], prompt: list[int], tools: Tools, seconds: float, limit: int) -> Answer:
        """What was generated, taken apart; what follows the first end-of-turn token is padding.

        Args:
            ids: the new tokens.
            prompt: those before them.
            tools: on offer.
            seconds: the answer's share of the time.
            limit: the most tokens that it could have.
        """
        end = next((place for place, token in enumerate(ids) if token in self.ends), None)
        spoken = ids if end is None else ids[:end]
        text = self.tokenizer.decode(spoken, skip_special_tokens=False)
        parsed = self.convention.parse(text, spoken, prompt, tools)
        tokens = len(spoken) + (end is not None)
        return Answer(text, parsed, tokens, seconds, cut=end is None and len(ids) >= limit)
