"""An adapter as a reward run leaves it: with a head that scores, here of random weights."""

from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model


def random_reward(model: Path, folder: Path) -> Path:
    """Write one for a model to a folder."""
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(3)
    base = AutoModelForSequenceClassification.from_pretrained(model, num_labels=1, dtype=torch.float32)
    shape = LoraConfig(
        task_type="SEQ_CLS", r=4, lora_alpha=8, target_modules="all-linear", modules_to_save=["score"]
    )
    scorer = get_peft_model(base, shape)
    for name, weights in scorer.named_parameters():
        if "lora_B" in name or "modules_to_save" in name:
            torch.nn.init.normal_(weights, std=0.1)
    scorer.save_pretrained(folder)
    return folder
