"""The embedded model on a CPU, on sample_data: TRL's trainer as it is, and with tuner's fast path.

Trainers with the same seed and the same rows take their steps in turn, in one process, on the same batches,
so that whatever else the machine does meets both alike. Times are those of the process, not of the clock.
"""

import json
import statistics
import tempfile
import time
from types import SimpleNamespace
from typing import Any

BATCH = 8
KINDS = {
    "TRL, its defaults": (True, False),
    "TRL, no checkpoints": (False, False),
    "tuner": (False, True),
}
"""Name -> (checkpoints, fast path)."""


def compare(steps: int) -> dict[str, Any]:
    """Useful tokens per second and losses of each kind."""
    import torch
    from trl.trainer import utils

    plain_head = (utils._ChunkedLogProbFunction, utils._use_triton)
    rows, tokenizer = _rows()
    with tempfile.TemporaryDirectory() as folder:
        kinds = {name: _trainer(rows, tokenizer, folder, *how) for name, how in KINDS.items()}
    fast_head = (utils._ChunkedLogProbFunction, utils._use_triton)
    batches = list(next(iter(kinds.values())).get_train_dataloader())[:steps]
    seconds: dict[str, list[float]] = {name: [] for name in KINDS}
    losses: dict[str, list[float]] = {name: [] for name in KINDS}
    for batch in batches:
        for name, trainer in kinds.items():
            head = fast_head if KINDS[name][1] else plain_head
            utils._ChunkedLogProbFunction, utils._use_triton = head
            started = time.process_time()
            labelled = (batch["labels"] != -100).sum()
            loss = trainer.training_step(trainer.model, dict(batch), num_items_in_batch=labelled)
            torch.nn.utils.clip_grad_norm_(trainer.model.parameters(), 1.0)
            trainer.optimizer.step()
            trainer.optimizer.zero_grad()
            seconds[name].append(time.process_time() - started)
            losses[name].append(round(loss.item(), 4))
    tokens = [int(batch["attention_mask"].sum()) for batch in batches]
    return {
        name: {
            "tokens_per_second": statistics.median(
                count / taken for count, taken in zip(tokens[1:], seconds[name][1:], strict=True)
            ),
            "losses": losses[name],
        }
        for name in KINDS
    }


def _rows() -> tuple[list[dict[str, list[int]]], Any]:
    from tuner_tui import paths
    from tuner_tui.data.dataset import load_dataset
    from tuner_tui.recipes import model as models
    from tuner_tui.recipes.rows import Renderer

    tokenizer = models.load_tokenizer("embedded")
    examples = load_dataset(paths.sample_data() / "train.jsonl").examples
    return Renderer(tokenizer, models.stop_tokens("embedded")).rows(examples, 2048).rows, tokenizer


def _trainer(rows: Any, tokenizer: Any, folder: str, checkpoints: bool, fast: bool) -> Any:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    from tuner_tui.recipes import kernels
    from tuner_tui.recipes import model as models

    torch.manual_seed(0)
    trainer = SFTTrainer(
        model=models.load_base("embedded", torch.float32, bits=None, double=False),
        args=SFTConfig(
            output_dir=folder, use_cpu=True, bf16=False, per_device_train_batch_size=BATCH,
            gradient_checkpointing=checkpoints, max_length=2048, report_to="none", learning_rate=1e-3,
            dataloader_pin_memory=False, seed=42,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear"),
    )  # fmt: skip
    trainer.create_optimizer()
    trainer.model.train()
    if checkpoints:
        trainer.model.gradient_checkpointing_enable({"use_reentrant": False})
    if fast:
        config = SimpleNamespace(
            model=SimpleNamespace(kernels="auto", attention="auto"),
            optimization=SimpleNamespace(gradient_checkpointing="none"),
        )
        kernels.apply(trainer, config)
    return trainer


def show(figures: dict[str, Any]) -> None:
    """The table."""
    base = figures["TRL, no checkpoints"]["tokens_per_second"]
    print("| embedded model, CPU | useful tok/s of CPU time | x TRL without checkpoints | losses |")
    print("| --- | --- | --- | --- |")
    for name, figure in figures.items():
        rate = figure["tokens_per_second"]
        print(f"| {name} | {rate:,.0f} | {rate / base:.2f} | {json.dumps(figure['losses'])} |")
