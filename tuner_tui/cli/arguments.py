"""How a wrong call is told: in one line, with the place where help is."""

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from tuner_tui.cli.output import discard_output, printing
from tuner_tui.visible import visible


class Parser(argparse.ArgumentParser):
    """A parser of the command line, or of a verb of it, that refuses in one line."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """As in argparse; but a verb itself refuses what it does not know, so that its own help is named."""
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unknown argument {unknown[0]}")
        return parsed, unknown

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """End, after `--help` too, whose reader may have gone."""
        try:
            with printing():
                sys.stdout.flush()
        except BrokenPipeError:
            discard_output()
        super().exit(status, message)

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        self.exit(2, f"{self.prog}: {visible(message, one_line=True)} ({self.prog} --help)\n")


def whole(low: int, high: int | None = None) -> Callable[[str], int]:
    """The type of an argument: a whole number from `low` on, up to `high`."""
    wanted = f"a whole number of at least {low}" if high is None else f"a whole number from {low} to {high}"

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if number < low or (high is not None and number > high):
            raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
        return number

    return parse


def number(text: str) -> float:
    """The type of an argument: a finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number such as 0.1")
    return value


def names(text: str) -> list[str]:
    """What is named with commas in between: "a, b" as ["a", "b"]."""
    return [part.strip() for part in text.split(",") if part.strip()]
