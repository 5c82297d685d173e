"""The sentences of the Prefer screen: from what has been judged to content, nothing else."""

from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content

from tuner_tui.errors import UserError
from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets.dialogs import Entry
from tuner_tui.tui.words import several

if TYPE_CHECKING:
    from tuner_tui.evaluation.preferences.judging import Judging

MOST_PROMPTS = 200
"""Prompts that a model answers for this screen; `tuner answers` takes more."""

USE = "p begins with a preset: dpo learns from the pairs at once, reward makes a model that judges like you."

HELP = """\
# Prefer

Two answers to the same prompt, side by side. Say which is better, and a **preference pair** is kept: what dpo
and kto learn from, and what a reward model is made of. This is step one of RLHF.

- **a** or **←** answer A is better, **b** or **→** answer B is better
- **e** they are equally good, **x** both are bad, **s** skip: it comes again next time
- **u** takes the last verdict back, as often as you like; **w** writes a note for the journal
- **Tab** goes to the other texts, **↑ ↓** scroll; **v** shows the tools in full

Which model wrote which answer is not shown, and the side is drawn at random. **≠** marks what differs between
the two: tools and arguments of calls, lines of text.

Every verdict is on the disk before the next answers are shown. Open the same file with the same pairs again,
and you go on where you stopped. Beside the pairs lies the journal, `….judgements.jsonl`, with ties, notes,
sides and times.

The answers come from a file: of `tuner answers`, or of preference pairs that you judge anew. **g** lets a
model answer the prompts of a file first, in a process of its own.

The same in any terminal: `tuner answers RUN --data FILE --out ANSWERS`, `tuner prefer ANSWERS --out PAIRS`.
"""


def models(run_dir: Path | None) -> list[Entry]:
    """Whose answers can be compared."""
    entries = []
    if run_dir is not None and any((run_dir / name).is_dir() for name in ("adapter", "model")):
        entries = [
            Entry("both", "Base and tuned model", f"Of run {run_dir.name}: is the tuned one better?"),
            Entry("tuned", "Two samples of the tuned model", f"Of run {run_dir.name}, at temperature 1."),
        ]
    base = "The model that ships with the program, at temperature 1. Another one: tuner answers MODEL."
    return [*entries, Entry("base", "Two samples of the embedded model", base)]


def look_at(source: Path) -> tuple[str, bool]:
    """Why a file holds no two answers to compare ("" when it does), and whether it holds prompts."""
    from tuner_tui.evaluation.preferences.answers import prompts_of
    from tuner_tui.evaluation.preferences.comparisons import load_comparisons

    try:
        load_comparisons(source)
    except UserError as error:
        fault = str(error)
    else:
        return "", True
    try:
        prompts_of(source)
    except UserError:
        return fault, False
    return fault, True


def pairs_name(source: Path) -> str:
    """A name for the pairs that are collected from a file of answers."""
    stem = source.stem.removesuffix("-answers")
    if stem == "answers":
        # The folder of a request is named by its time and its prompts.
        stem = source.absolute().parent.name
    return f"{stem}-pairs.jsonl"


def state(judging: "Judging | None", folder: Path | None) -> Content:
    """How far it is, on one or two lines."""
    if judging is None:
        return answering(folder) if folder is not None else Content.styled("Nothing is open.", "$quiet")
    tally = judging.tally()
    share = tally.judged / tally.total if tally.total else 0.0
    width = 12
    full = round(share * width)
    return Content.assemble(
        ("━" * full, "$primary"),
        ("─" * (width - full), "$quiet 40%"),
        f"  {tally.judged:,} of {tally.total:,} judged",
        (f"   {several(tally.pairs, 'pair')}", "$good"),
        (
            f" · {several(tally.ties, 'tie')} · {tally.both_bad:,} both bad · {tally.skipped:,} skipped",
            "$quiet",
        ),
    )


def answering(folder: Path) -> Content:
    """How far a model is with its answers."""
    from tuner_tui.evaluation.progress import read_progress

    progress = read_progress(folder)
    left = f", about {progress.eta:.0f} s left" if progress.eta is not None else ""
    done = f"{progress.done:,} of {progress.total:,} prompts answered{left}" if progress.total else "…"
    return Content.assemble(("● ", "$primary"), safe(progress.phase, one_line=True), f"   {done}")


def start(folder: Path | None, prompts: Path | None) -> Content:
    """What can be done while no file is open."""
    if folder is not None:
        return Content(
            "\nA model answers each prompt twice, in a process of its own: close this window, and it goes on."
            " When it has ended, you compare its answers. c stops it; what is answered so far is kept."
        )
    if prompts is not None:
        return Content.assemble(
            "\n",
            safe(prompts.name, "bold", one_line=True),
            " holds prompts, and no two answers to compare.\n\n",
            ("  g  ", "bold $primary"),
            f"lets a model answer them twice (the first {MOST_PROMPTS}), and then you compare\n",
            ("  o  ", "bold $primary"),
            "opens another file",
        )
    return Content.assemble(
        "\nWhich of two answers is better? From such verdicts dpo, reward models and ppo learn.\n\n",
        ("  o  ", "bold $primary"),
        "opens a file of two answers a prompt, or of pairs to judge anew\n",
        ("  g  ", "bold $primary"),
        "lets a model answer the prompts of a file twice\n\n",
        ("Try it: o, and the sample preferences.jsonl. Nothing in that file is changed.", "$quiet"),
    )


def finished(judging: "Judging") -> Content:
    """All are judged: the figures, and what the pairs are good for."""
    from tuner_tui.report.text import percent

    tally = judging.tally()
    lines = [Content.styled("\nAll is judged.", "bold $good")]
    if tally.pairs:
        for name, share in tally.sources.items():
            lines.append(
                Content.assemble(
                    (f"  {'better: ' + name:<24}", "$quiet"),
                    f"{share['count']:>4} of {share['total']:<5}",
                    (percent(share), "$quiet"),
                )
            )
        left = tally.left
        lines.append(
            Content.assemble(
                (f"  {'better one on the left':<24}", "$quiet"),
                f"{left['count']:>4} of {left['total']:<5}",
                (f"{percent(left)}; far from one half means a habit, not a preference", "$quiet"),
            )
        )
        lines.append(Content("\n") + safe(f"{several(tally.pairs, 'pair')} in {judging.pairs}"))
        lines.append(
            Content.styled("Enter or n trains on them: dpo, kto, or a reward model for ppo.", "$primary")
        )
    else:
        lines.append(Content("No answer was found better, so there is no pair to learn from. u takes back."))
    if tally.skipped:
        again = f"{several(tally.skipped, 'comparison')} skipped: open the file again (o) to see them."
        lines.append(Content.styled(again, "$quiet"))
    return Content("\n").join(lines)
