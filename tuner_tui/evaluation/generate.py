"""The only door to a model that answers: a local Hugging Face model, in batches.

Base and tuned model share one copy of the weights, and the adapter is switched on and off, so that
the two differ in nothing else.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from transformers import StoppingCriteriaList

from tuner_tui.errors import UserError
from tuner_tui.evaluation.tasks import Answer, Messages, Tools
from tuner_tui.recipes.conventions import Convention, find_convention
from tuner_tui.recipes.model import compute_dtype, load_base, load_tokenizer


class Generator:
    """A loaded model. `load` makes one; `answers` asks it."""

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
        texts = [self._convention.render(messages, tools) for messages, tools in prompts]
        tokens = [self._tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
        order = sorted(range(len(prompts)), key=lambda index: -len(tokens[index]))
        if order and len(tokens[order[0]]) + 1 > self._window:
            raise UserError(
                f"item {order[0] + 1}: the prompt has {len(tokens[order[0]])} tokens and the model's window "
                f"{self._window}; shorten it or leave it out."
            )
        if temperature:
            torch.manual_seed(seed)
        for start in range(0, len(order), batch):
            indices = order[start : start + batch]
            began = time.perf_counter()
            generated = self._generate(
                [tokens[i] for i in indices], tuned, max_new_tokens, cancelled, temperature
            )
            if cancelled():
                return
            seconds = (time.perf_counter() - began) / len(indices)
            yield [
                (index, self._answer(ids, tokens[index], prompts[index][1], seconds))
                for index, ids in zip(indices, generated, strict=True)
            ]

    def _generate(
        self,
        prompts: list[list[int]],
        tuned: bool,
        max_new_tokens: int,
        cancelled: Callable[[], bool],
        temperature: float,
    ) -> list[list[int]]:
        padded = self._tokenizer.pad({"input_ids": prompts}, return_tensors="pt").to(self._model.device)
        width = padded["input_ids"].shape[1]

        def stop(ids: torch.Tensor, _scores: Any, **_: Any) -> torch.Tensor:
            return torch.full((ids.shape[0],), cancelled(), dtype=torch.bool, device=ids.device)

        model = self._tuned_model if tuned else self._model
        off = not tuned and hasattr(model, "disable_adapter")
        with torch.inference_mode(), model.disable_adapter() if off else nullcontext():
            output = model.generate(
                **padded,
                do_sample=temperature > 0,
                num_beams=1,
                # Settings that come with some models would change the result, or warn.
                temperature=temperature or None,
                top_p=1.0 if temperature else None,
                top_k=0 if temperature else None,
                repetition_penalty=None,
                max_new_tokens=min(max_new_tokens, self._window - width),
                eos_token_id=sorted(self._ends),
                pad_token_id=self._tokenizer.pad_token_id,
                stopping_criteria=StoppingCriteriaList([stop]),
            )
        return [self._to_end(row) for row in output[:, width:].tolist()]

    def _to_end(self, ids: list[int]) -> list[int]:
        """The tokens up to and with the first end-of-turn token; what follows is padding."""
        end = next((i for i, token in enumerate(ids) if token in self._ends), len(ids) - 1)
        return ids[: end + 1]

    def _answer(self, ids: list[int], prompt: list[int], tools: Tools, seconds: float) -> Answer:
        spoken = ids[:-1] if ids and ids[-1] in self._ends else ids
        text = self._tokenizer.decode(spoken, skip_special_tokens=False)
        return Answer(text, self._convention.parse(text, spoken, prompt, tools), len(ids), seconds)
