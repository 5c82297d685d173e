"""Record a finished run for the pictures: python tests/tui/record_run.py RUN_DIR NAME, into NAME_run.

`demo` is a run of `tuner demo`; `dpo` is one of the preset, `ppo` one of a short run; `suites` is a run of
the demo's preset without quantization, evaluated on four suites. Takes what the screens read and leaves the
weights and the prompts; places become marks that `test_pictures.py` fills in again, and the machine's own
name and system are left out.
"""

import json
import shutil
import sys
from pathlib import Path

from tuner_tui import paths

ROOT = paths.sample_data().parent
KEPT = (
    "config.yaml",
    "manifest.json",
    "status.json",
    "metrics.jsonl",
    "events.jsonl",
    "train.log",
    "adapter/adapter_config.json",
    "eval/*/*.json*",
    "report.json",
    "report.md",
)


def record(run_dir: Path, name: str) -> None:
    """Copy the files of `run_dir` that the screens read to `tests/tui/NAME_run`."""
    recorded = Path(__file__).parent / f"{name}_run"
    shutil.rmtree(recorded, ignore_errors=True)
    for pattern in KEPT:
        for source in sorted(run_dir.glob(pattern)):
            target = recorded / source.relative_to(run_dir)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = source.read_text().replace(str(run_dir.parents[1]), "@HOME@").replace(str(ROOT), "@ROOT@")
            target.write_text(_without_prompts(text) if source.suffix == ".jsonl" else text)
    manifest = json.loads((recorded / "manifest.json").read_text())
    manifest["command"] = ["tuner", *(Path(word).name for word in manifest["command"][1:])]
    manifest["host"] |= {"name": "server", "system": "Linux"}
    (recorded / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    for path in (recorded / "status.json", *recorded.glob("eval/*/status.json")):
        if path.is_file():
            status = json.loads(path.read_text()) | {"host": "server"}
            path.write_text(json.dumps(status, indent=2) + "\n")


def _without_prompts(lines: str) -> str:
    """Lines of JSON as they are, but for the prompts of stored items, which no screen of these shows."""
    kept = []
    for line in lines.splitlines():
        record = json.loads(line)
        kept.append(json.dumps({**record, "prompt": []}) if record.get("prompt") else line)
    return "".join(line + "\n" for line in kept)


if __name__ == "__main__":
    record(Path(sys.argv[1]).absolute(), sys.argv[2])
