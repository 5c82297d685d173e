"""How every verb prints: for people on a terminal, JSON with `--json`."""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from rich.console import Console


def emit(args: argparse.Namespace, data: Mapping[str, Any], human: Callable[[Console], None]) -> None:
    """Print `data` as JSON when `--json` was given, else let `human` draw it on a console."""
    if getattr(args, "json", False):
        sys.stdout.buffer.write(orjson.dumps(data, option=orjson.OPT_INDENT_2, default=str) + b"\n")
        sys.stdout.flush()
    else:
        human(Console(highlight=False))


def add_json_flag(parser: argparse.ArgumentParser) -> None:
    """Give a verb its `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
