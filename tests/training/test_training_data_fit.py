"""Whether a file holds what a method learns from, told from its first rows."""

import json
from pathlib import Path

import pytest

from tuner_tui import paths
from tuner_tui.cli import main
from tuner_tui.errors import UserError
from tuner_tui.training.config import METHODS, Method, applies
from tuner_tui.training.data_fit import LOOKED_AT, data_fit
from tuner_tui.training.method_notes import NOTES

PAIRS = paths.sample_data() / "preferences.jsonl"
CONVERSATIONS = paths.sample_data() / "heldout.jsonl"


@pytest.mark.parametrize("method", ["dpo", "reward", "kto"])
def test_preference_methods_want_pairs(method: Method) -> None:
    assert not data_fit(PAIRS, method).refused
    told = data_fit(CONVERSATIONS, method)
    assert told.refused
    assert told.sentence.startswith(f"{method} needs ") and "rows hold conversations" in told.sentence


@pytest.mark.parametrize("method", ["sft", "ppo", "grpo", "rloo"])
def test_the_others_take_conversations_and_pairs(method: Method) -> None:
    assert data_fit(CONVERSATIONS, method).usable == 88
    assert not data_fit(PAIRS, method).refused


def test_labelled_answers_are_for_kto_and_bad_ones_not_to_be_imitated(tmp_path: Path) -> None:
    rows = [
        {
            "prompt": [{"role": "user", "content": f"Question {number}?"}],
            "completion": [{"role": "assistant", "content": f"Answer {number}."}],
            "label": number % 2 == 0,
        }
        for number in range(10)
    ]
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert data_fit(path, "kto").usable == 10
    assert data_fit(path, "dpo").refused
    told = data_fit(path, "sft")
    assert (told.usable, told.whole) == (5, True)
    assert told.sentence.startswith("5 of the 10 rows are left out")


def test_only_the_first_rows_are_looked_at_and_that_is_said() -> None:
    told = data_fit(paths.sample_data() / "train.jsonl", "sft")
    assert (told.rows, told.whole) == (LOOKED_AT, False)
    assert told.sentence == f"conversations, in the first {LOOKED_AT} rows"


def test_a_file_that_changes_is_looked_at_again(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(PAIRS.read_bytes())
    assert not data_fit(path, "dpo").refused
    path.write_bytes(CONVERSATIONS.read_bytes())
    assert data_fit(path, "dpo").refused


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("no json\n")
    with pytest.raises(UserError, match=r"rows\.jsonl"):
        data_fit(path, "sft")


def test_every_method_is_explained() -> None:
    assert tuple(NOTES) == METHODS
    assert all(note.title and note.does.endswith(".") and note.needs.endswith(".") for note in NOTES.values())


def test_a_field_belongs_to_its_section_and_its_method() -> None:
    assert applies("preference.beta", "kto") and not applies("preference.loss", "kto")
    assert not applies("preference.desirable_weight", "dpo")
    assert not applies("ppo.clip", "grpo") and applies("lora.r", "ppo")
    assert not applies("lora.enabled", "dpo") and not applies("evaluation.heldout", "reward")


def test_the_estimate_says_that_there_is_nothing_to_learn_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "dpo.yaml"
    config.write_text(f"method: dpo\ndata: {{train: [{CONVERSATIONS}]}}\n")
    assert main(["estimate", str(config), "--json"]) == 0
    first = json.loads(capsys.readouterr().out)["notes"][0]
    assert first == (
        "this run would have nothing to learn from: data.train: heldout.jsonl: dpo needs pairs of a better "
        "and a worse answer; all 88 rows hold conversations"
    )
    config.write_text(f"method: dpo\ndata: {{train: [{PAIRS}]}}\n")
    assert main(["estimate", str(config), "--json"]) == 0
    assert not any("nothing to learn" in note for note in json.loads(capsys.readouterr().out)["notes"])
