"""Two tuned models on the same items, and on items that are not the same."""

import json
import shutil
from pathlib import Path

import pytest
from test_report_files import evaluate, run_dir  # noqa: F401

from tuner_tui.cli import main
from tuner_tui.evaluation.layout import heldout_dir
from tuner_tui.report.compare_runs import compare_runs


@pytest.fixture
def two(run_dir: Path) -> tuple[Path, Path]:  # noqa: F811
    second = run_dir.with_name(run_dir.name + "-b")
    shutil.copytree(run_dir, second)
    evaluate(run_dir, base=(0, 20), tuned=(20, 20))
    evaluate(second, base=(0, 20), tuned=(39, 20))
    return run_dir, second


def test_paired_on_the_same_items(two: tuple[Path, Path]) -> None:
    suite = compare_runs(*two)["suites"][0]
    assert suite["items"] == {"first": 60, "second": 60, "shared": 60} and suite["sentence"] is None
    change = suite["rows"][0]["change"]
    # 19 of 40 calls became right and none wrong: 2 / 2**19
    assert (change["fixed"], change["broken"], change["pairs"]) == (19, 0, 40)
    assert change["p_value"] == pytest.approx(2 / 2**19)
    assert suite["claim"]["state"] == "better"
    assert len(suite["changed"]) == 19
    back = compare_runs(two[1], two[0])["suites"][0]
    assert back["claim"]["state"] == "worse" and back["rows"][0]["change"]["delta"] == -change["delta"]


@pytest.mark.parametrize(("changed", "shared"), [(60, 0), (10, 50)])
def test_items_that_differ_are_said(two: tuple[Path, Path], changed: int, shared: int) -> None:
    path = heldout_dir(two[1]) / "tuned.jsonl"
    items = [json.loads(line) for line in path.read_text().splitlines()]
    for item in items[:changed]:
        item["request"] += " (another)"
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    suite = compare_runs(*two)["suites"][0]
    assert suite["items"]["shared"] == shared
    assert "different items" in suite["sentence"]
    assert bool(suite["rows"]) == bool(suite["claim"]) == bool(shared)


def test_tuner_compare(two: tuple[Path, Path], capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["compare", two[0].name + "-b", two[0].name + "-b", "--json"]) == 0
    said = json.loads(capsysbinary.readouterr().out)
    assert said["suites"][0]["claim"]["state"] == "no_evidence"
    assert main(["compare", two[1].name, str(two[1].name)]) == 0
    page = capsysbinary.readouterr().out.decode()
    assert "No evidence of a difference" in page and "\x1b[31m" not in page


def test_nothing_to_compare(two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(two[1] / "eval")
    assert main(["compare", two[1].name, two[1].name]) == 2
    assert "no suite on which both tuned models were measured" in capsys.readouterr().err
