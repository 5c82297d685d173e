"""The runs that a setting can name: what the Configure screen offers where a run's id is wanted."""

from pathlib import Path
from typing import Final

from tuner_tui import paths
from tuner_tui.errors import UserError
from tuner_tui.runs.layout import ADAPTER, CONFIG
from tuner_tui.runs.reader import RunReader
from tuner_tui.runs.store import RunSummary, list_runs
from tuner_tui.training.bases import WEIGHTS, adapter_folder, base_model, merged_folder
from tuner_tui.training.config import load_config
from tuner_tui.tui import words
from tuner_tui.tui.widgets import axes
from tuner_tui.tui.widgets.dialogs import Entry

NOTHING, TYPED, NONE_FITS = "-nothing", "-typed", "-none"
"""Ids of the entries that are no run; no run's id begins with a hyphen."""

RUN_FIELDS: Final = {
    "model.adapter": "Begin with the adapter of which run?",
    "ppo.reward_model": "Reward by which reward model?",
}
"""Settings that name a run, and what is asked where one is chosen."""


def run_entries(field: str, model: str, adapter: str = "") -> list[Entry]:
    """The runs that fit into a field of `RUN_FIELDS`, newest first; then what else can be done.

    Args:
        field: its path.
        model: the base model of the configuration, as it is typed.
        adapter: the adapter that the configuration begins with, as it is typed; "" for none.
    """
    wants_reward = field == "ppo.reward_model"
    # A reward model judges answers of the base that the run begins with; an adapter goes into the bare one.
    base = _base(model, adapter if wants_reward else "")
    runs = [run for run in list_runs() if (_method(run.path) == "reward") == wants_reward]
    entries = [Entry(run.id, run.id, _note(run)) for run in runs if _trained_on(run.path) == base]
    if not entries:
        what = "of the method reward " if wants_reward else ""
        entries = [Entry(NONE_FITS, "No run fits", f"None {what}has an adapter that was trained on {model}.")]
    if not wants_reward:
        entries.append(Entry(NOTHING, "None", "Begin with the base model itself."))
    return [*entries, Entry(TYPED, "Type it", "The id of a run, or the folder of a run or of an adapter.")]


def _base(model: str, adapter: str) -> str:
    """What an adapter that fits was trained on."""
    name = paths.resolve_model(model)
    if not adapter:
        return name
    try:
        return str(merged_folder(name, adapter_folder(adapter, "model.adapter")))
    except UserError:
        return ""


def _trained_on(run_dir: Path) -> str | None:
    """The base of the run's adapter; None when it has none (yet)."""
    if not (run_dir / ADAPTER / WEIGHTS).is_file():
        return None
    try:
        return base_model(load_config(run_dir / CONFIG))
    except UserError:
        return None


def _method(run_dir: Path) -> str:
    return RunReader(run_dir).method() if (run_dir / CONFIG).is_file() else ""


def _note(run: RunSummary) -> str:
    loss = f", loss {axes.number(run.last_loss)}" if run.last_loss is not None else ""
    return f"{_method(run.path)}, {run.status.step:,} steps{loss}, {words.age(run.created)}"
