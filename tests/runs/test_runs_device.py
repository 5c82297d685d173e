"""The device of a run goes into the manifest that the launcher has left."""

import json
from pathlib import Path

from tuner_tui.runs import layout
from tuner_tui.runs.store import create_run
from tuner_tui.runs.writer import RunWriter

CPU = {"kind": "cpu", "name": "Xeon", "count": 8, "memory": 2**34}
GPU = {"kind": "gpu", "name": "NVIDIA L4", "count": 1, "memory": 2**34, "driver": None}


def test_each_change_of_the_device_is_kept(tmp_path: Path) -> None:
    run_dir = create_run("a", "method: sft\n", {"tuner": "0.1.0", "seed": 3}, tmp_path)
    for device in (CPU, CPU, GPU, CPU):
        with RunWriter(run_dir) as run:
            run.device(device)
    manifest = json.loads((run_dir / layout.MANIFEST).read_bytes())
    assert manifest["devices"] == [CPU, GPU, CPU]
    assert (manifest["tuner"], manifest["seed"], manifest["name"]) == ("0.1.0", 3, "a")


def test_a_manifest_that_cannot_be_read_is_no_reason_to_stop(tmp_path: Path) -> None:
    run_dir = create_run("a", "method: sft\n", {}, tmp_path)
    (run_dir / layout.MANIFEST).write_bytes(b"[]")
    with RunWriter(run_dir) as run:
        run.device(CPU)
    assert json.loads((run_dir / layout.MANIFEST).read_bytes())["devices"] == [CPU]
