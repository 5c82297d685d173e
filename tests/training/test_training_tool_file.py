"""A file of executable tools is refused before a run, in one sentence, without being run."""

from pathlib import Path

import pytest

from tuner_tui.errors import UserError
from tuner_tui.training.config import parse_config
from tuner_tui.training.launchers.local import check_inputs
from tuner_tui.training.tool_file import tool_functions

GOOD = '''"""Tools."""
raise SystemExit("a check does not run the file")

def add(a: int, b: int = 0) -> int:
    """Add two numbers.

    Args:
        a: The first number.
        b (int): The second number.
    """
    return a + b

async def now() -> str:
    """The time."""
    return "noon"

def _helper(x):
    return x
'''


def test_the_public_functions_are_the_tools(tmp_path: Path) -> None:
    path = tmp_path / "tools.py"
    path.write_text(GOOD)
    assert tool_functions(path) == ("add", "now")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("def add(a:", "line 1 is not Python"),
        ("def _add(a: int): ...", "has no public function; define one"),
        ("x = 1\ndef add(a: int): ...", r"line 2: add has no docstring"),
        (
            'def add(a):\n    """Add.\n\n    Args:\n        a: One.\n    """',
            "add has no type for its argument a",
        ),
        ('def add(a: int):\n    """Add a."""', "does not describe its argument a under “Args:”"),
        ('def add(*a: int):\n    """Add."""', "takes arguments without a name"),
        ('def add(a: int, /):\n    """Add."""', "takes arguments without a name"),
        ("\0", "is not Python"),
    ],
)
def test_faults(text: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "tools.py"
    path.write_text(text)
    with pytest.raises(UserError, match=fault):
        tool_functions(path)
    rows = tmp_path / "rows.jsonl"
    rows.write_text("")
    config = parse_config(f"{{method: grpo, data: {{train: [{rows}]}}, grpo: {{tools: {path}}}}}", "x")
    with pytest.raises(UserError, match=fault):
        check_inputs(config)  # what `tuner train` asks before it starts anything


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read"):
        tool_functions(tmp_path / "none.py")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            '{method: grpo, data: {train: [a]}, grpo: {rewards: "parse"}}',
            'grpo.rewards: "parse" is no reward',
        ),
        ("{method: rloo, data: {train: [a]}, grpo: {tools: t.py}}", "grpo.tools: rloo runs no tools"),
        (
            "{method: rloo, data: {train: [a]}, grpo: {generations: 3}}",
            r"effective_batch \(16\) must be a multiple of grpo.generations \(3\)",
        ),
    ],
)
def test_faults_of_the_section(text: str, fault: str) -> None:
    with pytest.raises(UserError, match=fault):
        parse_config(text, "config.yaml")
