"""The estimate of memory against what runs measure, over many configurations.

    python benchmarks/memory.py --out memory.md      # on a GPU; 130 GB of memory for all of them
    python benchmarks/memory.py --only llama-8b --part 1/4      # every fourth configuration

Each configuration is a probe (`tuner estimate CONFIG --probe`): a run of the real recipe, three steps on rows
of the longest length, in a process of its own. Models have random weights. The error is that of the estimate
against the peak that PyTorch's allocator reserved (`max_memory_reserved`).
"""

import sys

sys.path.append(sys.path.pop(0))  # this folder's inspect.py would hide the standard library's

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tuner_tui.errors import UserError
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.estimate import estimate
from tuner_tui.training.probe import probe

# shape, bits, rank, targets, tokens of a row, rows at once, checkpointing, packing, method
CASES: list[tuple[str, int | None, int, str, int, int, str, bool, str]] = [
    ("llama-8b", 4, 8, "all-linear", 8192, 1, "none", True, "sft"),
    ("qwen3-14b", 4, 16, "all-linear", 4096, 1, "full", True, "sft"),
    ("gemma2-2b", 4, 16, "all-linear", 4096, 1, "full", False, "sft"),
    ("qwen3-4b", None, 16, "q_proj,k_proj,v_proj,o_proj", 4096, 1, "none", False, "sft"),
    ("qwen3-14b", 4, 32, "all-linear", 2048, 1, "none", True, "sft"),
    ("gemma2-2b", None, 16, "all-linear", 2048, 1, "none", False, "sft"),
    ("qwen3-0.6b", 4, 16, "all-linear", 2048, 4, "none", True, "sft"),
    ("llama-8b", None, 32, "all-linear", 2048, 2, "full", True, "sft"),
    ("gemma3-4b", 4, 16, "all-linear", 4096, 1, "full", False, "sft"),
    ("llama-8b", 4, 16, "q_proj,k_proj,v_proj,o_proj", 1024, 8, "selective", False, "sft"),
    ("qwen3-14b", None, 8, "all-linear", 1024, 2, "full", False, "sft"),
    ("qwen3-8b", 4, 8, "q_proj,v_proj", 8192, 1, "full", False, "sft"),
    ("qwen3-0.6b", None, 64, "all-linear", 4096, 2, "full", False, "sft"),
    ("gemma3-4b", None, 32, "all-linear", 2048, 2, "none", False, "sft"),
    ("llama-8b", 4, 32, "all-linear", 1024, 2, "none", False, "dpo"),
    ("qwen3-14b", 4, 16, "q_proj,k_proj,v_proj,o_proj", 8192, 1, "full", False, "sft"),
    ("qwen3-4b", 4, 32, "all-linear", 16384, 1, "full", True, "sft"),
    ("llama-8b", 4, 64, "all-linear", 8192, 2, "full", True, "sft"),
    ("gemma2-2b", 4, 32, "all-linear", 8192, 1, "full", True, "sft"),
    ("qwen3-14b", 4, 16, "all-linear", 1024, 2, "none", False, "dpo"),
    ("qwen3-8b", 4, 16, "all-linear", 2048, 2, "selective", True, "sft"),
    ("gemma3-4b", 4, 8, "q_proj,k_proj,v_proj,o_proj", 2048, 2, "none", True, "sft"),
    ("qwen3-4b", None, 8, "all-linear", 1024, 2, "full", False, "dpo"),
    ("llama-8b", 4, 8, "all-linear", 16384, 1, "full", False, "sft"),
    ("gemma2-2b", 4, 16, "all-linear", 1024, 2, "none", False, "dpo"),
    ("qwen3-8b", None, 16, "all-linear", 4096, 1, "full", True, "sft"),
    ("qwen3-8b", 4, 64, "q_proj,k_proj,v_proj,o_proj", 1024, 4, "none", False, "sft"),
    ("qwen3-0.6b", 4, 8, "all-linear", 1024, 4, "none", False, "dpo"),
]


