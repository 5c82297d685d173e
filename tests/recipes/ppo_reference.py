"""Known answers for PPO, computed by TRL 1.12.0, the last release that had a PPO trainer.

    pip install --no-deps --target FOLDER trl==1.12.0
    PYTHONPATH=FOLDER python tests/recipes/ppo_reference.py

writes `ppo_reference.json` beside this file. Two things are in it:

- "formulas": the very lines of TRL's `PPOTrainer.train` that turn log-probabilities, values and scores into
  rewards, advantages and returns, run on answers of several lengths.
- "steps": what its trainer logged in three steps (two passes over eight fixed rollouts each, two minibatches)
  on a tiny model, and how far its weights had moved; ours has to log and move the same.

All weights and inputs are sines, so that both sides make the same ones with any version of the libraries.
"""

import inspect
import json
import math
import tempfile
import textwrap
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from peft import LoraConfig
from transformers import LlamaConfig

ANSWERS = Path(__file__).with_suffix(".json")
PAD, END = 0, 2
WIDTH, ROLLOUTS, STEPS, PASSES, MINIBATCH = 6, 8, 3, 2, 4
LEARNING_RATE, TEMPERATURE, CLIP, VALUE_CLIP, KL_WEIGHT, PENALTY = 0.004, 0.7, 0.1, 0.15, 0.3, 1.5
GAMMA, LAM = 0.98, 0.9


def sines(shape: tuple[int, ...], salt: float, scale: float = 1.0) -> torch.Tensor:
    """Numbers that look random, and are the same everywhere."""
    count = math.prod(shape)
    phase = torch.arange(1, count + 1, dtype=torch.float64)
    return (scale * torch.sin(phase * (12.9898 + salt) + 78.233 * salt)).reshape(shape).float()


def fill(module: torch.nn.Module, salt: float) -> None:
    """Give a model or an adapter its weights by name, so that copies of it are equal."""
    for name, parameter in module.named_parameters():
        if "norm" in name:
            continue
        place = sum(ord(letter) * (index + 1) for index, letter in enumerate(name)) % 997
        parameter.data.copy_(sines(tuple(parameter.shape), salt + place / 997, 0.25))


def shape() -> LlamaConfig:
    """A model of 32 tokens and width 16."""
    return LlamaConfig(
        vocab_size=32,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=64,
        tie_word_embeddings=False,
        pad_token_id=PAD,
        eos_token_id=END,
        bos_token_id=1,
        attn_implementation="sdpa",
    )


def adapter(task: str | None = "CAUSAL_LM") -> LoraConfig:
    """Of policy, value and reward alike."""
    return LoraConfig(task_type=task, r=2, lora_alpha=4, target_modules=["q_proj", "v_proj", "down_proj"])


def adapter_weights(model: Any, name: str = "") -> list[torch.nn.Parameter]:
    """The matrices of an adapter of a model, in the order of their names."""
    named = {key: weights for key, weights in model.named_parameters() if "lora_" in key and name in key}
    return [named[key] for key in sorted(named)]


def fill_adapter(model: Any, salt: float, name: str = "") -> None:
    """Give an adapter its weights."""
    for place, weights in enumerate(adapter_weights(model, name)):
        weights.data.copy_(sines(tuple(weights.shape), salt + place / 10, 0.2))


def moved(model: Any, salt: float, name: str = "") -> list[float]:
    """How far each matrix of an adapter has moved since `fill_adapter`."""
    return [
        (weights - sines(tuple(weights.shape), salt + place / 10, 0.2)).norm().item()
        for place, weights in enumerate(adapter_weights(model, name))
    ]


HEAD = sines((1, 16), 5.5, 0.5)
POLICY_SALT, VALUE_SALT = 3.0, 4.0
"""The policy's adapter is not zero when it begins: it then differs from the reference."""


def rollouts(step: int) -> tuple[list[list[int]], list[list[int]]]:
    """Prompts of several lengths, and answers of one length, half of which end.

    Of one length, because TRL reads and rewards the place behind the end of a shorter answer, where nothing
    was chosen; we reward the end itself, so only answers without such a place compare.
    """
    numbers = sines((ROLLOUTS, 4 + WIDTH), 0.5 + step).abs() * 28.99 + 3
    ids = numbers.long().tolist()
    prompts = [row[: 2 + index % 3] for index, row in enumerate(ids)]
    answers = [row[4:] for row in ids]
    for index in range(0, ROLLOUTS, 2):
        answers[index][-1] = END
    return prompts, answers


def orders(step: int) -> list[list[int]]:
    """The order of the rollouts in each pass."""
    return [sines((ROLLOUTS,), 0.1 + step + 10 * number).argsort().tolist() for number in range(PASSES)]


def ragged() -> dict[str, torch.Tensor]:
    """Inputs of the formulas: answers of 1 to 6 tokens."""
    return {
        "lengths": torch.tensor([6, 3, 1, 5]),
        "logprobs": -sines((4, 6), 0.3).abs() - 0.1,
        "reference": -sines((4, 6), 0.4).abs() - 0.2,
        "values": sines((4, 6), 0.5),
        "scores": sines((4,), 0.6, 2.0),
    }


def main() -> None:
    """Run TRL, write the answers."""
    import trl

    assert trl.__version__ == "1.12.0", trl.__version__
    found = {
        "made by": f"tests/recipes/ppo_reference.py with trl {trl.__version__}",
        "formulas": {str(white): _formulas(white) for white in (False, True)},
        "steps": _steps(),
    }
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in found.items())
    ANSWERS.write_text("{" + ",\n".join(lines) + "}\n")


