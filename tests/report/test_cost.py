"""What a run took: the devices of its manifest, and energy where a counter was read."""

import json
from pathlib import Path
from typing import Any

import pytest
from test_report_files import on_terminal, run_dir  # noqa: F401

from tuner_tui.report.build import build_report
from tuner_tui.report.card import model_card
from tuner_tui.report.html import render as render_html
from tuner_tui.report.markdown import render as render_markdown
from tuner_tui.runs import files, layout

H200 = {"kind": "gpu", "name": "NVIDIA H200", "count": 2, "memory": 150_000_000_000, "capability": "9.0"}
WITH_DRIVER = {**H200, "driver": "580.159.04", "cuda": "13.0"}
CPU = {"kind": "cpu", "name": "Xeon", "count": 8, "memory": 2**34}


def told(run: Path, devices: list[dict[str, Any]] | None, *events: dict[str, Any]) -> dict[str, Any]:
    manifest = json.loads((run / layout.MANIFEST).read_bytes())
    if devices is not None:
        files.write_json(run / layout.MANIFEST, {**manifest, "devices": devices})
    for event in events:
        files.append_line(run / layout.EVENTS, {"time": 1.0, "step": 0, "message": "", **event})
    return build_report(run)


STARTED = {"code": "started", "device": "2 × NVIDIA H200, 140 GiB"}
TAKEN = {"code": "energy", "joules": 1.8e6, "gpus": 2}


@pytest.mark.parametrize(
    ("devices", "events", "words", "energy"),
    [
        (
            [WITH_DRIVER],
            [STARTED, TAKEN],
            "2 × NVIDIA H200, 140 GiB each, driver 580.159.04, CUDA 13.0",
            "0.5 kWh for training (2 whole GPUs",
        ),
        (
            [H200, CPU],
            [STARTED, STARTED, {**TAKEN, "joules": 3600.0, "gpus": 1}],
            "2 × NVIDIA H200, 140 GiB each; then CPU (Xeon), 8 threads, no GPU",
            "at least 1 Wh for training (1 whole GPU,",
        ),
        ([WITH_DRIVER], [STARTED], "1 min 30 s, 0.05 GPU hours", "not measured: nvidia-ml-py"),
        (None, [STARTED, STARTED], "2 × NVIDIA H200, 140 GiB", "not measured"),
        (None, [], "not recorded", "not measured"),
    ],
)
def test_device_and_energy_stand_in_every_form(
    run_dir: Path,  # noqa: F811
    devices: list[dict[str, Any]] | None,
    events: list[dict[str, Any]],
    words: str,
    energy: str,
) -> None:
    report = told(run_dir, devices, *events)
    shown = on_terminal(report, width=200)
    for page in (shown, render_markdown(report), render_html(report), model_card(report)):
        assert words in page and energy in page
    assert len(report["cost"]["devices"]) == len(devices or events[:1])
