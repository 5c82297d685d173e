"""PPO against a reward model: how far the mean reward of answers to held-out prompts rises, and at what KL.

The three steps of RLHF, small: a model that has seen 80 right answers and mostly fails, a judge learned from
the sample pairs, and PPO on short requests of the sample's training rows, a fifth of which is held out.
"""

from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.learning.answers import outcomes, rate
from benchmarks.learning.runs import last, run
from tuner_tui import paths
from tuner_tui.data.dataset import load_dataset
from tuner_tui.data.examples import Example, gold_calls
from tuner_tui.data.parts.set_aside import set_aside
from tuner_tui.embedded.forms import to_json
from tuner_tui.runs.reader import read_metrics
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.presets import load_preset

PROMPTS = 150
"""Requests, the shortest: on a CPU the prompts are most of the work."""
HELD_OUT = 0.2


def measure(seed: int) -> dict[str, Any]:
    """Mean rewards before and after, the judge's mean for the right answers, and what is right at all.

    All seeds have one beginning and one judge; the seed is that of PPO, and of which requests are held out.
    """
    config = load_preset("ppo")
    config.name, config.seed, config.quantization.bits = f"ppo-{seed}", seed, None
    config.model.dtype = "float32"  # on a GPU as on a CPU
    config.model.adapter, config.ppo.reward_model = begun(), str(judge() / "adapter")
    config.data.train, config.data.eval_fraction = [request_file()], HELD_OUT
    config.logging.eval_every = 0
    run_dir = run(config)

    before = next(record["eval_reward"] for record in read_metrics(run_dir) if "eval_reward" in record)
    after = last(run_dir, "eval_reward")
    examples = load_dataset(request_file()).examples
    _, held_out = set_aside(examples, by=config.data.split_by, share=HELD_OUT, seed=seed)
    right = mean_score_of_right_answers(config, held_out)
    gain = (after - before) / (right - before)
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
    """The adapter of a model that has seen 80 right answers: it calls sometimes, and often wrongly."""
    config = load_preset("demo")
    config.name, config.quantization.bits, config.model.dtype = "begun", None, "float32"
    config.data.eval_fraction = 0
    config.optimization.max_steps, config.logging.eval_every = 5, 0
    return str(run(config) / "adapter")


@cache
def judge() -> Path:
    """The run of a reward model, upon the same base."""
    config = load_preset("reward")
    config.name, config.quantization.bits, config.model.dtype = "judge", None, "float32"
    config.model.adapter, config.logging.eval_every = begun(), 0
    return run(config)


def mean_score_of_right_answers(config: TrainConfig, held_out: list[Example]) -> float:
    """What the judge of a PPO run gives to the right held-out answers: there the range ends."""
    from tuner_tui.recipes import model as models
    from tuner_tui.recipes.base import base_for
    from tuner_tui.recipes.ppo_models import with_reward
    from tuner_tui.recipes.ppo_steps import Turns, score
    from tuner_tui.recipes.rows import Renderer

    tokenizer = models.load_tokenizer("embedded")
    renderer = Renderer(tokenizer, models.stop_tokens("embedded"))
    base = base_for(config, models.compute_dtype("float32"))
    scorer = with_reward(base, models.lora(config), Path(str(config.ppo.reward_model)))
    after = renderer.after_end()
    prompts = [renderer.prompt(example) for example in held_out]
    whole = [row["input_ids"] for row in renderer.rows(held_out, 4096).rows]
    answers = [ids[len(prompt) : -len(after)] for prompt, ids in zip(prompts, whole, strict=True)]
    turns = Turns(sorted(renderer.ends), after, tokenizer.pad_token_id)
    assert all(turns.ended(answer) for answer in answers)
    return float(score(scorer, prompts, answers, turns, 16).mean())


@cache
def request_file() -> Path:
    """The shortest requests of the sample's training rows that a call answers."""
    from tuner_tui.recipes import model as models
    from tuner_tui.recipes.rows import Renderer

    renderer = Renderer(models.load_tokenizer("embedded"))
    examples = load_dataset(paths.sample_data() / "train.jsonl").examples
    calls = [each for each in examples if len(each["messages"]) == 2 and gold_calls(each)]
    path = paths.home() / "requests.jsonl"
    shortest = sorted(calls, key=lambda each: len(renderer.prompt(each)))[:PROMPTS]
    path.write_text("".join(to_json(each) + "\n" for each in shortest), encoding="utf-8")
    return path
