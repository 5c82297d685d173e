"""What leaves a run: the adapter, merged weights, and the model card with the report's figures."""

import json
import re
import runpy
from pathlib import Path

import pytest
import yaml
from test_html import EVIL
from test_report_files import evaluate, run_dir  # noqa: F401

from tuner_tui.cli import main
from tuner_tui.runs import files, layout


def parts(card: str) -> tuple[dict, str]:  # type: ignore[type-arg]
    _, head, body = card.split("---\n", 2)
    return yaml.safe_load(head), body


def main_card(run: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The card as `tuner export --card` writes it."""
    assert main(["export", "last", "--card"]) == 0
    capsys.readouterr()
    return (run / layout.ADAPTER / "README.md").read_text()


@pytest.fixture
def trained(run_dir: Path) -> Path:  # noqa: F811
    adapter = run_dir / layout.ADAPTER
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_bytes(b"weights")
    (adapter / "README.md").write_text("what peft writes")
    evaluate(run_dir, base=(0, 20), tuned=(39, 20))
    return run_dir


def test_the_adapter_and_its_card(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out" / "adapter"
    assert main(["export", "last", "--adapter", str(out)]) == 0
    assert (out / "adapter_model.safetensors").read_bytes() == b"weights"
    head, body = parts((out / "README.md").read_text())
    assert head["base_model"] == "embedded" and head["library_name"] == "peft"
    assert {"function-calling", "lora", "sft"} <= set(head["tags"])
    metrics = head["model-index"][0]["results"][0]["metrics"]
    assert {"type": "full_match", "name": "Exactly right", "value": 0.975} in metrics
    assert "98% [87–100]" in body and "Not measured: " in body and "PeftModel.from_pretrained" in body
    assert "1 of 40 items are still wrong" in body
    assert main(["export", "last", "--adapter", str(out)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (trained / "adapter" / "README.md").read_text() == "what peft writes"
    assert main(["export", "last", "--card"]) == 0
    assert (trained / "adapter" / "README.md").read_text() == (out / "README.md").read_text()


def test_the_report_writes_the_card_once_there_is_an_adapter(
    run_dir: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["report", "last"]) == 0
    assert not (run_dir / "model_card.md").exists()
    assert "model_card.md" not in capsys.readouterr().out
    (run_dir / layout.ADAPTER).mkdir()
    assert main(["report", "last"]) == 0
    assert f"Written to {run_dir / 'model_card.md'}" in capsys.readouterr().out
    head, body = parts((run_dir / "model_card.md").read_text())
    assert head["library_name"] == "peft" and "Not evaluated." in body


def test_hostile_text_in_the_card(trained: Path, tmp_path: Path) -> None:
    manifest = json.loads((trained / layout.MANIFEST).read_bytes())
    evil = f"x\n---\ntags: [owned]\n{EVIL}"
    files.write_json(trained / layout.MANIFEST, manifest | {"model": {"name": evil}, "name": evil})
    assert main(["export", "last", "--adapter", str(tmp_path / "out")]) == 0
    text = (tmp_path / "out" / "README.md").read_text()
    assert "\x1b" not in text and "\u202e" not in text
    head = yaml.safe_load(text[4 : text.index("\n---\n", 4)])
    assert head["base_model"] == evil and "owned" not in head["tags"]
    assert "# x⏎---⏎tags: \\[owned\\]" in text


def test_without_an_adapter(
    run_dir: Path,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words in (["--adapter", str(tmp_path / "a")], ["--merged", str(tmp_path / "m")], ["--card"]):
        assert main(["export", "last", *words]) == 2
        assert "adapter" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_merged_weights(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A real adapter of the embedded model, merged in a process of its own."""
    import torch
    from peft import LoraConfig, get_peft_model
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    from tuner_tui import paths

    assert main(["export", "last", "--merged", str(tmp_path / "bad")]) == 2
    assert "cannot be merged" in capsys.readouterr().err
    base = AutoModelForCausalLM.from_pretrained(paths.resolve_model("embedded"))
    model = get_peft_model(base, LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))
    model.save_pretrained(trained / layout.ADAPTER)
    code = re.search(r"```python\n(.*?)```", main_card(trained, capsys), re.S)
    assert code is not None
    script = tmp_path / "load.py"
    script.write_text(code[1].replace("PATH", str(trained / layout.ADAPTER)))
    loaded = runpy.run_path(str(script))["model"].state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in model.state_dict().items())
    config = yaml.safe_load((trained / layout.CONFIG).read_text())
    config["quantization"]["bits"] = None
    (trained / layout.CONFIG).write_text(yaml.safe_dump(config))
    assert main(["export", "last", "--merged", str(tmp_path / "out")]) == 0
    head, body = parts((tmp_path / "out" / "README.md").read_text())
    assert head["library_name"] == "transformers" and "AutoModelForCausalLM" in body
    merged = load_file(tmp_path / "out" / "model.safetensors")
    wanted = model.merge_and_unload().state_dict()
    name = next(each for each in merged if "q_proj" in each)
    assert torch.allclose(merged[name].float(), wanted[name].float(), atol=1e-2)
