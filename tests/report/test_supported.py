"""What supports a verdict stands in every form of the report: overlap, what was kept, training checks."""

import json
from pathlib import Path
from typing import Any

import pytest
from gates import row
from test_html import Page, add_suite, lost
from test_report_files import evaluate, heldout_lines, on_terminal, run_dir  # noqa: F401

from tuner_tui.report.build import build_report
from tuner_tui.report.card import model_card
from tuner_tui.report.html import render as render_html
from tuner_tui.report.markdown import render as render_markdown


def forms(report: dict[str, Any]) -> dict[str, str]:
    """The text of each form, without what Markdown escapes."""
    return {
        "terminal": on_terminal(report, width=240),
        "markdown": render_markdown(report).replace("\\", ""),
        "html": Page(render_html(report)).text,
        "card": model_card(report).replace("\\", ""),
    }


def trained_on(run: Path, rows: list[dict[str, Any]]) -> tuple[Path]:
    path = run / "train.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return (path,)


@pytest.mark.parametrize(
    ("shared", "decision", "known"),
    [
        (0, "ship", "60 items, none of them in the training data: 98% [87–100]"),
        (2, "ship", "60 items, 2 of them in the training data: 98% [87–100]"),
        (36, "collect_data", "36 of 60 items are in the training data too, so the gain on"),
    ],
)
def test_overlap_is_said_before_a_gain_and_can_undo_it(
    run_dir: Path,  # noqa: F811
    shared: int,
    decision: str,
    known: str,
) -> None:
    own = [json.loads(line) for line in heldout_lines()]
    training = trained_on(run_dir, [*own[:shared], *(row(number) for number in range(500, 520))])
    evaluate(run_dir, training=training, base=(0, 20), tuned=(39, 20))
    report = build_report(run_dir)
    suite = report["suites"][0]
    assert suite["overlap"]["exact"] == shared, "the evaluator's own count"
    assert report["verdict"]["decision"] == decision
    assert known in report["verdict"]["sentence"]
    assert suite["claim"]["stands"] == (decision == "ship")
    for form, text in forms(report).items():
        assert known in text, form
        assert text.index(suite["overlap"]["sentence"]) < text.index("Better: +98 points"), form
        assert "No item is in the training data" not in text, "one suite says it by itself"
        assert ("Without the 36 items" in text) == (shared == 36), form


def test_suites_apart_from_the_training_data_say_it_together(run_dir: Path) -> None:  # noqa: F811
    evaluate(run_dir, training=trained_on(run_dir, [row(500)]), base=(0, 20), tuned=(39, 20))
    add_suite(run_dir, "bfcl")
    for form, text in forms(build_report(run_dir)).items():
        said = text.index("No item is in the training data, exactly or nearly, of: Held-out rows; BFCL.")
        assert said < text.index("Better: +98 points"), form


def test_what_was_kept_and_the_checks_of_the_training(run_dir: Path) -> None:  # noqa: F811
    evaluate(run_dir, base=(0, 20), tuned=(39, 20))
    bits = {"measure": "bits_per_byte", "title": "Foretelling text", "state": "kept", "pairs": 20}
    bits |= {"delta": -0.01, "interval": [-0.0151, -0.0049], "margin": 0.03, "sentence": "Kept."}
    add_suite(run_dir, "general", regression=[*lost("lost"), bits])
    report = build_report(run_dir)
    pages = forms(report)
    for form, text in pages.items():
        assert "Multiple choice" in text and "-20 [-30 to -10]" in text and "5 points" in text, form
        assert "✘ lost" in text and "✔ kept" in text, form
        assert "-0.010 [-0.015 to -0.005]" in text and "0.030 bits per byte" in text, form
    del pages["card"]
    checks = report["training"]["checks"]
    assert [each["name"] for each in checks] == [
        "convergence",
        "overfitting",
        "under_training",
        "instability",
    ]
    for form, text in pages.items():
        for check in checks:
            assert check["sentence"] in text and check["rule"] in text, form


def test_each_suite_has_its_figures_once(run_dir: Path) -> None:  # noqa: F811
    evaluate(run_dir, base=(0, 20), instruction=(5, 20), examples=(20, 18), tuned=(39, 20))
    add_suite(run_dir, "bfcl", notes=["A note."])
    report = build_report(run_dir)
    assert "evaluation" not in report and "changed" not in report
    markdown = render_markdown(report)
    assert markdown.count("| Exactly right |") == 2
    assert "Exactly right, asked otherwise: Instruction 12% \\[5–26\\]." in markdown
    page = render_html(report)
    assert page.count('<th scope="row">Right tool<small>') == 2
    assert report["verdict"]["next"].replace("`", "") in Page(page).text


def test_versions_of_an_evaluation_that_training_had_not(run_dir: Path) -> None:  # noqa: F811
    evaluate(run_dir, base=(0, 20), tuned=(39, 20))
    add_suite(run_dir, "bfcl", versions={"torch": "2.13.0", "bfcl-eval": "2026.3.23"})
    report = build_report(run_dir)
    assert report["evaluated_with"]["bfcl-eval"] == "2026.3.23"
    for form, text in forms(report).items():
        assert "torch 2.13.0" in text and "bfcl-eval 2026.3.23" in text, form


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ""),
        ({"limit": 120, "seed": 3}, " --limit 120 --seed 3"),
        ({"repeats": 5, "decoding": "temperature 0.7"}, " --repeats 5 --temperature 0.7"),
    ],
)
def test_commands_repeat_an_evaluation_with_its_settings(
    run_dir: Path,  # noqa: F811
    settings: dict[str, Any],
    words: str,
) -> None:
    evaluate(run_dir, base=(0, 20), tuned=(39, 20))
    add_suite(run_dir, "bfcl", heldout="", settings=settings)
    assert build_report(run_dir)["repeat"][-1] == f"tuner eval last --suite bfcl{words}"
