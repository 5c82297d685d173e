"""A run that its model's chat template makes senseless is refused before anything is created."""

import json
import shutil
from pathlib import Path

import pytest

from tuner_tui.errors import UserError
from tuner_tui.paths import embedded_model
from tuner_tui.runs.store import list_runs
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.estimate import estimate
from tuner_tui.training.launchers import local
from tuner_tui.training.preflight import template_refusal

ONE_CALL = (
    "{{ tools|tojson if tools }}{% for m in messages %}{% if m.tool_calls %}"
    "{% if m.tool_calls|length > 1 %}{{ raise_exception('one call at once!') }}{% endif %}"
    "{{ m.tool_calls|tojson }}{% else %}{{ m.content }}{% endif %}{{ eos_token }}{% endfor %}"
)


def rows(calls: int) -> str:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    call = {"type": "function", "function": {"name": "f", "arguments": {}}}
    messages = [
        {"role": "user", "content": "Do it."},
        {"role": "assistant", "content": "", "tool_calls": [call] * calls},
    ]
    return json.dumps({"messages": messages, "tools": [tool]}) + "\n"


@pytest.fixture
def narrow(tmp_path: Path) -> TrainConfig:
    """The embedded model with a template that takes one call at once."""
    model = tmp_path / "narrow"
    shutil.copytree(embedded_model(), model, ignore=shutil.ignore_patterns("*.safetensors"))
    (model / "chat_template.jinja").write_text(ONE_CALL, "utf-8")
    data = tmp_path / "train.jsonl"
    data.write_text(rows(1) + rows(2), "utf-8")
    return TrainConfig.model_validate(
        {"name": "narrow", "model": {"name": str(model)}, "data": {"train": [data]}}
    )


def test_parallel_calls_that_the_template_refuses(narrow: TrainConfig) -> None:
    told = r'the chat template of "narrow" refuses parallel calls \("one call at once!"\)'
    with pytest.raises(UserError, match=rf"model\.name: {told}"):
        local.launch(narrow)
    assert list_runs() == []
    assert "this run would be refused" in estimate(narrow).notes[0]


def test_only_what_the_data_hold_matters(narrow: TrainConfig) -> None:
    narrow.data.train[0].write_text(rows(1), "utf-8")
    assert template_refusal(narrow) == ""


def test_what_cannot_be_read_is_told_elsewhere(narrow: TrainConfig, tmp_path: Path) -> None:
    narrow.data.train[0].write_text("no layout at all", "utf-8")
    assert template_refusal(narrow) == ""
    narrow.model.name = "owner/on-the-hub"
    assert template_refusal(narrow) == ""
