"""How likely a model holds a text: sums of log-probabilities, in batches."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from tuner_tui.errors import UserError
from tuner_tui.evaluation.speaking import Spoken
from tuner_tui.evaluation.tasks import Weigh, Weights

_TOKENS_AT_ONCE = 4_096
"""Of one forward pass: with a vocabulary of 150,000, its logits take 1.2 GB in 16 bits."""

_ROWS_AT_ONCE = 512
"""Positions whose logits are turned to 32 bits together."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A window of one text: of `ids`, those from `start` on are weighed."""

    owner: int
    ids: list[int]
    start: int


def weigh(spoken: Spoken, requests: Sequence[Weigh], batch: int) -> list[Weights]:
    """The sum of natural-log probabilities and the number of tokens of every text of every request.

    A text comes after the rendered `messages`, as the assistant's next words, or after the model's token for
    the start of a text (its end-of-text token, if it has no other), and is cut into tokens by itself. What is
    longer than the model's window is weighed in windows that follow each other, each token once, as lm-eval's
    `loglikelihood_rolling` does (https://github.com/EleutherAI/lm-evaluation-harness); messages that leave
    too little room are cut at their beginning.

    Args:
        spoken: the model.
        requests: what to weigh.
        batch: texts in one forward pass, at most.

    Raises:
        UserError: the chat template refuses a conversation, or a text stands alone and the model has no token
            to begin with.
    """
    began = time.perf_counter()
    pieces: list[_Piece] = []
    counts: list[int] = []
    for request in requests:
        before = _before(spoken, request)
        for text in request.texts:
            ids = spoken.tokenizer(text, add_special_tokens=False)["input_ids"]
            pieces += _pieces(len(counts), before, ids, spoken.window)
            counts.append(len(ids))
    sums = [0.0] * len(counts)
    for rows in _batches(pieces, batch):
        for piece, value in zip(rows, _forward(spoken, rows), strict=True):
            sums[piece.owner] += value
    seconds = (time.perf_counter() - began) / max(len(requests), 1)
    found, place = [], 0
    for request in requests:
        end = place + len(request.texts)
        found.append(Weights(sums[place:end], counts[place:end], seconds))
        place = end
    return found


def _before(spoken: Spoken, request: Weigh) -> list[int]:
    tokenizer = spoken.tokenizer
    if request.messages is not None:
        text = spoken.convention.render(request.messages, [])
        rendered: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        return rendered
    first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    if first is None:
        raise UserError("the model has no token for the start of a text, so that no text can be weighed.")
    return [first]


def _pieces(owner: int, before: list[int], ids: list[int], window: int) -> list[_Piece]:
    if not ids:
        return []
    whole = [*before, *ids]
    if len(whole) <= window:
        return [_Piece(owner, whole, len(before))]
    if len(ids) < window:
        return [_Piece(owner, whole[-window:], window - len(ids))]
    # The last token before a window is its context: every token is weighed once.
    text = [before[-1], *ids]
    return [
        _Piece(owner, text[start - 1 : start - 1 + window], 1) for start in range(1, len(text), window - 1)
    ]


def _batches(pieces: list[_Piece], batch: int) -> list[list[_Piece]]:
    """The longest first; rows of like length share a batch."""
    batches: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda each: -len(each.ids)):
        last = batches[-1] if batches else []
        if last and len(last) < batch and (len(last) + 1) * len(last[0].ids) <= _TOKENS_AT_ONCE:
            last.append(piece)
        else:
            batches.append([piece])
    return batches


def _forward(spoken: Spoken, rows: list[_Piece]) -> list[float]:
    """The summed log-probability of what is to be weighed in each row."""
    device = spoken.model.device
    width = max(len(row.ids) for row in rows)
    fill = spoken.tokenizer.pad_token_id or 0
    # Padding at the right end: what comes later changes nothing before it.
    ids = torch.tensor([row.ids + [fill] * (width - len(row.ids)) for row in rows], device=device)
    mask = torch.tensor([[1] * len(row.ids) + [0] * (width - len(row.ids)) for row in rows], device=device)
    with spoken.switched():
        logits = spoken.model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        return [
            _summed(logits[place, row.start - 1 : len(row.ids) - 1], ids[place, row.start : len(row.ids)])
            for place, row in enumerate(rows)
        ]


def _summed(logits: torch.Tensor, targets: torch.Tensor) -> float:
    """The sum of the log-probabilities of targets (n,), of logits (n, vocabulary)."""
    total = 0.0
    for start in range(0, len(targets), _ROWS_AT_ONCE):
        part = logits[start : start + _ROWS_AT_ONCE].float()
        total -= float(
            torch.nn.functional.cross_entropy(part, targets[start : start + _ROWS_AT_ONCE], reduction="sum")
        )
    return total
