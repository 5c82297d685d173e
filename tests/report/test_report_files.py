"""The report of a run: its verdict, its renderings, and what it does when parts are missing."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from gates import TOOL
from rich.console import Console

from tuner_tui.cli import main
from tuner_tui.data.answers.parsing import parse_answer
from tuner_tui.data.answers.scoring import judge
from tuner_tui.data.examples import Call
from tuner_tui.errors import UserError
from tuner_tui.evaluation.layout import Request, heldout_dir
from tuner_tui.evaluation.suites.heldout import HeldoutTask
from tuner_tui.evaluation.summary import write_summary
from tuner_tui.report.build import build_report, write_report
from tuner_tui.report.markdown import render as render_markdown
from tuner_tui.report.terminal import render as render_terminal
from tuner_tui.runs import files, layout
from tuner_tui.runs.layout import RunState, Status
from tuner_tui.runs.store import create_run
from tuner_tui.training.config import to_yaml
from tuner_tui.training.presets import load_preset

CALLS, OTHERS = 40, 20
RIGHT = '<tool_call>\n{"name": "open_gate", "arguments": {"number": %d}}\n</tool_call>'
WRONG = '<tool_call>\n{"name": "open_gate", "arguments": {"number": "%d"}}\n</tool_call>'
HOSTILE = "[bold red]no[/] `code` <script>x</script> \x1b[31m | **x** \u202e"


@pytest.fixture
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))
    data = {"path": "train.jsonl", "sha256": "0" * 64}
    manifest = {
        "tuner": "0.1.0",
        "packages": {"torch": "2.13.0"},
        "model": {"name": "embedded"},
        "data": [data],
    }
    made = create_run("demo", to_yaml(load_preset("demo")), manifest)
    end(made, Status(RunState.FINISHED, step=60, total=60, started=100.0, ended=190.0))
    for step in range(1, 61):
        record = {"step": step, "time": 100.0 + step, "loss": 0.05 + 2 * 0.9**step, "num_tokens": 100 * step}
        files.append_line(made / layout.METRICS, record)
    return made


def end(run_dir: Path, status: Status) -> None:
    files.write_json(run_dir / layout.STATUS, status.to_json())


def heldout_lines() -> list[str]:
    """The rows that are held out: those that need a call, then others."""
    lines = []
    for number in range(1, CALLS + OTHERS + 1):
        call = {"type": "function", "function": {"name": "open_gate", "arguments": {"number": number}}}
        answer = {"role": "assistant", "content": "", "tool_calls": [call]}
        if number > CALLS:
            answer = {"role": "assistant", "content": "No."}
        request = {"role": "user", "content": f"{number} {HOSTILE}"}
        lines.append(json.dumps({"messages": [request, answer], "tools": [TOOL]}))
    return lines


def evaluate(run_dir: Path, *, training: tuple[Path, ...] = (), **right: tuple[int, int]) -> None:
    """Store an evaluation: for each arm, how many calls are right, and how many others get no call.

    `training` are the files in which its items are looked for.
    """
    eval_dir = heldout_dir(run_dir)
    eval_dir.mkdir(parents=True)
    source = run_dir / "heldout.jsonl"
    source.write_text("".join(line + "\n" for line in heldout_lines()))
    task = HeldoutTask(source)
    for arm, (calls, kept) in right.items():
        for item in task.items:
            good = item.row <= calls if item.gold else item.row - CALLS <= kept
            text = (RIGHT if good == bool(item.gold) else WRONG) % item.row
            if (good and not item.gold) or (not good and item.gold and item.row % 2):
                text = HOSTILE
            files.append_line(eval_dir / f"{arm}.jsonl", stored(item, text))
    request = Request(
        suite="heldout",
        model="m",
        name="embedded",
        adapter=None,
        bits=4,
        double=True,
        dtype="auto",
        heldout=source,
        arms=tuple(right),
        batch=8,
        max_new_tokens=160,
        cache=None,
        fingerprint="key",
        training=training,
    )
    write_summary(eval_dir, request, task)


def stored(item: Any, text: str) -> dict[str, Any]:
    parsed = parse_answer(text)
    verdict = judge(item.gold, parsed, item.tools)
    return {
        "id": item.id,
        "row": item.row,
        "request": item.request,
        "gold": [{"name": call.name, "arguments": call.arguments} for call in item.gold],
        "text": text,
        "calls": [{"name": call.name, "arguments": call.arguments} for call in parsed.calls],
        "strict": parsed.strict,
        "verdict": verdict.to_json(),
        "error": verdict.error,
        "tokens": 10,
        "seconds": 0.1,
    }


def on_terminal(report: dict[str, Any], width: int = 80) -> str:
    out = io.StringIO()
    render_terminal(report, Console(file=out, width=width, force_terminal=True, color_system=None))
    return out.getvalue()


@pytest.mark.parametrize(
    ("arms", "decision", "said"),
    [
        ({"base": (0, 20), "examples": (20, 18), "tuned": (39, 20)}, "ship", "98% [87–100] of calls"),
        (
            {"base": (0, 20), "examples": (20, 18), "tuned": (39, 4)},
            "do_not_ship",
            "calls tools where none serves",
        ),
        ({"base": (30, 20), "tuned": (10, 20)}, "do_not_ship", "Training made it worse"),
        ({"base": (39, 20), "tuned": (40, 20)}, "do_not_ship", "A prompt is enough"),
        ({"base": (20, 20), "tuned": (22, 20)}, "collect_data", "No evidence of a gain"),
        ({"base": (0, 20), "tuned": (25, 20)}, "collect_data", "Better, and not good enough"),
        ({"tuned": (40, 20)}, "not_evaluated", "base model has not been measured"),
        ({"base": (0, 20)}, "not_evaluated", "tuned model has not been measured"),
    ],
)
def test_verdict(run_dir: Path, arms: dict[str, tuple[int, int]], decision: str, said: str) -> None:
    evaluate(run_dir, **arms)
    verdict = build_report(run_dir)["verdict"]
    assert verdict["decision"] == decision
    assert said in verdict["sentence"]
    assert verdict["rule"]


@pytest.mark.parametrize(
    ("status", "decision"),
    [
        (Status(RunState.FAILED, step=3, total=60, reason="the loss is not a number"), "do_not_ship"),
        (Status(RunState.RUNNING, step=3, total=60, pid=2**22 + 5, pid_start=1.0), "do_not_ship"),
        (Status(RunState.FINISHED, step=60, total=60), "not_evaluated"),
    ],
)
def test_verdict_without_an_evaluation(run_dir: Path, status: Status, decision: str) -> None:
    end(run_dir, status)
    report = build_report(run_dir)
    assert report["verdict"]["decision"] == decision
    assert report["suites"] == []
    assert "Not evaluated yet" in render_markdown(report)
    assert "Not evaluated yet" in on_terminal(report)


def test_an_empty_run_still_has_a_report(tmp_path: Path) -> None:
    (tmp_path / layout.STATUS).write_text(json.dumps(Status(RunState.STOPPED).to_json()))
    report = build_report(tmp_path)
    assert report["training"]["verdict"]["state"] == "unknown"
    assert render_markdown(report) and on_terminal(report)


def test_no_run_no_report(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        build_report(tmp_path)


def test_the_pages_say_what_counts(run_dir: Path) -> None:
    evaluate(run_dir, base=(1, 20), examples=(20, 18), tuned=(39, 19))
    report = write_report(run_dir)
    assert json.loads((run_dir / "report.json").read_text())["verdict"]["decision"] == "ship"
    page = (run_dir / "report.md").read_text()
    assert page.startswith("# Ship it")
    assert page.count("| Exactly right |") == 1, "one table of figures"
    assert "| Exactly right | 2% [0–13] | 50% [35–65] | 98% [87–100] | +48 [" in page
    assert "38 fixed" in page and "1 broken" in page
    assert "**Converged.**" in page or "**Still falling.**" in page
    assert "█" in page and "torch 2.13.0" in page
    assert f"tuner train {run_dir / 'config.yaml'}" in page
    assert f"tuner eval last --data {run_dir / 'heldout.jsonl'}" in page
    changed = report["suites"][0]["changed"]
    assert len(changed) == 39
    assert changed[0]["direction"] == "broken"


def test_the_terminal_page_keeps_to_its_width(run_dir: Path) -> None:
    evaluate(run_dir, base=(40, 20), instruction=(40, 20), examples=(40, 20), tuned=(40, 20))
    page = on_terminal(build_report(run_dir))
    figures = page.split("How to repeat it")[0]
    assert max(map(len, figures.splitlines())) <= 80
    assert page.count("Exactly right") == 1 + page.count("Exactly right, asked otherwise"), "one table"
    assert page.count("100% [91–100]") == 3 * 4 + 3, "four measures of calls, in three columns; other prompts"
    assert "…" not in figures.split(" fixed, ")[0].replace("The model …", "")


def test_hostile_text_is_shown_and_not_sent(run_dir: Path) -> None:
    evaluate(run_dir, base=(0, 20), tuned=(40, 20))
    report = build_report(run_dir)
    page, shown = render_markdown(report), on_terminal(report)
    for text in (page, shown):
        assert "\x1b[31m" not in text and "\u202e" not in text
        assert "␛[31m" in text
    assert "[bold red]no[/]" in shown
    assert "``" in page, "a code span whose fence is longer than the backticks in it"


def test_tuner_report(run_dir: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    evaluate(run_dir, base=(0, 20), tuned=(40, 20))
    assert main(["report", "last", "--json"]) == 0
    assert json.loads(capsysbinary.readouterr().out)["verdict"]["decision"] == "ship"
    assert main(["report", run_dir.name]) == 0
    assert "report.md" in capsysbinary.readouterr().out.decode()
    end(run_dir, Status(RunState.FAILED, reason="out of memory"))
    assert main(["report", "last"]) == 1
    assert main(["report", "nothing-like-it"]) == 2


def test_tuner_eval_refuses_in_one_sentence(run_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "last"]) == 2
    assert "has no adapter yet" in capsys.readouterr().err
    assert main(["eval", "last", "--arms", "best"]) == 2
    assert "no arm is called 'best'" in capsys.readouterr().err
    assert main(["eval", "nobody/nothing"]) == 2
    assert "--data" in capsys.readouterr().err
    assert main(["eval", "embedded", "--data", "none.jsonl"]) == 2
    assert "cannot read the held-out items" in capsys.readouterr().err


def test_gold_calls_are_the_rows_own(run_dir: Path) -> None:
    evaluate(run_dir, base=(0, 0))
    task = HeldoutTask(run_dir / "heldout.jsonl")
    assert task.items[0].gold == [Call("open_gate", {"number": 1})]
    assert [message["role"] for message in task.items[0].messages] == ["user"]
