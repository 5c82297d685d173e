"""The four models on one base say what the same models say alone; and what is broken is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from reward_adapters import random_reward

from tuner_tui.errors import UserError
from tuner_tui.recipes.faults import Stopped, TrainingAborted
from tuner_tui.recipes.ppo_batches import Experience, PromptStream, by_length, collate
from tuner_tui.recipes.ppo_models import Models, with_reward
from tuner_tui.recipes.ppo_steps import Turns, judge, learn, sample, score
from tuner_tui.training.config import PPOConfig

PROMPTS = [[5, 6, 7, 8, 9], [5, 6], [11, 12, 13]]
ANSWERS = [[20, 21, 2], [22, 23, 24, 25], [26]]
TURNS = Turns((2,), (), 1)


def causal(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def policy() -> LoraConfig:
    return LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear")


@pytest.fixture(scope="module")
def reward(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_reward(tiny_model, tmp_path_factory.mktemp("reward") / "adapter")


@pytest.fixture
def models(tiny_model: Path, reward: Path) -> Models:
    return with_reward(causal(tiny_model), policy(), reward)


def stir(weights: list[Any]) -> None:
    """An adapter begins as nothing: move it."""
    generator = torch.Generator().manual_seed(1)
    for weight in weights:
        weight.data += 0.05 * torch.randn(weight.shape, generator=generator)


def test_scores_are_those_of_the_reward_model_itself(tiny_model: Path, reward: Path, models: Models) -> None:
    from transformers import AutoModelForSequenceClassification

    alone = PeftModel.from_pretrained(
        AutoModelForSequenceClassification.from_pretrained(tiny_model, num_labels=1, dtype=torch.float32),
        str(reward),
    ).eval()
    with torch.no_grad():
        expected = [
            alone(torch.tensor([prompt + answer])).logits.item()
            for prompt, answer in zip(PROMPTS, ANSWERS, strict=True)
        ]
        found = models.scores(collate(PROMPTS, ANSWERS, 1, "cpu"))
    assert found.tolist() == pytest.approx(expected, abs=1e-5)
    assert max(expected) - min(expected) > 0.05
    # Read behind the end of the turn, as it was trained: there what follows an end is part of the row.
    behind = Turns((2,), (30, 31), 1)
    with torch.no_grad():
        ended = alone(torch.tensor([PROMPTS[0] + ANSWERS[0] + [30, 31]])).logits.item()
    assert score(models, PROMPTS, ANSWERS, behind, rows=2).tolist() == pytest.approx(
        [ended, *expected[1:]], abs=1e-5
    )


@pytest.mark.parametrize("family", ["Qwen3Config", "Gemma2Config", "Gemma3TextConfig"])
def test_other_families_of_models(family: str, tmp_path: Path) -> None:
    """With sliding windows and capped logits, where a wrong position or mask would show."""
    import transformers

    more = {} if family == "Qwen3Config" else {"sliding_window": 8, "query_pre_attn_scalar": 16}
    shape = getattr(transformers, family)(
        vocab_size=128,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        pad_token_id=1,
        eos_token_id=2,
        **more,
    )
    torch.manual_seed(0)
    transformers.AutoModelForCausalLM.from_config(shape).save_pretrained(tmp_path / "base")
    models = with_reward(
        causal(tmp_path / "base"), policy(), random_reward(tmp_path / "base", tmp_path / "adapter")
    )
    prompts = [list(range(5, 17)), [5, 6]]
    answers = sample(models, prompts, TURNS, PPOConfig(max_new_tokens=4), lambda: False)
    scorer = transformers.AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "base", num_labels=1, dtype=torch.float32
    )
    judge_alone = PeftModel.from_pretrained(scorer, str(tmp_path / "adapter")).eval()
    base_alone = causal(tmp_path / "base").eval()
    batch = collate(prompts, answers, 1, "cpu")
    with torch.no_grad():
        scores, reference = models.scores(batch), models.reference(batch)
        for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
            ids = torch.tensor([prompt + answer])
            assert scores[row].item() == pytest.approx(judge_alone(ids).logits.item(), abs=1e-5)
            alone = base_alone(ids).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
            expected = alone[range(len(answer)), answer]
            torch.testing.assert_close(reference[row, : len(answer)], expected, atol=1e-5, rtol=1e-5)


def test_the_value_begins_as_the_reward_model(models: Models) -> None:
    batch = collate(PROMPTS, ANSWERS, 1, "cpu")
    with torch.no_grad():
        values = models.values(batch)
        # The value before the second token is the score of the prompt and the first.
        first = models.scores(collate(PROMPTS, [answer[:1] for answer in ANSWERS], 1, "cpu"))
    assert values[:2, 1].tolist() == pytest.approx(first[:2].tolist(), abs=1e-5)
    assert values[2].tolist()[1:] == [0, 0, 0]


def test_log_probabilities_are_those_of_each_row_alone(tiny_model: Path, models: Models) -> None:
    stir(models.policy_weights)
    batch = collate(PROMPTS, ANSWERS, 1, "cpu")
    with torch.no_grad():
        policy_logprobs, entropy = models.policy(batch)
        reference_logprobs = models.reference(batch)
    base = causal(tiny_model)
    for row, (prompt, answer) in enumerate(zip(PROMPTS, ANSWERS, strict=True)):
        ids = torch.tensor([prompt + answer])
        models.model.set_adapter("default")
        with torch.no_grad():
            for model, found in ((models.model, policy_logprobs), (base, reference_logprobs)):
                alone = model(ids).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
                expected = alone[range(len(answer)), answer]
                torch.testing.assert_close(found[row, : len(answer)], expected, atol=1e-5, rtol=1e-5)
                assert (found[row, len(answer) :] == 0).all()
                if model is models.model:
                    bits = -(alone.exp() * alone).sum(-1)
                    torch.testing.assert_close(entropy[row, : len(answer)], bits, atol=1e-5, rtol=1e-5)
    assert (policy_logprobs - reference_logprobs).abs().max() > 0.01


def test_what_was_sampled_has_the_probabilities_that_are_learned_from(tiny_model: Path, reward: Path) -> None:
    models = with_reward(causal(tiny_model), policy(), reward, temperature=0.5)
    torch.manual_seed(0)
    # A prompt beside a longer one: padding on the left must change nothing of what is sampled.
    prompts = [[5, 6], list(range(5, 25))] * 256
    ppo = PPOConfig(max_new_tokens=1, sample_batch=512, temperature=0.5)
    answers = sample(models, prompts, TURNS, ppo, lambda: False)
    first = torch.tensor(
        [answer[0] for answer, prompt in zip(answers, prompts, strict=True) if prompt == [5, 6]]
    )
    tokens = list(range(64))
    with torch.no_grad():
        logprobs = models.policy(collate([[5, 6]] * 64, [[token] for token in tokens], 1, "cpu"))[0]
    expected = logprobs.exp().sum()
    assert ((first < 64).float().mean() - expected).abs() < 4 * (expected * (1 - expected) / 256).sqrt()


def test_sampling_ends_with_the_turn_and_when_a_stop_is_asked_for(models: Models) -> None:
    ends = tuple(range(0, 2048, 3))  # every third token ends a turn
    ppo = PPOConfig(max_new_tokens=12, sample_batch=2)
    answers = sample(models, PROMPTS, Turns(ends, (), 1), ppo, lambda: False)
    for answer in answers:
        assert all(token not in ends for token in answer[:-1])
        assert answer[-1] in ends or len(answer) == 12
    with pytest.raises(Stopped):
        sample(models, PROMPTS, TURNS, ppo, lambda: True)


def test_only_policy_and_value_learn(models: Models) -> None:
    before = {name: tensor.clone() for name, tensor in models.model.state_dict().items()}
    metrics = learned(models, experience(models))
    after = models.model.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert all(".default." in name or ".value." in name for name in moved)
    assert any(".default." in name for name in moved)
    assert any(".value." in name for name in moved)
    assert not torch.equal(models.value_head.data, models.reward_head)
    assert metrics["grad_norm"] > 0


def test_checkpointing_of_activations_changes_nothing(tiny_model: Path, reward: Path) -> None:
    found = []
    for checkpointing in (False, True):
        base = causal(tiny_model)
        if checkpointing:
            base.gradient_checkpointing_enable({"use_reentrant": False})
        torch.manual_seed(0)
        models = with_reward(base, policy(), reward)
        with models.learning(checkpointing=checkpointing):
            found.append(learned(models, experience(models)))
    assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_gradients_that_are_no_numbers_spoil_nothing(models: Models) -> None:
    broken = experience(models)
    broken.advantages[0, 0] = float("nan")
    before = [weight.clone() for weight in [*models.policy_weights, *models.value_weights]]
    with pytest.raises(TrainingAborted, match="gradients became infinite or not a number"):
        learned(models, broken)
    after = [*models.policy_weights, *models.value_weights]
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))


def test_scores_that_are_no_numbers_are_not_learned_from(models: Models) -> None:
    models.reward_head[:] = float("nan")
    with pytest.raises(TrainingAborted, match="reward model gave a score that is not a number"):
        experience(models)


def test_what_is_saved_is_loaded_and_peft_loads_the_policy(
    tiny_model: Path, reward: Path, models: Models, tmp_path: Path
) -> None:
    stir([*models.policy_weights, *models.value_weights])
    models.save(tmp_path, value=True)
    again = with_reward(causal(tiny_model), policy(), reward)
    again.load(tmp_path)
    batch = collate(PROMPTS, ANSWERS, 1, "cpu")
    with torch.no_grad():
        for one, other in (
            (models.policy(batch)[0], again.policy(batch)[0]),
            (models.values(batch), again.values(batch)),
        ):
            assert torch.equal(one, other)
        alone = PeftModel.from_pretrained(causal(tiny_model), str(tmp_path)).eval()
        ids = torch.tensor([PROMPTS[0] + ANSWERS[0]])
        expected = alone(ids).logits[0, 4:-1].log_softmax(-1)[range(3), ANSWERS[0]]
        torch.testing.assert_close(models.policy(batch)[0][0, :3], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("absent", "cannot read the adapter"),
        ("cut off", "cannot read the adapter"),
        ("no head", "holds no head that scores"),
        ("other size", "must have been trained on the same one"),
        ("other targets", "must have been trained on the same one"),
    ],
)
def test_a_reward_model_that_is_none_is_refused(
    tiny_model: Path, tmp_path: Path, spoil: str, told: str
) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path / "adapter"
    base = causal(tiny_model)
    if spoil == "no head":
        get_peft_model(causal(tiny_model), policy()).save_pretrained(folder)
    elif spoil != "absent":
        random_reward(tiny_model, folder)
        if spoil == "cut off":
            weights = folder / "adapter_model.safetensors"
            weights.write_bytes(weights.read_bytes()[:100])
        elif spoil == "other size":
            config = LlamaConfig.from_pretrained(tiny_model)
            config.intermediate_size = 96
            base = LlamaForCausalLM(config)
        else:
            shape = json.loads((folder / "adapter_config.json").read_text())
            shape["target_modules"] = ["q_proj"]
            (folder / "adapter_config.json").write_text(json.dumps(shape))
    with pytest.raises(UserError, match=told):
        with_reward(base, policy(), folder)


def test_batches_are_of_like_length_and_prompts_come_once_an_epoch() -> None:
    assert list(by_length([3, 9, 1, 7], 3)) == [[1, 3, 0], [2]]
    prompts = [[number] for number in range(5)]
    stream = PromptStream(prompts, seed=3)
    given = [stream.batch(step, 2) for step in range(5)]
    flat = [prompt[0] for batch in given for prompt in batch]
    assert sorted(flat[:5]) == sorted(flat[5:]) == list(range(5))
    assert flat[:5] != flat[5:]
    assert PromptStream(prompts, seed=3).batch(3, 2) == given[3]  # what a resumed run gets
    assert [PromptStream(prompts, seed=4).batch(step, 2) for step in range(5)] != given


def test_a_batch_is_padded_on_both_sides() -> None:
    batch = collate([[5, 6, 7], [8]], [[9], [10, 11]], 1, "cpu")
    assert batch.ids.tolist() == [[5, 6, 7, 9, 1], [1, 1, 8, 10, 11]]
    assert batch.attention.tolist() == [[1, 1, 1, 1, 0], [0, 0, 1, 1, 1]]
    assert batch.positions.tolist() == [[0, 1, 2, 3, 3], [0, 0, 0, 1, 2]]
    assert batch.answers.tolist() == [[9, 1], [10, 11]]
    assert batch.mask.tolist() == [[True, False], [True, True]]


def experience(models: Models) -> Experience:
    return judge(models, PROMPTS, ANSWERS, TURNS, PPOConfig(), kl_weight=0.1, micro_batch=1)[0]


def learned(models: Models, given: Experience) -> dict[str, float]:
    optimizer = torch.optim.AdamW([*models.policy_weights, *models.value_weights], lr=0.01)
    return learn(
        models,
        optimizer,
        given,
        PPOConfig(),
        pad=1,
        minibatch=3,
        micro_batch=2,
        max_grad_norm=1.0,
        orders=[[0, 1, 2], [2, 1, 0]],
    )
