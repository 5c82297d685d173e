"""The datasets to offer (the shipped samples, and those that were used lately), and the one that is used."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui import paths
from tuner_tui.tui.widgets.file_picker import Suggestion

if TYPE_CHECKING:
    from tuner_tui.data.inspection import Inspection
    from tuner_tui.training.config import TrainConfig
    from tuner_tui.tui.journey import Journey

_KEPT = 8
_SAMPLES = {
    "train.jsonl": "the demo's training set: something of each",
    "function_calls.jsonl": "one request, one call or several at once",
    "multi_step.jsonl": "plan, call, result, next call, answer",
    "error_recovery.jsonl": "a call that fails, and its repair",
    "negatives.jsonl": "requests that no tool serves: answer in words",
    "preferences.jsonl": "pairs of a better and a worse answer, for DPO",
    "heldout.jsonl": "for the evaluation; never train on it",
    "broken.jsonl": "faults on purpose: see how they are found",
}


def data_suffixes() -> tuple[str, ...]:
    """The endings of files that can be read as datasets; what a file is, its content tells."""
    plain = (".jsonl", ".json", ".ndjson", ".csv", ".tsv", ".parquet", ".arrow", ".txt", ".md")
    return (*plain, ".gz", ".zst")


def suggestions() -> list[Suggestion]:
    """Used lately first, then the samples; only what exists."""
    lately = [Suggestion(path, str(path.parent)) for path in recent_datasets()]
    folder = paths.sample_data()
    samples = [Suggestion(folder / name, note) for name, note in _SAMPLES.items()]
    return [each for each in (*lately, *samples) if each.path.exists()]


def recent_datasets() -> list[Path]:
    """The datasets that were used lately, the newest first; a file that cannot be read counts as empty."""
    try:
        names = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [Path(name) for name in names if isinstance(name, str)] if isinstance(names, list) else []


def remember_dataset(path: Path) -> None:
    """Put `path` first; the samples are offered anyway. A folder that is not writable loses the list only."""
    path = path.absolute()
    if path.parent == paths.sample_data().absolute():
        return
    names = [str(path), *(str(each) for each in recent_datasets() if each != path)][:_KEPT]
    beside = _file().with_suffix(".new")
    try:
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(names, indent=2), encoding="utf-8")
        beside.replace(_file())
    except OSError:
        return


def use_dataset(
    journey: "Journey", dataset: Path, inspection: "Inspection | None" = None, eval: Path | None = None
) -> None:
    """Train on `dataset`, and evaluate on `eval` if it is given; both are noted in the configuration."""
    journey.dataset, journey.inspection = dataset, inspection
    config = journey.config
    if config is None and eval is not None:
        from tuner_tui.training.presets import load_preset

        recommendation = journey.recommendation
        config = load_preset(recommendation.preset if recommendation and recommendation.preset else "demo")
    if config is not None and (eval is not None or config.data.train != [dataset]):
        journey.config = with_dataset(config, dataset, eval)
    remember_dataset(dataset)


def with_dataset(config: "TrainConfig", dataset: Path, eval: Path | None = None) -> "TrainConfig":
    """`config` trained on `dataset`, and evaluated on `eval` if it is given.

    The shipped held-out items go with the shipped samples only: they say nothing about other tools.
    """
    samples = paths.sample_data().absolute()
    files = {"train": [dataset]} if eval is None else {"train": [dataset], "eval": eval}
    data = config.data.model_copy(update=files)
    evaluation = config.evaluation
    heldout = evaluation.heldout
    if heldout is not None and heldout.parent == samples and dataset.absolute().parent != samples:
        evaluation = evaluation.model_copy(update={"heldout": None})
    return config.model_copy(update={"data": data, "evaluation": evaluation})


def _file() -> Path:
    return paths.config_dir() / "recent_datasets.json"