def _formulas(whiten_rewards: bool) -> dict[str, Any]:
    """TRL's own lines, from the masks to the whitened advantages."""
    from trl.experimental.ppo import ppo_trainer

    source = inspect.getsource(ppo_trainer.PPOTrainer.train)
    start = source.index("# be very careful with `padding_mask_p1`")
    end = source.index("empty_cache()", start)
    lines = textwrap.dedent(" " * 16 + source[start:end])
    given = ragged()
    names: dict[str, Any] = {
        **vars(ppo_trainer),
        "responses": torch.zeros(4, 6, dtype=torch.long),
        "sequence_lengths": given["lengths"] - 1,
        "logprobs": given["logprobs"],
        "ref_logprobs": given["reference"],
        "values": given["values"],
        "scores": given["scores"],
        "self": SimpleNamespace(args=SimpleNamespace(kl_estimator="k1")),
        "args": SimpleNamespace(
            kl_estimator="k1", kl_coef=KL_WEIGHT, whiten_rewards=whiten_rewards, gamma=GAMMA, lam=LAM
        ),
    }
    exec(lines, names)  # noqa: S102
    return {
        name: names[name].double().tolist() for name in ("kl", "rewards", "advantages", "returns", "values")
    }


def _steps() -> dict[str, Any]:
    import numpy as np
    from datasets import Dataset
    from peft import inject_adapter_in_model
    from transformers import LlamaForCausalLM, LlamaForSequenceClassification, PreTrainedTokenizerFast
    from transformers.trainer_callback import TrainerCallback
    from trl.experimental.ppo import PPOConfig, PPOTrainer, ppo_trainer

    policy = LlamaForCausalLM(shape())
    fill(policy, 1.0)

    def scorer(salt: float, trained: bool) -> Any:
        config = shape()
        config.num_labels = 1
        model = LlamaForSequenceClassification(config)
        fill(model, 0.0)
        model.model.load_state_dict(policy.model.state_dict())
        model.score.weight.data.copy_(HEAD)
        inject_adapter_in_model(adapter(None), model)
        fill_adapter(model, salt)
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(trained and ("lora_" in name or "score" in name))
        return model

    value, reward = scorer(VALUE_SALT, True), scorer(VALUE_SALT, False)
    made: list[dict[str, float]] = []

    class Record(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            made.append(dict(kwargs["logs"]))

    from tokenizers import Tokenizer, models

    words = {f"t{number}": number for number in range(32)}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="t3")), pad_token="t0", eos_token="t2"
    )
    with tempfile.TemporaryDirectory() as folder:
        trainer = PPOTrainer(
            args=PPOConfig(
                output_dir=folder,
                use_cpu=True,
                bf16=False,
                gradient_checkpointing=False,
                per_device_train_batch_size=ROLLOUTS,
                num_mini_batches=ROLLOUTS // MINIBATCH,
                num_ppo_epochs=PASSES,
                total_episodes=ROLLOUTS * STEPS,
                response_length=WIDTH,
                stop_token="eos",
                temperature=TEMPERATURE,
                learning_rate=LEARNING_RATE,
                lr_scheduler_type="constant",
                kl_coef=KL_WEIGHT,
                kl_estimator="k1",
                cliprange=CLIP,
                cliprange_value=VALUE_CLIP,
                vf_coef=1.0,
                gamma=GAMMA,
                lam=LAM,
                missing_eos_penalty=PENALTY,
                num_sample_generations=0,
                report_to="none",
                disable_tqdm=True,
                save_strategy="no",
            ),
            processing_class=tokenizer,
            model=policy,
            ref_model=None,
            reward_model=reward,
            value_model=value,
            train_dataset=Dataset.from_list([{"input_ids": [1, 2]}] * ROLLOUTS),
            eval_dataset=Dataset.from_list([{"input_ids": [1, 2]}]),
            peft_config=adapter(),
            callbacks=[Record()],
        )
    actor = trainer.model.policy
    fill_adapter(actor, POLICY_SALT)

    # The rollouts are given, in place of the prompts of the loader and of what would be sampled.
    class Loader:
        def __init__(self) -> None:
            self.step = 0

        def __iter__(self) -> Any:
            while True:
                prompts, _ = rollouts(self.step)
                width = max(map(len, prompts))
                rows = [[PAD] * (width - len(prompt)) + prompt for prompt in prompts]
                yield {"input_ids": torch.tensor(rows)}
                self.step += 1

    trainer.dataloader = loader = Loader()
    permutations = iter([order for step in range(STEPS) for order in orders(step)])
    np.random.permutation = lambda count: np.array(next(permutations))

    def given(model: Any, queries: torch.Tensor, *_: Any) -> tuple[torch.Tensor, torch.Tensor]:
        answers = torch.tensor(rollouts(loader.step)[1])
        whole = torch.cat([queries, answers], 1)
        logits = ppo_trainer.forward(model, whole, PAD).logits[:, queries.shape[1] - 1 : -1]
        return whole, logits / (TEMPERATURE + 1e-7)

    ppo_trainer.batch_generation = given
    trainer.train()
    return {
        "logs": [log for log in made if "objective/kl" in log],
        "policy": moved(actor, POLICY_SALT),
        "value": moved(value, VALUE_SALT),
        "head": (value.score.weight - HEAD).norm().item(),
    }


if __name__ == "__main__":
    main()
