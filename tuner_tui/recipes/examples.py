"""The data of a run: any readable layout -> canonical examples to train on, and others that are held out. No
torch here."""

from array import array
from collections.abc import Callable
from pathlib import Path

from tuner_tui.data.examples import Example
from tuner_tui.errors import UserError
from tuner_tui.recipes import ranks
from tuner_tui.recipes.session import Session
from tuner_tui.runs import files, layout
from tuner_tui.training.config import TrainConfig

Examples = list[Example]
Useless = Callable[[Example], tuple[str, str] | None]


def read_examples(session: Session, config: TrainConfig, useless: Useless) -> tuple[Examples, Examples]:
    """Training and evaluation examples.

    What had to be left out goes to an event, and row by row to `rejected.jsonl`; leaked rows are told.

    Args:
        useless: why this method can learn nothing from an example: a code for programs, and the end of the
            sentence "left 3 rows out: ..."; None when it can.

    Raises:
        UserError: a file cannot be read, or nothing is left of it.
    """
    rejected = session.run.run_dir / layout.REJECTED
    if ranks.is_main():
        rejected.unlink(missing_ok=True)
    examples = [example for path in config.data.train for example in _read(session, path, rejected, useless)]
    if config.data.eval:
        held_out = _read(session, config.data.eval, rejected, useless)
    else:
        from tuner_tui.data.parts.set_aside import set_aside

        # The same seed sets the same rows aside again when the run is resumed.
        examples, held_out = set_aside(
            examples, by=config.data.split_by, share=config.data.eval_fraction, seed=config.seed
        )
    _warn_of_leaks(session, examples, held_out)
    return examples, held_out


def _read(session: Session, path: Path, rejected: Path, useless: Useless) -> Examples:
    from tuner_tui.data.dataset import load_dataset

    loaded = load_dataset(path)
    reasons: dict[str, int] = {}
    for finding in loaded.rejected:
        reasons[finding.rule] = reasons.get(finding.rule, 0) + 1
        if not ranks.is_main():
            continue
        files.append_line(
            rejected,
            {
                "file": str(path),
                "row": finding.row,
                "field": finding.field,
                "rule": finding.rule,
                "message": finding.message,
                "fix": finding.fix,
            },
        )
    if reasons:
        rows = len({finding.row for finding in loaded.rejected})
        session.run.event(
            "rejected",
            f"left {_rows(rows)} of {path.name} out: {', '.join(sorted(reasons))}; see {layout.REJECTED}.",
            file=str(path),
            rows=rows,
            reasons=reasons,
        )
    wanted: Examples = []
    unwanted: dict[tuple[str, str], int] = {}
    for example in loaded.examples:
        if kind := useless(example):
            unwanted[kind] = unwanted.get(kind, 0) + 1
        else:
            wanted.append(example)
    for (code, reason), count in unwanted.items():
        session.run.event(
            "rejected",
            f"left {_rows(count)} of {path.name} out: {reason}.",
            file=str(path),
            rows=count,
            reasons={code: count},
        )
    if not wanted:
        why = "; ".join(reason for _, reason in unwanted) or "it holds no row that can be read"
        raise UserError(f"{path}: no row is left to learn from: {why}; give a file that has others.")
    return wanted


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def _warn_of_leaks(session: Session, train: Examples, held_out: Examples) -> None:
    """An event when evaluation rows are trained on: the evaluation loss will look better than it is."""
    from tuner_tui.data.copies.leaks import leaked, question_key

    questions = (array("Q", map(question_key, examples)) for examples in (train, held_out))
    rows = sum(1 for _ in leaked(*questions))
    if rows:
        session.run.event(
            "warning",
            f"{rows} of {len(train)} training rows ask the same as an evaluation row, with the same tools: "
            "the evaluation loss will look better than it is. `tuner inspect TRAIN --eval EVAL` names them.",
            leaked=rows,
        )
