"""PPO against a reward model: how far the mean reward of answers to held-out prompts rises, and at what KL.

The three steps of RLHF, small: a model that has seen a few right answers, a judge learned from the sample
pairs, and PPO. No prompt that is measured on names a tool that any of the three has seen.
"""

from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.learning.answers import held_out_pairs, outcomes, rate
from benchmarks.learning.runs import last, run
from tuner_tui import paths
from tuner_tui.data.dataset import load_dataset
from tuner_tui.data.examples import Example
from tuner_tui.embedded.forms import to_json
from tuner_tui.runs.reader import read_metrics
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.presets import load_preset

PROMPTS = 64
"""Held-out prompts."""
SHORT = 160
"""Training prompts of at most so many tokens: on a CPU the prompts are most of the work."""


def measure(seed: int) -> dict[str, Any]:
    """Mean rewards before and after, the judge's mean for the right answers, and what is right at all.

    All seeds have one beginning and one judge; the seed is that of PPO.
    """
    config = load_preset("ppo")
    config.name, config.seed, config.quantization.bits = f"ppo-{seed}", seed, None
    config.model.adapter, config.ppo.reward_model = begun(), str(judge() / "adapter")
    config.data.train, config.data.eval = [prompt_file()], held_out_file()
    config.logging.eval_every = 0
    run_dir = run(config)

    before = next(record["eval_reward"] for record in read_metrics(run_dir) if "eval_reward" in record)
    after = last(run_dir, "eval_reward")
    right = mean_score_of_right_answers(config)
    gain = (after - before) / (right - before)
    held_out = held_out_pairs(PROMPTS)
    return {
        "judge_accuracy": last(judge(), "eval_accuracy"),
        "before": before,
        "after": after,
        "right_answers": right,
        "gain": gain,
        "kl": last(run_dir, "kl"),
        "right_before": rate(outcomes(Path(begun()), held_out), "right"),
        "right_after": rate(outcomes(run_dir / "adapter", held_out, before=begun()), "right"),
        "holds": gain >= 0.5,
    }


@cache
def begun() -> str:
    """The adapter of a model that has seen some 100 right answers: it calls sometimes, and often wrongly."""
    config = load_preset("demo")
    config.name, config.quantization.bits = "begun", None
    config.optimization.max_steps, config.logging.eval_every = 6, 0
    return str(run(config) / "adapter")


@cache
def judge() -> Path:
    """The run of a reward model, upon the same base."""
    config = load_preset("reward")
    config.name, config.quantization.bits = "judge", None
    config.model.adapter, config.logging.eval_every = begun(), 0
    return run(config)


def mean_score_of_right_answers(config: TrainConfig) -> float:
    """What the judge of a PPO run gives to the right held-out answers: there the range ends."""
    from tuner_tui.recipes import model as models
    from tuner_tui.recipes.ppo_models import with_reward
    from tuner_tui.recipes.ppo_steps import Turns, score
    from tuner_tui.recipes.rows import Renderer

    tokenizer = models.load_tokenizer("embedded")
    renderer = Renderer(tokenizer, models.stop_tokens("embedded"))
    base = models.base_for(config, models.compute_dtype("float32"))
    scorer = with_reward(base, models.lora(config), Path(str(config.ppo.reward_model)))
    prompts, answers = [], []
    for example in held_out_pairs(PROMPTS):
        prompt = renderer.prompt(example)
        whole = renderer.rows([{**example, "messages": example["prompt"] + example["chosen"]}], 4096).rows[0]
        answer = whole["input_ids"][len(prompt) :]
        prompts.append(prompt)
        answers.append(answer[: len(answer) - len(renderer.after_end())])
    turns = Turns(sorted(renderer.ends), renderer.after_end(), tokenizer.pad_token_id)
    assert all(turns.ended(answer) for answer in answers)
    return float(score(scorer, prompts, answers, turns, 16).mean())


def prompt_file() -> Path:
    """The short prompts of the sample's training rows: some with calls, some that no tool serves."""
    from tuner_tui.recipes import model as models
    from tuner_tui.recipes.rows import Renderer

    renderer = Renderer(models.load_tokenizer("embedded"))
    examples = load_dataset(paths.sample_data() / "train.jsonl").examples
    return _write("prompts.jsonl", [each for each in examples if len(renderer.prompt(each)) <= SHORT])


def held_out_file() -> Path:
    """Prompts that name other tools."""
    return _write("held_out_prompts.jsonl", held_out_pairs(PROMPTS))


def _write(name: str, examples: list[Example]) -> Path:
    path = paths.home() / name
    path.write_text("".join(to_json(each) + "\n" for each in examples), encoding="utf-8")
    return path