def main() -> int:
    """Measure, print the table line by line, write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", help="shapes")
    parser.add_argument("--part", default="1/1", help="K/N: the K-th of N parts, for N GPUs side by side")
    parser.add_argument("--models", type=Path, help="a folder with the models, made where they are missing")
    parser.add_argument("--out", type=Path, help="write the table (Markdown) and, beside it, JSON lines")
    parser.add_argument("--kernels", choices=("auto", "off"), default="auto")
    args = parser.parse_args()
    part, parts = map(int, args.part.split("/"))
    cases = [case for case in CASES if not args.only or case[0] in args.only][part - 1 :: parts]
    work = Path(tempfile.mkdtemp(prefix="tuner-memory-"))
    models = args.models or work
    columns = "model bits r layers tokens rows checkpoints packed method measured estimated error"
    head = f"| {' | '.join(columns.split())} |"
    print(head, flush=True)
    lines = [head, "|" + " --- |" * (head.count("|") - 1)]
    worst = 0.0
    try:
        for case in cases:
            found = measure(case, models, work, args.kernels)
            lines.append(row(case, found))
            print(lines[-1], flush=True)
            print(json.dumps(found), flush=True)
            worst = max(worst, abs(found.get("error", 1.0)))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if args.out:
        args.out.write_text("\n".join(lines) + "\n")
    print(f"largest error {worst:.1%}")
    return 0


def measure(case: tuple[Any, ...], models: Path, work: Path, kernels: str) -> dict[str, Any]:
    """One probe and the estimate beside it."""
    shape, bits, rank, targets, tokens, rows, checkpointing, packing, method = case
    folder = model_folder(models, shape)
    data = work / f"rows-{tokens}-{method}.jsonl"
    if not data.exists():
        long_rows(data, tokens, method)
    config = TrainConfig.model_validate(
        {
            "method": method,
            "model": {"name": str(folder), "dtype": "bfloat16", "kernels": kernels},
            "quantization": {"bits": bits},
            "lora": {"r": rank, "targets": targets},
            "data": {"train": [data], "max_length": tokens, "packing": packing},
            "optimization": {
                "micro_batch": rows,
                "effective_batch": rows,
                "gradient_checkpointing": checkpointing,
            },
        }
    )
    guess = estimate(config)
    try:
        found = probe(config, steps=3)
    except UserError as error:
        return {"case": case, "failed": str(error), "estimated": guess.reserved, "parts": guess.parts}
    return {
        "case": case,
        "allocated": found.allocated,
        "reserved": found.reserved,
        "estimated": guess.reserved,
        "error": guess.reserved / found.peak - 1,
        "parts": guess.parts,
        "tokens_per_second": found.tokens_per_second,
        "startup": round(found.startup, 1),
        "device": found.device,
    }


def model_folder(models: Path, shape: str) -> Path:
    """The model's folder; made by one process, and awaited by the others."""
    folder = models / shape
    building = models / f"{shape}.building"
    try:
        building.mkdir(parents=True)
    except FileExistsError:
        deadline = time.monotonic() + 300
        while not (folder / "ready").exists():
            if time.monotonic() > deadline:
                raise SystemExit(f"{folder} is being made by nobody") from None
            time.sleep(0.2)
        return folder
    program = (
        f"import workload; workload.make_model(workload.Path({str(folder)!r}), workload.SHAPES[{shape!r}])"
    )
    here = str(Path(__file__).parent)
    # In a process of its own: this one must not hold memory of the GPU.
    command = [sys.executable, "-c", f"import sys; sys.path.append({here!r}); {program}"]
    subprocess.run(command, check=True, env=os.environ, cwd="/")
    (folder / "ready").touch()
    return folder


def long_rows(path: Path, tokens: int, method: str) -> None:
    """Rows whose answer is longer than any length that is measured, so that each is cut to that length."""
    answer = "The weather in the city is fine today and the order was sent. " * (tokens // 8)
    user = [{"role": "user", "content": "Please tell me everything."}]
    said = [{"role": "assistant", "content": answer}]
    if method == "dpo":
        value = {
            "prompt": user,
            "chosen": said,
            "rejected": [{"role": "assistant", "content": "No. " + answer}],
        }
    else:
        value = {"messages": [*user, *said]}
    path.write_text("".join(json.dumps({**value, "id": number}) + "\n" for number in range(8)))


def row(case: tuple[Any, ...], found: dict[str, Any]) -> str:
    """A line of the table."""
    shape, bits, rank, targets, tokens, rows, checkpointing, packing, method = case
    cells = [shape, bits or 16, rank, "all" if targets == "all-linear" else targets.replace("_proj", "")]
    cells += [tokens, rows, checkpointing, "yes" if packing else "no", method]
    if "failed" in found:
        cells += [found["failed"], f"{found['estimated'] / 1e9:.2f}", ""]
    else:
        peak = found["reserved"] or found["allocated"]
        cells += [f"{peak / 1e9:.2f}", f"{found['estimated'] / 1e9:.2f}", f"{found['error']:+.1%}"]
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    sys.exit(main())
