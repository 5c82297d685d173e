"""The evaluator as a process: on the embedded model, with real files, stopped, resumed, hung up."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from gates import row, write_rows
from tiny_models import make_adapter

from tuner_tui import paths
from tuner_tui.cli import main
from tuner_tui.errors import UserError
from tuner_tui.evaluation import layout
from tuner_tui.evaluation.launch import start_baseline, start_evaluation, stop_evaluation
from tuner_tui.evaluation.progress import load_items, load_summary, read_progress
from tuner_tui.evaluation.subset import Limits
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.store import create_run
from tuner_tui.training.config import to_yaml
from tuner_tui.training.presets import load_preset

ROWS = 6


@pytest.fixture
def heldout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return write_rows(tmp_path / "heldout.jsonl", ROWS)


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def ended(eval_dir: Path) -> Callable[[], bool]:
    return lambda: not read_progress(eval_dir).state.live


def make_run(heldout: Path, *, adapter: bool = True) -> Path:
    config = load_preset("demo")
    config = config.model_copy(
        update={
            "evaluation": config.evaluation.model_copy(
                update={"heldout": heldout, "batch": 6, "max_new_tokens": 12}
            )
        }
    )
    run_dir = create_run("demo", to_yaml(config), {})
    if adapter:
        width = json.loads((paths.embedded_model() / "config.json").read_text())["hidden_size"]
        make_adapter(run_dir / "adapter", width)
    return run_dir


def test_a_baseline_is_measured_stopped_resumed_and_reused(heldout: Path) -> None:
    def start() -> Path:
        return start_baseline("embedded", heldout, ("base", "examples"), batch=1, max_new_tokens=12)

    eval_dir = start()
    assert read_progress(eval_dir).state.live
    wait_for(lambda: len(load_items(eval_dir, "base")) >= 1)
    os.kill(json.loads((eval_dir / layout.STATUS).read_text())["pid"], signal.SIGHUP)
    assert start() == eval_dir, "a second window joins the evaluation that is under way"
    with pytest.raises(UserError, match="under way"):
        start_baseline("embedded", heldout, ("instruction",), batch=1, max_new_tokens=12)
    stop_evaluation(eval_dir)
    wait_for(ended(eval_dir))
    progress = read_progress(eval_dir)
    assert (progress.state, load_summary(eval_dir)) == (RunState.STOPPED, None)
    assert progress.error is not None and 1 <= progress.done < progress.total == 2 * ROWS
    stored = (eval_dir / "base.jsonl").read_bytes()

    # A writer that was killed leaves a line cut in half.
    with (eval_dir / "base.jsonl").open("ab") as file:
        file.write(b'{"id": "6", "row"')
    start()
    wait_for(ended(eval_dir))
    progress = read_progress(eval_dir)
    assert (progress.state, progress.done, progress.eta) == (RunState.FINISHED, 2 * ROWS, None)
    assert (eval_dir / "base.jsonl").read_bytes().startswith(stored)
    assert [item["row"] for item in load_items(eval_dir, "base")] == list(range(1, ROWS + 1))
    summary = load_summary(eval_dir)
    assert summary is not None
    assert set(summary["arms"]) == {"base", "examples"}
    assert summary["arms"]["base"]["full_match"]["total"] == 4
    assert summary["arms"]["base"]["no_call"]["total"] == 2
    assert summary["comparison"] == {}

    before = (eval_dir / layout.STATUS).stat().st_mtime_ns
    assert start() == eval_dir
    assert (eval_dir / layout.STATUS).stat().st_mtime_ns == before, "nothing was left to do"
    with heldout.open("a") as file:
        file.write(json.dumps(row(7)) + "\n")
    other = start_baseline("embedded", heldout, ("base",), batch=8, max_new_tokens=12)
    assert other != eval_dir
    stop_evaluation(other)
    wait_for(ended(other))


def test_a_run_takes_its_base_from_the_cache_and_measures_the_adapter(
    heldout: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    run_dir = make_run(heldout)
    first = start_evaluation(run_dir, ("base", "tuned"))
    wait_for(ended(first))
    assert read_progress(first).state is RunState.FINISHED, (first / layout.LOG).read_text()
    summary = load_summary(first)
    assert summary is not None and summary["best_prompt"] == "base"
    assert summary["comparison"]["full_match"]["pairs"] == 4
    texts = {arm: [item["text"] for item in load_items(first, arm)] for arm in ("base", "tuned")}
    assert texts["base"] != texts["tuned"], "the adapter changes what is said"

    again = make_run(heldout)
    assert main(["eval", again.name, "--arms", "base,tuned", "--json"]) == 0
    assert json.loads(capsysbinary.readouterr().out)["items"] == ROWS
    second = layout.heldout_dir(again)
    assert (second / "base.jsonl").read_bytes() == (first / "base.jsonl").read_bytes()
    assert [item["text"] for item in load_items(second, "tuned")] == texts["tuned"]


def test_a_model_that_cannot_be_loaded_is_a_failure_in_words(heldout: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    eval_dir = start_baseline(str(folder), heldout, ("base",))
    wait_for(ended(eval_dir))
    progress = read_progress(eval_dir)
    assert progress.state is RunState.FAILED
    assert progress.error is not None and str(folder) in progress.error


def test_what_cannot_be_evaluated_is_said_at_once(heldout: Path, tmp_path: Path) -> None:
    run_dir = make_run(heldout, adapter=False)
    with pytest.raises(UserError, match="no adapter yet"):
        start_evaluation(run_dir)
    with pytest.raises(UserError, match="no arm is called 'best'"):
        start_evaluation(run_dir, ("best",))
    with pytest.raises(UserError, match="cannot read the held-out items"):
        start_evaluation(run_dir, ("base",), heldout=tmp_path / "none.jsonl")
    with pytest.raises(UserError, match="needs a run"):
        start_baseline("embedded", heldout, ("tuned",))


def test_a_process_that_has_gone_is_lost(tmp_path: Path) -> None:
    assert read_progress(tmp_path).state is RunState.STARTING
    status = {
        "state": "running",
        "arms": {"base": [3, 10]},
        "arm": "base",
        "pid": 2**22 + 5,
        "pid_start": 1.0,
    }
    (tmp_path / layout.STATUS).write_text(json.dumps({**status, "heartbeat": time.time()}))
    progress = read_progress(tmp_path)
    assert (progress.state, progress.done, progress.total) == (RunState.LOST, 3, 10)
    (tmp_path / layout.STATUS).write_text(json.dumps({"state": "starting", "heartbeat": time.time()}))
    assert read_progress(tmp_path).state is RunState.STARTING
    (tmp_path / layout.STATUS).write_text(json.dumps({"state": "starting", "heartbeat": time.time() - 3600}))
    assert read_progress(tmp_path).state is RunState.LOST


def test_time_left_is_told_from_the_speed_so_far(tmp_path: Path) -> None:
    from tuner_tui.runs.process import identity

    pid, started, host = identity()
    now = time.time()
    status = {
        "state": "running",
        "arms": {"base": [10, 10], "examples": [0, 10]},
        "arm": "examples",
        "generated": 10,
        "generating_since": now - 20,
        "heartbeat": now,
        "pid": pid,
        "pid_start": started,
        "host": host,
    }
    (tmp_path / layout.STATUS).write_text(json.dumps(status))
    assert read_progress(tmp_path).eta == pytest.approx(20, abs=0.1)


def test_a_subset_answered_several_times(heldout: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    words = ["eval", "embedded", "--data", str(heldout), "--arms", "base", "--max-new-tokens", "8"]
    assert main([*words, "--limit", "3", "--repeats", "2"]) == 2
    assert b"set a temperature" in capsysbinary.readouterr().err
    words += ["--limit", "3", "--repeats", "2", "--temperature", "1.5", "--json"]
    assert main(words) == 0
    summary = json.loads(capsysbinary.readouterr().out)
    items = load_items(Path(summary["path"]), "base")
    assert (summary["items"], len(items)) == (6, 6)
    assert {item["id"].partition("#")[2] for item in items} == {"1", "2"}
    assert len({item["text"] for item in items}) > 3, "sampled, and each time anew"
    assert set(summary["numbers"]["base"]) == {"pass^1", "pass^2"}
    assert summary["numbers"]["base"]["pass^2"]["items"] == 3
    assert any("3 of 6 items" in note for note in summary["notes"])
    assert summary["detectable"] == pytest.approx(2.8016 * (0.1 / 3) ** 0.5, abs=1e-3)
    assert summary["measures"][0]["name"] == "full_match"
    assert summary["tokens"]["base"] == sum(item["tokens"] for item in items) > 6
    assert items[0]["prompt"][-1] == {"role": "user", "content": items[0]["request"]}


def test_a_suite_that_is_not_there_is_named(heldout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "embedded", "--suite", "heldout,nonsense"]) == 2
    assert main(["eval", "embedded", "--suite", "apibench"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert "'nonsense' is none of: heldout, bfcl" in told[0] and "needs a file" in told[1]


def test_another_subset_or_adapter_loses_no_answer(heldout: Path) -> None:
    run_dir = make_run(heldout)
    adapter = run_dir / "adapter" / "adapter_model.safetensors"

    def tuned(limits: Limits) -> dict[str, str]:
        eval_dir = start_evaluation(run_dir, ("base", "tuned"), limits=limits)
        wait_for(ended(eval_dir))
        summary = load_summary(eval_dir)
        assert summary is not None, (eval_dir / layout.LOG).read_text()
        items = load_items(eval_dir, "tuned")
        assert len(items) == summary["items"] == summary["arms"]["tuned"]["items"]
        assert len(load_items(eval_dir, "base")) == len(items)
        return {item["id"]: item["text"] for item in items}

    three = tuned(Limits(3))
    path = layout.arm_file(layout.heldout_dir(run_dir), "tuned")
    marked = [{**json.loads(line), "text": "answered once"} for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(item) + "\n" for item in marked))
    whole = tuned(Limits())
    assert {id for id, text in whole.items() if text == "answered once"} == three.keys()
    other = tuned(Limits(3, seed=5))
    assert other.keys() != three.keys() and other.items() <= whole.items()
    assert tuned(Limits()) == whole
    content = adapter.read_bytes()
    adapter.write_bytes(content[:-4] + b"\0\0\0\0")
    assert "answered once" not in tuned(Limits(3)).values(), "another adapter answers anew"
    adapter.write_bytes(content)
    assert tuned(Limits()) == whole
    start_evaluation(run_dir, ("base", "tuned"), fresh=True)
    wait_for(ended(layout.heldout_dir(run_dir)))
    again = {item["text"] for item in load_items(layout.heldout_dir(run_dir), "tuned")}
    assert "answered once" not in again, "unless it is to be measured again"
