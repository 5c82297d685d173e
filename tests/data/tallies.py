"""The tally of a whole file, on the fast path or without it, and what tells two tallies apart."""

from dataclasses import fields
from pathlib import Path

from tuner_tui.data.engine.chunks import ChunkInspector
from tuner_tui.data.engine.task import Task
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.readers import open_rows
from tuner_tui.data.tally import Tally


def tally(path: Path, format: Format, *, fast: bool) -> Tally:
    whole = Tally()
    inspector = ChunkInspector(Task(path, format, fast=fast, questions=True, extra_keys=("id",)))
    for chunk in open_rows(path).chunks():
        whole.merge(inspector.tally(chunk, lambda: False))
    return whole


def differences(one: Tally, other: Tally) -> list[str]:
    return [field.name for field in fields(Tally) if getattr(one, field.name) != getattr(other, field.name)]
