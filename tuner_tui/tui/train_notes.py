"""The sentences and figures of the Train screen: pure functions from what a run's files say."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tuner_tui.runs.layout import RunState, Status
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from tuner_tui.training.config import TrainConfig

RESUMABLE = (RunState.STOPPED, RunState.FAILED, RunState.LOST)
"""States from which a run can go on from its last checkpoint."""

STOP = (
    "The trainer finishes its step, writes a checkpoint and ends. Nothing is lost: u resumes the run from"
    " that checkpoint, now or in a week."
)

HELP = """\
## Train

The run is a process of its own. Close this window, lose the connection: it goes on, and `tuner watch last`
brings it back.

**The loss** of sft says how surprised the model is by the right answer: it should fall fast, then slowly. The
bright line is smoothed, the dim band behind it is what was measured, ◆ is the loss on examples that are kept
apart.

- Train falls and eval rises: the model learns by heart. Fewer epochs, or more data.
- Neither falls: the learning rate is too low, or few tokens are trained (look at the loss mask in Data).
- It jumps, or ✗ shows a value that is not finite: the learning rate is too high.

**Other methods** have other curves: **[ ]** goes through them, **v** lists all metrics with their last values
and what each means.

- dpo, kto, reward: the accuracy on held-out pairs should rise above one half, and the margin grow.
- ppo, grpo, rloo: the reward should rise and the KL stay small. When the reward rises and the KL runs away,
  the model has found answers that please the reward alone: raise the KL weight, or lower the learning rate.

**Time left** is a range, from how long the last steps took.
"""


def notice(status: Status | None, config: "TrainConfig | None", method: str = "sft") -> str:
    """The sentence under the head: why it stands as it stands, and which key goes on. Empty while all is
    well.
    """
    if status is None:
        if config is None:
            return "Nothing is configured yet. Enter goes to Configure: begin with a preset. r lists runs."
        return f"{_summary(config)}\nEnter or s starts it. It goes on when this window is closed."
    again = "u resumes it from its last checkpoint."
    reason = visible(status.reason or "", one_line=True)
    match status.state:
        case RunState.FINISHED if method == "reward":
            return "The reward model is saved: ppo can learn from it. Enter shows how well it judges."
        case RunState.FINISHED:
            return "The adapter is saved. Enter measures what it has learned, on examples it has not seen."
        case RunState.STOPPED:
            return f"{reason[:1].upper()}{reason[1:] or 'Stopped.'} {again}"
        case RunState.FAILED:
            return f"Failed: {reason or 'the log says why.'} When that is mended, {again}"
        case RunState.LOST:
            return f"Lost: {reason} What it had written is safe; {again}"
        case RunState.STOPPING:
            return "Stopping: the step is finished and a checkpoint is written."
        case _:
            return ""


def points(records: Iterable[Mapping[str, Any]], name: str) -> tuple[list[float], list[float | None]]:
    """Steps and values of one metric; None where it was logged but not finite."""
    there = [record for record in records if name in record and "step" in record]
    return [record["step"] for record in there], [record[name] for record in there]


def broken(record: Mapping[str, Any]) -> str:
    """A value that is not finite, announced."""
    names: Sequence[str] = [str(name) for name in record.get("nonfinite", [])]
    said = f"{', '.join(names)} was not a finite number at step {record.get('step', '?')}"
    if not {"loss", "grad_norm"} & set(names):
        return f"{said}; v shows the other metrics."
    return f"{said}: the run is diverging. A lower learning rate is the usual cure; s stops the run."


def event_line(event: Mapping[str, Any]) -> str:
    """An event as a line: time, step, sentence."""
    moment = event.get("time")
    clock = (
        time.strftime("%H:%M:%S", time.localtime(moment)) if isinstance(moment, float | int) else "--:--:--"
    )
    return f"{clock}  step {event.get('step', 0):>5}  {event.get('message') or event.get('code') or ''}"


def _summary(config: "TrainConfig") -> str:
    """The configuration in a few lines: what will run when it is started."""
    lora, optimization = config.lora, config.optimization
    files = ", ".join(path.name for path in config.data.train) or "no file yet"
    kept = config.data.eval.name if config.data.eval else f"{config.data.eval_fraction:.0%} of them"
    length = (
        f"{optimization.max_steps:,} steps" if optimization.max_steps else f"{optimization.epochs:g} epochs"
    )
    facts = {
        "method": config.method,
        "model": f"{config.model.name}, "
        + (f"NF4 with {config.quantization.bits} bits" if config.quantization.bits else "not quantized")
        + (", on top of an earlier adapter" if config.model.adapter else ""),
        "adapter": f"LoRA, rank {lora.r}, alpha {lora.alpha:g}" if lora.enabled else "none: every weight",
        "examples": f"{files}; held out: {kept}",
        "length": f"{length}, effective batch {optimization.effective_batch},"
        f" learning rate {optimization.learning_rate:g}",
    }
    return visible("".join(f"{name:<10}{fact}\n" for name, fact in facts.items()))
