"""What a training step of the shipped recipe costs: memory, speed, time to the first step.

    python benchmarks/train.py            # an 8B Llama-3 shape, random weights: a GPU and 20 GB of disk
    python benchmarks/train.py --small    # a 7M shape, on any machine

It makes a model of random weights and a dataset of synthetic tool calls, starts runs through the launcher as
`tuner train` does, and reads the figures from their run directories. Random weights cost what trained ones
cost; the loss means nothing here.
"""

import sys

del sys.path[0]  # this folder's inspect.py would hide the standard library's

import argparse
import json
import os
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from tuner_tui import paths
from tuner_tui.cli.follow import follow
from tuner_tui.runs.reader import RunReader
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.estimate import estimate
from tuner_tui.training.launchers.local import launch

LLAMA_3_8B = {
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0},
}
SMALL = {
    "hidden_size": 256,
    "intermediate_size": 768,
    "num_hidden_layers": 8,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "vocab_size": 4096,
}
WORDS = [
    "order",
    "ticket",
    "weather",
    "invoice",
    "customer",
    "route",
    "meeting",
    "device",
    "sensor",
    "report",
]
CASES = {"qlora": (4, True), "qlora-fast": (4, False), "lora": (None, False)}
"""Name -> (bits, gradient checkpointing)."""


def main() -> int:
    """Run the cases, print the table, write the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true", help="a 7M shape instead of 8B")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--max-length", type=int, default=4096)
    parser.add_argument("--effective-batch", type=int, default=4)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=["qlora"])
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    args = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="tuner-benchmark-"))
    os.environ["TUNER_HOME"] = str(work / "home")
    try:
        started = time.perf_counter()
        make_model(work / "model", SMALL if args.small else LLAMA_3_8B)
        make_data(work / "train.jsonl", rows=600)
        print(f"model and data made in {time.perf_counter() - started:.0f} s", flush=True)
        figures = [measure(name, work, args) for name in args.cases]
    finally:
        shutil.rmtree(work, ignore_errors=True)
    show(figures)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")
    return int(any(case["state"] != "finished" for case in figures))


def make_model(folder: Path, shape: dict[str, Any]) -> None:
    """A Llama of random weights in bfloat16, with the embedded model's tokenizer."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(paths.embedded_model())
    config = LlamaConfig(
        **shape,
        max_position_embeddings=8192,
        tie_word_embeddings=False,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = LlamaForCausalLM(config)
    torch.set_default_dtype(torch.float32)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    del model
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def make_data(path: Path, rows: int) -> None:
    """Conversations of one request and one call, with four tools each."""
    random.seed(0)
    with path.open("w") as file:
        for number in range(rows):
            tools = [tool(f"{random.choice(WORDS)}_{random.choice(WORDS)}_{number}_{i}") for i in range(4)]
            chosen = random.choice(tools)["function"]["name"]
            arguments = {"name": random.choice(WORDS), "count": random.randint(1, 99)}
            call = {"type": "function", "function": {"name": chosen, "arguments": arguments}}
            request = f"Use {chosen} for {arguments['count']} of {arguments['name']}, please."
            messages = [
                {"role": "user", "content": request},
                {"role": "assistant", "content": "", "tool_calls": [call]},
            ]
            file.write(json.dumps({"messages": messages, "tools": tools}) + "\n")


def tool(name: str) -> dict[str, Any]:
    """A tool with two required parameters."""
    properties = {
        "name": {"type": "string", "description": f"What to {random.choice(WORDS)}."},
        "count": {"type": "integer", "description": f"How many, of the {random.choice(WORDS)}."},
    }
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    description = " ".join(random.choices(WORDS, k=12)).capitalize() + "."
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


def measure(name: str, work: Path, args: argparse.Namespace) -> dict[str, Any]:
    """One run of the recipe, and what its run directory says."""
    bits, checkpointing = CASES[name]
    config = TrainConfig.model_validate(
        {
            "name": name,
            "model": {"name": str(work / "model")},
            "quantization": {"bits": bits},
            "data": {
                "train": [work / "train.jsonl"],
                "eval_fraction": 0,
                "max_length": args.max_length,
                "packing": True,
            },
            "optimization": {
                "micro_batch": 1,
                "effective_batch": args.effective_batch,
                "max_steps": args.steps,
                "gradient_checkpointing": checkpointing,
            },
            "logging": {"save_every": 10_000},
        }
    )
    started = time.time()
    run_dir = launch(config)
    follow(run_dir)
    reader = RunReader(run_dir)
    status = reader.status()
    records = [record for record in reader.poll_metrics() if "loss" in record]
    facts = next((event for event in reader.poll_events() if event["code"] == "started"), {})
    # The first steps compile kernels and fill the allocator.
    speeds = [record["tokens_per_second"] for record in records[2:]]
    return {
        "case": name,
        "state": str(status.state),
        "reason": status.reason,
        "device": facts.get("device"),
        "dtype": facts.get("dtype"),
        "bits": bits,
        "gradient_checkpointing": checkpointing,
        "max_length": args.max_length,
        "effective_batch": args.effective_batch,
        "steps": len(records),
        "first_step_seconds": records[0]["time"] - started if records else None,
        "total_seconds": time.time() - started,
        "tokens_per_second": statistics.median(speeds) if speeds else None,
        "tokens_per_second_range": [min(speeds), max(speeds)] if speeds else None,
        "peak_allocated": max((record["memory_allocated"] for record in records), default=None),
        "peak_reserved": max((record.get("memory_reserved", 0) for record in records), default=None),
        "estimated": estimate(config).total,
        "loss": [records[0]["loss"], records[-1]["loss"]] if records else None,
    }


def show(figures: list[dict[str, Any]]) -> None:
    """The table that a README quotes."""
    print(f"\n{figures[0]['device']}, {figures[0]['dtype']}, torch process of its own")
    print("case        ckpt   tokens/s   allocated GB  reserved GB  estimated GB  first step s  loss")
    for case in figures:
        if case["tokens_per_second"] is None:
            print(f"{case['case']:<12}{case['state']}: {case['reason']}")
            continue
        print(
            f"{case['case']:<12}{'yes' if case['gradient_checkpointing'] else 'no':<5}"
            f"{case['tokens_per_second']:>10,.0f}{case['peak_allocated'] / 1e9:>15.2f}"
            f"{case['peak_reserved'] / 1e9:>13.2f}{case['estimated'] / 1e9:>14.2f}"
            f"{case['first_step_seconds']:>14.1f}  {case['loss'][0]:.3f} -> {case['loss'][1]:.3f}"
        )


if __name__ == "__main__":
    sys.exit(main())
