"""A rendered text and its encoding -> one token row, with what is learned of it, and whose turn that is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tokenizers import Encoding

from tuner_tui.data.examples import Message
from tuner_tui.data.rendering import masks
from tuner_tui.data.rendering.masks import Piece, Run
from tuner_tui.data.rendering.template import Span, TemplateFailure


@dataclass(frozen=True, slots=True)
class Encoded:
    """One token row as training has it.

    Args:
        text: what is rendered.
        ids: its tokens.
        offsets: of each token, the characters that it stands for; empty where nobody needs them.
        mask: which tokens are learned.
        turns: the assistant messages that are learned.
        spans: of each of `turns`, its tokens; empty where the marks do not tell the turns apart.
    """

    text: str
    ids: list[int]
    offsets: list[Span]
    mask: list[bool]
    turns: tuple[Message, ...]
    spans: list[Run]


def token_row(
    piece: Piece,
    text: str,
    marked: list[Span] | None,
    prompt_ids: list[int] | None,
    encoding: Encoding,
    offsets: bool,
) -> Encoded:
    ids = encoding.ids
    runs = None if marked is None else list(_marked_runs(marked, encoding))
    marks = None
    if runs is not None:
        marks = [False] * len(ids)
        for start, stop in runs:
            marks[start:stop] = [True] * (stop - start)
    mask = masks.learned_tokens(ids, prompt_ids, marks)
    if runs is None or prompt_ids is not None:
        runs = masks.runs(mask)
    spans = _by_turn(runs, len(piece.turns))
    # A list of pairs for every token is dear: only when it is asked for.
    return Encoded(text, ids, encoding.offsets if offsets else [], mask, piece.turns, spans)


def all_of(encoded: Sequence[Encoded | TemplateFailure]) -> list[Encoded] | TemplateFailure:
    rows = []
    for one in encoded:
        if isinstance(one, TemplateFailure):
            return one
        rows.append(one)
    return rows


def _marked_runs(marked: Sequence[Span], encoding: Encoding) -> Iterator[Run]:
    for start, end in marked:
        # As transformers maps characters to tokens, its corner cases included.
        first, last = encoding.char_to_token(start), encoding.char_to_token(end - 1)
        if first is None:
            break
        yield first, last + 1 if last else len(encoding.ids)


def _by_turn(runs: Sequence[Run], turns: int) -> list[Run]:
    """The runs of tokens of each turn; empty where it cannot be told which are whose."""
    if len(runs) > turns:  # some templates mark a turn and its end apart
        joined: list[Run] = []
        for start, stop in runs:
            if joined and joined[-1][1] == start:
                start = joined.pop()[0]
            joined.append((start, stop))
        runs = joined
    return list(runs) if len(runs) == turns else []
