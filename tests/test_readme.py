"""The README's commands are commands: every `tuner` line parses, every `make` target exists."""

import re
import shlex
from pathlib import Path

import pytest

from tuner_tui.cli import build_parser

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "sample_data/README.md")


def shell_lines() -> list[str]:
    """The lines of all fenced and indented shell blocks, comments and prompts left out."""
    lines = []
    for name in DOCUMENTS:
        text = (ROOT / name).read_text()
        blocks = re.findall(r"```(?:sh|console|bash)\n(.*?)```", text, re.S)
        lines += [line for block in blocks for line in block.splitlines()]
        lines += [line for line in text.splitlines() if line.startswith("    ")]
    return [line.strip().removeprefix("$ ") for line in lines]


TUNER = sorted({line for line in shell_lines() if line.startswith("tuner ")})
MAKE = sorted({line for line in shell_lines() if line.startswith("make ")})


def test_the_documents_show_commands() -> None:
    assert len(TUNER) >= 10
    assert {"make demo", "make test"} <= {line.split("#")[0].strip() for line in MAKE}


@pytest.mark.parametrize("line", TUNER)
def test_every_tuner_line_parses(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    stop = next((at for at, word in enumerate(words) if word in {"|", ">", "&&"}), len(words))
    args = build_parser().parse_args(words[:stop])
    assert args.verb is None or callable(args.run)


@pytest.mark.parametrize("line", MAKE)
def test_every_make_target_exists(line: str) -> None:
    targets = [word for word in shlex.split(line, comments=True)[1:] if "=" not in word]
    makefile = (ROOT / "Makefile").read_text()
    for target in targets:
        assert re.search(rf"^{re.escape(target)}:", makefile, re.M), target


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_link_to_a_file_leads_somewhere(name: str) -> None:
    from urllib.parse import unquote

    text = (ROOT / name).read_text()
    links = re.findall(r"\]\(([^)#]+)\)", text) + re.findall(r'(?:src|href)="([^"#]+)"', text)
    for link in links:
        if not link.startswith("http"):
            assert (ROOT / unquote(link)).exists(), link
