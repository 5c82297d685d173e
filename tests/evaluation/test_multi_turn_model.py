"""Multi-turn items with a model, in the evaluator's own process: one with room for them, and one without."""

import importlib.util
import json
from pathlib import Path

import pytest
from tiny_models import make_adapter, make_tiny

from tuner_tui.cli import main
from tuner_tui.evaluation.progress import load_items
from tuner_tui.evaluation.suites.bfcl.official import INSTALL
from tuner_tui.runs.store import create_run
from tuner_tui.training.config import to_yaml
from tuner_tui.training.presets import load_preset

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("bfcl_eval") is None, reason=f"bfcl-eval is not installed: {INSTALL}"
)


@pytest.mark.parametrize("window", [32_768, 1_024])
def test_base_and_adapter_answer_or_are_said_to_have_no_room(
    window: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))
    config = load_preset("demo")
    model = make_tiny(tmp_path / "model", window)
    config = config.model_copy(
        update={
            "model": config.model.model_copy(update={"name": str(model)}),
            "quantization": config.quantization.model_copy(update={"bits": None}),
            "evaluation": config.evaluation.model_copy(update={"batch": 2, "max_new_tokens": 4}),
        }
    )
    run_dir = create_run("tiny", to_yaml(config), {})
    make_adapter(run_dir / "adapter", 64)
    words = ["eval", run_dir.name, "--suite", "bfcl_multi_turn", "--limit", "2", "--json"]
    assert main(words) == 0
    summary = json.loads(capsysbinary.readouterr().out)
    items = {arm: load_items(Path(summary["path"]), arm) for arm in ("base", "tuned")}
    assert summary["title"] == "BFCL V4 multi-turn (subset)"
    for arm, lines in items.items():
        assert len(lines) == summary["arms"][arm]["items"] == 2
        assert all(line["prompt"] and not line["verdict"]["right"] for line in lines)
    told = [note for note in summary["notes"] if "does not fit into the model's window" in note]
    if window == 1_024:
        assert {line["error"] for lines in items.values() for line in lines} == {"too_long"}
        assert "2 (base), 2 (tuned)" in told[0] and "is in no rate" in told[0]
        assert (
            "Nothing was measured (tuned): no item fits; of the first, the prompt has" in summary["notes"][-1]
        )
        assert summary["arms"]["tuned"]["official"]["rate"] is None
    else:
        assert not told
        assert all(line["tokens"] > 0 and line["turns"] for lines in items.values() for line in lines)
        assert [line["text"] for line in items["base"]] != [line["text"] for line in items["tuned"]]
        assert {line["error"] for line in items["base"]} <= {"no_call", "unparsable_call"}
