"""What the Configure screen says about itself, and which settings a first run needs to look at."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.errors import UserError
from tuner_tui.tui.widgets.dialogs import Entry

if TYPE_CHECKING:
    from tuner_tui.training.config import Method

HELP = """\
# Configure

Every setting of the training run, one a line. The setting under the cursor is explained: what it does, and
what happens when it is too low or too high. **Enter** changes a value, **Space** goes through choices, and
lists the runs that fit where a run can be named: an adapter to begin with, a reward model. **Backspace** puts
back what the preset had; changed settings are marked ●. A wrong value is told beneath its line as you type.

Begin with a **preset** (`p`): it fits a method, a goal and a class of hardware.

The **method** decides which settings there are: only those that mean something to it are shown, and what you
typed for another method is kept. Under the data files stands whether they hold what the method learns from.

Below the line *Advanced* are the settings that rarely matter, and where the run computes: several GPUs, or
machines of a Slurm cluster.

**f** fits the run to a card: it chooses micro-batch, checkpointing and bits for the highest speed that leaves
a margin, says why, and changes them when you agree. What is learned stays the same.

The **estimate** is computed from the model's configuration alone, before anything is loaded.

**YAML** is the whole configuration as a file. **Ctrl+S** saves it; `tuner train FILE` runs exactly the same.
**c** copies the command that a run is started with (`torchrun`, where it has several processes).
"""

# What a first run needs to look at; everything else is folded under "Advanced". A section that belongs to
# one method is shown with that method alone.
BASIC = frozenset(
    {
        "name",
        "method",
        "model.name",
        "model.adapter",
        "quantization.bits",
        "lora.r",
        "data.train",
        "data.eval",
        "data.max_length",
        "preference.loss",
        "preference.beta",
        "preference.desirable_weight",
        "preference.undesirable_weight",
        "reward.center",
        "ppo.reward_model",
        "ppo.rollouts",
        "ppo.kl_weight",
        "ppo.max_new_tokens",
        "grpo.generations",
        "grpo.beta",
        "grpo.rewards",
        "grpo.max_new_tokens",
        "optimization.learning_rate",
        "optimization.micro_batch",
        "optimization.effective_batch",
        "optimization.epochs",
        "optimization.max_steps",
        "evaluation.heldout",
    }
)


def preset_entries() -> list[Entry]:
    """All presets, in groups by their method."""
    from tuner_tui.training.method_notes import NOTES
    from tuner_tui.training.presets import preset_summary, presets_by_method

    return [
        Entry(name, name, preset_summary(name), f"{method}: {NOTES[method].title}")
        for method, names in presets_by_method().items()
        for name in names
    ]


def data_notes(method: "Method", files: Mapping[str, Sequence[Path]]) -> dict[str, tuple[str, str]]:
    """For each field with files: a sentence on whether the method learns from such rows, and its colour."""
    return {field: _data_note(method, paths) for field, paths in files.items() if paths}


def _data_note(method: "Method", paths: Sequence[Path]) -> tuple[str, str]:
    """About the worst of the files."""
    from tuner_tui.training.data_fit import data_fit

    try:
        fits = [(path, data_fit(path, method)) for path in paths]
    except (UserError, OSError) as error:
        return f"✗ {error}", "$bad"
    path, worst = min(fits, key=lambda each: each[1].usable / max(each[1].rows, 1))
    name = f"{path.name}: " if len(fits) > 1 else ""
    if worst.refused:
        return f"✗ {name}{worst.sentence}", "$bad"
    if worst.usable < worst.rows:
        return f"▲ {name}{worst.sentence}", "$warning"
    return f"✓ {name}{worst.sentence}", "$quiet"
