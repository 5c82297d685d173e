"""Record a finished run of `tuner demo` for the pictures: python tests/tui/record_demo_run.py RUN_DIR.

Takes what the screens read and leaves the weights; places become marks that `test_pictures.py` fills in
again, and the machine's own name and system are left out.
"""

import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
RECORDED = Path(__file__).parent / "demo_run"
KEPT = (
    "config.yaml",
    "manifest.json",
    "status.json",
    "metrics.jsonl",
    "events.jsonl",
    "train.log",
    "adapter/adapter_config.json",
    "eval/heldout/*.json*",
    "report.json",
    "report.md",
)


def record(run_dir: Path) -> None:
    """Copy the files of `run_dir` that the screens read to `tests/tui/demo_run`."""
    shutil.rmtree(RECORDED, ignore_errors=True)
    for pattern in KEPT:
        for source in sorted(run_dir.glob(pattern)):
            target = RECORDED / source.relative_to(run_dir)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = source.read_text().replace(str(run_dir.parents[1]), "@HOME@").replace(str(ROOT), "@ROOT@")
            target.write_text(text)
    manifest = json.loads((RECORDED / "manifest.json").read_text())
    manifest["command"][0] = "tuner"
    manifest["host"] |= {"name": "server", "system": "Linux"}
    (RECORDED / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    for name in ("status.json", "eval/heldout/status.json"):
        status = json.loads((RECORDED / name).read_text()) | {"host": "server"}
        (RECORDED / name).write_text(json.dumps(status, indent=2) + "\n")


if __name__ == "__main__":
    record(Path(sys.argv[1]).absolute())
