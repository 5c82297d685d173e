"""PPO against a reward model, the third step of RLHF: `python -m tuner_tui.recipes.ppo RUN_DIR`.

TRL has no PPO any more, so the loop is here. Read it from top to bottom: prompts, models, then in each step:
sample answers, judge them, learn from them. A step is one batch of rollouts, and all that is learned from it.

- `ppo_math`: the formulas, each with its source.
- `ppo_models`: policy, reference, value and reward over one base model.
- `ppo_steps`: sampling, judging and learning.
"""

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner_tui.errors import UserError
from tuner_tui.recipes import checkpoints
from tuner_tui.recipes.examples import read_examples
from tuner_tui.recipes.faults import Stopped
from tuner_tui.recipes.session import Session
from tuner_tui.recipes.start import start
from tuner_tui.runs import control, layout
from tuner_tui.runs.layout import RunState
from tuner_tui.training.config import TrainConfig

if TYPE_CHECKING:
    from tuner_tui.data.examples import Example
    from tuner_tui.recipes.ppo_batches import Tokens
    from tuner_tui.recipes.rows import Renderer

_EVALUATION_SEED = 20_260_101  # of the answers to held-out prompts, the same at each evaluation


def train(session: Session) -> RunState:
    """From `config.yaml` to `adapter/`, resuming from the newest checkpoint if there is one."""
    run, run_dir = session.run, session.run.run_dir
    config = session.config()
    ppo, wanted, logging = config.ppo, config.optimization, config.logging
    checkpoint = checkpoints.resume(run)

    # 1. The data. Of each conversation only what comes before the assistant's last turn is used.
    session.phase("reading the data")
    train_examples, eval_examples = read_examples(session, config, lambda example: None)

    session.phase("loading the libraries")
    import torch
    from accelerate import Accelerator

    from tuner_tui.recipes import device
    from tuner_tui.recipes import model as models
    from tuner_tui.recipes.base import base_for
    from tuner_tui.recipes.callback import memory
    from tuner_tui.recipes.ppo_batches import PromptStream
    from tuner_tui.recipes.ppo_math import KLController, rate_factor
    from tuner_tui.recipes.ppo_models import with_reward
    from tuner_tui.recipes.ppo_state import load_state, make_optimizer, save_state, write_adapter
    from tuner_tui.recipes.ppo_steps import Turns, judge, learn, sample, score
    from tuner_tui.recipes.rows import Renderer

    session.phase("preparing the prompts")
    tokenizer = models.load_tokenizer(config.model.name)
    renderer = Renderer(tokenizer, models.stop_tokens(config.model.name))
    if lost := renderer.require([*train_examples, *eval_examples]):
        run.event("warning", f"the chat template of {config.model.name} {lost}: that is not learned.")
    prompts = _prompts(session, renderer, config, train_examples, "training")
    held_out = _prompts(session, renderer, config, eval_examples, "evaluation")
    pad = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    turns = Turns(sorted(renderer.ends), renderer.after_end(), pad)

    # 2. One base model with three adapters: policy, value, reward. The base alone is the reference.
    session.phase("loading the models")
    dtype = models.compute_dtype(config.model.dtype)
    cuda = torch.cuda.is_available()
    accelerator = Accelerator(cpu=not cuda, mixed_precision="bf16" if dtype is torch.bfloat16 else "no")
    torch.manual_seed(config.seed)  # the adapters begin alike in each run of a seed
    base = base_for(config, dtype)
    if config.quantization.bits and not cuda:
        # On a CPU every pass would unpack all weights again: do it once. The values are the same to the bit.
        base = base.dequantize(dtype=dtype)
    if checkpointing := wanted.gradient_checkpointing != "none":
        # All of a layer, also where "selective" was asked for: that is TRL's own, in its trainers.
        base.gradient_checkpointing_enable({"use_reentrant": False})
    assert ppo.reward_model is not None  # the configuration sees to it
    actors = with_reward(
        base,
        models.lora(config),
        Path(ppo.reward_model),
        temperature=ppo.temperature,
        autocast=accelerator.autocast,
    )

    # 3. How to train. Policy and value have weights of their own, and may learn at different rates.
    groups: list[dict[str, Any]] = [
        {"params": actors.policy_weights},
        {"params": actors.value_weights, "lr": ppo.value_learning_rate or wanted.learning_rate},
    ]
    optimizer = make_optimizer(
        wanted.optimizer, groups, learning_rate=wanted.learning_rate, weight_decay=wanted.weight_decay
    )
    total = wanted.max_steps or math.ceil(wanted.epochs * len(prompts) / ppo.rollouts)
    warmup = math.ceil(wanted.warmup_ratio * total)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda done: rate_factor(done, total, warmup, wanted.schedule)
    )
    controller = KLController(ppo.kl_weight, ppo.kl_control == "adaptive", ppo.kl_target, ppo.kl_horizon)
    stream = PromptStream(prompts, config.seed)
    step, tokens = load_state(checkpoint, actors, optimizer, schedule, controller)
    weights = sum(p.numel() for p in [*actors.policy_weights, *actors.value_weights])
    run.event(
        "started",
        f"training {weights:,} weights on {models.device_name()}.",
        device=models.device_name(),
        dtype=str(dtype).removeprefix("torch."),
        trained_parameters=weights,
        attention=base.config._attn_implementation,
    )
    device.tell(session)

    def stopping() -> bool:
        return session.stop_requested

    def evaluate() -> None:
        """The mean score of sampled answers to the held-out prompts."""
        if not held_out:
            return
        run.update(phase="evaluating")
        with torch.random.fork_rng():
            torch.manual_seed(_EVALUATION_SEED + config.seed)
            answers = sample(actors, held_out, turns, ppo, stopping)
        scores = score(actors, held_out, answers, turns, wanted.micro_batch)
        ended = sum(map(turns.ended, answers)) / len(answers)
        run.metrics(step, {"eval_reward": float(scores.mean()), "eval_eos_rate": ended})

    def save() -> None:
        run.update(phase="writing a checkpoint")
        with checkpoints.published(run_dir / layout.CHECKPOINTS / f"step-{step}") as staging:
            save_state(staging, actors, optimizer, schedule, controller, step=step, tokens=tokens)
        checkpoints.prune(run_dir, logging.keep_checkpoints)
        control.clear_save(run_dir)
        run.event("checkpoint", f"wrote the checkpoint of step {step}.", path=f"step-{step}")

    # 4. Train.
    run.update(state=RunState.RUNNING, phase="training", step=step, total=total)
    saved = step
    try:
        if step == 0:
            evaluate()  # what the policy reaches before it has learned anything
        while step < total and not stopping():
            began = time.perf_counter()
            # All that is random in a step depends on the seed and the step, so a resumed run goes on alike.
            torch.manual_seed(config.seed * 1_000_003 + step)
            run.update(phase="sampling answers")
            asked = stream.batch(step, ppo.rollouts)
            answers = sample(actors, asked, turns, ppo, stopping)

            run.update(phase="judging the answers")
            experience, metrics = judge(
                actors,
                asked,
                answers,
                turns,
                ppo,
                kl_weight=controller.weight,
                micro_batch=wanted.micro_batch,
            )

            run.update(phase="learning")
            rate, price = float(schedule.get_last_lr()[0]), controller.weight
            with actors.learning(checkpointing=checkpointing):
                metrics |= learn(
                    actors,
                    optimizer,
                    experience,
                    ppo,
                    pad=turns.pad,
                    minibatch=wanted.effective_batch,
                    micro_batch=wanted.micro_batch,
                    max_grad_norm=wanted.max_grad_norm,
                    orders=[torch.randperm(ppo.rollouts).tolist() for _ in range(ppo.epochs)],
                )
            schedule.step()
            controller.update(metrics["kl"], ppo.rollouts)

            step += 1
            tokens += (made := sum(experience.lengths()))
            run.update(step=step, epoch=step * ppo.rollouts / len(prompts))
            if step % logging.log_every == 0 or step in (1, total):
                metrics |= {
                    "loss": metrics["policy_loss"] + metrics["value_loss"],
                    "kl_weight": price,
                    "learning_rate": rate,
                    "num_tokens": tokens,
                    "tokens_per_second": made / (time.perf_counter() - began),
                }
                run.metrics(step, {**metrics, **memory()})
            if step == total or (logging.eval_every and step % logging.eval_every == 0):
                evaluate()
            if step % logging.save_every == 0 or step == total or control.save_requested(run_dir):
                save()
                saved = step
    except Stopped:
        pass  # sampling was given up for it: nothing was learned since the last step
    if stopping():
        run.update(state=RunState.STOPPING)
        if step > saved:
            save()

    # 5. The result: the policy.
    run.update(phase="writing the adapter")
    write_adapter(run_dir, actors)
    return RunState.FINISHED if step >= total else RunState.STOPPED


def _prompts(
    session: Session, renderer: "Renderer", config: TrainConfig, examples: "list[Example]", use: str
) -> "list[Tokens]":
    """Token ids of the prompts; those too long to be answered are left out, and told."""
    room = config.data.max_length - config.ppo.max_new_tokens
    made = [renderer.prompt(example) for example in examples]
    prompts = [prompt for prompt in made if len(prompt) <= room]
    if made and not prompts:
        raise UserError(
            f"none of the {len(made)} {use} prompts leaves room for an answer of {config.ppo.max_new_tokens} "
            f"tokens within {config.data.max_length}; raise data.max_length."
        )
    if left_out := len(made) - len(prompts):
        session.run.event(
            "cut",
            f"left {left_out} of {len(made)} {use} prompts out: they leave no room for an answer of "
            f"{config.ppo.max_new_tokens} tokens within {config.data.max_length}.",
            rows=left_out,
            left_out=left_out,
        )
    session.run.event(
        "data",
        f"{len(prompts)} {use} prompts, {sum(map(len, prompts)):,} tokens.",
        use=use,
        examples=len(examples),
        rows=len(prompts),
        tokens=sum(map(len, prompts)),
    )
    return prompts


if __name__ == "__main__":
    start(train)
