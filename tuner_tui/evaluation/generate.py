"""The only door to a local model that answers: a Hugging Face model, in batches.

Base and tuned model share one copy of the weights, and the adapter is switched on and off, so that
the two differ in nothing else.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from tuner_tui.errors import UserError
from tuner_tui.evaluation.continuous import ContinuousSpeaker, why_not
from tuner_tui.evaluation.driver import Stopped
from tuner_tui.evaluation.likelihood import weigh
from tuner_tui.evaluation.padded import PaddedSpeaker
from tuner_tui.evaluation.speaking import Decoding, Spoken
from tuner_tui.evaluation.tasks import Answer, Ask, Messages, Tools, Weigh, Weights
from tuner_tui.recipes.conventions import Convention, find_convention
from tuner_tui.recipes.model import compute_dtype, load_base, load_tokenizer


class Generator:
    """A loaded model. `load` makes one; `answers`, `speaker` and `weigh` ask it."""

    def __init__(self, model: Any, tokenizer: Any, convention: Convention, tuned_model: Any = None) -> None:
        """`tuned_model` is the tuned one where every weight was trained; else `model` has an adapter, or is
        the base alone."""
        self._model = model
        self._tuned_model = tuned_model or model
        self._tokenizer = tokenizer
        self._convention = convention
        ends = model.generation_config.eos_token_id
        self._ends = {tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])} - {None}
        self._window = getattr(model.config, "max_position_embeddings", None) or 2**31

    @classmethod
    def load(
        cls, model: str, adapter: Path | None, *, bits: int | None, double: bool, dtype: str = "auto"
    ) -> "Generator":
        """Load a model as it is trained.

        Args:
            model: a folder or a hub id.
            adapter: the folder of a trained adapter, or of a model whose every weight was trained; None for
                the base model alone.
            bits: 4 for NF4 weights, None for weights as they are stored.
            double: quantize the constants of quantization too.
            dtype: of the computation: "auto", "float32" or "bfloat16".

        Raises:
            UserError: it can't be loaded, or its chat template can't show tools.
        """
        compute = compute_dtype(dtype)
        tokenizer = load_tokenizer(model)
        convention = find_convention(tokenizer, model)
        loaded = load_base(model, compute, bits=bits, double=double)
        if bits == 4 and not torch.cuda.is_available():
            # On a CPU every forward pass would dequantize all weights again: do it once. The values are
            # the same to the bit, as the layer computes with the dequantized weights in this very type.
            loaded = loaded.dequantize(dtype=compute)
        tuned = None
        if adapter is not None and (adapter / "config.json").is_file():
            tuned = load_base(str(adapter), compute, bits=None, double=False).eval()
        elif adapter is not None:
            from peft import PeftModel

            loaded = PeftModel.from_pretrained(loaded, str(adapter))
        loaded.eval()
        tokenizer.padding_side = "left"
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        return cls(loaded, tokenizer, convention, tuned)

    def answers(
        self,
        prompts: Sequence[tuple[Messages, Tools]],
        *,
        tuned: bool,
        batch: int,
        max_new_tokens: int,
        cancelled: Callable[[], bool],
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Iterator[list[tuple[int, Answer]]]:
        """Answer all prompts; a list of (index of the prompt, answer) for each batch.

        The longest come first: a lack of memory shows at once, and batches have rows of one length. Ends
        early, in the middle of a batch, when `cancelled` says so; that batch is thrown away.

        Args:
            prompts: conversations that end where the model has to speak, each with its tools.
            tuned: with the adapter, if there is one.
            temperature: 0 for greedy decoding; else answers are sampled.
            seed: of the sampling.

        Raises:
            UserError: a prompt does not fit into the model's window.
        """
        speaker = PaddedSpeaker(
            self.spoken(tuned), Decoding(batch, max_new_tokens, temperature, seed), cancelled
        )
        for index, (messages, tools) in enumerate(prompts):
            speaker.submit(index, Ask(messages, tools))
        if refused := speaker.refused:
            index, failure = min(refused.items())
            raise UserError(f"item {index + 1}: {failure.words}; shorten it or leave it out.")
        try:
            while found := speaker.ready():
                yield [(index, answer) for index, answer in found if isinstance(answer, Answer)]
        except Stopped:
            return

    def speaker(
        self, *, tuned: bool, decoding: Decoding, cancelled: Callable[[], bool], constrained: bool = False
    ) -> "PaddedSpeaker | ContinuousSpeaker":
        """What answers an evaluation's questions: with continuous batching where that works, which is on a
        CUDA device, and in padded batches elsewhere; the reason goes to stderr. To be closed.

        Args:
            tuned: with the adapter, if there is one.
            decoding: how to answer.
            cancelled: whether to end.
            constrained: hold calls to the schemas of the offered tools (see `constrain`); in padded batches.

        Raises:
            UserError: it cannot be constrained.
        """
        spoken = self.spoken(tuned)
        if constrained:
            from tuner_tui.evaluation.constrain import Constraint

            constraint = Constraint(self._convention, self._ends, int(spoken.model.config.vocab_size))
            return PaddedSpeaker(spoken, decoding, cancelled, constraint)
        reason = why_not(spoken.model)
        if reason is None:
            return ContinuousSpeaker(spoken, decoding, cancelled)
        sys.stderr.write(f"answers are made in padded batches: {reason}\n")
        return PaddedSpeaker(spoken, decoding, cancelled)

    def weigh(self, requests: Sequence[Weigh], *, tuned: bool, batch: int) -> list[Weights]:
        """How likely the model holds the texts of each request.

        Args:
            requests: texts, each with what comes before it.
            tuned: with the adapter, if there is one.
            batch: texts in one forward pass, at most.
        """
        return weigh(self.spoken(tuned), requests, batch)

    def spoken(self, tuned: bool) -> Spoken:
        """The model of one arm, with what is needed to ask it."""
        model = self._tuned_model if tuned else self._model
        return Spoken(model, self._tokenizer, self._convention, self._ends, self._window, with_adapter=tuned)
