"""What can be measured: one suite of a run, of a base model, or of a model behind a server."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tuner_tui.errors import UserError
from tuner_tui.evaluation.launch import start_baseline, start_evaluation
from tuner_tui.evaluation.subset import Limits
from tuner_tui.training.config import TrainConfig


@dataclass(frozen=True, slots=True)
class Order:
    """One suite: `source` is the file of its items (None: its own, or the configuration's), `items` how many
    at most (None: all), `fresh` whether to measure again what has been measured. `arms` (None: those that fit
    the suite), `seed`, `repeats` and `temperature` as for `launch.start_evaluation`."""

    suite: str
    source: Path | None = None
    items: int | None = None
    fresh: bool = False
    arms: tuple[str, ...] | None = None
    seed: int = 0
    repeats: int = 1
    temperature: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The object that is written."""
        source, arms = self.source, self.arms
        return {
            **asdict(self),
            "source": str(source.absolute()) if source else None,
            "arms": list(arms) if arms else None,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Order":
        """Read what `to_json` wrote."""
        source, arms = value["source"], value.get("arms")
        return cls(
            **{**value, "source": Path(source) if source else None, "arms": tuple(arms) if arms else None}
        )


@dataclass(frozen=True, slots=True)
class Model:
    """A model without an adapter, and how it is asked, as for `launch.start_baseline`; `heldout` are the rows
    for the suite of that name, where an order names none."""

    name: str
    heldout: Path | None = None
    bits: int | None = 4
    double: bool = True
    dtype: str = "auto"
    batch: int = 16
    max_new_tokens: int = 256
    endpoint: str | None = None
    api_key_env: str | None = None
    concurrency: int = 8

    @classmethod
    def of(cls, config: TrainConfig) -> "Model":
        """The base model of a configuration, loaded as its run will load it."""
        return cls(
            config.model.name,
            heldout_file(config),
            config.quantization.bits,
            config.quantization.double,
            config.model.dtype,
            config.evaluation.batch,
            config.evaluation.max_new_tokens,
        )

    def to_json(self) -> dict[str, Any]:
        """The object that is written."""
        return {**asdict(self), "heldout": str(self.heldout.absolute()) if self.heldout else None}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Model":
        """Read what `to_json` wrote."""
        return cls(**{**value, "heldout": Path(value["heldout"]) if value["heldout"] else None})


def heldout_file(config: TrainConfig) -> Path | None:
    """The rows that a configuration holds out; without such a file the evaluation file serves."""
    return config.evaluation.heldout or config.data.eval


def begin(what: Path | Model, order: Order) -> Path:
    """Start the evaluator of one suite, of a run (its directory) or of a model; returns its folder, at once.

    Raises:
        UserError: it cannot be measured, in words for a person.
    """
    limits = Limits(order.items, order.seed, order.repeats)
    if isinstance(what, Path):
        return start_evaluation(
            what,
            order.arms,
            suite=order.suite,
            heldout=order.source,
            limits=limits,
            temperature=order.temperature,
            fresh=order.fresh,
        )
    source = order.source or (what.heldout if order.suite == "heldout" else None)
    if order.suite == "heldout" and source is None:
        raise UserError("evaluation.heldout is not set; name a file of held-out rows.")
    return start_baseline(
        what.name,
        source,
        order.arms,
        suite=order.suite,
        bits=what.bits,
        double=what.double,
        dtype=what.dtype,
        batch=what.batch,
        max_new_tokens=what.max_new_tokens,
        limits=limits,
        temperature=order.temperature,
        endpoint=what.endpoint,
        api_key_env=what.api_key_env,
        concurrency=what.concurrency,
        fresh=order.fresh,
    )
