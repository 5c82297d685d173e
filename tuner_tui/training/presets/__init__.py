"""Presets: configurations that fit a goal and a class of hardware.

A preset file holds only what it decides, with the reasons in comments; everything else is the
default of TrainConfig. Its leading comment says what it is for.
"""

from pathlib import Path

from tuner_tui import paths
from tuner_tui.errors import UserError
from tuner_tui.training.config import METHODS, Method, TrainConfig, parse_config, to_yaml

_FOLDER = Path(__file__).parent
_SAMPLE_DATA = "sample_data"


def preset_names() -> list[str]:
    """The presets, the demo first."""
    names = sorted(path.stem for path in _FOLDER.glob("*.yaml"))
    return sorted(names, key=lambda name: name != "demo")


def presets_by_method() -> dict[Method, list[str]]:
    """The names of the presets of each method that has one, in the order of METHODS."""
    names = {name: load_preset(name).method for name in preset_names()}
    found = {method: [name for name, of in names.items() if of == method] for method in METHODS}
    return {method: each for method, each in found.items() if each}


def preset_summary(name: str) -> str:
    """What the preset is for, in one line.

    Raises:
        UserError: there is no such preset.
    """
    return " ".join(line.removeprefix("# ") for line in _header(_source(name)))


def load_preset(name: str) -> TrainConfig:
    """The configuration, with the places of the shipped sample data filled in.

    Raises:
        UserError: there is no such preset.
    """
    config = parse_config(_source(name), f"preset {name}")
    data, evaluation = config.data, config.evaluation
    data.train = [_located(path) for path in data.train]
    data.eval = data.eval and _located(data.eval)
    evaluation.heldout = evaluation.heldout and _located(evaluation.heldout)
    config.grpo.tools = config.grpo.tools and str(_located(Path(config.grpo.tools)))
    return config


def preset_text(name: str) -> str:
    """The whole configuration as YAML, a comment on every field: what `tuner init` prints.

    Raises:
        UserError: there is no such preset.
    """
    return "\n".join([*_header(_source(name)), "", to_yaml(load_preset(name))])


def _source(name: str) -> str:
    if name not in preset_names():
        raise UserError(f'there is no preset "{name}"; there are: {", ".join(preset_names())}.')
    return (_FOLDER / f"{name}.yaml").read_text("utf-8")


def _header(text: str) -> list[str]:
    lines = text.splitlines()
    end = next(number for number, line in enumerate(lines) if not line.startswith("# "))
    return lines[:end]


def _located(path: Path) -> Path:
    if path.parts[0] != _SAMPLE_DATA:
        return path
    return paths.sample_data().joinpath(*path.parts[1:])
