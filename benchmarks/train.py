"""What a training step costs: speed, memory, time to the first step; tuner beside TRL and Unsloth.

    python benchmarks/train.py            # an 8B Llama-3 shape, random weights: a GPU and 6 GB of disk
    python benchmarks/train.py --small    # a tiny shape, on any machine: that the programs run, no figures
    python benchmarks/train.py --cpu      # the embedded model on sample_data, beside TRL, in one process
    python benchmarks/train.py --losses   # the loss of each step, tuner beside TRL, on the same batches

Every case is a process of its own, on the same 4-bit model and the same rows (log-normal lengths, median 450,
at most 2048 tokens). tuner's are started as `tuner train` does. Useful tokens are those that are no padding;
the rate leaves the first five steps out; the first step is counted from the start of the process. Random
weights cost what trained ones cost; the loss only says whether two cases compute the same.

Unsloth wants versions of its own: install it elsewhere (`pip install --target DIR unsloth`), and name the
folder with --unsloth DIR. What could not be run is listed with the reason.
"""

import sys

del sys.path[0]  # this folder's inspect.py would hide the standard library's

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent))

from benchmarks.training import workload

QKVO = "q_proj,k_proj,v_proj,o_proj"
CASES: dict[str, dict[str, Any]] = {
    "tuner": {"library": "tuner"},
    "tuner, checkpoints": {"library": "tuner", "checkpointing": "full"},
    "tuner, half of them": {"library": "tuner", "checkpointing": "selective"},
    "plain TRL": {"library": "trl", "checkpointing": True, "packing": False},
    "plain TRL, 16 rows": {"library": "trl", "checkpointing": True, "packing": False, "batch": 16},
    "TRL, packed": {"library": "trl", "checkpointing": False},
    "TRL, packed, Liger": {"library": "trl", "checkpointing": False, "liger": True},
    "Unsloth, packed": {"library": "unsloth", "checkpointing": False},
    "Unsloth, packed, checkpoints": {"library": "unsloth", "checkpointing": True},
    "tuner, all layers": {"library": "tuner", "targets": "all-linear"},
    "tuner, 16384 tokens": {"library": "tuner", "batch": 8},
    "tuner, 8k rows": {"library": "tuner", "max_length": 8192, "batch": 1, "rows": "8k"},
    "tuner, 32k rows, checkpoints": {
        "library": "tuner", "checkpointing": "full", "max_length": 32768, "batch": 1, "rows": "32k",
        "steps": 8,
    },
    "tuner, DPO": {"library": "tuner", "method": "dpo", "checkpointing": "full"},
    "plain TRL, DPO": {"library": "trl", "method": "dpo", "checkpointing": True},
}  # fmt: skip
DEFAULTS = {
    "method": "sft", "checkpointing": "none", "packing": True, "batch": 4, "targets": QKVO,
    "max_length": 2048, "rows": "2k", "steps": 14,
}  # fmt: skip
LEFT_OUT = 5
LONG = {"2k": (2048, 450.0, 4000), "8k": (8192, 3000.0, 1200), "32k": (32768, 12000.0, 300)}


