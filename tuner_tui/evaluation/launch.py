"""Start an evaluation that outlives us, stop it, and find the cached baseline of a base model."""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tuner_tui import paths
from tuner_tui.data.answers.scoring import SCORING_VERSION
from tuner_tui.errors import UserError
from tuner_tui.evaluation import layout
from tuner_tui.evaluation.arms import ARMS, PROMPT_ARMS, prompt_text
from tuner_tui.evaluation.heartbeat import write_starting
from tuner_tui.evaluation.layout import Request
from tuner_tui.evaluation.progress import load_summary, read_progress
from tuner_tui.runs import files, process
from tuner_tui.runs import layout as runs_layout
from tuner_tui.training.bases import base_model
from tuner_tui.training.config import TrainConfig, load_config

_SMALL = 4 * 2**20
"""Files of a model folder up to this size count with their content, larger ones with size and time."""


def start_evaluation(
    run_dir: Path, arms: Sequence[str] = ARMS, *, heldout: Path | None = None, fresh: bool = False
) -> Path:
    """Evaluate a run's adapter and its base model, in a process of its own.

    Args:
        run_dir: a run; the tuned arm needs its adapter.
        arms: what to measure; what has been measured already is not measured again.
        heldout: the items; by default those that the run's configuration names.
        fresh: measure everything again.

    Returns:
        The evaluation's folder in the run directory, at once.

    Raises:
        UserError: no adapter yet, no held-out file, or another evaluation of this run is under way.
    """
    _check_arms(arms)
    config = load_config(run_dir / runs_layout.CONFIG)
    if config.method == "reward":
        raise UserError(f"run {run_dir.name} made a reward model, which scores answers and gives none.")
    adapter = run_dir / (runs_layout.ADAPTER if config.lora.enabled else runs_layout.MODEL)
    if "tuned" in arms and not adapter.is_dir():
        raise UserError(
            f"run {run_dir.name} has no adapter yet; wait until it has finished, or evaluate the base "
            f"model with --arms {','.join(PROMPT_ARMS)}."
        )
    request = _request(config, arms, adapter, heldout or config.evaluation.heldout or config.data.eval)
    if fresh:
        request = replace(request, cache=None)
    return _start(layout.heldout_dir(run_dir), request, fresh)


def start_baseline(
    model: str,
    heldout: Path,
    arms: Sequence[str] = PROMPT_ARMS,
    *,
    bits: int | None = 4,
    double: bool = True,
    dtype: str = "auto",
    batch: int = 16,
    max_new_tokens: int = 256,
    fresh: bool = False,
) -> Path:
    """Measure what prompts alone reach with a base model, before any run exists.

    The folder lies under `paths.baselines_dir()` and is found again by model, items, prompts and settings;
    evaluations of runs on that base take its arms from there. `fresh` measures again.

    Raises:
        UserError: an arm that needs an adapter, no such file, or this baseline is being measured for
            other arms.
    """
    _check_arms(arms)
    if unfit := [arm for arm in arms if arm not in PROMPT_ARMS]:
        raise UserError(f"arm {unfit[0]!r} needs a run; a base model has: {', '.join(PROMPT_ARMS)}.")
    key = _baseline_key(model, heldout, bits, double, dtype, max_new_tokens)
    request = Request(
        suite="heldout",
        model=paths.resolve_model(model),
        name=model,
        adapter=None,
        bits=bits,
        double=double,
        dtype=dtype,
        heldout=heldout.absolute(),
        arms=tuple(arms),
        batch=batch,
        max_new_tokens=max_new_tokens,
        cache=None,
        fingerprint=key,
    )
    return _start(paths.baselines_dir() / key, request, fresh)


def stop_evaluation(eval_dir: Path) -> None:
    """Ask the worker to end; what it has stored stays, and the next start goes on from there."""
    path = eval_dir / layout.STOP
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)


def _check_arms(arms: Sequence[str]) -> None:
    if unknown := [arm for arm in arms if arm not in ARMS]:
        raise UserError(f"no arm is called {unknown[0]!r}; there are: {', '.join(ARMS)}.")


