"""The verbs of step one of RLHF: `answers` makes two for each prompt, `prefer` asks which is better."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.cli.arguments import number, whole
from tuner_tui.cli.follow_evaluation import follow
from tuner_tui.cli.output import add_json_flag, emit
from tuner_tui.cli.subjects import run_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from tuner_tui.evaluation.preferences.comparisons import Comparison
    from tuner_tui.evaluation.preferences.judging import Judging, Tally
    from tuner_tui.evaluation.preferences.showing import AnswerLine
    from tuner_tui.evaluation.progress import EvalProgress

_KEYS = {"a": "left", "b": "right", "e": "tie", "x": "both_bad", "s": "skip"}
_ASK = "a/b better · e equal · x both bad · s skip · u undo · q quit (a note may follow: a why) > "


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verbs."""
    answers = subparsers.add_parser("answers", help="two answers to each prompt of a file, to compare them")
    answers.add_argument("of", metavar="RUN|MODEL", help='a run, "last", "embedded", a folder or a hub id')
    answers.add_argument("--data", type=Path, required=True, metavar="FILE", help="rows in any known layout")
    answers.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file of answers, new")
    answers.add_argument(
        "--samples", action="store_true", help="two samples of the tuned model instead of base and tuned"
    )
    answers.add_argument("--temperature", type=number, metavar="T", help="of sampling; 1 for two samples")
    answers.add_argument("--limit", type=whole(1), metavar="N", help="answer the first N prompts only")
    answers.add_argument("--seed", type=whole(0), default=0, metavar="N", help="of sampling; 0")
    add_json_flag(answers)
    answers.set_defaults(run=make_answers)

    prefer = subparsers.add_parser("prefer", help="say which of two answers is better; collects pairs")
    prefer.add_argument("file", type=Path, metavar="FILE", help="of `tuner answers`, or of preference pairs")
    prefer.add_argument(
        "--out",
        type=Path,
        metavar="PAIRS",
        help="the file of pairs; continued if it is there",
    )
    prefer.add_argument("--stats", action="store_true", help="only say what has been judged so far")
    add_json_flag(prefer)
    prefer.set_defaults(run=prefer_now)


def make_answers(args: argparse.Namespace) -> int:
    """`tuner answers RUN|MODEL --data FILE --out FILE`; 1 when it failed."""
    from tuner_tui.evaluation.preferences.answers import start_answers
    from tuner_tui.runs.layout import RunState

    folder = start_answers(
        run_named(args.of),
        args.data,
        args.out,
        model=args.of,
        samples=args.samples,
        temperature=args.temperature,
        limit=args.limit,
        seed=args.seed,
    )
    try:
        progress = follow(folder, quiet=args.json, tell=_told)
    except KeyboardInterrupt:
        sys.stderr.write(f"\nIt goes on in {folder}; the answers are in {args.out} as they come.\n")
        return 130
    if progress.state is not RunState.FINISHED:
        sys.stderr.write(f"tuner: the answers {progress.state}: {progress.error or folder}\n")
        return 1
    data = {"answers": progress.done, "out": str(args.out), "path": str(folder)}
    text = f"{progress.done} prompts answered twice; `tuner prefer {args.out}` compares them.\n"
    emit(args, data, lambda console: console.out(text, end="", highlight=False))
    return 0


def prefer_now(args: argparse.Namespace) -> int:
    """`tuner prefer FILE --out PAIRS`: reads a key and Enter for each comparison from standard input."""
    from tuner_tui.evaluation.preferences.judging import Judging

    pairs = args.out or Path(f"{args.file.stem.removesuffix('-answers')}-pairs.jsonl")
    with Judging(args.file, pairs) as judging:
        if not args.stats:
            try:
                _judge_all(judging, quiet=args.json)
            except KeyboardInterrupt:
                sys.stderr.write("\nWhat you said is kept; the same command goes on from here.\n")
        tally = judging.tally()
    emit(args, {**tally.to_json(), "pairs_file": str(pairs)}, lambda console: _print(tally, pairs, console))
    return 0


def _judge_all(judging: "Judging", *, quiet: bool) -> None:
    from tuner_tui.cli.output import make_console

    console = make_console(stderr=quiet)
    shown: Comparison | None = None
    while (comparison := judging.current) is not None:
        if comparison is not shown:
            _show(judging, comparison, console)
            shown = comparison
        console.print(_ASK, end="", markup=False, soft_wrap=True)
        line = sys.stdin.readline()
        if not line:
            console.print()
            return
        key, _, note = line.strip().partition(" ")
        if key == "q":
            return
        if key == "u":
            if judging.undo() is None:
                console.print("There is nothing to take back.", markup=False)
            shown = None
        elif key in _KEYS:
            for fault in judging.judge(_KEYS[key], note.strip()):  # type: ignore[arg-type]
                console.print(f"▲ training would leave this pair out: {fault}", markup=False)
        else:
            console.print(f"{key!r} is none of the keys.", markup=False)


def _show(judging: "Judging", comparison: "Comparison", console: "Console") -> None:
    """The prompt, the tools and both answers; ≠ marks the lines in which they differ."""
    from rich.text import Text

    from tuner_tui.evaluation.preferences.showing import show_both
    from tuner_tui.visible import visible

    tally = judging.tally()
    console.print()
    console.rule(f"{tally.judged + 1} of {tally.total}")
    for message in comparison.prompt:
        said = Text(f"{message['role']}: ", style="bold")
        console.print(said.append(visible(message["content"]), style="default"))
    if comparison.tools:
        names = ", ".join(str(tool["function"]["name"]) for tool in comparison.tools)
        console.print(Text(visible(f"tools: {names}", one_line=True), style="dim"))
    left, right = judging.sides(comparison)
    sides = show_both(comparison.answers[left], comparison.answers[right])
    for title, lines in zip(("A", "B"), sides, strict=True):
        console.print()
        console.print(Text(title, style="bold cyan"))
        for each in lines:
            console.print(_line(each))


def _line(each: "AnswerLine") -> "object":
    from rich.text import Text

    from tuner_tui.visible import visible

    sign = {"call": "→ ", "argument": "    ", "result": "← ", "reasoning": "· "}.get(each.kind, "")
    style = "bold yellow" if each.differs else "dim" if each.kind == "reasoning" else ""
    return Text(f"{'≠' if each.differs else ' '} {sign}{visible(each.text)}", style=style)


def _print(tally: "Tally", pairs: Path, console: "Console") -> None:
    for line in tally_lines(tally):
        console.print(line, markup=False)
    if tally.pairs:
        console.print(f"{pairs}: data.train of dpo, kto or reward", markup=False, soft_wrap=True)


def tally_lines(tally: "Tally") -> "Sequence[str]":
    """The figures in words."""
    from tuner_tui.report.text import percent

    lines = [
        f"{tally.judged} of {tally.total} judged: {tally.pairs} pairs, {tally.ties} ties, "
        f"{tally.both_bad} both bad, {tally.skipped} skipped"
    ]
    if tally.pairs:
        better = ", ".join(f"{name} {percent(share)}" for name, share in tally.sources.items())
        lines.append(f"better: {better}; on the left: {percent(tally.left)}")
    return lines


def _told(progress: "EvalProgress") -> str:
    done = f"{progress.done} of {progress.total} prompts" if progress.total else "…"
    left = f", about {progress.eta:.0f} s left" if progress.eta is not None else ""
    return f"{progress.phase or progress.state} {done}{left}"
