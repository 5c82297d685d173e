"""The scripts that tuner is compared with, as people write them: TRL, and Unsloth.

    python script.py CASE.json

It prints one JSON object: for each step its end (seconds since the epoch), its tokens without padding, its
loss; and the peaks of memory.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Train as the case says, and print what it took."""
    case = json.loads(Path(sys.argv[1]).read_text())
    trainer = (unsloth if case["library"] == "unsloth" else trl)(case)
    steps = watch(trainer)
    trainer.train()
    import torch

    peak = torch.cuda.is_available()
    made = {
        "steps": steps,
        "allocated": torch.cuda.max_memory_allocated() if peak else None,
        "reserved": torch.cuda.max_memory_reserved() if peak else None,
        "attention": trainer.model.config._attn_implementation,
    }
    print("\nRESULT " + json.dumps(made), flush=True)


def trl(case: dict[str, Any]) -> Any:
    """A QLoRA script as TRL's documentation has it."""
    import torch
    from datasets import load_dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer

    cuda = torch.cuda.is_available()
    model = AutoModelForCausalLM.from_pretrained(
        case["model"],
        dtype=torch.bfloat16 if cuda else torch.float32,
        device_map={"": 0 if cuda else "cpu"},
        attn_implementation=case.get("attention", "sdpa"),
    )
    data = load_dataset("json", data_files=case["data"], split="train")
    tokenizer = AutoTokenizer.from_pretrained(case["model"])
    lora = LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules=case["targets"])
    if case["method"] == "dpo":
        from trl import DPOConfig, DPOTrainer

        return DPOTrainer(
            model=model, args=DPOConfig(**arguments(case, cuda)), train_dataset=data,
            processing_class=tokenizer, peft_config=lora,
        )  # fmt: skip
    from trl import SFTConfig, SFTTrainer

    options = arguments(case, cuda) | {"packing": case["packing"]}
    if case.get("liger"):
        options["use_liger_kernel"] = True
    return SFTTrainer(
        model=model,
        args=SFTConfig(**options),
        train_dataset=data,
        processing_class=tokenizer,
        peft_config=lora,
    )


def unsloth(case: dict[str, Any]) -> Any:
    """The same as Unsloth's notebooks have it."""
    from unsloth import FastLanguageModel  # isort: skip
    import torch
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    longest = case["max_length"]
    model, tokenizer = FastLanguageModel.from_pretrained(
        case["model"], max_seq_length=longest, load_in_4bit=True, dtype=torch.bfloat16, local_files_only=True
    )
    model = FastLanguageModel.get_peft_model(
        model, r=16, lora_alpha=32, lora_dropout=0, bias="none", target_modules=case["targets"],
        use_gradient_checkpointing="unsloth" if case["checkpointing"] else False, max_seq_length=longest,
    )  # fmt: skip
    rows = [json.loads(line)["messages"] for line in Path(case["data"]).read_text().splitlines()]
    ids = [tokenizer.apply_chat_template(row, tokenize=True, return_dict=False)[:longest] for row in rows]
    options = arguments(case, True) | {"packing": case["packing"], "dataset_num_proc": 1}
    return SFTTrainer(
        model=model, args=SFTConfig(**options), train_dataset=Dataset.from_dict({"input_ids": ids}),
        processing_class=tokenizer,
    )  # fmt: skip


def arguments(case: dict[str, Any], cuda: bool) -> dict[str, Any]:
    """What all the trainers are told."""
    return {
        "output_dir": case["output"],
        "per_device_train_batch_size": case["batch"],
        "gradient_accumulation_steps": 1,
        "max_steps": case["steps"],
        "learning_rate": 1e-4,
        "lr_scheduler_type": "constant",
        "optim": "adamw_torch_fused",
        "bf16": cuda,
        "use_cpu": not cuda,
        "gradient_checkpointing": case["checkpointing"],
        "max_length": case["max_length"],
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "seed": 42,
    }


def watch(trainer: Any) -> list[dict[str, Any]]:
    """Each step's end, tokens and loss, as they come."""
    from transformers import TrainerCallback

    steps: list[dict[str, Any]] = []
    seen = [0]
    plain = trainer.training_step

    def training_step(model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        masks = [value for name, value in inputs.items() if name.endswith("attention_mask")]
        seen[0] += sum(int(mask.sum()) for mask in masks) if masks else inputs["input_ids"].numel()
        return plain(model, inputs, *args, **kwargs)

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            logs = kwargs["logs"]
            if "loss" in logs:
                steps.append({"time": time.time(), "tokens": seen[0], "loss": float(logs["loss"])})

    trainer.training_step = training_step
    trainer.add_callback(Watch())
    return steps


if __name__ == "__main__":
    main()
