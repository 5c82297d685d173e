"""Start a run on this machine, in a process that needs nobody to watch it."""

import hashlib
import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from tuner_tui import __version__, paths
from tuner_tui.errors import UserError
from tuner_tui.runs import control, files, layout, process, store
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.reader import RunReader, read_status
from tuner_tui.training import launchers
from tuner_tui.training.bases import adapter_folder, check_reward_model
from tuner_tui.training.config import TrainConfig, parse_config, to_yaml
from tuner_tui.training.launchers import slurm
from tuner_tui.training.preflight import template_refusal
from tuner_tui.training.tool_file import tool_functions

_PACKAGES = (
    "torch",
    "transformers",
    "trl",
    "peft",
    "bitsandbytes",
    "datasets",
    "accelerate",
    "tokenizers",
)


def launch(config: TrainConfig, root: Path | None = None, chain: Mapping[str, Any] | None = None) -> Path:
    """Create a run directory (in `root`, by default among all runs) and start its trainer, detached.

    It returns at once.

    Args:
        chain: which step of which chain this is, for the manifest.

    Raises:
        UserError: an input is missing, the model's chat template cannot show the data, or the run cannot be
            created.
    """
    config = absolute(config)
    check_inputs(config)
    launchers.check(config)
    launchers.check_here(config)
    if config.launch.slurm is not None:
        slurm.options(config.launch.slurm)
    if lost := template_refusal(config):
        raise UserError(f"model.name: {lost}; take a model whose template supports that.")
    manifest = _manifest(config) | ({"chain": dict(chain)} if chain else {})
    run_dir = store.create_run(config.name, to_yaml(config), manifest, root)
    _start(run_dir, config)
    return run_dir


def resume(run_dir: Path, gpus: int | None = None) -> None:
    """Start the trainer of an ended run again; it goes on from its newest checkpoint.

    `gpus` is another number of processes than the run had; the effective batch stays what it is.

    Raises:
        UserError: the run is live or finished, or an input is missing or not what it was.
    """
    status = read_status(run_dir)
    if status.state.live:
        raise UserError(f"run {run_dir.name} is {status.state} already.")
    if status.state is RunState.FINISHED:
        raise UserError(f"run {run_dir.name} is finished; there is nothing left to resume.")
    path = run_dir / layout.CONFIG
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error}.") from error
    config = parse_config(text, str(path))
    if gpus is not None:
        config.launch.gpus = gpus
    launchers.check(config)
    launchers.check_here(config)
    check_inputs(config)
    _check_unchanged(run_dir, config)
    control.clear_stop(run_dir)
    control.clear_save(run_dir)
    store.write_starting(run_dir, status)
    _start(run_dir, config)


def absolute(config: TrainConfig) -> TrainConfig:
    """The configuration with absolute paths, so that it means the same in any folder."""
    config = config.model_copy(deep=True)
    config.data.train = [_absolute(path) for path in config.data.train]
    config.data.eval = config.data.eval and _absolute(config.data.eval)
    config.evaluation.heldout = config.evaluation.heldout and _absolute(config.evaluation.heldout)
    if config.model.name != "embedded":
        config.model.name = paths.resolve_model(config.model.name)
    if config.model.adapter is not None:
        config.model.adapter = str(adapter_folder(config.model.adapter, "model.adapter"))
    if config.ppo.reward_model is not None:
        config.ppo.reward_model = str(adapter_folder(config.ppo.reward_model, "ppo.reward_model"))
    if config.grpo.tools is not None:
        config.grpo.tools = str(_absolute(Path(config.grpo.tools)))
    return config


