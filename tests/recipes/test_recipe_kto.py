"""KTO as real runs: from pairs, stopped and resumed; its weights; what it refuses."""

import json
from pathlib import Path

import pytest
from preference_data import CITIES, pair, preferring
from tiny_runs import ended, wait

from tuner_tui.recipes.preference_rows import unpaired
from tuner_tui.runs import control, layout
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.reader import RunReader, read_metrics
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.launchers import local


def test_kto_from_pairs_stopped_and_resumed(config: TrainConfig, tmp_path: Path) -> None:
    config = preferring(config, "kto", tmp_path)
    config.optimization.max_steps = 20
    config.logging.eval_every = 10
    run_dir = local.launch(config)
    wait(run_dir, lambda status: status.step >= 2)
    control.request_stop(run_dir)
    status = wait(run_dir, ended)
    assert status.state is RunState.STOPPED, status.reason

    local.resume(run_dir)
    status = wait(run_dir, ended)
    assert (status.state, status.step) == (RunState.FINISHED, 20), status.reason
    records = read_metrics(run_dir)
    steps = [record for record in records if "loss" in record]
    assert [record["step"] for record in steps] == list(range(1, 21))
    # The adapter begins as the base: 1 - sigmoid(0) for each answer, good or bad (equation 7).
    assert steps[0]["loss"] == pytest.approx(0.5, abs=1e-4)
    assert steps[-1]["loss"] < 0.5
    evaluated = [record for record in records if "eval_loss" in record]
    assert [record["step"] for record in evaluated] == [10, 20]
    last = evaluated[-1]
    assert last["eval_rewards/margins"] > 0
    assert last["eval_rewards/margins"] == pytest.approx(
        last["eval_rewards/chosen"] - last["eval_rewards/rejected"]
    )
    assert last["eval_kl"] >= 0
    data = [event for event in RunReader(run_dir).poll_events() if event["code"] == "data"]
    assert [(event["examples"], event["rows"]) for event in data[:2]] == [(12, 24), (5, 10)]
    assert (run_dir / layout.LOG).read_text() == ""


@pytest.mark.fresh_interpreter
def test_weights_count_and_imbalance_is_told(config: TrainConfig, tmp_path: Path) -> None:
    config.method = "kto"
    config.quantization.bits = None
    config.preference.desirable_weight, config.preference.undesirable_weight = 2.0, 1.0
    config.optimization.max_steps = 1
    config.optimization.effective_batch = 12
    config.data.eval_fraction = 0.0
    good = [unpaired(pair(city, days))[0] for days, city in enumerate(CITIES[:9])]
    bad = [unpaired(pair(city, days))[1] for days, city in enumerate(CITIES[9:])]
    train = tmp_path / "labelled.jsonl"
    train.write_text("".join(json.dumps(row) + "\n" for row in [*good, *bad]))
    config.data.train = [train]
    run_dir = local.launch(config)
    status = wait(run_dir, ended)
    assert status.state is RunState.FINISHED, status.reason
    assert (run_dir / layout.LOG).read_text() == ""
    # All twelve rows in one step: nine weigh 2, three weigh 1, and each loss is a half.
    assert read_metrics(run_dir)[0]["loss"] == pytest.approx((9 * 2 + 3 * 1) / 12 * 0.5, abs=1e-4)
    told = [event["message"] for event in RunReader(run_dir).poll_events() if event["code"] == "warning"]
    assert told == [
        "9 good and 3 bad answers, as weighed, are 6.00 to 1, where KTO asks for 1 to 1.33; "
        "set preference.undesirable_weight to 6."
    ]


def test_one_row_at_a_time_is_refused(config: TrainConfig, tmp_path: Path) -> None:
    config = preferring(config, "kto", tmp_path)
    config.optimization.micro_batch = 1
    run_dir = local.launch(config)
    status = wait(run_dir, ended)
    assert status.state is RunState.FAILED
    assert "optimization.micro_batch: kto tells within each micro-batch" in (status.reason or "")
