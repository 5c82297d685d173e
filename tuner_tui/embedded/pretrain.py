"""Make the embedded base model: generated text -> tokenizer -> training -> a model folder.

    python -m tuner_tui.embedded.pretrain OUT [--tokens 650e6] [--seed 0]

One GPU, a few minutes. The text is generated beside the training, by one process per core: nothing
is read but the two prompts with which the evaluation asks a base model for calls. Batch *i* depends
on the seed and on *i* alone; the weights still differ in their last digits from one GPU to another.
"""

import argparse
import math
import multiprocessing
import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from tuner_tui.embedded.batches import ROW, Batch, make_batch, read_prompts, texts
from tuner_tui.embedded.tokenizer import (
    END,
    MAX_LENGTH,
    PAD,
    save_tokenizer,
    token_id,
    train_tokenizer,
)

VOCABULARY = 2048
PEAK_LEARNING_RATE = 2e-3
WARMUP_STEPS = 200


def new_model(seed: int, pad: int, end: int) -> LlamaForCausalLM:
    """The untrained model: 7.3 million parameters, in the shape of Llama."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=256,
        intermediate_size=768,
        num_hidden_layers=8,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=MAX_LENGTH,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=pad,
    )
    return LlamaForCausalLM(config)


def learning_rate(step: int, steps: int) -> float:
    """Linear warm-up, then a cosine down to a fiftieth of the peak."""
    warmup = min(WARMUP_STEPS, max(1, steps // 10))
    if step < warmup:
        return PEAK_LEARNING_RATE * (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    return PEAK_LEARNING_RATE * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


def train(model: LlamaForCausalLM, batches: Iterator[Batch], steps: int, pad: int) -> float:
    """Next-token prediction on every token but padding; returns the mean loss of the last steps."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device).train()
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
        betas=(0.9, 0.95),
        fused=device == "cuda",
    )

    def loss_of(rows: torch.Tensor) -> torch.Tensor:
        logits = model(input_ids=rows, use_cache=False).logits[:, :-1].float()
        return functional.cross_entropy(
            logits.reshape(-1, VOCABULARY), rows[:, 1:].reshape(-1), ignore_index=pad
        )

    step_loss = torch.compile(loss_of) if device == "cuda" else loss_of
    recent: list[float] = []
    started = time.monotonic()
    for step, batch in zip(range(steps), batches, strict=False):
        rows = torch.from_numpy(batch.astype(np.int64)).to(device, non_blocking=True)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            loss = step_loss(rows)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step % 100 == 99 or step == steps - 1:
            recent = [*recent[-4:], loss.item()]
            speed = (step + 1) * batch.size / (time.monotonic() - started)
            print(f"step {step + 1}/{steps}  loss {recent[-1]:.4f}  {speed:,.0f} tokens/s", flush=True)
    return sum(recent) / len(recent)


def save_model(model: LlamaForCausalLM, folder: Path, pad: int, end: int) -> None:
    """Write the weights in bfloat16, and what greedy generation needs to know."""
    model.generation_config = GenerationConfig(do_sample=False, eos_token_id=end, pad_token_id=pad)
    model.to("cpu", dtype=torch.bfloat16).save_pretrained(folder)


def pretrain(out: Path, tokens: float, seed: int, rows: int, processes: int, documents: int) -> float:
    """Make the model in the folder *out*; returns its last training loss.

    The tokenizer is trained on *documents* documents, the model on *tokens* tokens in steps of *rows*
    rows, while *processes* processes generate the text.
    """
    out.mkdir(parents=True, exist_ok=True)
    prompts = read_prompts()
    stream = texts(f"{seed}/tokenizer", prompts)
    tokenizer = train_tokenizer((next(stream) for _ in range(documents)), VOCABULARY)
    save_tokenizer(tokenizer, out)
    pad, end = token_id(tokenizer, PAD), token_id(tokenizer, END)
    steps = max(1, round(tokens / (rows * ROW)))
    make = partial(make_batch, seed=seed, rows=rows, tokenizer=str(out / "tokenizer.json"), prompts=prompts)
    # Processes are spawned, not forked: forking a process that has started CUDA or threads may hang.
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        model = new_model(seed, pad, end)
        loss = train(model, pool.imap(make, range(steps)), steps, pad)
    save_model(model, out, pad, end)
    return loss


def main() -> None:
    """Read the command line and make the model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument("--tokens", type=float, default=650e6, help="how much text to train on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=64, help=f"rows of {ROW} tokens in a step")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="text generators")
    parser.add_argument("--documents", type=int, default=20_000, help="documents to train the tokenizer on")
    args = parser.parse_args()
    loss = pretrain(args.out, args.tokens, args.seed, args.rows, args.processes, args.documents)
    print(f"loss {loss:.4f}, written to {args.out}")


if __name__ == "__main__":
    main()
