"""What a run sets aside, and what it says of evaluation rows that are trained on."""

import json
from pathlib import Path

from tiny_runs import ended, example, wait

from tuner_tui.runs.layout import RunState
from tuner_tui.runs.reader import RunReader
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.launchers import local


def test_tools_are_held_out_or_the_run_says_why_not(config: TrainConfig) -> None:
    config.data.split_by = "tool"
    run_dir = local.launch(config)
    status = wait(run_dir, ended)
    assert status.state is RunState.FAILED
    assert status.reason == (
        "all calls are of one tool, so that none can be held out; split by row or by template."
    )


def test_leaked_rows_are_told(config: TrainConfig, tmp_path: Path) -> None:
    rows = [example("city3", 3), example("city5", 5), example("nowhere", 1)]
    config.data.eval = tmp_path / "eval.jsonl"
    config.data.eval.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config.data.max_length = 16  # nothing is left to learn: the run ends before it trains
    run_dir = local.launch(config)
    assert wait(run_dir, ended).state is RunState.FAILED
    (warning,) = (one for one in RunReader(run_dir).poll_events() if "leaked" in one)
    assert warning["code"] == "warning"
    assert warning["leaked"] == 2
    assert warning["message"].startswith("2 of 24 training rows ask the same as an evaluation row")


def test_answers_labelled_false_are_not_imitated(config: TrainConfig, tmp_path: Path) -> None:
    def labelled(label: bool) -> str:
        row = example("Oslo", 2)
        prompt, completion = row["messages"]  # type: ignore[misc]
        return json.dumps(
            {"prompt": [prompt], "completion": [completion], "label": label, "tools": row["tools"]}
        )

    mixed, wrong = tmp_path / "mixed.jsonl", tmp_path / "wrong.jsonl"
    mixed.write_text(f"{labelled(True)}\n{labelled(False)}\n")
    wrong.write_text(f"{labelled(False)}\n")
    config.data.train = [mixed, wrong]
    run_dir = local.launch(config)
    status = wait(run_dir, ended)
    assert status.state is RunState.FAILED
    assert status.reason.startswith(f"{wrong}: no row is left to learn from: answers labelled false")
    (left_out, _) = (one for one in RunReader(run_dir).poll_events() if one["code"] == "rejected")
    assert (left_out["rows"], left_out["reasons"]) == (1, {"label_false": 1})
