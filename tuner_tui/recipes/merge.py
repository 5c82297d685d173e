"""An adapter of an earlier run, merged into its base: the base of the next run."""

import fcntl
import os
from pathlib import Path
from typing import Any

import torch

from tuner_tui import paths
from tuner_tui.errors import UserError
from tuner_tui.recipes import checkpoints
from tuner_tui.recipes.model import load_base, load_tokenizer, stored_dtype
from tuner_tui.runs import layout
from tuner_tui.training.bases import base_model, merged_folder
from tuner_tui.training.config import TrainConfig, load_config


def ensure(config: TrainConfig) -> str:
    """The base model of a run (a folder or a hub id), merged now if it has not been before.

    Raises:
        UserError: the model or the adapter cannot be loaded, or they do not fit each other.
    """
    if config.model.adapter is not None:
        merge(paths.resolve_model(config.model.name), Path(config.model.adapter))
    return base_model(config)


def merge(model: str, adapter: Path) -> Path:
    """The folder of `model` (a folder or a hub id) with `adapter` merged into its weights.

    An adapter that was trained on 4-bit weights is merged into these, unpacked: the result is the trained
    model to the last bit, where a merge into the original weights would be off by the rounding to 4 bits.

    Raises:
        UserError: one of them cannot be loaded, or they do not fit each other.
    """
    from peft import PeftModel

    target = merged_folder(model, adapter)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(target.with_name(f".{target.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # two runs of one plan may begin at once
        if target.is_dir():
            return target
        bits, double = _trained_on(adapter)
        loaded: Any = load_base(model, torch.float32, bits=bits, double=double)
        if bits:
            loaded = loaded.dequantize(dtype=torch.float32)
        try:
            merged = PeftModel.from_pretrained(loaded, str(adapter)).merge_and_unload()
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error).strip().split("\n")[0]
            raise UserError(f"model.adapter: {adapter} does not fit the model {model}: {reason}") from error
        with checkpoints.published(target) as staging:
            merged.to(stored_dtype(model)).save_pretrained(staging)
            load_tokenizer(model).save_pretrained(staging)
        return target
    finally:
        os.close(descriptor)


def _trained_on(adapter: Path) -> tuple[int | None, bool]:
    """Bits of the base weights under the adapter when it was trained, and double quantization."""
    try:
        quantization = load_config(adapter.parent / layout.CONFIG).quantization
    except UserError:  # not made by tuner: taken to be of the weights as they are stored
        return None, False
    return quantization.bits, quantization.double
