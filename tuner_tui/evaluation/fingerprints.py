"""What tells one measurement from another: everything that changes what is answered, or how it is judged."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import orjson

from tuner_tui import paths
from tuner_tui.data.answers.scoring import SCORING_VERSION
from tuner_tui.errors import UserError
from tuner_tui.evaluation.arms import PROMPT_ARMS, prompt_text
from tuner_tui.evaluation.subset import Limits
from tuner_tui.evaluation.suites import open_suite
from tuner_tui.evaluation.tasks import Item

_SMALL = 4 * 2**20
"""Files of a model folder up to this size count with their content, larger ones with size and time."""


def baseline_key(
    model: str,
    suite: str,
    source: Path | None,
    settings: Sequence[object],
    limits: Limits,
    temperature: float,
    endpoint: str | None = None,
) -> str:
    """The name of the folder in which the measurement of a base model lies.

    Args:
        model: as `from_pretrained` takes it, or as the server calls it.
        suite: its name.
        source: the file or folder of its items.
        settings: of the model and of decoding.
        limits: the subset and the repeats.
        temperature: of sampling.
        endpoint: the server that answers.

    Raises:
        UserError: the suite, or its file, cannot be read.
    """
    if suite in ("heldout", "lm_eval") and source is not None:
        items = _content(source)  # which tells as much, and is read sooner
    else:
        items = _items_mark(open_suite(suite, source).items)
    parts = [f"{endpoint} {model}" if endpoint else model_mark(paths.resolve_model(model)), items]
    parts += [prompt_text(arm) for arm in PROMPT_ARMS]
    parts += [*map(str, settings), str(SCORING_VERSION)]
    if suite != "heldout" or not limits.everything or temperature:
        parts += [suite, str(limits), str(temperature)]
    return digest(*parts)


def model_mark(model: str) -> str:
    """The files of a model's or an adapter's folder; a hub id stands for itself."""
    folder = Path(model)
    if not folder.is_dir():
        return model
    return digest(*(_file_mark(path) for path in sorted(folder.iterdir()) if path.is_file()))


def digest(*parts: str) -> str:
    """A short name for many words."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _items_mark(items: Sequence[Item]) -> str:
    found = hashlib.sha256()
    for item in items:
        found.update(orjson.dumps(asdict(item), default=str, option=orjson.OPT_NON_STR_KEYS))
    return found.hexdigest()


def _content(path: Path) -> str:
    """The content of a file; of a folder, the names and contents of all that is in it."""
    try:
        if path.is_dir():
            inside = (each for each in sorted(path.rglob("*")) if "__pycache__" not in each.parts)
            return digest(*(f"{each.parent} {_file_mark(each)}" for each in inside if each.is_file()))
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot read the held-out items: {error.strerror}.") from error


def _file_mark(path: Path) -> str:
    stat = path.stat()
    if stat.st_size <= _SMALL:
        return f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return f"{path.name} {stat.st_size} {stat.st_mtime_ns}"
