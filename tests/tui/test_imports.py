"""Law 2: the window loads nothing heavy."""

import subprocess
import sys

HEAVY = ("torch", "transformers", "peft", "trl", "datasets", "bitsandbytes", "pandas", "pyarrow", "polars")


def loaded_by(code: str) -> set[str]:
    """Top-level modules that are loaded after `code` in a fresh interpreter."""
    script = f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_app_and_the_command_line_load_nothing_heavy() -> None:
    loaded = loaded_by("import tuner_tui.tui.app, tuner_tui.cli\ntuner_tui.cli.build_parser()")
    assert not loaded & set(HEAVY)


def test_numpy_waits_for_the_first_paint() -> None:
    assert "numpy" not in loaded_by("import tuner_tui.tui.app, tuner_tui.tui.screens.home")


def test_no_screen_loads_anything_heavy() -> None:
    screens = ("home", "decide", "data", "configure", "train", "evaluate", "report", "runs")
    code = "\n".join(f"import tuner_tui.tui.screens.{name}" for name in screens)
    assert not loaded_by(code) & set(HEAVY)


def test_the_check_itself_sees_what_is_loaded() -> None:
    assert "numpy" in loaded_by("import numpy")
