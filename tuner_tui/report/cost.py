"""What a run took: time, tokens, memory, which processors, and energy where it was measured."""

from collections.abc import Mapping, Sequence
from typing import Any

from tuner_tui.report.text import seconds

_GIB = 2**30
_JOULES_PER_KWH = 3.6e6


def cost_section(
    run: Mapping[str, Any],
    training: Mapping[str, Any],
    suites: Sequence[Mapping[str, Any]],
    manifest: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """What training and evaluation took.

    Returns:
        `training_seconds`, `tokens`, `tokens_per_second`, `peak_memory` (bytes); `devices`, each as
        `recipes.device.describe` tells it (a run from before that has `name` alone, or none);
        `evaluation_seconds` and `answer_tokens` over all suites and arms; `energy` of training, None where it
        was not measured: `kwh`, `gpus` that were counted, and `whole`, whether each process of the run told.
    """
    return {
        "training_seconds": run["seconds"],
        "tokens": training["tokens"],
        "tokens_per_second": training["tokens_per_second"],
        "peak_memory": training["peak_memory"],
        "devices": _devices(manifest, events),
        "evaluation_seconds": round(sum(sum(s["seconds"].values()) for s in suites), 1) if suites else None,
        "answer_tokens": sum(sum(s["tokens"].values()) for s in suites) if suites else None,
        "energy": _energy(events),
    }


def cost_lines(cost: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The same in words, as (what, how much)."""
    training = [seconds(cost["training_seconds"])]
    if (hours := gpu_hours(cost)) is not None:
        training.append(f"{hours:.2g} GPU hours")
    if cost["tokens"]:
        training.append(f"{cost['tokens']:,.0f} tokens")
    if cost["tokens_per_second"]:
        training.append(f"{cost['tokens_per_second']:,.0f} tokens per second at the end")
    peak = f"{cost['peak_memory'] / 1e9:.2f} GB" if cost["peak_memory"] else "not recorded"
    answering = "none"
    if cost["evaluation_seconds"] is not None:
        answering = (
            f"{seconds(cost['evaluation_seconds'])} of answering, {cost['answer_tokens']:,} tokens, all "
            "suites and prompts together"
        )
    return [
        ("Trained on", "; then ".join(map(device_text, cost["devices"])) or "not recorded"),
        ("Training", ", ".join(training)),
        ("Memory at most", peak),
        ("Evaluation", answering),
        ("Energy", energy_text(cost)),
    ]


def gpu_hours(cost: Mapping[str, Any]) -> float | None:
    """Hours of training times GPUs; None on a CPU, where the devices changed, or when it was not recorded."""
    if cost["training_seconds"] is None or [each.get("kind") for each in cost["devices"]] != ["gpu"]:
        return None
    return float(cost["training_seconds"]) / 3600 * int(cost["devices"][0].get("count") or 1)


def device_text(device: Mapping[str, Any]) -> str:
    """`2 × NVIDIA H200, 140 GiB each, driver 580.1, CUDA 13.0`, `CPU (Xeon), 2 threads; no GPU`."""
    name = str(device.get("name"))
    if device.get("kind") == "cpu":
        threads = device.get("count")
        return f"CPU ({name}), {threads} thread{'s' if threads != 1 else ''}, no GPU"
    if device.get("kind") != "gpu":
        return name
    count = int(device.get("count") or 1)
    parts = [f"{count} × {name}" if count > 1 else name]
    if device.get("memory"):
        parts.append(f"{device['memory'] / _GIB:.0f} GiB{' each' if count > 1 else ''}")
    parts += [f"{what} {device[what.lower()]}" for what in ("driver", "CUDA") if device.get(what.lower())]
    return ", ".join(parts)


def energy_text(cost: Mapping[str, Any]) -> str:
    """The energy of training, or that it was not measured."""
    energy = cost["energy"]
    if energy is None:
        on_gpu = any(device.get("kind") == "gpu" for device in cost["devices"])
        return f"not measured{': nvidia-ml-py, of the extra cuda, reads the counter' if on_gpu else ''}"
    least = "" if energy["whole"] else "at least "
    kwh = energy["kwh"]
    amount = f"{kwh:.3g} kWh" if kwh >= 0.1 else f"{1000 * kwh:.3g} Wh"
    cards = f"{energy['gpus']} whole GPU{'s' if energy['gpus'] > 1 else ''}, without the machine around"
    return f"{least}{amount} for training ({cards}); of evaluation not measured"


def _devices(manifest: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    told = manifest.get("devices")
    if isinstance(told, list) and told:
        return [dict(each) for each in told if isinstance(each, dict)]
    names = dict.fromkeys(str(e["device"]) for e in events if e.get("code") == "started" and e.get("device"))
    return [{"name": name} for name in names]


def _energy(events: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    told = [event for event in events if event.get("code") == "energy" and event.get("joules") is not None]
    if not told:
        return None
    began = sum(event.get("code") == "started" for event in events)
    return {
        "kwh": sum(event["joules"] for event in told) / _JOULES_PER_KWH,
        "gpus": max(int(event.get("gpus") or 1) for event in told),
        "whole": len(told) >= began,
    }
