"""`tuner decide --measure`: what can be had without training, measured, and what that advises."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner_tui.cli.arguments import names
from tuner_tui.cli.output import emit
from tuner_tui.cli.subjects import run_named
from tuner_tui.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from tuner_tui.decide.evidence import Evidence
    from tuner_tui.decide.recommendation import Recommendation


def measure_now(args: argparse.Namespace, answers: Mapping[str, Any]) -> int:
    """Measure the arms, then the best prompt under constraint, and recommend. 1 when it cannot be finished.

    Raises:
        UserError: no such model, run, file or arm.
    """
    from tuner_tui.decide.evidence import best_prompt, left_to_gain, read_evidence
    from tuner_tui.decide.measured import recommend_measured
    from tuner_tui.decide.questions import check_answers
    from tuner_tui.evaluation.arms import split, with_constraint

    model, data = args.measure[0], Path(args.measure[1])
    run_dir = run_named(model)
    training = _training(args, run_dir)
    rows = _sound_rows(training) if training else None
    known = {**_means(_base(model, run_dir), rows, args.card), **check_answers(answers)}
    arms = _arms(args.arms, training, tuned=run_dir is not None)
    summary, eval_dir = _measured(args, run_dir, data, arms, training)
    evidence = read_evidence(summary)
    if evidence is None:
        raise UserError(f"{data}: nothing was measured; --arms must have a prompt, such as base.")
    if _can_constrain() and args.arms is None and split(best := best_prompt(evidence))[0] != "base":
        arms = [*arms, with_constraint(best)]
        summary, eval_dir = _measured(args, run_dir, data, arms, training)
        evidence = read_evidence(summary)
        assert evidence is not None
    evidence = read_evidence(summary, rows, known, _gain(eval_dir, evidence))
    assert evidence is not None
    advice = recommend_measured(evidence)
    cost = _cost(advice, _base(model, run_dir), training, args.card)
    found = {
        **asdict(advice),
        "model": model,
        "data": str(data),
        "items": summary["items"],
        "arms": summary["arms"],
        "left": left_to_gain(evidence),
        "overlap": summary["overlap"],
        "notes": summary["notes"],
        "gain": evidence.gain,
        "rows": rows,
        "cost": cost,
        "path": str(eval_dir),
    }
    emit(args, found, lambda console: _print(found, evidence, advice, console))
    return 0


def _base(model: str, run_dir: Path | None) -> str:
    if run_dir is None:
        return model
    from tuner_tui.training.config import load_config

    return load_config(run_dir / "config.yaml").model.name


def _training(args: argparse.Namespace, run_dir: Path | None) -> list[Path]:
    if args.train or run_dir is None:
        return list(args.train or [])
    from tuner_tui.training.config import load_config

    return list(load_config(run_dir / "config.yaml").data.train)


def _sound_rows(training: Sequence[Path]) -> int:
    from tuner_tui.data.dataset import examine

    return sum(row.sound and row.example is not None for path in training for row in examine(path)[1])


def _arms(named: str | None, training: Sequence[Path], *, tuned: bool) -> list[str]:
    from tuner_tui.evaluation.arms import PROMPT_ARMS, own_prompts

    if named is not None:
        return names(named)
    arms = [*PROMPT_ARMS, *own_prompts()]
    if training:
        arms.append("retrieved")
    if tuned:
        arms.append("tuned")
    if _can_constrain():
        arms += ["constrained", *(["tuned_constrained"] if tuned else [])]
    else:
        sys.stderr.write(
            "Constrained decoding is not measured: it needs llguidance, pip install 'tuner-tui[constrain]'.\n"
        )
    return arms


def _can_constrain() -> bool:
    from importlib.util import find_spec

    return find_spec("llguidance") is not None


def _measured(
    args: argparse.Namespace, run_dir: Path | None, data: Path, arms: Sequence[str], training: Sequence[Path]
) -> tuple[Any, Path]:
    """The summary and the folder, once all arms are there."""
    from tuner_tui.cli.follow_evaluation import follow
    from tuner_tui.evaluation.launch import start_baseline, start_evaluation
    from tuner_tui.evaluation.progress import load_summary
    from tuner_tui.evaluation.subset import Limits
    from tuner_tui.runs.layout import RunState

    limits = Limits(args.limit)
    if run_dir is not None:
        eval_dir = start_evaluation(run_dir, arms, heldout=data, limits=limits)
    else:
        eval_dir = start_baseline(
            args.measure[0],
            data,
            arms,
            bits=None if args.full_precision else 4,
            limits=limits,
            training=training,
        )
    progress, summary = follow(eval_dir, quiet=args.json), load_summary(eval_dir)
    if progress.state is not RunState.FINISHED or summary is None:
        raise UserError(f"the measurement {progress.state}: {progress.error or eval_dir}")
    return summary, eval_dir


def _gain(eval_dir: Path, evidence: "Evidence") -> Any:
    """The tuned model against the best that needs no training, item by item; None without a tuned one."""
    from tuner_tui.evaluation.compare import difference
    from tuner_tui.evaluation.progress import load_items

    best = evidence.untrained
    if evidence.tuned is None or best is None:
        return None
    # Like with like: against a constrained prompt stands the tuned model under the same constraint.
    tuned = "tuned_constrained" if best.constrained and "tuned_constrained" in evidence.arms else "tuned"
    before, after = load_items(eval_dir, best.arm), load_items(eval_dir, tuned)
    return difference(before, after, "right", (best.arm, tuned))


def _means(base: str, rows: int | None, card: str | None) -> dict[str, tuple[str, ...]]:
    """What the questionnaire would say of rows, GPU and model size, told from the files and the machine."""
    from tuner_tui.training.cards import detect
    from tuner_tui.training.fit import card_named
    from tuner_tui.training.shapes import model_shape

    found: dict[str, tuple[str, ...]] = {}
    if rows is not None:
        sizes = ((0, "none"), (100, "few"), (1_000, "hundreds"), (50_000, "thousands"))
        found["rows"] = (next((name for most, name in sizes if rows <= most), "many"),)
    gpu = card_named(card) if card else detect()
    memory = gpu.memory / 2**30 if gpu else 0
    buckets = ((0, "none"), (17, "small"), (49, "24gb"))
    found["gpu"] = (next((name for most, name in buckets if memory <= most), "80gb"),)
    if gpu is not None and gpu.count > 1 and memory > 49:
        found["gpu"] = ("several",)
    try:
        weights = model_shape(base).weights
    except UserError:  # of a hub id there may be no file here
        return found
    kinds = ((1e9, "tiny"), (5e9, "small"), (2e10, "medium"))
    found["model"] = (next((name for most, name in kinds if weights < most), "large"),)
    return found


def _cost(
    advice: "Recommendation", base: str, training: Sequence[Path], card: str | None
) -> dict[str, Any] | None:
    """What the recommended run needs on this card; None when none is recommended."""
    if advice.preset is None or advice.verdict != "tune":
        return None
    from tuner_tui.training.estimate import estimate
    from tuner_tui.training.fit import card_named
    from tuner_tui.training.presets import load_preset

    preset = "demo" if base == "embedded" and advice.preset == "cpu-small" else advice.preset
    config = load_preset(preset)
    config = config.model_copy(
        update={
            "model": config.model.model_copy(update={"name": base}),
            "data": config.data.model_copy(update={"train": list(training) or config.data.train}),
        }
    )
    try:
        found = estimate(config, card_named(card) if card else None)
    except UserError as error:
        return {"preset": preset, "bytes": None, "seconds": None, "notes": [str(error)]}
    return {"preset": preset, "bytes": found.total, "seconds": found.seconds, "notes": found.notes}


def _print(
    found: Mapping[str, Any], evidence: "Evidence", advice: "Recommendation", console: "Console"
) -> None:
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    from tuner_tui.cli.advice import print_advice
    from tuner_tui.evaluation.arms import ARM_TITLES

    reached = Table("On the same items", "Right", "Calls right", "Kept without", "Form", "Meaning", box=None)
    for each in evidence.arms.values():
        cells = [str(part) if part else "–" for part in (each.right, each.full_match, each.no_call)]
        reached.add_row(Text(ARM_TITLES[each.arm]), *cells, str(each.form), str(each.meaning))
    console.print(reached)
    console.print(Text("Form and Meaning count wrong items: a grammar mends form without training."))
    if found["left"]:
        console.print()
        left = Table("Left to gain", "Kind", *(escape(ARM_TITLES[arm]) for arm in evidence.arms), box=None)
        for row in found["left"]:
            left.add_row(row["error"], row["kind"], *(str(row["items"][arm]) for arm in evidence.arms))
        console.print(left)
    for line in [*([found["overlap"]["sentence"]] if found["overlap"] else []), *found["notes"]]:
        console.print(Text(line))
    console.print()
    print_advice(advice, console)
    if found["cost"]:
        console.print(Text(_cost_line(found["cost"])))


def _cost_line(cost: Mapping[str, Any]) -> str:
    if cost["bytes"] is None:
        return f"Cost: {cost['notes'][0]}"
    took = (
        "time unknown"
        if cost["seconds"] is None
        else "{:.0f} to {:.0f} min".format(*(bound / 60 for bound in cost["seconds"]))
    )
    return f"Cost with preset {cost['preset']}: {cost['bytes'] / 2**30:.1f} GiB, {took}."
