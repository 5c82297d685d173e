"""Several suites one after the other, in a process of their own: real processes and real files."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from gates import write_rows
from test_worker import ended, make_run, wait_for

from tuner_tui.cli import main
from tuner_tui.errors import UserError
from tuner_tui.evaluation import layout
from tuner_tui.evaluation.layout import suite_dir
from tuner_tui.evaluation.orders import Model, Order, begin
from tuner_tui.evaluation.plans import count_items, look_at_items
from tuner_tui.evaluation.progress import load_items, load_summary, read_progress
from tuner_tui.evaluation.several import queue_dir, read_queue, start_suites, stop_suites
from tuner_tui.evaluation.suites import SUITES
from tuner_tui.runs.layout import RunState
from tuner_tui.training.presets import load_preset


@pytest.fixture
def heldout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return write_rows(tmp_path / "heldout.jsonl", 4)


def test_suites_are_measured_in_turn_and_one_that_fails_keeps_none_from_it(heldout: Path) -> None:
    run_dir = make_run(heldout)
    orders = [Order("apibench", heldout), Order("general", items=4), Order("heldout", items=2)]
    folder = start_suites(run_dir, orders)
    anew = [replace(order, fresh=True) for order in orders]
    assert start_suites(run_dir, anew) == folder  # asked for again, they are not begun again
    with pytest.raises(UserError, match="already"):
        start_suites(run_dir, orders[1:])
    pid = wait_for_pid(folder)
    os.kill(pid, signal.SIGHUP)
    wait_for(ended(folder))
    queue = read_queue(folder)
    assert queue is not None and queue.progress.state is RunState.FAILED
    assert (
        list(queue.faults) == ["apibench"] and "no row of it is one of APIBench" in queue.faults["apibench"]
    )
    assert list(queue.folders) == ["general", "heldout"] and queue.waiting == []
    general, rows = (load_summary(suite_dir(run_dir, name)) for name in ("general", "heldout"))
    assert general is not None and (general["items"], set(general["arms"])) == (4, {"base", "tuned"})
    assert rows is not None and (rows["items"], len(rows["arms"])) == (2, 4)


def test_a_stop_keeps_what_is_answered_and_begins_nothing_more(heldout: Path) -> None:
    run_dir = make_run(heldout)
    folder = start_suites(run_dir, [Order("tasks", items=8), Order("general", items=2)])
    wait_for(lambda: bool(load_items(suite_dir(run_dir, "tasks"), "base")))
    stop_suites(folder)
    wait_for(ended(folder))
    queue = read_queue(folder)
    assert queue is not None and queue.progress.state is RunState.STOPPED
    assert list(queue.folders) == ["tasks"] and not suite_dir(run_dir, "general").exists()
    assert read_progress(suite_dir(run_dir, "tasks")).state is RunState.STOPPED
    assert load_items(suite_dir(run_dir, "tasks"), "base")


def test_a_base_model_is_measured_on_any_suite_and_needs_rows_for_the_first(heldout: Path) -> None:
    config = load_preset("demo")
    evaluation = config.evaluation.model_copy(update={"heldout": heldout, "max_new_tokens": 4})
    config = config.model_copy(update={"evaluation": evaluation})
    folder = start_suites(Model.of(config), [Order("general", items=2)])
    wait_for(ended(folder))
    queue = read_queue(folder)
    assert queue is not None and queue.subject == "embedded" and folder == queue_dir(Model.of(config))
    summary = load_summary(queue.folders["general"])
    assert summary is not None and list(summary["arms"]) == ["base"]
    nothing = evaluation.model_copy(update={"heldout": None})
    with pytest.raises(UserError, match="heldout"):
        begin(Model.of(config.model_copy(update={"evaluation": nothing})), Order("heldout"))


@pytest.mark.parametrize("name", SUITES)
def test_counting_and_looking_find_the_same_number_of_items(heldout: Path, name: str) -> None:
    source = heldout if name == "heldout" else None
    counted, looked = count_items(name, source), look_at_items(name, source)
    assert (counted.size, counted.obstacle) == (looked.size, looked.obstacle)
    assert counted.size > 0 or counted.obstacle


def test_a_plan_says_what_fewer_items_show(heldout: Path) -> None:
    items = look_at_items("tasks")
    whole, part = items.plan(), items.plan(10)
    assert (part.items, part.whole) == (10, whole.items)
    assert whole.detectable is not None and part.detectable is not None
    assert part.detectable > whole.detectable
    assert part.sentence.startswith(f"10 of {whole.items} items; a change below about")


def test_a_plan_says_what_is_missing(heldout: Path) -> None:
    assert look_at_items("apibench").plan().sentence == "needs a file with its items."
    heldout.unlink()
    assert "heldout.jsonl" in look_at_items("heldout", heldout).plan().sentence


def test_the_command_line_says_the_same_before_it_starts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "embedded", "--suite", "heldout,apibench", "--limit", "20", "--plan", "--json"]) == 1
    suites = json.loads(capsys.readouterr().out)["suites"]
    assert suites["heldout"]["items"] == 20 and "may go unseen" in suites["heldout"]["sentence"]
    assert suites["apibench"]["obstacle"] == "needs a file with its items."


def test_each_suite_gets_the_file_that_is_named_for_it(
    heldout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fewer = write_rows(heldout.with_name("fewer.jsonl"), 2)
    words = ["eval", "embedded", "--plan", "--json", "--suite", "heldout,apibench,tasks"]

    def planned(*data: str) -> dict[str, str | None]:
        main([*words, *(word for each in data for word in ("--data", each))])
        suites = json.loads(capsys.readouterr().out)["suites"]
        return {name: plan["source"] and Path(plan["source"]).name for name, plan in suites.items()}

    for_all = {"heldout": "heldout.jsonl", "apibench": "heldout.jsonl", "tasks": None}
    assert planned(str(heldout)) == for_all
    assert planned(f"apibench={fewer}", str(heldout)) == {**for_all, "apibench": "fewer.jsonl"}
    assert planned(str(heldout), f"tasks={fewer}") == {**for_all, "tasks": "fewer.jsonl"}
    assert main([*words, "--data", f"general={fewer}"]) == 2
    assert "general is not among the suites" in capsys.readouterr().err


def test_a_command_that_is_broken_off_leaves_them_at_work_and_comes_back_to_them(
    heldout: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = make_run(heldout)
    monkeypatch.chdir(heldout.parent)
    words = ["eval", run_dir.name, "--data", heldout.name, "--suite", "tasks,apibench,heldout"]
    words += ["--arms", "base", "--limit", "2"]
    command = [sys.executable, "-m", "tuner_tui", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        seen = next(line for line in process.stderr if line.startswith("tasks: "))
        process.send_signal(signal.SIGINT)
        last = process.stderr.read()
    assert process.returncode == 130 and f"`tuner {' '.join(words)}` comes back" in last, seen + last
    queue = read_queue(queue_dir(run_dir))
    assert queue is not None and queue.progress.state.live and "heldout" in queue.waiting
    assert main([*words, "--json"]) == 1
    told = capsys.readouterr()
    suites = json.loads(told.out)["suites"]
    assert [(name, list(found["arms"])) for name, found in suites.items()] == [
        ("tasks", ["base"]),
        ("heldout", ["base"]),
    ]
    assert told.err.startswith("tuner: apibench: ") and "no row of it is one of APIBench" in told.err


def wait_for_pid(folder: Path) -> int:
    """The process of a queue, once it has said its first word."""

    def pid() -> int | None:
        found: int | None = json.loads((folder / layout.STATUS).read_text()).get("pid")
        return found

    wait_for(lambda: pid() is not None)
    found = pid()
    assert found is not None
    return found
