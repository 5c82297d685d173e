"""Before a run: can the model's chat template show what the training data hold?"""

from functools import lru_cache
from pathlib import Path

from tuner_tui import paths
from tuner_tui.errors import UserError
from tuner_tui.training.config import TrainConfig


def template_refusal(config: TrainConfig) -> str:
    """Why the run would be refused for its model's chat template; empty if it would not be, as far as the
    first rows of each file tell, or if the model is not a folder on this machine.

    The trainer looks again, at all rows.
    """
    folder = Path(paths.resolve_model(config.model.name)).expanduser()
    files = tuple(path for path in config.data.train if path.is_file())
    if not (folder / "tokenizer.json").is_file() or not files:
        return ""
    templates = [folder / name for name in ("chat_template.jinja", "tokenizer_config.json")]
    read = [path for path in (*templates, *files) if path.is_file()]
    return _refusal(folder, files, tuple(path.stat().st_mtime_ns for path in read))


@lru_cache(maxsize=16)
def _refusal(folder: Path, files: tuple[Path, ...], _changed: tuple[int, ...]) -> str:
    from tuner_tui.data.rendering.preflight import refusal

    try:
        return refusal(folder, files)
    except UserError:
        return ""  # a file that cannot be read is told where it is read
