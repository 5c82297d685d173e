"""`tuner decide --measure` as a script sees it, on the embedded model and real rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from tuner_tui import paths
from tuner_tui.cli import main

TRAIN = paths.sample_data() / "train.jsonl"


@pytest.fixture
def items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    lines = (paths.sample_data() / "heldout.jsonl").read_text().splitlines()
    path = tmp_path / "items.jsonl"
    path.write_text("\n".join(lines[:4]) + "\n")
    return path


def test_arms_are_measured_and_advice_rests_on_them(
    items: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    folder = paths.prompts_dir()
    folder.mkdir(parents=True)
    (folder / "mine.txt").write_text("Call a tool.")
    call = ["decide", "--measure", "embedded", str(items), "--train", str(TRAIN)]
    call += ["--arms", "base,prompt:mine,retrieved+constrained", "--card", "24"]
    assert main([*call, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsysbinary.readouterr().out)
    assert list(found["arms"]) == ["base", "prompt:mine", "retrieved+constrained"]
    assert found["items"] == 4 and found["rows"] > 100
    assert found["overlap"]["exact"] == found["overlap"]["near"] == 0
    assert found["rule"] in {"tune", "retrieval_is_enough"}
    if found["rule"] == "tune":
        assert found["cost"]["bytes"] > 0 and found["cost"]["notes"]
    assert {"error", "kind", "items"} == found["left"][0].keys()

    # What is measured stays; a prompt that was edited is asked again, and it alone.
    stored = {path.stem: path.stat().st_mtime_ns for path in Path(found["path"]).glob("*.jsonl")}
    (folder / "mine.txt").write_text("Call a tool, always.")
    assert main(call) == 0
    shown = capsysbinary.readouterr().out.decode()
    assert "Prompt mine" in shown and "Left to gain" in shown and "Why" in shown
    after = {path.stem: path.stat().st_mtime_ns for path in Path(found["path"]).glob("*.jsonl")}
    assert [arm for arm in after if after[arm] != stored[arm]] == ["prompt:mine"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuchrun", "ITEMS"], "nosuchrun"),
        (["embedded", "gone.jsonl"], "cannot read the held-out items"),
        (["embedded", "ITEMS", "--arms", "best"], "no arm is called 'best'"),
        (["embedded", "ITEMS", "--arms", "retrieved"], "--train FILE"),
        (["embedded", "ITEMS", "--arms", "tuned"], "needs a run"),
        (["embedded", "ITEMS", "--card", "toaster"], "toaster"),
        (["embedded", "ITEMS", "--train", "gone.jsonl"], "gone.jsonl"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(
    items: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    arguments = [str(items) if each == "ITEMS" else each for each in arguments]
    assert main(["decide", "--measure", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err and "Traceback" not in err
