"""The verb of STEP 1: `decide`."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner_tui.cli.output import add_json_flag, emit
from tuner_tui.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from tuner_tui.decide.questions import Question


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    decide = subparsers.add_parser("decide", help="prompt engineering or fine-tuning? with reasons")
    decide.add_argument(
        "--answers", type=Path, metavar="FILE", help="answers to the questionnaire, YAML or JSON; - is stdin"
    )
    decide.add_argument(
        "--baseline", type=Path, metavar="FILE", help="summary.json of an evaluation: its figures decide"
    )
    decide.add_argument(
        "--measure",
        nargs=2,
        metavar=("MODEL|RUN", "DATA"),
        help="measure on held-out rows what needs no training, and a run if it is one; the figures decide",
    )
    decide.add_argument(
        "--train",
        type=Path,
        action="append",
        metavar="FILE",
        help="rows to train on: to retrieve from, to count",
    )
    decide.add_argument("--arms", metavar="A,B", help="what to measure, in place of everything that fits")
    decide.add_argument("--limit", type=int, metavar="N", help="measure on N of the rows only")
    decide.add_argument("--card", metavar="GPU", help='the GPU to train on, such as "24" or "H100:80"')
    decide.add_argument("--full-precision", action="store_true", help="measure without 4-bit weights")
    decide.add_argument("--questions", action="store_true", help="print the questions and their answers")
    add_json_flag(decide)
    decide.set_defaults(run=decide_now)


def decide_now(args: argparse.Namespace) -> int:
    """`tuner decide`."""
    from tuner_tui.cli.advice import print_advice
    from tuner_tui.decide.questions import QUESTIONS
    from tuner_tui.decide.rules import recommend

    if args.questions:
        emit(args, {"questions": [asdict(question) for question in QUESTIONS]}, _print_questions)
        return 0
    if args.measure:
        from tuner_tui.cli.decide_measure import measure_now

        return measure_now(args, _read(args.answers) if args.answers else {})
    answers = _read(args.answers) if args.answers else _ask()
    baseline = _read(args.baseline) if args.baseline else None
    advice = recommend(answers, baseline)
    emit(args, {**asdict(advice), "answers": answers}, lambda console: print_advice(advice, console))
    return 0


def _read(path: Path) -> dict[str, Any]:
    """An object in YAML, of which JSON is a part."""
    import yaml

    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
        value = yaml.safe_load(text)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        raise UserError(f"{path}{line}: this is neither YAML nor JSON.") from error
    if not isinstance(value, dict):
        raise UserError(f'{path}: an object is needed, such as {{"goal": "agent"}}; see --questions.')
    return value


def _ask() -> dict[str, str | list[str]]:
    from tuner_tui.decide.questions import QUESTIONS

    if not sys.stdin.isatty():
        raise UserError("without a terminal, give the answers with --answers FILE; --questions lists them.")
    answers: dict[str, str | list[str]] = {}
    for number, question in enumerate(QUESTIONS, 1):
        chosen = _ask_one(question, f"{number} of {len(QUESTIONS)}")
        if chosen:
            answers[question.id] = chosen if question.multiple else chosen[0]
    return answers


def _ask_one(question: "Question", where: str) -> list[str]:
    """The chosen option ids; [] when the question is left open. Prompts go to stderr."""
    from tuner_tui.decide.questions import check_answers

    say = sys.stderr.write
    say(f"\n{question.text}  ({where})\n{question.help}\n")
    for number, option in enumerate(question.options, 1):
        say(f"  {number}  {option.label}: {option.help}\n")
    several = ", several with commas" if question.multiple else ""
    while True:
        say(f"Number{several}, or Enter to leave it open: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        words = line.replace(",", " ").split()
        numbers = [int(word) for word in words if word.isascii() and word.isdigit()]
        if len(numbers) != len(words) or not all(1 <= n <= len(question.options) for n in numbers):
            say(f"Please type a number from 1 to {len(question.options)}.\n")
            continue
        chosen = [question.options[number - 1].id for number in numbers]
        try:
            check_answers({question.id: chosen})
        except UserError:
            say("These do not go together: please type one number.\n")
        else:
            return chosen


def _print_questions(console: "Console") -> None:
    from rich.text import Text

    from tuner_tui.decide.questions import QUESTIONS

    for question in QUESTIONS:
        several = "  (several)" if question.multiple else ""
        console.print(Text(f"{question.id}{several}", style="bold"))
        console.print(Text(question.text))
        for option in question.options:
            console.print(Text(f"  {option.id:<16} {option.label}"))
        console.print()
