"""The four models of PPO on one base: policy, value and reward are adapters, the reference is the base alone.

The value function has an adapter and a head of its own, which begin as the reward model's: at an answer's end
it is then right before anything is learned (as in arXiv:2203.02155, section 3.5), and, unlike a head on the
policy's own layers, its errors never pull at the policy. The price is a second pass in learning; the memory
is that of one more adapter.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import GenerationConfig, StoppingCriteriaList

from tuner_tui.errors import UserError
from tuner_tui.recipes import ppo_math as mathematics
from tuner_tui.recipes.ppo_batches import Batch, Tokens, collate

POLICY, VALUE, REWARD = "default", "value", "reward"
_WEIGHTS = "adapter_model.safetensors"
_VALUE_FILE = "value.safetensors"
_HEAD = "head"
_SCORE = re.compile(r"(?:^|\.)score\.(?:\S+\.)?weight$")


class Models:
    """Policy, reference, value and reward over one base model.

    Only the policy's and the value's weights are ever trained; `trained` are these, in that order.
    """

    def __init__(
        self,
        base: Any,
        policy: LoraConfig,
        reward: LoraConfig,
        head: Tensor,
        *,
        temperature: float = 1.0,
        autocast: Callable[[], Any] = nullcontext,
    ) -> None:
        """Add the adapters to a base model; those of value and reward still have to be filled.

        Args:
            base: a causal language model of transformers.
            policy, reward: the shapes of the adapters; the value's is the reward's.
            head: (1, hidden), from a last hidden state to a score.
            temperature: of sampling; the policy is the distribution that it samples from.
            autocast: the context of forward passes.
        """
        self.model: Any = get_peft_model(base, policy, adapter_name=POLICY)
        for name in (VALUE, REWARD):
            self.model.add_adapter(name, reward)
        device = next(self.model.parameters()).device
        self.reward_head = head.to(device, torch.float32)
        self.value_head = nn.Parameter(self.reward_head.clone())
        self._temperature = temperature
        self._autocast = autocast
        # Ratios of probabilities must come from the weights alone: no dropout.
        for module in self.model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        named = dict(self.model.named_parameters())
        for name, parameter in named.items():
            if f".{POLICY}." in name or f".{VALUE}." in name or f".{REWARD}." in name:
                parameter.data = parameter.data.float()  # small updates are rounded away in bfloat16
        self.policy_weights = [parameter for name, parameter in named.items() if f".{POLICY}." in name]
        self.value_weights = [parameter for name, parameter in named.items() if f".{VALUE}." in name]
        self.value_weights.append(self.value_head)
        self.model.eval()

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.value_head.device

    # What each of them says of a batch of answers. Which adapter speaks is chosen at the start of each pass
    # and stays so until the next: a backward pass, which may compute again, must come before that.

    def policy(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Log-probabilities of the answers' tokens, and the entropies of the distributions: (B, T) each."""
        self.model.set_adapter(POLICY)
        logits = self._logits(batch)
        with torch.no_grad():
            entropy = mathematics.entropy(logits)
        return _logprobs(logits, batch), entropy

    def reference(self, batch: Batch) -> Tensor:
        """Log-probabilities under the base model, (B, T)."""
        with self.model.disable_adapter():
            return _logprobs(self._logits(batch), batch)

    def values(self, batch: Batch) -> Tensor:
        """The value of the state before each token, (B, T)."""
        self.model.set_adapter(VALUE)
        hidden = self._hidden(batch)[:, -batch.answers.shape[1] - 1 : -1]
        return nn.functional.linear(hidden, self.value_head).squeeze(-1).masked_fill(~batch.mask, 0.0)

    def scores(self, batch: Batch) -> Tensor:
        """The reward model's score of each answer, (B), read at its last token."""
        self.model.set_adapter(REWARD, inference_mode=True)
        last = batch.answers.shape[1] - batch.mask.sum(1)
        hidden = self._hidden(batch)
        rows = torch.arange(len(hidden), device=hidden.device)
        return nn.functional.linear(hidden[rows, hidden.shape[1] - 1 - last], self.reward_head).squeeze(-1)

    def sample(
        self,
        prompts: Sequence[Tokens],
        *,
        ends: Sequence[int],
        pad: int,
        max_new_tokens: int,
        cancelled: Callable[[], bool],
    ) -> list[Tokens]:
        """An answer of the policy to each prompt, up to and with the first of the tokens that end a turn."""
        self.model.set_adapter(POLICY)
        width = max(map(len, prompts))
        batch = collate(prompts, [[] for _ in prompts], pad, self.device)

        def stop(ids: Tensor, _scores: Any, **_: Any) -> Tensor:
            return torch.full((ids.shape[0],), cancelled(), dtype=torch.bool, device=ids.device)

        with torch.no_grad(), self._autocast():
            output = self.model.generate(
                input_ids=batch.ids,
                attention_mask=batch.attention,
                generation_config=GenerationConfig(
                    do_sample=True,
                    temperature=self._temperature,
                    top_k=0,
                    top_p=1.0,
                    max_new_tokens=max_new_tokens,
                    eos_token_id=sorted(ends),
                    pad_token_id=pad,
                    use_cache=True,
                ),
                stopping_criteria=StoppingCriteriaList([stop]),
            )
        return [_to_end(row, ends) for row in output[:, width:].tolist()]

    @contextmanager
    def learning(self, *, checkpointing: bool) -> Iterator[None]:
        """Within, activations are recomputed in the backward pass if so wished (only in training mode)."""
        self.model.train(checkpointing)
        try:
            yield
        finally:
            self.model.eval()

    def save(self, folder: Path, *, value: bool) -> None:
        """The policy as an adapter that PEFT loads; with `value` what it takes to go on, too."""
        self.model.save_pretrained(folder, selected_adapters=[POLICY], save_embedding_layers=False)
        if value:
            weights = get_peft_model_state_dict(self.model, adapter_name=VALUE, save_embedding_layers=False)
            tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
            save_file({**tensors, _HEAD: self.value_head.detach().cpu()}, folder / _VALUE_FILE)

    def load(self, folder: Path) -> None:
        """What `save` wrote, the value included."""
        self._fill(POLICY, load_file(folder / _WEIGHTS))
        weights = load_file(folder / _VALUE_FILE)
        self.value_head.data.copy_(weights.pop(_HEAD))
        self._fill(VALUE, weights)

    def fill_from_reward(self, weights: dict[str, Tensor]) -> None:
        """Give the reward model its weights, and the value the same to begin with.

        Raises:
            UserError: they do not fit the base model.
        """
        for name in (VALUE, REWARD):
            self._fill(name, weights)

    def _fill(self, name: str, weights: dict[str, Tensor]) -> None:
        expected = set(get_peft_model_state_dict(self.model, adapter_name=name, save_embedding_layers=False))
        try:
            set_peft_model_state_dict(self.model, weights, adapter_name=name)
        except RuntimeError as error:  # shapes that differ
            raise UserError(_misfit(str(error))) from error
        if set(weights) != expected:
            raise UserError(_misfit(f"its layers differ, such as {sorted(expected ^ set(weights))[0]}"))

    def _logits(self, batch: Batch) -> Tensor:
        """Of the answers' tokens at the temperature of sampling, (B, T, V), float32."""
        width = batch.answers.shape[1]
        with self._autocast():
            logits: Tensor = self.model(
                input_ids=batch.ids,
                attention_mask=batch.attention,
                position_ids=batch.positions,
                logits_to_keep=width + 1,
                use_cache=False,
            ).logits
        return logits[:, -width - 1 : -1].float() / self._temperature

    def _hidden(self, batch: Batch) -> Tensor:
        """Last hidden states, (B, P + T, hidden), float32."""
        base = self.model.get_base_model()
        with self._autocast():
            hidden: Tensor = getattr(base, base.base_model_prefix)(
                input_ids=batch.ids,
                attention_mask=batch.attention,
                position_ids=batch.positions,
                use_cache=False,
            ).last_hidden_state
        return hidden.float()


