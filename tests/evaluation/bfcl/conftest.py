"""These tests need the package bfcl-eval, and nothing of what it asks for but filelock and mpmath."""

import importlib.util

import pytest

from tuner_tui.evaluation.suites.bfcl.official import INSTALL


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if importlib.util.find_spec("bfcl_eval") is None:
        for item in items:
            if "needs_bfcl" in item.fixturenames:  # type: ignore[attr-defined]
                item.add_marker(pytest.mark.skip(reason=f"bfcl-eval is not installed: {INSTALL}"))


@pytest.fixture(scope="session")
def needs_bfcl() -> None:
    """The test needs bfcl-eval."""
