"""The HTML report in headless Chromium: both colour schemes, a phone, paper; no request but its own file."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import PROGRAM, Browser
from test_html import add_suite, lost
from test_report_files import evaluate, run_dir  # noqa: F401

from tuner_tui.report.build import write_report

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium here to look at the page with")

RECORDED = Path(__file__).parent.parent / "tui" / "suites_run"
PAPER = "rgb(255, 255, 255)"
GROUND = "getComputedStyle(document.body).backgroundColor"
INK = "getComputedStyle(document.body).color"
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with Browser(tmp_path / "profile") as found:
        yield found


@pytest.fixture(params=["hostile", "recorded"])
def page(request: pytest.FixtureRequest, run_dir: Path, tmp_path: Path) -> Path:  # noqa: F811
    """Several suites: one page with words that no line can hold, and that of a real run."""
    if request.param == "recorded":
        shutil.copytree(RECORDED, tmp_path / "recorded")
        config = tmp_path / "recorded" / "config.yaml"
        config.write_text(config.read_text().replace("@ROOT@", "/data"))  # a mark of `record_run.py`
        write_report(tmp_path / "recorded")
        return tmp_path / "recorded" / "report.html"
    evaluate(run_dir, base=(0, 20), instruction=(10, 20), examples=(20, 18), tuned=(39, 20))
    add_suite(run_dir, "general", regression=lost("undecided"))
    add_suite(run_dir, "bfcl", title="B" * 300, notes=["N" * 500])
    write_report(run_dir)
    return run_dir / "report.html"


def lightness(colour: str) -> float:
    red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
    return (red + green + blue) / 3


def test_light_dark_and_phone(page: Path, browser: Browser) -> None:
    for scheme in ("light", "dark"):
        for width in (1100, 390):
            browser.open(page, width, scheme)
            assert browser.value(TOO_WIDE) <= 0, f"{scheme}, {width} wide: the page scrolls sideways"
            ground, ink = lightness(browser.value(GROUND)), lightness(browser.value(INK))
            assert (ground > ink + 150) if scheme == "light" else (ink > ground + 150)
            # The verdict and what to do next stand on the first screen.
            assert browser.value("document.querySelector('.next').getBoundingClientRect().bottom") < 900
    assert {url.partition(":")[0] for url in browser.requests} == {"file"}
    assert set(browser.requests) == {page.absolute().as_uri()}


def test_on_paper(page: Path, browser: Browser) -> None:
    browser.open(page, 700, "dark")
    browser.print_media()
    assert browser.value(GROUND) == PAPER and lightness(browser.value(INK)) == 0
    assert browser.value(TOO_WIDE) <= 0
    shown = "document.querySelector('details:not([open]) pre').getBoundingClientRect().height"
    assert browser.value(shown) > 100, "the configuration is folded on the screen and open on paper"
    cut = (
        "[...document.querySelectorAll('.scroll, pre')]"
        ".filter(each => getComputedStyle(each).overflowX !== 'visible').length"
    )
    assert browser.value(cut) == 0, "what scrolls on the screen would be cut off on paper"
    pdf = browser.pdf()
    assert pdf.startswith(b"%PDF") and pdf.count(b"/Type /Page") >= 2
    assert set(browser.requests) == {page.absolute().as_uri()}
