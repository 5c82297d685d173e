"""The form over a model: what is typed, what becomes of it, what is said about it. And the small drawings."""

from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel

from tuner_tui.training.config import TrainConfig
from tuner_tui.training.presets import load_preset, preset_names
from tuner_tui.tui.configure_notes import BASIC
from tuner_tui.tui.widgets.estimate_view import human_bytes, human_seconds, time_range
from tuner_tui.tui.widgets.form_fields import Kind, Raw, check, form_sections, raw_values, shown
from tuner_tui.tui.widgets.histogram import bar
from tuner_tui.tui.widgets.prose import hanging

_SECTIONS = form_sections(TrainConfig, BASIC)
_FIELDS = [field for section in _SECTIONS for field in section.fields]
_BY_PATH = {field.path: field for field in _FIELDS}


def _demo() -> dict[str, Raw]:
    return raw_values(load_preset("demo"), _FIELDS)


def test_every_setting_has_a_field_with_help() -> None:
    assert len(_FIELDS) > 30
    assert all(field.title and field.help for field in _FIELDS)
    assert set(_BY_PATH) >= BASIC
    assert _BY_PATH["lora.r"].kind is Kind.NUMBER and _BY_PATH["lora.r"].high
    assert _BY_PATH["data.train"].kind is Kind.PATHS
    assert _BY_PATH["data.eval"].kind is Kind.PATH and _BY_PATH["data.eval"].optional
    assert [label for label, _ in _BY_PATH["quantization.bits"].choices] == ["4", "none"]
    assert [value for _, value in _BY_PATH["data.packing"].choices] == [True, False]


@pytest.mark.parametrize("name", preset_names())
def test_what_a_preset_shows_makes_the_same_preset(name: str) -> None:
    preset = load_preset(name)
    checked = check(TrainConfig, _FIELDS, raw_values(preset, _FIELDS))
    assert checked.model == preset


def test_typed_text_becomes_numbers_and_nothing_becomes_none() -> None:
    typed = _demo() | {"optimization.learning_rate": " 2e-4 ", "optimization.max_steps": "", "lora.r": "8"}
    model = check(TrainConfig, _FIELDS, typed).model
    assert isinstance(model, TrainConfig)
    assert (model.optimization.learning_rate, model.optimization.max_steps, model.lora.r) == (2e-4, None, 8)


@pytest.mark.parametrize(
    ("path", "typed", "said"),
    [
        ("lora.r", "many", "must be a whole number"),
        ("lora.r", "2.5", "must be a whole number"),
        ("lora.r", "0", "must be greater than or equal to 1"),
        ("optimization.learning_rate", "fast", "must be a number"),
        ("optimization.learning_rate", "", "must be a number"),
        ("optimization.learning_rate", "nan", "finite"),
        ("name", "", "must not be empty"),
        ("name", "\x1b[31m", "printable"),
        ("data.train", [], "must not be empty"),
        ("data.train", ["/nowhere/rows.jsonl"], "there is no file /nowhere/rows.jsonl"),
        ("data.eval", "/nowhere/eval.jsonl", "there is no file /nowhere/eval.jsonl"),
    ],
)
def test_a_wrong_value_is_told_at_its_field(path: str, typed: Raw, said: str) -> None:
    errors = check(TrainConfig, _FIELDS, _demo() | {path: typed}).errors
    assert list(errors) == [path]
    assert said in errors[path]


def test_a_rule_over_two_fields_is_told_at_both_and_as_a_whole() -> None:
    typed = _demo() | {"optimization.micro_batch": "3", "optimization.effective_batch": "8"}
    checked = check(TrainConfig, _FIELDS, typed)
    assert checked.model is None
    assert set(checked.errors) == {"", "optimization.micro_batch", "optimization.effective_batch"}


def test_a_field_that_no_widget_fits_is_refused() -> None:
    class Odd(BaseModel):
        value: dict[str, int]

    with pytest.raises(TypeError, match="no field"):
        form_sections(Odd, ())


def test_choices_show_labels_not_values() -> None:
    class Small(BaseModel):
        mode: Literal["a", "b"] | None = None

    (field,) = form_sections(Small, ())[0].fields
    assert (shown(field, None), shown(field, "b")) == ("none", "b")


def test_bars() -> None:
    assert bar(0, 4) == "    "
    assert bar(1, 4) == "████"
    assert bar(0.0001, 4).strip()  # rare is not absent
    assert bar(7, 4) == "████"


def test_sizes_and_times_read_well() -> None:
    assert [human_bytes(size) for size in (0, 999, 5_600_000, 999_600_000, 6_100_000_000, 141e9)] == [
        "0 B",
        "999 B",
        "5.6 MB",
        "1.0 GB",
        "6.1 GB",
        "141 GB",
    ]
    assert [human_seconds(each) for each in (4, 89, 120, 7200)] == ["4 s", "89 s", "2 min", "2.0 h"]
    assert time_range((80, 240)) == "80 s to 4 min"
    assert time_range((60, 60)) == "60 s"


def test_text_hangs_under_its_first_line() -> None:
    lines = hanging("one two three four five six seven", 14, 2).split("\n")
    assert len(lines) > 2
    assert all(len(line) <= 14 for line in lines)
    assert all(line.startswith("  ") for line in lines[1:])


def test_paths_are_shown_as_they_were_given(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("{}\n")
    values = _demo() | {"data.train": [str(rows), str(rows)]}
    assert shown(_BY_PATH["data.train"], values["data.train"]) == f"{rows}, {rows}"
    assert not check(TrainConfig, _FIELDS, values).errors