def read_reward(folder: Path) -> tuple[LoraConfig, dict[str, Tensor], Tensor]:
    """The adapter of a reward run: its shape, its weights, and its head (1, hidden).

    Raises:
        UserError: the folder holds no adapter of a reward model.
    """
    try:
        shape = LoraConfig.from_pretrained(str(folder))
        weights = load_file(folder / _WEIGHTS)
    except (OSError, ValueError, TypeError, SafetensorError) as error:
        raise UserError(f"ppo.reward_model: cannot read the adapter in {folder}: {error}.") from error
    heads = [name for name in weights if _SCORE.search(name)]
    if len(heads) != 1 or weights[heads[0]].shape[0] != 1:
        raise UserError(
            f"ppo.reward_model: {folder} holds no head that scores; give a run of the method reward."
        )
    head = weights.pop(heads[0])
    shape.task_type, shape.modules_to_save, shape.inference_mode = "CAUSAL_LM", None, False
    return shape, weights, head


def with_reward(base: Any, policy: LoraConfig, folder: Path, **options: Any) -> Models:
    """`Models` whose reward model is the adapter in `folder`; for `options` see `Models`.

    Raises:
        UserError: that is no reward model, or does not fit the base model.
    """
    shape, weights, head = read_reward(folder)
    models = Models(base, policy, shape, head, **options)
    models.fill_from_reward(weights)
    return models


def _logprobs(logits: Tensor, batch: Batch) -> Tensor:
    """log softmax at the answers' tokens, without a second (B, T, V) tensor; 0 where there is none."""
    chosen = logits.gather(-1, batch.answers.unsqueeze(-1)).squeeze(-1)
    return (chosen - logits.logsumexp(-1)).masked_fill(~batch.mask, 0.0)


def _to_end(ids: Tokens, ends: Sequence[int]) -> Tokens:
    end = next((place for place, token in enumerate(ids) if token in ends), len(ids) - 1)
    return ids[: end + 1]


def _misfit(reason: str) -> str:
    return (
        "ppo.reward_model: the reward model does not fit this base model "
        f"({reason.splitlines()[0]}); it must have been trained on the same one."
    )