def main() -> int:
    """Make the workload, run the cases, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true", help="a tiny shape instead of 8B")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), metavar="CASE")
    parser.add_argument("--unsloth", type=Path, help="folder in which Unsloth and its versions are installed")
    parser.add_argument("--rows", type=int, help="rows of the 2k cases, instead of 4000: a shorter start")
    parser.add_argument("--limit", type=float, default=900, help="seconds for one case")
    parser.add_argument("--budget", type=float, default=1e9, help="seconds for all of them")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    parser.add_argument("--cpu", action="store_true", help="the embedded model on a CPU instead")
    parser.add_argument("--losses", action="store_true", help="the losses of the same batches instead")
    parser.add_argument("--steps", type=int, default=20, help="of the losses")
    args = parser.parse_args()
    if args.cpu:
        from benchmarks.training import cpu

        figures = cpu.compare(steps=12)
        cpu.show(figures)
        if args.json:
            args.json.write_text(json.dumps(figures, indent=1) + "\n")
        return 0
    work = Path(tempfile.mkdtemp(prefix="tuner-benchmark-"))
    os.environ["TUNER_HOME"] = str(work / "home")
    if args.losses:
        try:
            return compare_losses(work, args)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    deadline = time.monotonic() + args.budget
    figures = []
    try:
        prepare(work, args)
        for name in args.cases:
            case = DEFAULTS | CASES[name] | {"name": name}
            if args.small:
                case |= {"steps": 7, "batch": 2, "max_length": 256}
            left = min(args.limit, deadline - time.monotonic())
            figures.append(measure(case, work, args, left))
            print(line(figures[-1]), flush=True)
            if args.json:
                args.json.write_text(json.dumps(figures, indent=1) + "\n")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    show(figures)
    return int(all("reason" in figure for figure in figures))


def compare_losses(work: Path, args: argparse.Namespace) -> int:
    """The table of losses; the exit status is 1 when the cases were not fed the same."""
    from benchmarks.training import losses

    args.cases = ["tuner"]
    prepare(work, args)
    batch, max_length = (2, 256) if args.small else (DEFAULTS["batch"], DEFAULTS["max_length"])
    figures = losses.compare(
        work, model=work / "model", rows=work / "2k" / "rows.jsonl", steps=args.steps, batch=batch,
        max_length=max_length,
    )  # fmt: skip
    losses.show(figures)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return int(not (figures["same_batches"] and figures["same_adapter"]))


def prepare(work: Path, args: argparse.Namespace) -> None:
    """The model in `work/model`, rows of each length in a folder of their own."""
    started = time.monotonic()
    # In a process of its own: this one must not hold the GPU.
    code = (
        "from pathlib import Path; from benchmarks.training import workload as w; "
        f"w.make_model(Path({str(work / 'model')!r}), w.{'SMALL' if args.small else 'LLAMA_3_8B'})"
    )
    subprocess.run([sys.executable, "-c", code], cwd=HERE.parent, check=True)
    wanted = {(DEFAULTS | CASES[name])["rows"] for name in args.cases}
    for kind in sorted(wanted):
        longest, median, rows = (256, 90.0, 80) if args.small else LONG[kind]
        rows = min(rows, args.rows or rows)
        (work / kind).mkdir()
        workload.make_rows(work / kind, rows, longest, median)
    print(f"model and rows made in {time.monotonic() - started:.0f} s", flush=True)


def measure(case: dict[str, Any], work: Path, args: argparse.Namespace, limit: float) -> dict[str, Any]:
    """One case: its figures, or the reason why there are none."""
    if limit < 20:
        return {"case": case["name"], "reason": "no time was left"}
    file = "pairs.jsonl" if case["method"] == "dpo" else "rows.jsonl"
    case |= {
        "model": str(work / "model"),
        "data": str(work / case["rows"] / file),
        "output": str(work / "out"),
    }
    try:
        made = tuner(case, limit) if case["library"] == "tuner" else script(case, work, args, limit)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        reason = "took too long" if isinstance(error, subprocess.TimeoutExpired) else str(error)
        return {"case": case["name"], "reason": reason}
    steps = made["steps"]
    counted = steps[min(LEFT_OUT, len(steps) // 2) - 1 :]
    seconds = counted[-1]["time"] - counted[0]["time"]
    return {
        "case": case["name"],
        "tokens_per_second": (counted[-1]["tokens"] - counted[0]["tokens"]) / seconds,
        "tokens_per_step": steps[-1]["tokens"] / len(steps),
        "allocated": made["allocated"],
        "reserved": made["reserved"],
        "first_step": steps[0]["time"] - made["started"],
        "losses": [step["loss"] for step in steps],
        "said": made.get("said", ""),
    }


def script(case: dict[str, Any], work: Path, args: argparse.Namespace, limit: float) -> dict[str, Any]:
    """A case of TRL or Unsloth."""
    (work / "case.json").write_text(json.dumps(case | {"targets": targets(case)}))
    environment = dict(os.environ)
    if case["library"] == "unsloth":
        if args.unsloth is None:
            raise RuntimeError("no --unsloth folder was named")
        environment["PYTHONPATH"] = os.pathsep.join([str(args.unsloth), environment.get("PYTHONPATH", "")])
        environment["UNSLOTH_COMPILE_LOCATION"] = str(work / "unsloth")
    started = time.time()
    done = subprocess.run(
        [sys.executable, str(HERE / "training" / "script.py"), str(work / "case.json")],
        env=environment, cwd=work, capture_output=True, text=True, timeout=limit,
    )  # fmt: skip
    found = [text for text in done.stdout.splitlines() if text.startswith("RESULT ")]
    if not found:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no output"])[-1][:200])
    return json.loads(found[-1].removeprefix("RESULT ")) | {"started": started}


def targets(case: dict[str, Any]) -> Any:
    """In peft's terms."""
    return case["targets"] if case["targets"] == "all-linear" else case["targets"].split(",")


