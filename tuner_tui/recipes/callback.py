"""Trainer events -> the run directory, and the requests of watchers -> the trainer."""

import resource
import sys
import time
from collections.abc import Mapping
from typing import Any

import torch
from transformers import TrainerCallback

from tuner_tui.recipes import ranks
from tuner_tui.recipes.faults import EvaluationCut, TrainingAborted
from tuner_tui.recipes.session import Session
from tuner_tui.runs import control as requests
from tuner_tui.runs.layout import RunState

_NAMES = {"num_input_tokens_seen": "num_tokens"}
_LEFT_OUT = ("train_", "total_flos", "num_tokens", "eval_num_", "eval_samples", "eval_steps_")


class CorridorCallback(TrainerCallback):  # type: ignore[misc]
    """Writes status, metrics and events; obeys `control/stop`, `control/save` and SIGTERM.

    `num_tokens` is the Trainer's own count of the tokens seen, which survives a resume (TRL's starts anew);
    `tokens_per_second` counts the time of steps alone, not that of evaluations and checkpoints.
    """

    def __init__(self, session: Session, *, evaluates: bool) -> None:
        self._session = session
        self._run = session.run
        self._evaluates = evaluates
        self._step_started = 0.0
        self._step_seconds = 0.0
        self._tokens_before = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._tokens_before = state.num_input_tokens_seen
        self._run.update(
            state=RunState.RUNNING, phase="training", step=state.global_step, total=state.max_steps
        )

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._step_started = time.perf_counter()

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        gradients = [p.grad for p in kwargs["model"].parameters() if p.grad is not None]
        norms = torch._foreach_norm(gradients)
        finite = torch.stack([norm.float() for norm in norms]).isfinite().all().item()
        # Each process has a part of the gradients where they are divided; elsewhere all have the same.
        if ranks.agree([not finite])[0]:
            # Before the step: the weights are still clean, and so is the last checkpoint.
            raise TrainingAborted(
                f"the gradients became infinite or not a number at step {state.global_step + 1}, and the run "
                "was ended before they could spoil the adapter; lower the learning rate, or lengthen the "
                "warm-up, and resume or start anew."
            )

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._step_seconds += time.perf_counter() - self._step_started
        self._run.update(step=state.global_step, epoch=state.epoch)
        if state.global_step >= state.max_steps and self._evaluates:
            control.should_evaluate = True
        save, stop = ranks.agree([requests.save_requested(self._run.run_dir), self._session.stop_requested])
        if save:
            control.should_save = True
        if stop:
            self._stop(control)

    def on_prediction_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self._run.status.phase != "evaluating":
            self._run.update(phase="evaluating")
        if ranks.agree([self._session.stop_requested])[0]:
            self._stop(control)
            raise EvaluationCut

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._run.update(phase="training")

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if ranks.is_main():
            requests.clear_save(self._run.run_dir)
        self._run.update(phase="training")

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        logs: Mapping[str, Any] = kwargs["logs"]
        if "train_loss" in logs:  # the summary at the end, no point of any curve
            return
        values = {
            _NAMES.get(name, name): value
            for name, value in logs.items()
            if value is not None and not name.startswith(_LEFT_OUT)  # None: a reward that no row asked for
        }
        if "loss" in logs:
            if state.num_input_tokens_seen:
                values["num_tokens"] = state.num_input_tokens_seen
            values.update(self._speed(state.num_input_tokens_seen), **memory())
        self._run.metrics(state.global_step, values)

    def _speed(self, tokens: int) -> dict[str, float]:
        seconds, self._step_seconds = self._step_seconds, 0.0
        made, self._tokens_before = tokens - self._tokens_before, tokens
        return {"tokens_per_second": made / seconds} if seconds else {}

    def _stop(self, control: Any) -> None:
        control.should_evaluate = False
        control.should_save = True
        control.should_log = True
        control.should_training_stop = True
        self._run.update(state=RunState.STOPPING, phase="writing a checkpoint")


def memory() -> dict[str, int]:
    """Bytes: on a GPU the peaks of PyTorch's allocator, on a CPU the peak of resident memory."""
    if torch.cuda.is_available():
        return {
            "memory_allocated": torch.cuda.max_memory_allocated(),
            "memory_reserved": torch.cuda.max_memory_reserved(),
        }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"memory_allocated": peak * (1 if sys.platform == "darwin" else 1024)}
