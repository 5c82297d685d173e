"""What a run is built upon: a base model, or a base model with the adapter of an earlier run merged into it.

A merged model is a folder of its own, made once (`recipes.merge`) and shared by every run and evaluation that
begins with it. So the reference of a preference method is simply its base, with its own adapter off.
"""

import hashlib
import json
from pathlib import Path

from tuner_tui import paths
from tuner_tui.errors import UserError
from tuner_tui.runs import layout, store
from tuner_tui.training.config import TrainConfig

WEIGHTS = "adapter_model.safetensors"


def adapter_folder(text: str, field: str) -> Path:
    """The folder of an adapter: `text` is such a folder, a run's folder, or a run's id ("last" as well).

    Raises:
        UserError: there is none; `field` names what asked for it.
    """
    folder = Path(text).expanduser().absolute()
    if not folder.is_dir():
        try:
            folder = store.find_run(text)
        except UserError:
            raise UserError(f'{field}: there is no run and no folder "{text}".') from None
    if (folder / layout.ADAPTER).is_dir():
        folder = folder / layout.ADAPTER
    if not (folder / WEIGHTS).is_file():
        raise UserError(f"{field}: {folder} holds no adapter ({WEIGHTS}); has the run finished?")
    return folder


def base_model(config: TrainConfig) -> str:
    """What `from_pretrained` takes for the base of this run: a folder, or an id of the hub.

    With `model.adapter` (a folder by now) it is the merged model's, which `recipes.merge.ensure` makes.
    """
    name = paths.resolve_model(config.model.name)
    return name if config.model.adapter is None else str(merged_folder(name, Path(config.model.adapter)))


def check_reward_model(config: TrainConfig) -> None:
    """See that the reward model of a PPO run was trained on the base that the run begins with.

    Raises:
        UserError: it was trained on another, whose layers may have the same shapes and mean something else.
    """
    if config.method != "ppo" or config.ppo.reward_model is None:
        return
    try:
        shape = json.loads((Path(config.ppo.reward_model) / "adapter_config.json").read_text("utf-8"))
        trained_on = str(shape["base_model_name_or_path"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"ppo.reward_model: {config.ppo.reward_model} is no readable adapter: {error}."
        ) from None
    base = base_model(config)
    if trained_on != base and (Path(trained_on).is_dir() or not Path(base).is_dir()):
        raise UserError(
            f"ppo.reward_model: it was trained on {trained_on}, and this run begins with {base}; give both "
            "runs the same model.name and model.adapter."
        )


def merged_folder(model: str, adapter: Path) -> Path:
    """Where the model with the adapter merged into it lies: one place for the same weights.

    Raises:
        UserError: the adapter cannot be read.
    """
    try:
        with (adapter / WEIGHTS).open("rb") as file:
            weights = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"model.adapter: cannot read {adapter / WEIGHTS}: {error.strerror}.") from error
    key = hashlib.sha256(f"{model}\0{weights}".encode()).hexdigest()[:16]
    return paths.merged_dir() / key