def tuner(case: dict[str, Any], limit: float) -> dict[str, Any]:
    """A case of ours, through the launcher, read from its run directory."""
    from tuner_tui.runs import control
    from tuner_tui.runs.reader import RunReader
    from tuner_tui.training.config import TrainConfig
    from tuner_tui.training.launchers.local import launch

    config = TrainConfig.model_validate(
        {
            "name": "benchmark",
            "method": case["method"],
            "model": {"name": case["model"]},
            "data": {
                "train": [case["data"]],
                "eval_fraction": 0,
                "max_length": case["max_length"],
                "packing": case["packing"] and case["method"] == "sft",
            },
            "lora": {"r": 16, "alpha": 32, "targets": case["targets"]},
            "optimization": {
                "micro_batch": case["batch"],
                "effective_batch": case["batch"],
                "max_steps": case["steps"],
                "learning_rate": 1e-4,
                "schedule": "constant",
                "warmup_ratio": 0,
                "gradient_checkpointing": case["checkpointing"],
            },
            "logging": {"save_every": 10_000, "log_every": 1},
            "seed": 42,
        }
    )
    started = time.time()
    run_dir = launch(config)
    reader = RunReader(run_dir)
    while reader.status().state.live:
        if time.time() - started > limit:
            control.request_stop(run_dir)
            raise RuntimeError("took too long")
        time.sleep(0.2)
    status = reader.status()
    records = [record for record in reader.poll_metrics() if "loss" in record]
    if str(status.state) != "finished" or not records:
        raise RuntimeError(f"{status.state}: {status.reason}")
    events = list(reader.poll_events())
    return {
        "started": started,
        "steps": [{"time": r["time"], "tokens": r.get("num_tokens", 0), "loss": r["loss"]} for r in records],
        "allocated": records[-1].get("memory_allocated"),
        "reserved": records[-1].get("memory_reserved"),
        "said": next((event["message"] for event in events if event["code"] == "kernels"), ""),
    }


def line(figure: dict[str, Any]) -> str:
    """One row of the table."""
    if "reason" in figure:
        return f"| {figure['case']} | not run: {figure['reason']} | | | | |"
    peaks = " | ".join(
        f"{figure[name] / 2**30:.2f}" if figure[name] else "" for name in ("allocated", "reserved")
    )
    return (
        f"| {figure['case']} | {figure['tokens_per_second']:,.0f} | {figure['tokens_per_step']:,.0f} "
        f"| {peaks} | {figure['first_step']:.1f} |"
    )


def show(figures: list[dict[str, Any]]) -> None:
    """The table that a README quotes, and whether the cases compute the same."""
    print("\n| case | useful tok/s | tokens a step | allocated GiB | reserved GiB | start to first step, s |")
    print("| --- | --- | --- | --- | --- | --- |")
    for figure in figures:
        print(line(figure))
    said = {figure["said"] for figure in figures if figure.get("said")}
    print(*(f"\ntuner: {text}" for text in sorted(said)), sep="")
    losses = {figure["case"]: figure["losses"] for figure in figures if "losses" in figure}
    ours, theirs = losses.get("tuner"), losses.get("TRL, packed")
    if ours and theirs:
        apart = max(abs(a - b) for a, b in zip(ours, theirs, strict=False))
        print(f"\nlosses of the same rows: tuner {ours}\n  TRL, packed {theirs}\n  at most {apart:.4f} apart")


if __name__ == "__main__":
    sys.exit(main())
