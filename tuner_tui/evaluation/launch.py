"""Start an evaluation that outlives us, stop it, and find the cached baseline of a base model."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from tuner_tui import paths
from tuner_tui.errors import UserError
from tuner_tui.evaluation import layout
from tuner_tui.evaluation.arms import (
    ARMS,
    PROMPT_ARMS,
    arm_mark,
    check_arms,
    in_order,
    is_tuned,
    retrieves,
    split,
)
from tuner_tui.evaluation.earlier import answers_key, forget, read_marks, set_aside
from tuner_tui.evaluation.fingerprints import baseline_key, digest, model_mark
from tuner_tui.evaluation.heartbeat import write_starting
from tuner_tui.evaluation.layout import Request
from tuner_tui.evaluation.progress import load_summary, read_progress, stored_arms
from tuner_tui.evaluation.subset import Limits
from tuner_tui.evaluation.suites import check_suite
from tuner_tui.runs import files, process
from tuner_tui.runs import layout as runs_layout
from tuner_tui.training.bases import base_model
from tuner_tui.training.config import TrainConfig, load_config

_ALL = Limits()


def start_evaluation(
    run_dir: Path,
    arms: Sequence[str] | None = None,
    *,
    suite: str = "heldout",
    heldout: Path | None = None,
    limits: Limits = _ALL,
    temperature: float = 0.0,
    fresh: bool = False,
) -> Path:
    """Evaluate a run's adapter and its base model, in a process of its own.

    Args:
        run_dir: a run; the tuned arm needs its adapter.
        arms: what to measure; what has been measured already is not measured again. All by default on
            held-out rows, base and tuned on other suites.
        suite: a key of `suites.SUITES`.
        heldout: the items; by default those that the run's configuration names, or those of the suite.
        limits: a subset, or repeats.
        temperature: 0 for greedy decoding.
        fresh: measure everything again. Otherwise nothing that was measured is lost: answers of another
            subset, with other settings or by an adapter that has changed are set aside (see `earlier`).

    Returns:
        The evaluation's folder in the run directory, at once.

    Raises:
        UserError: no adapter yet, no held-out file, or another evaluation of this run is under way.
    """
    arms = arms or (ARMS if suite == "heldout" else ("base", "tuned"))
    _check(suite, arms, limits, temperature)
    config = load_config(run_dir / runs_layout.CONFIG)
    if config.method == "reward":
        raise UserError(f"run {run_dir.name} made a reward model, which scores answers and gives none.")
    adapter = run_dir / (runs_layout.ADAPTER if config.lora.enabled else runs_layout.MODEL)
    if any(map(is_tuned, arms)) and not adapter.is_dir():
        raise UserError(
            f"run {run_dir.name} has no adapter yet; wait until it has finished, or evaluate the base "
            f"model with --arms {','.join(PROMPT_ARMS)}."
        )
    if suite == "heldout":
        heldout = heldout or config.evaluation.heldout or config.data.eval
    _check_means(arms, config.data.train, None)
    request = _request(config, arms, adapter, suite, heldout, limits, temperature)
    if fresh:
        request = replace(request, cache=None)
    return _start(layout.suite_dir(run_dir, suite), request, fresh)


def start_baseline(
    model: str,
    heldout: Path | None,
    arms: Sequence[str] | None = None,
    *,
    suite: str = "heldout",
    bits: int | None = 4,
    double: bool = True,
    dtype: str = "auto",
    batch: int = 16,
    max_new_tokens: int = 256,
    limits: Limits = _ALL,
    temperature: float = 0.0,
    endpoint: str | None = None,
    api_key_env: str | None = None,
    concurrency: int = 8,
    training: Sequence[Path] = (),
    fresh: bool = False,
) -> Path:
    """Measure what prompts alone reach with a base model, before any run exists.

    The folder lies under `paths.baselines_dir()` and is found again by model, items, prompts and settings;
    evaluations of runs on that base take its arms from there. `fresh` measures again.

    With `endpoint`, the URL of an OpenAI-compatible server (".../v1"), `model` is what the server calls it;
    the key is read from the environment variable `api_key_env` when it is needed, and stored nowhere.

    `training` are the files whose rows the retrieved examples come from; items that occur there are counted.

    Raises:
        UserError: an arm that needs an adapter, no such file, or this baseline is being measured for
            other arms.
    """
    arms = arms or (PROMPT_ARMS if suite == "heldout" and endpoint is None else ("base",))
    _check(suite, arms, limits, temperature, endpoint)
    if unfit := [arm for arm in arms if is_tuned(arm)]:
        raise UserError(f"arm {unfit[0]!r} needs a run; a base model has: {', '.join(PROMPT_ARMS)}.")
    _check_means(arms, training, endpoint)
    settings = (bits, double, dtype, max_new_tokens)
    key = baseline_key(model, suite, heldout, settings, limits, temperature, endpoint)
    request = Request(
        suite=suite,
        model=model if endpoint else paths.resolve_model(model),
        name=model,
        adapter=None,
        bits=None if endpoint else bits,
        double=double,
        dtype=dtype,
        heldout=heldout.absolute() if heldout else None,
        arms=tuple(in_order(arms)),
        batch=batch,
        max_new_tokens=max_new_tokens,
        cache=None,
        fingerprint=key,
        limit=limits.items,
        seed=limits.seed,
        repeats=limits.repeats,
        temperature=temperature,
        endpoint=endpoint,
        api_key_env=api_key_env,
        concurrency=concurrency,
        training=tuple(Path(path).absolute() for path in training),
    )
    return _start(paths.baselines_dir() / key, request, fresh)


def stop_evaluation(eval_dir: Path) -> None:
    """Ask the worker to end; what it has stored stays, and the next start goes on from there."""
    path = eval_dir / layout.STOP
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)


def _check(
    suite: str, arms: Sequence[str], limits: Limits, temperature: float, endpoint: str | None = None
) -> None:
    check_arms(arms)
    check_suite(suite, arms, limits, temperature > 0, endpoint is not None)
    if limits.repeats > 1 and not temperature:
        raise UserError(
            "repeats of greedy decoding give the same answer each time; set a temperature, such as 0.7."
        )


def _check_means(arms: Sequence[str], training: Sequence[Path], endpoint: str | None) -> None:
    """Refuse what would fail after the model has been loaded."""
    if any(map(retrieves, arms)) and not training:
        raise UserError("retrieved examples come from training data: name its file (--train FILE).")
    if missing := [path for path in training if not Path(path).exists()]:
        raise UserError(f"{missing[0]}: there is no such training data.")
    if any(split(arm)[1] for arm in arms):
        if endpoint is not None:
            raise UserError("constrained arms need a local model: a server constrains by its own settings.")
        if find_spec("llguidance") is None:
            raise UserError("constrained decoding needs llguidance: pip install 'tuner-tui[constrain]'.")


def _request(
    config: TrainConfig,
    arms: Sequence[str],
    adapter: Path,
    suite: str,
    heldout: Path | None,
    limits: Limits,
    temperature: float,
) -> Request:
    if suite == "heldout" and heldout is None:
        raise UserError(
            "there are no held-out items: name a file with --data, or set evaluation.heldout in the "
            "configuration."
        )
    bits, double = config.quantization.bits, config.quantization.double
    longest = config.evaluation.max_new_tokens
    base = base_model(config)
    settings = (bits, double, config.model.dtype, longest)
    key = baseline_key(base, suite, heldout, settings, limits, temperature)
    # An answer is the same in every subset; sampled ones rest on the seed.
    any_subset = Limits(seed=limits.seed if temperature else 0)
    answers = baseline_key(base, suite, heldout, settings, any_subset, temperature)
    return Request(
        suite=suite,
        model=base,
        name=config.model.name,
        adapter=adapter.absolute() if any(map(is_tuned, arms)) else None,
        bits=bits,
        double=double,
        dtype=config.model.dtype,
        heldout=heldout.absolute() if heldout else None,
        arms=tuple(in_order(arms)),
        batch=config.evaluation.batch,
        max_new_tokens=longest,
        cache=paths.baselines_dir() / key,
        fingerprint=digest(answers, model_mark(str(adapter)) if adapter.is_dir() else ""),
        limit=limits.items,
        seed=limits.seed,
        repeats=limits.repeats,
        temperature=temperature,
        training=tuple(Path(path).absolute() for path in config.data.train)
        if any(is_tuned(arm) or retrieves(arm) for arm in arms)
        else (),
    )


def _start(eval_dir: Path, request: Request, fresh: bool) -> Path:
    previous = _previous_request(eval_dir)
    same = previous and previous.fingerprint == request.fingerprint and request.has_items_of(previous)
    if (eval_dir / layout.STATUS).exists() and read_progress(eval_dir).state.live:
        if same and previous and set(request.arms) <= set(previous.arms):
            return eval_dir
        raise UserError(f"another evaluation is under way in {eval_dir}; wait for its end, or stop it first.")
    if not same:
        (eval_dir / layout.SUMMARY).unlink(missing_ok=True)
    _make_room(eval_dir, request, previous, fresh)
    if _is_complete(eval_dir, request):
        return eval_dir
    (eval_dir / layout.CONTROL).mkdir(mode=0o700, exist_ok=True)
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


def _make_room(eval_dir: Path, request: Request, previous: Request | None, fresh: bool) -> None:
    """Set aside what was answered by another model, with other settings, to a prompt that has been edited
    since, or with other rows to retrieve; or take it all away, to be measured again."""
    now = {arm: arm_mark(arm, request.training) for arm in request.arms}
    before = {**now, **read_marks(eval_dir)}
    marks = {**before, **now}
    for arm in stored_arms(eval_dir):
        old = answers_key(previous.fingerprint if previous else "", before.get(arm, ""))
        if fresh:
            forget(eval_dir, arm, old)
        elif old != answers_key(request.fingerprint, marks.get(arm, "")):
            set_aside(eval_dir, arm, old)
        else:
            continue
        (eval_dir / layout.SUMMARY).unlink(missing_ok=True)
    for arm in request.arms if fresh else ():
        forget(eval_dir, arm, answers_key(request.fingerprint, marks[arm]))
    eval_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.write_json(eval_dir / layout.MARKS, marks)
