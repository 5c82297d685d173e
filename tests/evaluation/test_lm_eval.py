"""Tasks of lm-eval: its own figures, on our items; and what is said where it is not installed."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from tuner_tui import paths
from tuner_tui.cli import main
from tuner_tui.errors import UserError
from tuner_tui.evaluation.launch import start_baseline
from tuner_tui.evaluation.scoring_file import score_file
from tuner_tui.evaluation.subset import Limits
from tuner_tui.evaluation.suites import SUITES, check_suite, obstacle, open_suite

COLOURS = [
    ("The sky on a clear day is", ["blue", "green", "a spoon"], 0),
    ("Grass is mostly", ["red", "green", "loud"], 1),
    ("Snow is", ["black", "white"], 1),
    ("Coal is", ["black", "white"], 0),
]
TEXTS = ["The cat sat on the mat and looked at the rain.", "Trains leave every ten minutes."]
HEAD = """
task: {name}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {name}.jsonl
test_split: test
"""
CHOICE = """
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_target: answer
doc_to_choice: options
metric_list: [{metric: acc, aggregation: mean}, {metric: acc_norm, aggregation: mean}]
"""
ROLLING = """
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{text}}"
metric_list: [{metric: bits_per_byte}]
"""
SPOKEN = """
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{options[answer]}}"
generation_kwargs: {until: ["."], max_gen_toks: 4}
metric_list: [{metric: exact_match, aggregation: mean}]
"""

needs_lm_eval = pytest.mark.skipif(
    importlib.util.find_spec("lm_eval") is None,
    reason="lm-eval is not installed: pip install 'tuner-tui[lm-eval]'",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    found = tmp_path / "tasks"
    found.mkdir()
    colours = [{"question": q, "options": options, "answer": answer} for q, options, answer in COLOURS]
    files: dict[str, tuple[str, list[dict[str, Any]]]] = {
        "colours": (CHOICE, colours),
        "said": (SPOKEN, colours[:2]),
        "texts": (ROLLING, [{"text": text} for text in TEXTS]),
    }
    for name, (yaml, rows) in files.items():
        (found / f"{name}.yaml").write_text(HEAD.replace("{name}", name) + yaml)
        (found / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return found


@needs_lm_eval
def test_figures_are_those_of_lm_eval_itself_with_and_without_an_adapter(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from peft import LoraConfig, get_peft_model
    from tiny_models import make_tiny

    from tuner_tui.evaluation.generate import Generator
    from tuner_tui.evaluation.suites.lm_eval import LmEvalTask

    task = LmEvalTask(folder)
    assert [item.id for item in task.items] == [
        *(f"colours/{n}" for n in range(4)),
        *("said/0", "said/1", "texts/0", "texts/1"),
    ]
    assert [measure.name for measure in task.measures] == ["acc", "acc_norm", "exact_match"]
    assert LmEvalTask(folder / "said.yaml").items[1].request == "Grass is mostly"

    generator = Generator.load(
        str(make_tiny(folder.parent / "model")), None, bits=None, double=False, dtype="float32"
    )
    base = generator.spoken(False).model
    generator = Generator(
        get_peft_model(base, LoraConfig(init_lora_weights=False, target_modules=["q_proj", "up_proj"])),
        generator.spoken(False).tokenizer,
        generator.spoken(False).convention,
    )
    found = {}
    for tuned in (False, True):
        lines = [
            line for part in task.ask(task.items, generator.spoken(tuned), 2, lambda: False) for line in part
        ]
        assert [line["id"] for line in lines] == [item.id for item in task.items]
        json.dumps(lines, allow_nan=False)
        found[tuned] = {line["id"]: line for line in lines}
        theirs = results(folder, generator.spoken(tuned), monkeypatch)
        for metric in ("acc", "acc_norm"):
            mine = [found[tuned][f"colours/{n}"]["verdict"][metric] for n in range(4)]
            assert sum(mine) / 4 == theirs["colours"][f"{metric},none"]
        bits = [found[tuned][f"texts/{n}"]["numbers"]["bits_per_byte"] for n in range(2)]
        sizes = [len(text.encode()) for text in TEXTS]
        weighted = sum(b * size for b, size in zip(bits, sizes, strict=True)) / sum(sizes)
        assert weighted == pytest.approx(theirs["texts"]["bits_per_byte,none"], rel=1e-5)
        assert found[tuned]["texts/0"]["verdict"]["right"] is None
    assert found[False]["texts/0"]["numbers"] != found[True]["texts/0"]["numbers"], "the adapter takes part"


def results(folder: Path, spoken: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """lm-eval's own figures, by its own way to call it."""
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    monkeypatch.chdir(folder)
    manager = TaskManager(include_path=str(folder), include_defaults=False)
    model = HFLM(pretrained=spoken.model, tokenizer=spoken.tokenizer, batch_size=2)
    with spoken.switched():
        found = simple_evaluate(model, tasks=["colours", "texts"], task_manager=manager, bootstrap_iters=0)
    figures: dict[str, Any] = found["results"]
    return figures


@needs_lm_eval
def test_a_base_model_through_the_command_line(
    folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    words = ["eval", "embedded", "--suite", "lm_eval", "--data", str(folder), "--limit", "6", "--json"]
    assert main(words) == 0
    summary = json.loads(capsysbinary.readouterr().out)
    assert (summary["title"], summary["items"]) == ("lm-eval tasks (subset)", 6)
    assert summary["arms"]["base"]["acc"]["total"] == summary["categories"]["base"]["colours"]["total"] == 3
    assert summary["numbers"]["base"]["bits_per_byte"]["items"] >= 1
    assert summary["versions"]["lm-eval"].startswith("0.4")


@needs_lm_eval
def test_what_is_no_task_is_said(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UserError, match="there is no task of lm-eval"):
        open_suite("lm_eval", empty)
    answers = tmp_path / "answers.jsonl"
    answers.write_text('{"id": "colours/0", "text": "blue"}')
    with pytest.raises(UserError, match="asks a loaded model by itself"):
        score_file(answers, open_suite("lm_eval", folder))
    (folder / "texts.jsonl").unlink()
    with pytest.raises(UserError, match="cannot load its tasks"):
        open_suite("lm_eval", folder / "texts.yaml")


def test_what_it_cannot_be_asked_is_said_before_a_model_is_loaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner_tui.evaluation.suites.find_spec", lambda name: object())
    with pytest.raises(UserError, match="its arms are base and tuned, not examples"):
        start_baseline(str(paths.embedded_model()), folder, ("examples",), suite="lm_eval")
    with pytest.raises(UserError, match="leave out --endpoint"):
        check_suite("lm_eval", ["base"], Limits(), False, True)
    with pytest.raises(UserError, match="leave out --temperature and --repeats"):
        check_suite("lm_eval", ["base"], Limits(repeats=2), True, False)
    assert obstacle("lm_eval") == ""
    monkeypatch.setattr("tuner_tui.evaluation.suites.find_spec", lambda name: None)
    assert {name for name in SUITES if obstacle(name)} == {
        *("bfcl", "bfcl_prompting", "bfcl_multi_turn", "bfcl_multi_turn_prompting"),
        "lm_eval",
    }
    with pytest.raises(UserError, match=r"not installed: pip install 'tuner-tui\[lm-eval\]'"):
        start_baseline("embedded", folder, suite="lm_eval")
