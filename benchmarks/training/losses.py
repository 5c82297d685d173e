"""tuner's SFT recipe beside TRL's packed trainer on the same batches: are the losses of all steps the same?

    python benchmarks/train.py --losses

The same token rows in the same order, packed by TRL (`packing_strategy="bfd"`), the same seed, the same
adapter to begin with. tuner is the recipe as it runs, fast path and all; TRL is a plain trainer. On a CPU
both compute in float32. On a GPU both compute in bfloat16, and TRL once more in float32: so the difference
between the two can be set against what bfloat16 alone makes.

Each case is a process in which every batch, and the adapter before the first, leave a digest: were they not
the same, the losses would say nothing. Such a process is this module as a program:

    python -m benchmarks.training.losses tuner RUN_DIR OUT.jsonl
    python -m benchmarks.training.losses trl CASE.json OUT.jsonl
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SEED = 42
RATE = 1e-4
TARGETS = "all-linear"
ROWS = "rows.json"
"""The token rows, as the recipe gives them to its trainer."""


def compare(
    work: Path, *, model: Path, rows: Path, steps: int, batch: int, max_length: int
) -> dict[str, Any]:
    """Run the cases; of each the losses, and whether all had the same batches and began alike.

    Args:
        work: an empty folder.
        model: a model's folder, 4-bit or not.
        rows: conversations.
        batch: packs a step.

    Raises:
        RuntimeError: a case failed; with its last words.
    """
    import torch

    # tuner first: it leaves the token rows on which TRL trains as well.
    given = _run_dir(model, rows, steps=steps, batch=batch, max_length=max_length)
    tuned = _steps("tuner", given, work)
    found = {}
    dtypes = ["float32", "bfloat16"] if torch.cuda.is_available() else ["float32"]
    for dtype in dtypes:
        case = work / f"{dtype}.json"
        settings = {"model": str(model), "dtype": dtype, "rows": str(work / ROWS)}
        case.write_text(json.dumps({**settings, "steps": steps, "batch": batch, "max_length": max_length}))
        found[f"TRL, {dtype}"] = _steps("trl", case, work)
    found[f"tuner, {dtypes[-1]}"] = tuned
    return _figures(found)


def _run_dir(model: Path, rows: Path, *, steps: int, batch: int, max_length: int) -> Path:
    """A run of tuner that waits for its trainer."""
    import torch

    from tuner_tui.runs.store import create_run
    from tuner_tui.training.config import TrainConfig, to_yaml

    shape = json.loads((model / "config.json").read_text())
    config = TrainConfig.model_validate(
        {
            "name": "losses",
            "seed": SEED,
            "model": {
                "name": str(model),
                "dtype": "bfloat16" if torch.cuda.is_available() else "float32",
            },
            "data": {"train": [rows], "eval_fraction": 0, "max_length": max_length, "packing": True},
            "quantization": {"bits": 4 if "quantization_config" in shape else None},
            "lora": {"r": 16, "alpha": 32, "targets": TARGETS},
            "optimization": {
                "micro_batch": batch,
                "effective_batch": batch,
                "max_steps": steps,
                "learning_rate": RATE,
                "schedule": "constant",
                "warmup_ratio": 0,
            },
            "logging": {"save_every": 10_000, "log_every": 1},
        }
    )
    return create_run(config.name, to_yaml(config), {})


def _steps(library: str, given: Path, work: Path) -> list[dict[str, Any]]:
    """What a case's process noted of each step."""
    out = work / f"{library}-{given.stem}.jsonl"
    words = [sys.executable, "-m", __name__, library, str(given), str(out)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode or not out.exists():
        log = given / "train.log"
        told = done.stderr or (log.read_text() if log.exists() else "") or "no output"
        raise RuntimeError(f"{library}: {told.strip().splitlines()[-1][:300]}")
    return [json.loads(line) for line in out.read_text().splitlines()]


def _figures(found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    reference, *others = found
    losses = {name: [step["loss"] for step in steps] for name, steps in found.items()}
    return {
        "losses": losses,
        "tokens": [step["tokens"] for step in found[reference]],
        "same_batches": all(
            [step["batch"] for step in steps] == [step["batch"] for step in found[reference]]
            for steps in found.values()
        ),
        "same_adapter": len({steps[0]["adapter"] for steps in found.values()}) == 1,
        "apart": {
            name: max(abs(a - b) for a, b in zip(losses[name], losses[reference], strict=True))
            for name in others
        },
    }


def show(figures: dict[str, Any]) -> None:
    """The table: a row for each step, and the largest difference."""
    names = list(figures["losses"])
    reference, *others = names
    apart = [f"{name}: apart" for name in others]
    print("| step | tokens | " + " | ".join([*names, *apart]) + " |")
    print("| --- " * (2 + len(names) + len(apart)) + "|")
    for step, tokens in enumerate(figures["tokens"]):
        losses = [figures["losses"][name][step] for name in names]
        cells = [f"{loss:.6f}" for loss in losses] + [f"{loss - losses[0]:+.1e}" for loss in losses[1:]]
        print(f"| {step + 1} | {tokens:,} | " + " | ".join(cells) + " |")
    for name in others:
        print(f"\nlargest difference from {reference}: {name} {figures['apart'][name]:.1e}")
    yes = {True: "yes", False: "NO"}
    print(f"\nthe same batches: {yes[figures['same_batches']]}")
    print(f"the same adapter to begin with: {yes[figures['same_adapter']]}")


def record(trainer: type, out: Path) -> None:
    """Let a class of trainers note each step's loss, tokens and digest of the batch, and that of the adapter
    before the first."""
    plain = trainer.training_step  # type: ignore[attr-defined]

    def training_step(self: Any, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        noted = {
            "tokens": inputs["input_ids"].numel(),
            "batch": _digest(inputs[name] for name in sorted(inputs)),
        }
        if not out.exists():
            noted["adapter"] = _digest(p for _, p in self.model.named_parameters() if p.requires_grad)
        loss = plain(self, model, inputs, *args, **kwargs)
        with out.open("a") as file:
            file.write(json.dumps({**noted, "loss": loss.item()}) + "\n")
        return loss

    trainer.training_step = training_step  # type: ignore[attr-defined]


def _digest(tensors: Any) -> str:
    import torch

    found = hashlib.sha256()
    for tensor in tensors:
        if isinstance(tensor, torch.Tensor):
            found.update(tensor.detach().float().cpu().numpy().tobytes())
    return found.hexdigest()


def tuner(run_dir: Path, out: Path) -> None:
    """The recipe, as `python -m tuner_tui.recipes.sft RUN_DIR` runs it; its token rows are left in a file."""
    from tuner_tui.recipes.sft import train
    from tuner_tui.recipes.start import start

    def recorded(session: Any) -> Any:
        from trl import SFTTrainer

        plain = SFTTrainer.__init__

        def init(self: Any, *args: Any, **kwargs: Any) -> None:
            (out.parent / ROWS).write_text(json.dumps(kwargs["train_dataset"].to_list()))
            plain(self, *args, **kwargs)

        SFTTrainer.__init__ = init
        record(SFTTrainer, out)
        return train(session)

    sys.argv = [sys.argv[0], str(run_dir)]
    start(recorded)


def trl(case_file: Path, out: Path) -> None:
    """TRL's trainer as its documentation has it, on the token rows that tuner had."""
    case = json.loads(case_file.read_text())
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    cuda, dtype = torch.cuda.is_available(), getattr(torch, case["dtype"])
    record(SFTTrainer, out)
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(
            case["model"], dtype=dtype, device_map={"": 0 if cuda else "cpu"}, attn_implementation="sdpa"
        ),
        args=SFTConfig(
            output_dir=str(out.parent), max_steps=case["steps"], per_device_train_batch_size=case["batch"],
            packing=True, packing_strategy="bfd", max_length=case["max_length"], seed=SEED, data_seed=SEED,
            learning_rate=RATE, lr_scheduler_type="constant", warmup_steps=0, bf16=dtype is torch.bfloat16,
            use_cpu=not cuda, gradient_checkpointing=False, logging_steps=1, save_strategy="no",
            dataloader_pin_memory=cuda, report_to="none", disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list(json.loads(Path(case["rows"]).read_text())),
        processing_class=AutoTokenizer.from_pretrained(case["model"]),
        peft_config=LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules=TARGETS),
    )  # fmt: skip
    for parameter in trainer.model.parameters():  # as tuner keeps it; TRL alone would make it bfloat16
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    trainer.train()


if __name__ == "__main__":
    {"tuner": tuner, "trl": trl}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
