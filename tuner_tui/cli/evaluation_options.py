"""The options of `tuner eval`."""

import argparse
import shlex
from pathlib import Path
from typing import Any

from tuner_tui.cli.arguments import names, whole
from tuner_tui.errors import UserError

SUITE_NAMES = (
    *("heldout", "bfcl", "bfcl_prompting", "bfcl_multi_turn", "bfcl_multi_turn_prompting"),
    *("apibench", "tasks", "general", "lm_eval"),
)
"""The keys of `suites.SUITES`, which is not imported to print the help."""
_DEFAULTS: dict[str, Any] = {
    "suite": "heldout",
    "arms": None,
    "limit": None,
    "seed": 0,
    "repeats": 1,
    "temperature": 0.0,
    "endpoint": None,
    "api_key_env": None,
    "concurrency": 8,
    "max_new_tokens": None,
}
"""The options with a value, but for the files."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them to the verb's parser."""
    parser.add_argument("what", metavar="RUN|MODEL", help='a run, "last", "embedded", a folder or a hub id')
    parser.add_argument(
        "--data",
        type=_data,
        action="append",
        default=[],
        metavar="[SUITE=]FILE",
        help="a suite's items, by default of each that needs a file: held-out rows (a run knows its own), "
        "apibench, lm_eval; repeated for several",
    )
    parser.add_argument(
        "--arms",
        metavar="A,B",
        help="base, instruction, examples and tuned by default; also retrieved, constrained, "
        "tuned_constrained, prompt:NAME",
    )
    parser.add_argument("--fresh", action="store_true", help="measure again what has been measured")
    parser.add_argument("--full-precision", action="store_true", help="a base model without 4-bit weights")
    parser.add_argument(
        "--suite",
        metavar="A,B",
        help=f"of {', '.join(SUITE_NAMES)}; held-out rows by default",
    )
    parser.add_argument(
        "--limit", type=whole(1), metavar="N", help="a subset of N items, each category with its share"
    )
    parser.add_argument("--seed", type=whole(0), metavar="N", help="of the subset and of sampling")
    parser.add_argument("--repeats", type=whole(1, 100), metavar="K", help="answers to each item, for pass^k")
    parser.add_argument("--temperature", type=_temperature, metavar="T", help="0, the default, is greedy")
    parser.add_argument(
        "--endpoint", metavar="URL", help="an OpenAI-compatible server that answers as MODEL, to its /v1"
    )
    parser.add_argument(
        "--api-key-env", metavar="NAME", help="the environment variable with the server's key"
    )
    parser.add_argument(
        "--concurrency", type=whole(1, 256), metavar="N", help="requests at once to the server"
    )
    parser.add_argument(
        "--max-new-tokens", type=whole(1), metavar="N", help="of an answer; a run knows its own, else 256"
    )
    parser.add_argument(
        "--plan", action="store_true", help="say what would be asked and how small a change it shows; no more"
    )
    parser.set_defaults(**_DEFAULTS)


def chosen_suites(text: str) -> list[str]:
    """The suites that are named, each once.

    Raises:
        UserError: one of them does not exist, or none is named.
    """
    from tuner_tui.evaluation.suites import SUITES

    suites = list(dict.fromkeys(names(text)))
    for suite in suites:
        if suite not in SUITES:
            raise UserError(f"--suite: {suite!r} is none of: {', '.join(SUITES)}.")
    if not suites:
        raise UserError(f"--suite: name at least one of: {', '.join(SUITES)}.")
    return suites


def file_of(args: argparse.Namespace, suite: str) -> Path | None:
    """The file that the call names for a suite; one that is named for none serves all that need a file, and
    the only one that is asked."""
    from tuner_tui.evaluation.suites import SUITES

    suites = chosen_suites(args.suite)
    for name, _ in args.data:
        if name is not None and name not in suites:
            raise UserError(f"--data: {name} is not among the suites that are measured; add it to --suite.")
    serves = len(suites) == 1 or SUITES[suite].source == "needed"
    named = [path for name, path in args.data if name == suite]
    for_all = [path for name, path in args.data if name is None and serves]
    return next(reversed([*for_all, *named]), None)


def again(args: argparse.Namespace) -> str:
    """The command that comes back to an evaluation."""
    words = ["tuner", "eval", args.what]
    for suite, path in args.data:
        words += ["--data", f"{suite}={path}" if suite else str(path)]
    for name, default in _DEFAULTS.items():
        value = getattr(args, name)
        if value != default:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join([*words, *(["--full-precision"] if args.full_precision else [])])


def _data(text: str) -> tuple[str | None, Path]:
    """A file, and the suite that it is named for, if there is one."""
    suite, equals, path = text.partition("=")
    return (suite, Path(path)) if equals and suite in SUITE_NAMES else (None, Path(text))


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 5:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 5, not {text!r}")
    return value
