"""Does a file hold what a method learns from? Told before the run, from the first rows of the file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from tuner_tui.data.examples import Example, is_preference, is_unpaired
from tuner_tui.errors import UserError
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.methods import Method

LOOKED_AT = 200
"""Rows of a file that are read for this: enough to tell, and read in an instant."""

_KINDS: Mapping[str, str] = {
    "pair": "preference pairs",
    "labelled": "labelled answers",
    "conversation": "conversations",
}
_WANTED: Mapping[Method, str] = {
    "sft": "conversations to imitate",
    "dpo": "pairs of a better and a worse answer",
    "kto": "answers labelled good or bad, or pairs",
    "reward": "pairs of a better and a worse answer",
    "ppo": "prompts",
    "grpo": "prompts with the right answer",
    "rloo": "prompts with the right answer",
}


@dataclass(frozen=True, slots=True)
class DataFit:
    """Of the first `rows` rows of a file (all of them, when `whole`), `usable` are what the method learns
    from; `kinds` counts what they are, `unreadable` those that are no examples."""

    method: Method
    rows: int
    whole: bool
    usable: int
    kinds: Mapping[str, int]
    unreadable: int

    @property
    def refused(self) -> bool:
        """Whether the method can learn nothing from these rows."""
        return self.usable == 0

    @property
    def sentence(self) -> str:
        """What there is, and what of it will be left out."""
        among = f"all {self.rows:,} rows" if self.whole else f"the first {self.rows:,} rows"
        held = " and ".join(f"{_KINDS[kind]}" for kind in _KINDS if self.kinds.get(kind))
        if self.refused:
            return f"{self.method} needs {_WANTED[self.method]}; {among} hold {held or 'no example'}"
        if self.usable == self.rows:
            return f"{held}, in {among}"
        among = among.replace("all", "the")
        return f"{self.rows - self.usable:,} of {among} are left out: faulty, or no {_WANTED[self.method]}"


def data_fit(path: Path, method: Method) -> DataFit:
    """Look at the first rows of a file.

    Raises:
        UserError: it cannot be read, or its layout is not known.
    """
    stat = path.stat() if path.is_file() else None
    return _data_fit(path, method, (stat.st_mtime_ns, stat.st_size) if stat else (0, 0))


def data_refusals(config: TrainConfig) -> list[str]:
    """Why a run would have nothing to learn from, by file; a file that is not here is passed over."""
    named = [("data.train", path) for path in config.data.train]
    named += [("data.eval", path) for path in [config.data.eval] if path is not None]
    found = []
    for field, path in named:
        if not path.is_file():
            continue
        try:
            told = data_fit(path, config.method)
        except UserError as error:
            found.append(f"{field}: {error}".rstrip("."))
            continue
        if told.refused:
            found.append(f"{field}: {path.name}: {told.sentence}")
    return found


def usable(example: Example, method: Method) -> bool:
    """Whether a method can learn anything from an example."""
    return _USABLE[method](example)


def _is_right(example: Example) -> bool:
    return example.get("label") is not False


def _has_prompt(example: Example) -> bool:
    messages = example["messages"] if "messages" in example else example["prompt"]
    return any(message["role"] == "user" for message in messages)


_USABLE: Mapping[Method, Callable[[Example], bool]] = {
    "sft": _is_right,
    "dpo": is_preference,
    "kto": lambda example: is_preference(example) or is_unpaired(example),
    "reward": is_preference,
    "ppo": _has_prompt,
    "grpo": lambda example: _has_prompt(example) and _is_right(example),
    "rloo": lambda example: _has_prompt(example) and _is_right(example),
}


@lru_cache(maxsize=64)
def _data_fit(path: Path, method: Method, _changed: tuple[int, int]) -> DataFit:
    from tuner_tui.data.dataset import examine

    _, examined = examine(path, LOOKED_AT + 1)
    kinds: dict[str, int] = {}
    good = unreadable = rows = 0
    for row in islice(examined, LOOKED_AT):
        rows += 1
        if row.example is None or not row.sound:
            unreadable += 1
            continue
        kind = (
            "pair"
            if is_preference(row.example)
            else "labelled"
            if is_unpaired(row.example)
            else "conversation"
        )
        kinds[kind] = kinds.get(kind, 0) + 1
        good += usable(row.example, method)
    return DataFit(method, rows, next(examined, None) is None, good, kinds, unreadable)
