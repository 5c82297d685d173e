"""The HTML report: one file without requests, balanced, with every hostile text escaped."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from test_report_files import end, evaluate, run_dir  # noqa: F401

from tuner_tui.cli import main
from tuner_tui.evaluation.layout import heldout_dir
from tuner_tui.report.build import build_report, write_report
from tuner_tui.report.html import render
from tuner_tui.report.markdown import render as render_markdown
from tuner_tui.runs import files, layout
from tuner_tui.runs.layout import RunState, Status

VOID = {"meta", "br", "link", "img", "hr", "input"}
EVIL = (
    "</pre></style><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)> "
    "\x1b[31m\u202e'\""
)


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def check(text: str) -> Page:
    page = Page(text)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.tags:
        assert tag not in ("script", "img", "link", "iframe", "object", "base", "form")
        for name, value in attributes.items():
            assert not name.startswith("on") and name not in ("src", "xlink:href", "srcset")
            assert name != "href" or (tag == "a" and value and value[1:] in ids), "links stay in the page"
            assert name == "aria-label" or "://" not in (value or "")
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style and "@import" not in style
    assert page.count("svg") == page.count("title") - 1, "every drawing has a title, and so has the page"
    assert page.count("th") and all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    assert "\x1b" not in text and "\u202e" not in text
    return page


def add_suite(run: Path, name: str, **given: Any) -> Path:
    """Another suite with the items of the held-out one: the files as the evaluator leaves them."""
    folder = run / layout.EVALUATIONS / name
    folder.mkdir()
    for arm in ("base", "tuned"):
        (folder / f"{arm}.jsonl").write_bytes((heldout_dir(run) / f"{arm}.jsonl").read_bytes())
    summary = json.loads((heldout_dir(run) / "summary.json").read_bytes())
    files.write_json(folder / "summary.json", {**summary, "suite": name, "title": name.upper(), **given})
    return folder


def lost(state: str) -> list[dict[str, Any]]:
    return [
        {
            "measure": "choices",
            "title": "Multiple choice",
            "state": state,
            "pairs": 200,
            "delta": -0.2,
            "interval": [-0.3, -0.1],
            "margin": 0.05,
            "sentence": f"Multiple choice was {state}.",
        }
    ]


def test_the_page_is_whole_and_asks_for_nothing(run_dir: Path) -> None:  # noqa: F811
    evaluate(run_dir, base=(0, 20), examples=(20, 18), tuned=(39, 20))
    write_report(run_dir)
    text = (run_dir / "report.html").read_text()
    page = check(text)
    assert "Ship it" in page.text and "98% [87–100]" in page.text
    assert "prefers-color-scheme: dark" in text and "@media print" in text and "width=device-width" in text
    assert "default-src 'none'" in text
    assert "Not measured: BFCL V4, single turn" in page.text
    assert "\\u202e" in page.text and "␛[31m" in page.text, "hostile requests are shown, not obeyed"


def test_hostile_text_everywhere(run_dir: Path) -> None:  # noqa: F811
    evaluate(run_dir, base=(0, 20), tuned=(39, 20))
    add_suite(
        run_dir,
        "bfcl",
        title=EVIL,
        notes=[EVIL],
        error_types={"missing_call": EVIL},
        measures=[{"name": "full_match", "title": EVIL, "help": EVIL}],
        overlap={"items": 60, "exact": 1, "near": 0, "tools": 0, "sentence": EVIL},
    )
    manifest = json.loads((run_dir / layout.MANIFEST).read_bytes())
    manifest |= {"model": {"name": EVIL}, "data": [{"path": EVIL, "sha256": EVIL}], "packages": {EVIL: EVIL}}
    files.write_json(run_dir / layout.MANIFEST, manifest)
    (run_dir / layout.CONFIG).write_text("method: sft\nname: " + json.dumps(EVIL) + "\n")
    page = check(render(build_report(run_dir)))
    assert page.text.count("<script>alert(1)</script>") >= 8


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.RUNNING, RunState.FINISHED])
def test_a_run_without_an_evaluation_has_a_page(run_dir: Path, state: RunState) -> None:  # noqa: F811
    end(run_dir, Status(state, step=3, total=60, reason=EVIL))
    text = render(build_report(run_dir))
    assert "Not evaluated yet" in Page(text).text and "<script" not in text


def test_a_suite_that_lost_blocks(run_dir: Path) -> None:  # noqa: F811
    evaluate(run_dir, base=(0, 20), tuned=(39, 20))
    assert build_report(run_dir)["verdict"]["decision"] == "ship"
    assert "was not measured" in build_report(run_dir)["verdict"]["sentence"]
    folder = add_suite(run_dir, "general", regression=lost("kept"))
    assert "General ability is kept" in build_report(run_dir)["verdict"]["sentence"]
    for state, decision in (("lost", "do_not_ship"), ("undecided", "collect_data")):
        summary = json.loads((folder / "summary.json").read_bytes()) | {"regression": lost(state)}
        files.write_json(folder / "summary.json", summary)
        report = build_report(run_dir)
        assert report["verdict"]["decision"] == decision
        assert f"Multiple choice was {state}" in report["verdict"]["sentence"]
        assert f"Multiple choice was {state}" in render_markdown(report)


def test_a_loss_on_another_suite_blocks(run_dir: Path) -> None:  # noqa: F811
    evaluate(run_dir, base=(0, 20), tuned=(39, 20))
    worse = {
        "measure": "full_match",
        "base": "base",
        "tuned": "tuned",
        "pairs": 40,
        "delta": -0.5,
        "interval": [-0.65, -0.35],
        "p_value": 1.9e-6,
        "fixed": 0,
        "broken": 20,
    }
    add_suite(run_dir, "bfcl", comparison={"full_match": worse}, comparison_best={"full_match": worse})
    verdict = build_report(run_dir)["verdict"]
    assert verdict["decision"] == "do_not_ship"
    assert "BFCL" in verdict["sentence"] and "20 broken" in verdict["sentence"]


def test_html_to_a_file(run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    evaluate(run_dir, base=(0, 20), tuned=(39, 20))
    out = tmp_path / "page.html"
    assert main(["report", "last", "--html", str(out)]) == 0
    assert re.search(rf"Written to {re.escape(str(out))}", capsys.readouterr().out)
    assert out.read_text() == (run_dir / "report.html").read_text()
    assert main(["report", "last", "--html", str(tmp_path / "no" / "page.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err
