"""The processors that train: what they are, for the run's manifest, and the energy that its GPUs take."""

import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import torch

from tuner_tui.recipes import ranks
from tuner_tui.recipes.session import Session

_MILLI = 1e-3
_DRIVER = Path("/sys/module/nvidia/version")
_CPUS = Path("/proc/cpuinfo")


def tell(session: Session) -> None:
    """Write into the manifest what trains from here on, and begin to count the energy of its GPUs."""
    session.run.device(describe())
    session.meter = energy_meter() if ranks.is_main() else None


def describe() -> dict[str, Any]:
    """The processors of this run.

    Keys: `kind` ("gpu" or "cpu"), `name`, `count` (GPUs of the whole run, or threads), `memory` (bytes, of
    one GPU or of the machine); of GPUs also `capability`, and `driver` and `cuda` (versions, or None).
    """
    if not torch.cuda.is_available():
        return {
            "kind": "cpu",
            "name": _cpu_name(),
            "count": torch.get_num_threads(),
            "memory": psutil.virtual_memory().total,
        }
    gpu = torch.cuda.get_device_properties(ranks.local_rank())
    return {
        "kind": "gpu",
        "name": gpu.name,
        "count": ranks.world(),
        "memory": gpu.total_memory,
        "capability": f"{gpu.major}.{gpu.minor}",
        "driver": _driver(),
        "cuda": torch.version.cuda,
    }


def energy_meter() -> Callable[[], dict[str, Any] | None] | None:
    """Counts from now on. What comes out gives the `joules` that were taken since, by how many `gpus`.

    It reads the cards' own counters (`nvmlDeviceGetTotalEnergyConsumption`, Volta and newer), which count a
    whole card, whoever uses it, and only the cards of this machine. None where there is no such counter, or
    no `nvidia-ml-py`, which the extra `cuda` brings.
    """
    try:
        import pynvml
    except ImportError:
        return None
    if not torch.cuda.is_available():
        return None
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))

    def read() -> float:
        """Joules since the driver was loaded, of all cards of this run on this machine."""
        cards = [f"GPU-{torch.cuda.get_device_properties(number).uuid}" for number in range(here)]
        handles = [pynvml.nvmlDeviceGetHandleByUUID(card) for card in cards]
        return sum(_MILLI * float(pynvml.nvmlDeviceGetTotalEnergyConsumption(each)) for each in handles)

    def taken() -> dict[str, Any] | None:
        try:
            return {"joules": round(read() - before, 3), "gpus": here}
        except pynvml.NVMLError:
            return None

    try:
        pynvml.nvmlInit()
        before = read()
    except pynvml.NVMLError:  # no driver, an older card, or a part of one (MIG)
        return None
    return taken


def _driver() -> str | None:
    try:
        return _DRIVER.read_text("ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _cpu_name() -> str:
    try:
        lines = _CPUS.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()
