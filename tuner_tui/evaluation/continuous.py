"""Answers with continuous batching: every row joins and leaves the batch at any step (transformers'
`ContinuousBatchingManager`, with a paged cache of keys and values). No row waits for the longest, as in
padded batches; but without flash-attn's kernels for a paged cache the engine is slower than they are
(`benchmarks/generate.py`), and is not taken."""

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import fields
from typing import Any

import torch
from transformers.utils import is_flash_attn_2_available

from tuner_tui.evaluation.driver import Failure, Stopped
from tuner_tui.evaluation.likelihood import weigh
from tuner_tui.evaluation.padded import PaddedSpeaker
from tuner_tui.evaluation.speaking import Decoding, Spoken
from tuner_tui.evaluation.tasks import Answer, Ask, Weigh, Weights

_WIDTH = 512
"""Questions at once: an 8B model in 16 bits is busy with some hundred rows on one card."""

_POLL_SECONDS = 0.1


def why_not(model: Any) -> str | None:
    """Why this model cannot be asked with continuous batching, None when it can be tried."""
    base = _bare(model)
    if base.device.type != "cuda":
        return f"continuous batching needs a CUDA device, and the model is on the {base.device.type}"
    if not hasattr(base, "init_continuous_batching"):
        return "this model has no continuous batching in transformers"
    if getattr(base, "_is_stateful", False):
        return "this model keeps a state that is no cache of keys and values"
    if not is_flash_attn_2_available():
        return "without the package flash-attn, wide padded batches are faster"
    return None


class ContinuousSpeaker:
    """See `driver.Speaker`. To be closed.

    When the engine fails on its way, which some kinds of layers make it do, all that is open is answered in
    padded batches, and the reason goes to stderr.
    """

    knows_format = True
    width = _WIDTH

    def __init__(
        self, spoken: Spoken, decoding: Decoding, cancelled: Callable[[], bool], memory: float = 0.8
    ) -> None:
        """`memory` is the share of what is free that the cache takes; the rest is for what a pass needs."""
        self._spoken = spoken
        self._decoding = decoding
        self._cancelled = cancelled
        self._memory = memory
        self._manager: Any = None
        self._open: dict[str, tuple[int, list[int], Ask]] = {}
        self._refused: dict[int, Failure] = {}
        self._instead: PaddedSpeaker | None = None
        self._since = time.perf_counter()
        self._held = ExitStack()

    @property
    def engine(self) -> str:
        return "padded batches" if self._instead else "continuous batching"

    def submit(self, key: int, ask: Ask) -> None:
        """Take a question."""
        if self._instead:
            self._instead.submit(key, ask)
            return
        prompt = self._spoken.prompt(ask)
        if isinstance(prompt, Failure):
            self._refused[key] = prompt
            return
        if not self._open:
            self._since = time.perf_counter()
        name = f"question {key}"
        self._open[name] = key, prompt, ask
        try:
            if self._manager is None:
                self._start()
            # The end tokens are given again: an engine of an earlier version takes them from here alone.
            self._manager.add_request(
                prompt,
                request_id=name,
                max_new_tokens=self._room(prompt),
                eos_token_id=sorted(self._spoken.ends),
            )
        except Exception as error:
            self._give_up(f"{type(error).__name__}: {error}")

    def ready(self) -> list[tuple[int, Answer | Failure]]:
        """What has been answered since the last call."""
        if self._instead:
            return self._instead.ready()
        if self._refused:
            refused, self._refused = self._refused, {}
            return list(refused.items())
        found: list[Any] = []
        while self._open and not found and self._instead is None:
            if self._cancelled():
                raise Stopped
            # One by one, as they come: the first is waited for, the others are there or not.
            while (result := self._manager.get_result(timeout=0.001 if found else _POLL_SECONDS)) is not None:
                if result.is_finished() and result.request_id in self._open:
                    found.append(result)
            if not found and not self._manager.is_running():
                self._give_up("the engine ended by itself")
                break
        if failed := next((result.error for result in found if result.error), None):
            self._give_up(str(failed))
        if self._instead:
            return self._instead.ready()
        now = time.perf_counter()
        seconds = (now - self._since) / len(found) if found else 0.0
        self._since = now
        return [self._answer(result, seconds) for result in found]

    def weigh(self, requests: Sequence[Weigh]) -> list[Weights]:
        """See `likelihood.weigh`. The engine, which changes the model's attention, is put away before."""
        self.close()
        return weigh(self._spoken, requests, self._decoding.batch)

    def close(self) -> None:
        """Give the cache's memory back, and the model its own kind of attention and its adapter."""
        manager, self._manager = self._manager, None
        try:
            if manager is not None:
                for name in self._open:
                    manager.cancel_request(name)
                manager.stop(block=True, timeout=30)
                if hasattr(manager, "destroy"):
                    manager.destroy()
        finally:
            self._held.close()
            del manager
            torch.cuda.empty_cache()

    def _start(self) -> None:
        from transformers.generation.configuration_utils import ContinuousBatchingConfig

        spoken = self._spoken
        wanted = {"max_memory_percent": self._memory, "seed": self._decoding.seed}
        known = {each.name for each in fields(ContinuousBatchingConfig)}
        settings = ContinuousBatchingConfig(**{name: wanted[name] for name in wanted if name in known})
        self._held.enter_context(spoken.switched())
        self._manager = _bare(spoken.model).init_continuous_batching(
            generation_config=self._decoding.config(
                spoken.ends, spoken.tokenizer.pad_token_id, spoken.window
            ),
            continuous_batching_config=settings,
        )
        self._manager.start()

    def _room(self, prompt: list[int]) -> int:
        return min(self._decoding.max_new_tokens, self._spoken.window - len(prompt))

    def _answer(self, result: Any, seconds: float) -> tuple[int, Answer]:
        key, prompt, ask = self._open.pop(result.request_id)
        ids = list(result.generated_tokens)
        return key, self._spoken.answer(ids, prompt, ask.tools, seconds, self._room(prompt))

    def _give_up(self, reason: str) -> None:
        """Go on in padded batches, with all that is open."""
        sys.stderr.write(f"continuous batching failed, going on in padded batches: {reason}\n")
        self.close()
        self._instead = PaddedSpeaker(self._spoken, self._decoding, self._cancelled)
        for key, _, ask in self._open.values():
            self._instead.submit(key, ask)
        self._open = {}


def _bare(model: Any) -> Any:
    """The model of transformers, whose layers hold the adapter if there is one."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model
