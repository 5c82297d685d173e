"""Where things lie on disk: XDG places, `TUNER_HOME`, and what ships with the package."""

import os
from pathlib import Path

_PACKAGE = Path(__file__).parent


def home() -> Path:
    """The folder of everything that tuner writes: `$TUNER_HOME`, or `~/.local/share/tuner` (XDG)."""
    if chosen := os.environ.get("TUNER_HOME"):
        return Path(chosen).expanduser().absolute()
    return _xdg("XDG_DATA_HOME", ".local/share") / "tuner"


def runs_dir() -> Path:
    """One folder per run."""
    return home() / "runs"


def baselines_dir() -> Path:
    """Evaluations of base models, kept so that ten runs on one base evaluate it once."""
    return home() / "baselines"


def merged_dir() -> Path:
    """Base models with the adapter of an earlier run merged into them."""
    return home() / "merged"


def kernels_dir() -> Path:
    """Kernels that were compiled for this machine's GPU."""
    return home() / "kernels"


def prompts_dir() -> Path:
    """A person's own prompts, one text file each: arms of an evaluation."""
    return home() / "prompts"


def config_dir() -> Path:
    """The person's own settings and themes: `$TUNER_HOME/config`, or `~/.config/tuner` (XDG)."""
    if os.environ.get("TUNER_HOME"):
        return home() / "config"
    return _xdg("XDG_CONFIG_HOME", ".config") / "tuner"


def embedded_model() -> Path:
    """The small base model that ships with the package."""
    return _PACKAGE / "embedded" / "model"


def sample_data() -> Path:
    """The sample datasets that ship with the package."""
    return _shipped("sample_data")


def themes() -> Path:
    """The themes that ship with the package."""
    return _shipped("themes")


def resolve_model(name: str) -> str:
    """What `from_pretrained` takes: for "embedded" the shipped model, else a folder or a hub id."""
    if name == "embedded":
        return str(embedded_model())
    folder = Path(name).expanduser()
    return str(folder.absolute()) if folder.is_dir() else name


def _shipped(name: str) -> Path:
    # A wheel carries these folders inside the package; a checkout has them beside it.
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def _xdg(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / default)
