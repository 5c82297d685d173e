"""The pre-training text as batches of token ids, each made from the seed and its own number alone."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from tuner_tui.embedded.dialogues import document
from tuner_tui.embedded.tokenizer import PAD, token_id

ROW = 1024  # tokens in a row of a batch
OPEN_ROWS = 16
PROMPTS = Path(__file__).parent.parent / "evaluation" / "prompts"

Batch = npt.NDArray[np.uint16]


def read_prompts() -> dict[str, str]:
    """The system messages with which the evaluation prompts a base model."""
    names = ("instruction", "examples")
    return {name: (PROMPTS / f"{name}.txt").read_text(encoding="utf-8").strip() for name in names}


def texts(seed: str, prompts: dict[str, str]) -> Iterator[str]:
    """An endless stream of documents, the same for the same seed."""
    rng = Random(seed)
    while True:
        yield document(rng, prompts)


def pack(documents: Iterator[list[int]], rows: int, pad: int) -> Batch:
    """*rows* rows of whole documents, int [rows, ROW], padded: no document is cut, none spans rows."""
    full: list[list[int]] = []
    open_rows: list[list[int]] = []
    for ids in documents:
        if len(ids) > ROW:
            continue
        home = next((row for row in open_rows if len(row) + len(ids) <= ROW), None)
        if home is not None:
            home.extend(ids)
            continue
        open_rows.append(list(ids))
        if len(open_rows) > OPEN_ROWS:
            fullest = max(open_rows, key=len)
            open_rows.remove(fullest)
            full.append(fullest)
            if len(full) == rows:
                break
    batch = np.full((rows, ROW), pad, dtype=np.uint16)
    for i, row in enumerate(full):
        batch[i, : len(row)] = row
    return batch


def make_batch(index: int, seed: int, rows: int, tokenizer: str, prompts: dict[str, str]) -> Batch:
    """Batch *index* of the training text."""
    encoder = _load(tokenizer)
    stream = texts(f"{seed}/{index}", prompts)
    return pack((encoder.encode(text).ids for text in stream), rows, token_id(encoder, PAD))


@lru_cache
def _load(path: str) -> Tokenizer:
    return Tokenizer.from_file(path)