def check_inputs(config: TrainConfig) -> None:
    """See that every file and the model are there, before anything is created.

    Raises:
        UserError: which is missing, and which field names it.
    """
    named = [("data.train", path) for path in config.data.train]
    named += [("data.eval", path) for path in [config.data.eval] if path]
    named += [("evaluation.heldout", path) for path in [config.evaluation.heldout] if path]
    named += [("grpo.tools", Path(path)) for path in [config.grpo.tools] if path]
    for field, path in named:
        if not path.is_file():
            raise UserError(f"{field}: there is no file {path}.")
        if not os.access(path, os.R_OK):
            raise UserError(f"{field}: {path} cannot be read.")
    if config.grpo.tools is not None:
        tool_functions(Path(config.grpo.tools))
    name = config.model.name
    folder = Path(paths.resolve_model(name)).expanduser()
    looks_like_path = name.startswith((".", "/", "~")) or name.count("/") > 1 or name == "embedded"
    if looks_like_path and not folder.is_dir():
        raise UserError(f"model.name: there is no model folder {folder}.")
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise UserError(f"model.name: {folder} holds no config.json, so it is no model.")
    check_reward_model(config)


def _check_unchanged(run_dir: Path, config: TrainConfig) -> None:
    """A run goes on with the data that it began with, or its manifest and its curve would lie."""
    before = {item["path"]: item["sha256"] for item in RunReader(run_dir).manifest().get("data", [])}
    for path in _data_files(config):
        if before.get(str(path), "") not in ("", _file_fingerprint(path)["sha256"]):
            raise UserError(
                f"{path} has changed since run {run_dir.name} began; start a new run with "
                f"`tuner train {run_dir / layout.CONFIG}`."
            )


def _start(run_dir: Path, config: TrainConfig) -> None:
    (run_dir / layout.FAULT).unlink(missing_ok=True)
    try:
        if config.launch.slurm is not None:
            slurm.submit(config, run_dir)
            return
        argv = launchers.command(config, run_dir)
        threads = max(1, process.usable_cores() // config.launch.gpus)
        env = {
            **launchers.ENVIRONMENT,
            **({"OMP_NUM_THREADS": str(threads)} if config.launch.gpus > 1 else {}),
        }
        process.start_detached(argv, run_dir / layout.LOG, env)
    except (OSError, UserError) as error:
        # A run directory stands already, and must not be taken for a run that lives.
        reason = f"it could not be started: {error}"
        status = replace(read_status(run_dir), state=RunState.FAILED, phase="", reason=reason)
        files.write_json(run_dir / layout.STATUS, status.to_json())
        raise UserError(
            str(error) if isinstance(error, UserError) else f"cannot start the trainer: {error}."
        ) from error


def _manifest(config: TrainConfig) -> dict[str, Any]:
    """What it takes to know later what this run was made from."""
    memory = psutil.virtual_memory().total
    return {
        "tuner": __version__,
        "python": platform.python_version(),
        "packages": _versions(_PACKAGES),
        "command": sys.argv,
        "host": {
            "name": platform.node(),
            "system": platform.platform(),
            "cores": process.usable_cores(),
            "memory": memory,
            "nvidia_driver": bool(shutil.which("nvidia-smi")),
        },
        "seed": config.seed,
        "model": _model_fingerprint(config.model.name),
        "data": [_file_fingerprint(path) for path in _data_files(config)],
    }


def _data_files(config: TrainConfig) -> list[Path]:
    tools = [Path(config.grpo.tools)] if config.grpo.tools else []
    return [*config.data.train, *(path for path in [config.data.eval] if path), *tools]


def _versions(names: Sequence[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def _file_fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": str(path), "bytes": path.stat().st_size, "sha256": digest}


def _model_fingerprint(name: str) -> dict[str, Any]:
    """Of a folder: its config's digest and its weight files' sizes, since hashing 16 GB takes too long."""
    folder = Path(paths.resolve_model(name))
    if not folder.is_dir():
        return {"name": name}
    return {
        "name": name,
        "config": _file_fingerprint(folder / "config.json"),
        "weights": {path.name: path.stat().st_size for path in sorted(folder.glob("*.safetensors"))},
    }


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()
