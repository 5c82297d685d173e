"""What GRPO and RLOO share beside TRL: prompts as tuner renders them, evaluations that can be compared,
answers of models whose chat template TRL does not know."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from tuner_tui.data.answers.forms import Form
from tuner_tui.errors import UserError
from tuner_tui.recipes.conventions import Convention
from tuner_tui.runs.silent import SilentRun
from tuner_tui.runs.writer import RunWriter
from tuner_tui.training.config import TrainConfig

if TYPE_CHECKING:
    from tuner_tui.recipes.rows import Renderer

_EVALUATION_SEED = 20_260_101
"""Of the answers to held-out prompts: the same at each evaluation, so that two differ by the model alone."""


_LIKE_STEPS = 5
"""Logs in a row without a group whose answers differ, after which it is told."""


def grouped(
    base: type, run: RunWriter | SilentRun, renderer: "Renderer", tools: Sequence[dict[str, Any]] = ()
) -> Any:
    """A subclass of TRL's GRPOTrainer or RLOOTrainer whose prompts are rendered as in any other method.

    TRL would render them with one list of tools for the whole run, and with a template of its own choice.

    Args: base: a subclass of one of them (a class). tools: schemas of the executable tools, which are shown
        for prompts that come as messages; prompts that come as text are rendered already.
    """

    class Trainer(base):  # type: ignore[misc]
        def _tokenize_prompts(self, prompts: list[Any]) -> tuple[list[list[int]], None, dict[str, Any]]:
            texts = [
                prompt if isinstance(prompt, str) else renderer.prompt_text(prompt, tools)
                for prompt in prompts
            ]
            return self.processing_class(text=texts, add_special_tokens=False)["input_ids"], None, {}

        def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
            with torch.random.fork_rng():
                torch.manual_seed(_EVALUATION_SEED)
                result: dict[str, float] = super().evaluate(*args, **kwargs)
            return result

        def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
            super().log(logs, *args, **kwargs)
            if "frac_reward_zero_std" not in logs:  # an evaluation
                return
            alike = logs["frac_reward_zero_std"] == 1
            self._alike = getattr(self, "_alike", 0) + 1 if alike else -(2**31)  # once is enough
            if self._alike == _LIKE_STEPS:
                run.event(
                    "warning",
                    f"in {_LIKE_STEPS} logs no answer of a group earned more than another, so nothing was "
                    "learned: the model never, or always, does what is rewarded; begin with an adapter of "
                    "sft (model.adapter), raise grpo.temperature, or give other prompts.",
                )

    return Trainer


def group_arguments(config: TrainConfig, weights: Sequence[float], *, starts: bool) -> dict[str, Any]:
    """Keyword arguments that GRPOConfig and RLOOConfig share, beside `common_arguments`.

    Args:
        weights: of the rewards, in their order.
        starts: whether to evaluate before the first step, so that the rise has a beginning.
    """
    wanted = config.grpo
    return {
        "num_generations": wanted.generations,
        "num_generations_eval": 1,  # one answer to each prompt: their mean is what counts
        "per_device_eval_batch_size": config.evaluation.batch,
        "max_completion_length": wanted.max_new_tokens,
        "temperature": wanted.temperature,
        "beta": wanted.beta,
        "reward_weights": list(weights),
        "generation_kwargs": {"use_cache": True},  # the model's own setting is for training: no cache
        "eval_on_start": starts,
    }


def teach_parsing(tokenizer: Any, convention: Convention) -> None:
    """Make the tokenizer ready for TRL's loop of calls and results.

    TRL knows the parsers of the templates that it ships. For any other whose calls have the strict form of
    `data.answers.parsing` the parser is made here, in transformers' own terms (`response_template`).

    Raises:
        UserError: the template shows no calls or results, or nobody knows how to read its calls.
    """
    from trl.chat_template_utils import (
        add_response_schema,
        get_training_chat_template,
        is_chat_template_prefix_preserving,
        supports_tool_calling,
    )

    name = "the model's chat template"
    if not supports_tool_calling(tokenizer):
        raise UserError(f"grpo.tools: {name} does not show calls and their results; take another model.")
    try:
        if getattr(tokenizer, "response_template", None) is None:
            add_response_schema(tokenizer)
    except ValueError:
        readable = convention.form is Form.TAGGED and not convention.native
        if not readable or not (anchor := _before_answer(tokenizer)):
            raise UserError(
                f"grpo.tools: the calls that {name} writes cannot be read while the model answers; take "
                "another model, or leave grpo.tools empty."
            ) from None
        tokenizer.response_template = _strict_form(anchor, tokenizer.eos_token)
    try:
        if not is_chat_template_prefix_preserving(tokenizer):
            get_training_chat_template(tokenizer)
    except ValueError:
        raise UserError(
            f"grpo.tools: {name} shows a call otherwise once its result follows, so the two cannot be "
            "joined; take another model, or leave grpo.tools empty."
        ) from None


def _before_answer(tokenizer: Any) -> str:
    """What the template writes to let the assistant speak."""
    ask = [{"role": "user", "content": "a"}]
    before, whole = (
        str(tokenizer.apply_chat_template(ask, add_generation_prompt=prompt, tokenize=False))
        for prompt in (False, True)
    )
    return whole.removeprefix(before)


def _strict_form(anchor: str, end: str) -> dict[str, Any]:
    return {
        "defaults": {"role": "assistant"},
        "start_anchor": anchor,
        "fields": {
            "tool_calls": {
                "open": "<tool_call>",
                "close_pattern": r"</tool_call>\s*",
                "repeats": True,
                "content": "json",
                "transform": {"type": "function", "function": "{content}"},
            },
            "content": {"close_pattern": re.escape(end) + r"\s*", "content": "text"},
        },
    }
