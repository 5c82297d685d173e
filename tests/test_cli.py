"""What all verbs have in common: one line for a wrong call, a reader that leaves, a full disk, Ctrl-C."""

import io
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from tuner_tui.cli import main
from tuner_tui.cli.output import counted, print_line, styled, waiting
from tuner_tui.paths import sample_data

CALL = [sys.executable, "-c", "import sys; from tuner_tui.cli import main; sys.exit(main())"]
GOOD, BROKEN = str(sample_data() / "heldout.jsonl"), str(sample_data() / "broken.jsonl")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["inspect"], "tuner inspect: "),
        (["inspect", "a", "--limit", "x"], "'x' is not a whole number of at least 1"),
        (["inspect", "a", "--limit", "0"], "'0' is not a whole number"),
        (["inspect", "a", "--foo"], "tuner inspect: unknown argument --foo"),
        (["inspect", "a\x1b[2J", "b\x1b[2J"], "unknown argument b"),
        (["split", "a", "b", "c", "--seed", "-1"], "from 0 to 4294967295"),
        (["split", "a", "b", "c", "--share", "x"], "'x' is not a number"),
        (["split", "a", "b", "c", "--by", "x"], "invalid choice"),
        (["mix", "out", "a", "--rows", "1.5"], "'1.5' is not a whole number"),
        (["ls", "x"], "tuner ls: unknown argument x"),
        (["wizard"], "invalid choice"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    out, err = capsys.readouterr()
    assert caught.value.code == 2
    assert (out, len(err.splitlines())) == ("", 1)
    assert said in err and "--help)" in err
    assert "\x1b" not in err and "_positive" not in err


@pytest.mark.parametrize(
    ("words", "status"),
    [(["inspect", GOOD], 0), (["inspect", BROKEN], 1), (["inspect", BROKEN, "--json"], 1), (["--help"], 0)],
    ids=str,
)
def test_a_reader_that_leaves_changes_no_status(words: list[str], status: int) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run([*CALL, *words], stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert (result.returncode, result.stderr) == (status, b"")


@pytest.mark.parametrize("words", [["inspect", GOOD], ["inspect", GOOD, "--json"]], ids=len)
def test_output_that_finds_no_room(words: list[str], tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    with (tmp_path / "out").open("wb") as out:
        result = subprocess.run(
            [*CALL, *words], stdout=out, stderr=subprocess.PIPE, preexec_fn=limit, timeout=60
        )
    assert result.returncode == 2
    assert result.stderr.startswith(b"tuner: standard output cannot be written (")
    assert len(result.stderr.splitlines()) == 1


def test_ctrl_c_says_that_nothing_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), waiting("Mending"):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "tuner: stopped; nothing was written\n"
    with pytest.raises(KeyboardInterrupt), waiting("Inspecting", writes=False):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == ""


def test_progress_fits_into_a_line() -> None:
    code = (
        "from tuner_tui.cli.output import waiting\n"
        "from tuner_tui.data.progress import Progress\n"
        "with waiting('Converting') as show: show(Progress(10**10, 10**11, 123_456_789, 1234.5))"
    )
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": "80", "TERM": "xterm"}
    err = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    ).stderr
    lines = [line for line in err.splitlines() if "Converting" in line]
    assert any("123,456,789 rows, 10%" in line and "(Ctrl-C stops)" in line for line in lines)


def test_lines_hang_on_a_terminal_and_are_whole_in_a_pipe() -> None:
    text = styled("    row 3: " + "several words of which one is " * 4 + "last", "")
    terminal = io.StringIO()
    print_line(Console(file=terminal, force_terminal=True, width=40, color_system=None), text, hang=6)
    first, *rest = terminal.getvalue().splitlines()
    assert first.startswith("    row 3: several") and len(rest) > 2
    assert all(line.startswith("      ") and line[6] != " " for line in rest)
    assert all(len(line) <= 40 and line == line.rstrip() for line in (first, *rest))
    words = " ".join(line.strip() for line in (first, *rest))
    assert words == text.plain.strip()
    pipe = io.StringIO()
    print_line(Console(file=pipe, width=40), text, hang=6)
    assert pipe.getvalue() == f"{text.plain}\n"


def test_one_row() -> None:
    assert [counted(1), counted(2000), counted(1, 5), counted(2, 5)] == [
        "1 row",
        "2,000 rows",
        "    1 row ",
        "    2 rows",
    ]


@pytest.mark.parametrize("verb", ["inspect", "convert", "fix", "split", "mix"])
@pytest.mark.parametrize("json", [False, True])
def test_files_that_are_left_out_are_told(
    verb: str, json: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "data", str(tmp_path / "out.jsonl")
    folder.mkdir()
    for name in ("train", "negatives", "test"):
        (folder / f"{name}.jsonl").write_bytes(Path(GOOD).read_bytes())
    words = {
        "inspect": ["inspect", str(folder)],
        "convert": ["convert", str(folder), out],
        "fix": ["inspect", str(folder), "--fix", out],
        "split": ["split", str(folder), out, f"{out}.eval"],
        "mix": ["mix", out, str(folder)],
    }[verb]
    assert main([*words, *(["--json"] if json else [])]) == 0
    text = capsys.readouterr().out
    if json:
        assert '"left_out"' in text and '"split test; name it to read it"' in text
    else:
        assert "1 file left out: test.jsonl (split test; name it to read it)" in text