def _request(config: TrainConfig, arms: Sequence[str], adapter: Path, heldout: Path | None) -> Request:
    if heldout is None:
        raise UserError(
            "there are no held-out items: name a file with --data, or set evaluation.heldout in the "
            "configuration."
        )
    bits, double = config.quantization.bits, config.quantization.double
    longest = config.evaluation.max_new_tokens
    base = base_model(config)
    key = _baseline_key(base, heldout, bits, double, config.model.dtype, longest)
    return Request(
        suite="heldout",
        model=base,
        name=config.model.name,
        adapter=adapter.absolute() if "tuned" in arms else None,
        bits=bits,
        double=double,
        dtype=config.model.dtype,
        heldout=heldout.absolute(),
        arms=tuple(arm for arm in ARMS if arm in arms),
        batch=config.evaluation.batch,
        max_new_tokens=longest,
        cache=paths.baselines_dir() / key,
        fingerprint=_digest(key, _adapter_mark(adapter)),
    )


def _start(eval_dir: Path, request: Request, fresh: bool) -> Path:
    previous = _previous_request(eval_dir)
    if (eval_dir / layout.STATUS).exists() and read_progress(eval_dir).state.live:
        if (
            previous
            and previous.fingerprint == request.fingerprint
            and set(request.arms) <= set(previous.arms)
        ):
            return eval_dir
        raise UserError(f"another evaluation is under way in {eval_dir}; wait for its end, or stop it first.")
    if fresh or previous is None or previous.fingerprint != request.fingerprint:
        _clear(eval_dir)
    elif _is_complete(eval_dir, request):
        return eval_dir
    for folder in (eval_dir, eval_dir / layout.CONTROL):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (eval_dir / layout.STOP).unlink(missing_ok=True)
    files.write_json(eval_dir / layout.REQUEST, request.to_json())
    write_starting(eval_dir)
    process.start_detached(
        [sys.executable, "-m", "tuner_tui.evaluation.worker", str(eval_dir)],
        eval_dir / layout.LOG,
        {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_DISABLE_PROGRESS_BARS": "1"},
    )
    return eval_dir


def _previous_request(eval_dir: Path) -> Request | None:
    try:
        return Request.from_json(json.loads((eval_dir / layout.REQUEST).read_bytes()))
    except (OSError, ValueError, KeyError):
        return None


def _is_complete(eval_dir: Path, request: Request) -> bool:
    summary = load_summary(eval_dir)
    return summary is not None and set(request.arms) <= summary["arms"].keys()


def _clear(eval_dir: Path) -> None:
    """Take away the items and the summary of another request."""
    for path in (eval_dir / layout.SUMMARY, *(layout.arm_file(eval_dir, arm) for arm in ARMS)):
        path.unlink(missing_ok=True)


def _baseline_key(
    model: str, heldout: Path, bits: int | None, double: bool, dtype: str, max_new_tokens: int
) -> str:
    """Tells apart everything that changes what a base model answers, and how that is judged."""
    try:
        items = hashlib.sha256(heldout.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"{heldout}: cannot read the held-out items: {error.strerror}.") from error
    settings = (str(bits), str(double), dtype, str(max_new_tokens), str(SCORING_VERSION))
    prompts = (prompt_text(arm) for arm in PROMPT_ARMS)
    return _digest(_model_mark(paths.resolve_model(model)), items, *prompts, *settings)


def _model_mark(model: str) -> str:
    folder = Path(model)
    if not folder.is_dir():
        return model
    return _digest(*(_file_mark(path) for path in sorted(folder.iterdir()) if path.is_file()))


def _adapter_mark(adapter: Path) -> str:
    return _model_mark(str(adapter)) if adapter.is_dir() else ""


def _file_mark(path: Path) -> str:
    stat = path.stat()
    if stat.st_size <= _SMALL:
        return f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return f"{path.name} {stat.st_size} {stat.st_mtime_ns}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
