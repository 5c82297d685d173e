"""The checkers and the data of `bfcl-eval`, loaded without its clients of every vendor.

The package asks for some 150 others, of which its checkers use none but `filelock` and `mpmath`: the module
of model configurations, which imports all clients, is asked for one flag only. It is replaced while the
checkers are imported. Importing also makes folders, in the installed package unless `BFCL_PROJECT_ROOT`
says where.

Source: https://github.com/ShishirPatil/gorilla, berkeley-function-call-leaderboard (Apache-2.0).
"""

import importlib
import importlib.util
import os
import sys
import tempfile
import types
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from tuner_tui.errors import UserError

CHECKED_VERSION = "2026.3.23"
"""The version whose figures are tested to be the same as ours."""
INSTALL = f"pip install --no-deps bfcl-eval=={CHECKED_VERSION} && pip install filelock mpmath"
_CONFIG = "bfcl_eval.constants.model_config"
_ROOT = "BFCL_PROJECT_ROOT"
DOTTED = "dotted-"
"""Begins the names of runs in which functions are shown under names with dots."""


def data_folder() -> Path:
    """Where the package keeps its questions and answers.

    Raises:
        UserError: it is not installed.
    """
    spec = importlib.util.find_spec("bfcl_eval")
    missing = [name for name in ("filelock", "mpmath") if importlib.util.find_spec(name) is None]
    if spec is None or not spec.submodule_search_locations or missing:
        what = "bfcl-eval" if spec is None else " and ".join(missing) or "bfcl-eval"
        raise UserError(f"the BFCL suites need {what}, which is not installed: {INSTALL}")
    return Path(spec.submodule_search_locations[0]) / "data"


def installed_version() -> str:
    """The version of the package that is installed."""
    return version("bfcl-eval")


def rows(category: str) -> list[dict[str, Any]]:
    """The questions of a category, in the file's order."""
    return _lines(data_folder() / f"BFCL_v4_{category}.json")


def answers(category: str) -> list[list[Any]] | None:
    """The ground truth of each question in the order of `rows`, by which the official runner matches them too
    (some ids differ); None for a category without."""
    path = data_folder() / "possible_answer" / f"BFCL_v4_{category}.json"
    return [row["ground_truth"] for row in _lines(path)] if path.exists() else None


def load(name: str) -> Any:
    """A module of the package by its name below `bfcl_eval`, loaded without any client.

    Raises:
        UserError: the package is not installed.
    """
    data_folder()
    with _without_clients():
        return importlib.import_module(f"bfcl_eval.{name}")


@contextmanager
def _without_clients() -> Iterator[None]:
    before, root = sys.modules.get(_CONFIG), os.environ.get(_ROOT)
    sys.modules[_CONFIG] = _configurations()
    os.environ[_ROOT] = _scratch().name
    try:
        yield
    finally:
        if before is None:
            del sys.modules[_CONFIG]
        else:
            sys.modules[_CONFIG] = before
        if root is None:
            del os.environ[_ROOT]
        else:
            os.environ[_ROOT] = root


class _Configurations(dict[str, Any]):
    """Tools that are shown as JSON Schema are named without dots."""

    def __missing__(self, name: str) -> Any:
        return types.SimpleNamespace(underscore_to_dot=not name.startswith(DOTTED))


@cache
def _configurations() -> types.ModuleType:
    module = types.ModuleType(_CONFIG)
    module.MODEL_CONFIG_MAPPING = _Configurations()  # type: ignore[attr-defined]
    return module


@cache
def _scratch() -> "tempfile.TemporaryDirectory[str]":
    """Where the package makes its folders; it goes when the process ends."""
    return tempfile.TemporaryDirectory(prefix="tuner-bfcl-")


def _lines(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
