"""Training that is refused memory by the operating system goes on with less at once."""

import json
import re
import resource
from pathlib import Path

import pytest
from tiny_runs import ended, example, wait

from tuner_tui.runs import layout
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.reader import RunReader
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.launchers import local

ROOM = 2_000_000_000
"""Bytes beyond what the process holds when it trains: 16 rows of 2048 tokens need twice that, 4 rows half."""


def held(pid: int) -> int:
    """Bytes of data that a process has asked for (what RLIMIT_DATA counts)."""
    found = re.search(r"VmData:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found.group(1)) * 1024


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process")
def test_training_goes_on_with_fewer_rows_at_once_from_its_last_step(
    config: TrainConfig, tmp_path: Path
) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [example(f"city{number}", number) for number in range(63)]
    talk = [{"role": "user", "content": "Talk."}, {"role": "assistant", "content": "very " * 3000}]
    rows.append({"messages": talk})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config.seed = 1  # the long row comes in a later step than the first
    config.data.train, config.data.eval_fraction, config.data.max_length = [path], 0.0, 2048
    config.model.attention = "eager"  # keeps a matrix of tokens x tokens
    config.optimization.effective_batch = 16
    config.optimization.micro_batch = 16
    config.optimization.max_steps = 8
    config.logging.save_every, config.logging.log_every = 100, 1  # only the fault itself makes a checkpoint

    run_dir = local.launch(config)
    pid = wait(run_dir, lambda status: status.phase == "starting to train" or status.step > 0).pid
    assert pid is not None
    limit = held(pid) + ROOM
    resource.prlimit(pid, resource.RLIMIT_DATA, (limit, limit))
    status = wait(run_dir, ended)
    assert status.state is RunState.FINISHED, status.reason

    reader = RunReader(run_dir)
    events = list(reader.poll_events())
    at = next(number for number, event in enumerate(events) if event["code"] == "retry")
    step = events[at]["step"]
    assert step > 0
    assert events[at]["message"] == (
        f"out of memory after step {step}; "
        "going on with 8 instead of 16 rows at once; the effective batch stays."
    )
    # What the steps before it had reached was kept, and is where the next try began.
    codes = [(event["code"], event["message"]) for event in events]
    assert codes[at - 1] == ("checkpoint", f"wrote the checkpoint of step {step}.")
    assert ("resumed", f"going on from the checkpoint of step {step}.") in codes[at:]
    assert json.loads((run_dir / layout.RETRY).read_text())["micro_batch"] < 16
    # No step is lost and none made twice: each try went on where the one before had ended.
    assert [record["step"] for record in reader.poll_metrics() if "loss" in record] == list(range(1, 9))
