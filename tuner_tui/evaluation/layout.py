"""The names inside an evaluation's folder, and what the worker is asked to do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tuner_tui.runs import layout as runs_layout

SCHEMA_VERSION = 1

REQUEST = "request.json"
STATUS = "status.json"
SUMMARY = "summary.json"
LOG = "worker.log"
LOCK = "worker.lock"
CONTROL = "control"
STOP = "control/stop"


def heldout_dir(run_dir: Path) -> Path:
    """Where the evaluation of a run on held-out rows lies."""
    return run_dir / runs_layout.EVALUATIONS / "heldout"


def arm_file(eval_dir: Path, arm: str) -> Path:
    """The items of one arm, one JSON object a line."""
    return eval_dir / f"{arm}.jsonl"


@dataclass(frozen=True, slots=True)
class Request:
    """What `request.json` says.

    `model` is what `from_pretrained` takes and `name` what a person calls it; `bits` and `double`
    say how the base weights are quantized (None: not at all); `max_new_tokens` bounds an answer;
    `cache` is the folder with the arms of the same base model, read and added to; `fingerprint`
    tells whether items that lie in the folder already belong to this request.
    """

    suite: str
    model: str
    name: str
    adapter: Path | None
    bits: int | None
    double: bool
    dtype: str
    heldout: Path
    arms: tuple[str, ...]
    batch: int
    max_new_tokens: int
    cache: Path | None
    fingerprint: str

    def to_json(self) -> dict[str, Any]:
        """The object that is written."""
        return {
            **asdict(self),
            "schema": SCHEMA_VERSION,
            "adapter": str(self.adapter) if self.adapter else None,
            "heldout": str(self.heldout),
            "cache": str(self.cache) if self.cache else None,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Request":
        """Read what `to_json` wrote.

        Raises:
            KeyError: a field is missing.
        """
        fields = {key: value[key] for key in cls.__slots__}
        return cls(
            **{
                **fields,
                "adapter": Path(fields["adapter"]) if fields["adapter"] else None,
                "heldout": Path(fields["heldout"]),
                "cache": Path(fields["cache"]) if fields["cache"] else None,
                "arms": tuple(fields["arms"]),
            }
        )
