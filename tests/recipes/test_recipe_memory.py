"""A run that runs out of memory goes on with less at once, and says so; the last resort is one sentence."""

import json
import sys
from pathlib import Path

import pytest
from tiny_runs import ended, wait

from tuner_tui.runs import layout, process, store
from tuner_tui.runs.layout import RunState, Status
from tuner_tui.runs.reader import RunReader
from tuner_tui.training.config import TrainConfig, load_config, to_yaml

HUNGRY = """\
import sys
from pathlib import Path
import torch
from tuner_tui.recipes.session import run_recipe
from tuner_tui.runs.layout import RunState

def recipe(session):
    wanted = session.config().optimization
    needed = wanted.micro_batch * (1 if wanted.gradient_checkpointing == "full" else 2)
    session.run.update(state=RunState.RUNNING, step=session.run.status.step + 1)
    if needed > int(sys.argv[2]):
        torch.empty(1 << 55, dtype=torch.uint8)  # more than any machine has
    return RunState.FINISHED

sys.exit(run_recipe(Path(sys.argv[1]), recipe))
"""


def run(config: TrainConfig, folder: Path, room: int) -> tuple[Path, Status]:
    """A recipe that needs memory for two units a row, or one with checkpointing, where there is `room`."""
    program = folder / "recipe.py"
    program.write_text(HUNGRY)
    run_dir = store.create_run("hungry", to_yaml(config), {})
    process.start_detached([sys.executable, str(program), str(run_dir), str(room)], run_dir / layout.LOG)
    return run_dir, wait(run_dir, ended)


def retries(run_dir: Path) -> list[str]:
    return [event["message"] for event in RunReader(run_dir).poll_events() if event["code"] == "retry"]


def test_the_micro_batch_is_halved_until_it_fits(config: TrainConfig, tmp_path: Path) -> None:
    config.optimization.effective_batch = 12
    config.optimization.micro_batch = 6
    run_dir, status = run(config, tmp_path, room=2)
    assert status.state is RunState.FINISHED, status.reason
    # 6 rows, 3, 1 (of which 12 is a multiple); checkpointing was not needed.
    assert retries(run_dir) == [
        "out of memory after step 1; going on with 3 instead of 6 rows at once; the effective batch stays.",
        "out of memory after step 2; going on with 1 instead of 3 rows at once; the effective batch stays.",
    ]
    assert json.loads((run_dir / layout.RETRY).read_text()) == {"micro_batch": 1}
    stored = load_config(run_dir / layout.CONFIG).optimization
    assert (stored.micro_batch, stored.effective_batch) == (6, 12)


def test_then_activations_are_computed_again(config: TrainConfig, tmp_path: Path) -> None:
    config.optimization.micro_batch = 1
    run_dir, status = run(config, tmp_path, room=1)
    assert status.state is RunState.FINISHED, status.reason
    assert [text.rpartition("with ")[2] for text in retries(run_dir)] == [
        "activations computed again instead of kept (gradient checkpointing)."
    ]


def test_when_nothing_is_left_to_reduce_one_sentence_says_what_helps(
    config: TrainConfig, tmp_path: Path
) -> None:
    config.optimization.micro_batch = 1
    config.optimization.gradient_checkpointing = "full"
    run_dir, status = run(config, tmp_path, room=0)
    assert status.state is RunState.FAILED
    assert status.reason is not None
    assert status.reason.startswith("the machine ran out of memory; lower")
    assert retries(run_dir) == []


@pytest.mark.parametrize("room", [100])
def test_a_run_with_room_changes_nothing(config: TrainConfig, tmp_path: Path, room: int) -> None:
    run_dir, status = run(config, tmp_path, room)
    assert status.state is RunState.FINISHED
    assert not (run_dir / layout.RETRY).exists()
