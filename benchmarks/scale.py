"""One run on several GPUs against the same run on one: tokens a second, memory, state.

    python benchmarks/scale.py                       # an 8B Llama 3 shape on 1 GPU, 2 by DDP, 2 by FSDP
    python benchmarks/scale.py --shape llama-70b --quantized --cases 2:fsdp
    python benchmarks/scale.py --cases 2:fsdp --resume   # stopped in its middle, and resumed
    python benchmarks/scale.py --shape llama-tiny --cases 1 2:ddp      # processes on any machine

Runs are started through the launcher, as `tuner train --gpus N --engine E` does; the figures are read from
their run directories. QLoRA (NF4, r 16 on all linear layers), packs of `--max-length` tokens.
"""

import sys

sys.path.append(sys.path.pop(0))  # this folder's inspect.py would hide the standard library's

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from workload import SHAPES, make_calls, make_model, make_quantized_model

from tuner_tui.cli.follow import follow
from tuner_tui.runs import control
from tuner_tui.runs.reader import RunReader, read_status
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.launchers.local import launch, resume


def main() -> int:
    """Run the cases, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=SHAPES, default="llama-8b")
    parser.add_argument("--layers", type=int, help="fewer layers than the shape has")
    parser.add_argument(
        "--quantized", action="store_true", help="write the model in NF4, all layers with the same weights"
    )
    parser.add_argument("--cases", nargs="+", default=["1", "2:ddp", "2:fsdp"], metavar="GPUS[:ENGINE]")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--max-length", type=int, default=4096)
    parser.add_argument("--effective-batch", type=int, default=8)
    parser.add_argument("--resume", action="store_true", help="stop each run in its middle, and resume it")
    parser.add_argument("--work", type=Path, help="a folder for the model: fast, with room for it")
    args = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="tuner-scale-", dir=args.work))
    os.environ["TUNER_HOME"] = str(work / "home")
    try:
        make = make_quantized_model if args.quantized else make_model
        began = time.time()
        make(work / "model", SHAPES[args.shape], args.layers)
        print(f"a model of random weights, made in {time.time() - began:.0f} s", flush=True)
        make_calls(work / "train.jsonl", rows=600)
        what = f"{args.shape}{f', {args.layers} layers' if args.layers else ''}"
        print(f"{what}; packs of {args.max_length}; effective batch {args.effective_batch}", flush=True)
        print("GPUs  engine  tokens/s  × one  reserved GB  first step s  whole s  loss", flush=True)
        one: dict[str, Any] | None = None
        failed = False
        for case in args.cases:
            found = measure(case, work, args)
            failed |= found["state"] != "finished"
            one = found if found["gpus"] == 1 else one
            show(found, one)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return int(failed)


def measure(case: str, work: Path, args: argparse.Namespace) -> dict[str, Any]:
    """One run, and what its run directory says."""
    gpus, _, engine = case.partition(":")
    config = TrainConfig.model_validate(
        {
            "name": case.replace(":", "-"),
            "model": {"name": str(work / "model")},
            "data": {
                "train": [work / "train.jsonl"],
                "eval_fraction": 0,
                "max_length": args.max_length,
                "packing": True,
            },
            "optimization": {
                "effective_batch": args.effective_batch,
                "max_steps": args.steps,
                "gradient_checkpointing": "full",
            },
            "logging": {"save_every": 10_000},
            "launch": {"gpus": int(gpus), "engine": engine or "auto"},
        }
    )
    started = time.time()
    run_dir = launch(config)
    if args.resume:
        stop_in_the_middle(run_dir, args.steps // 2)
        resume(run_dir)
    follow(run_dir, quiet=True)
    reader = RunReader(run_dir)
    status = reader.status()
    told = [event["message"] for event in reader.poll_events() if event["code"] in ("started", "kernels")]
    records = [record for record in reader.poll_metrics() if "loss" in record]
    if str(status.state) != "finished":
        print("\n".join(reader.poll_log()[-25:]), flush=True)
    # The first steps compile kernels and fill the allocator.
    speeds = [record["tokens_per_second"] for record in records[3:]]
    if args.resume and str(status.state) == "finished":
        print(*(f"      {text}" for text in what_happened(run_dir)), sep="\n", flush=True)
    return {
        "gpus": int(gpus),
        "engine": engine or "-",
        "state": str(status.state),
        "reason": status.reason,
        "told": " ".join(told),
        "tokens_per_second": statistics.median(speeds) if speeds else None,
        "reserved": max((record.get("memory_reserved", 0) for record in records), default=0),
        "seconds": time.time() - started,
        "first_step": records[0]["time"] - started if records else None,
        "loss": [records[0]["loss"], records[-1]["loss"]] if records else None,
    }


def stop_in_the_middle(run_dir: Path, step: int) -> None:
    """Ask for a stop after so many steps, and wait until it is one."""
    asked = False
    while (status := read_status(run_dir)).state.live:
        if status.step >= step and not asked:
            control.request_stop(run_dir)
            asked = True
        time.sleep(0.1)


def what_happened(run_dir: Path) -> list[str]:
    """Of a run that was stopped and resumed: its losses, its checkpoints, and what the adapter holds."""
    from safetensors.torch import load_file

    reader = RunReader(run_dir)
    losses = [
        f"{record['step']}: {record['loss']:.4f}" for record in reader.poll_metrics() if "loss" in record
    ]
    found = [event for event in reader.poll_events() if event["code"] in ("checkpoint", "resumed", "stopped")]
    tensors = load_file(run_dir / "adapter" / "adapter_model.safetensors")
    moved = [tensor for name, tensor in tensors.items() if "lora_B" in name and tensor.any()]
    return [
        "losses " + ", ".join(losses),
        *(f"after step {event['step']}: {event['message']}" for event in found),
        f"the adapter: {len(tensors)} matrices, {sum(t.numel() for t in tensors.values()):,} weights; "
        f"{len(moved)} of its matrices B are no longer zero",
    ]


def show(found: dict[str, Any], one: dict[str, Any] | None) -> None:
    """A line of the table."""
    head = f"{found['gpus']:>4}  {found['engine']:<6}"
    speed = found["tokens_per_second"]
    if speed is None or found["state"] != "finished":
        print(f"{head}  {found['state']}: {found['reason']}", flush=True)
    if speed is None:
        return
    alone = one and one["tokens_per_second"]
    print(
        f"{head}{speed:>10,.0f}{f'{speed / alone:.2f}' if alone else '-':>7}"
        f"{found['reserved'] / 1e9:>13.2f}{found['first_step']:>14.1f}{found['seconds']:>9.1f}  "
        f"{found['loss'][0]:.3f} -> {found['loss'][1]:.3f}",
        flush=True,
    )
    print(f"      {found['told']}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
