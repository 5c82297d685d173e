"""The doctor: on a sound machine it finds nothing broken, and it names what is."""

import json
from pathlib import Path

import pytest

from tuner_tui import doctor, paths
from tuner_tui.cli import main
from tuner_tui.doctor import Check


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Check]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNER_HOME", str(tmp_path_factory.mktemp("home")))
        return {check.name: check for check in doctor.run_checks()}


def test_what_works_is_named_with_its_version(checks: dict[str, Check]) -> None:
    assert "torch" in checks["Packages"].detail
    assert checks["PyTorch"].state == "ok"
    assert checks["4-bit weights (CPU)"].state == "ok"
    assert "relative error 0.0" in checks["4-bit weights (CPU)"].detail
    assert "auto means" in checks["Number type"].detail
    assert checks["Embedded model"].state == "ok"
    assert checks["Home"].state == "ok"
    assert any(name.startswith("GPU") for name in checks)


def test_whatever_is_not_right_comes_with_a_mend(checks: dict[str, Check]) -> None:
    for check in checks.values():
        assert check.detail
        assert (check.state == "ok") == (check.mend == ""), check


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which PyTorch does not import and the home is a file."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise ImportError('libcudart.so.13: cannot open')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "home").write_text("")
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(paths, "embedded_model", lambda: tmp_path / "none")
    return tmp_path


def test_a_broken_machine_is_told_as_json_and_by_the_exit_status(
    broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--json"]) == 1
    listed = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert listed["PyTorch"]["state"] == "error"
    assert "libcudart.so.13" in listed["PyTorch"]["detail"]
    assert listed["Home"]["state"] == "error"
    assert "TUNER_HOME" in listed["Home"]["mend"]
    assert listed["Embedded model"]["state"] == "error"
    assert all(check["mend"] for check in listed.values() if check["state"] != "ok")
