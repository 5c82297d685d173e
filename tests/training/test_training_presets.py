"""Presets: whole, explained, and within the memory that their names promise."""

from pathlib import Path

import pytest

from tuner_tui.errors import UserError
from tuner_tui.training import presets
from tuner_tui.training.config import parse_config
from tuner_tui.training.estimate import estimate


def test_the_demo_comes_first_and_its_data_is_shipped() -> None:
    assert presets.preset_names()[0] == "demo"
    config = presets.load_preset("demo")
    assert config.model.name == "embedded"
    assert all(path.is_file() for path in config.data.train)
    assert config.evaluation.heldout is not None
    assert config.evaluation.heldout.is_file()


@pytest.mark.parametrize("name", [name for name in presets.preset_names() if not name.startswith("gpu-")])
def test_what_a_small_preset_names_of_the_sample_data_is_shipped(name: str) -> None:
    config = presets.load_preset(name)
    named = [*config.data.train, config.data.eval, config.evaluation.heldout, config.grpo.tools]
    for path in (Path(each) for each in named if each is not None and "sample_data" in str(each)):
        assert path.is_absolute() and path.is_file(), path


@pytest.mark.parametrize("name", presets.preset_names())
def test_every_preset_is_whole_and_says_what_it_is_for(name: str) -> None:
    assert presets.preset_summary(name).endswith(".")
    text = presets.preset_text(name)
    assert text.startswith("# ")
    assert parse_config(text, name) == presets.load_preset(name)
    source = (Path(presets.__file__).parent / f"{name}.yaml").read_text()
    assert all(line.isascii() for line in source.splitlines())


@pytest.mark.parametrize("name", [name for name in presets.preset_names() if name.startswith("gpu-")])
def test_gpu_presets_fit_their_gpu(name: str) -> None:
    gigabytes = int(name.split("-")[1].removesuffix("gb"))
    assert estimate(presets.load_preset(name)).total < 0.8 * gigabytes * 1e9


def test_an_unknown_preset_is_told() -> None:
    with pytest.raises(UserError, match="there are: demo, "):
        presets.load_preset("../demo")
