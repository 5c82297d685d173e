"""The names inside an evaluation's folder, and what the worker is asked to do."""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

from tuner_tui.runs import layout as runs_layout

SCHEMA_VERSION = 1

REQUEST = "request.json"
STATUS = "status.json"
SUMMARY = "summary.json"
MARKS = "marks.json"
EARLIER = "earlier"
LOG = "worker.log"
LOCK = "worker.lock"
CONTROL = "control"
STOP = "control/stop"


def suite_dir(run_dir: Path, suite: str) -> Path:
    """Where the evaluation of a run on a suite lies."""
    return run_dir / runs_layout.EVALUATIONS / suite


def heldout_dir(run_dir: Path) -> Path:
    """Where the evaluation of a run on held-out rows lies."""
    return suite_dir(run_dir, "heldout")


def arm_file(eval_dir: Path, arm: str) -> Path:
    """The items of one arm, one JSON object a line."""
    return eval_dir / f"{arm}.jsonl"


@dataclass(frozen=True, slots=True)
class Request:
    """What `request.json` says.

    `model` is what `from_pretrained` takes and `name` what a person calls it; `bits` and `double`
    say how the base weights are quantized (None: not at all); `max_new_tokens` bounds an answer;
    `cache` is the folder with the arms of the same base model, read and added to; `fingerprint`
    tells whether answers that lie in the folder already belong to this request; it is the same for all
    subsets of a run's suite, whose items have the same ids.

    `heldout` is the file or folder that the suite's items come from, None for items that come with the suite.
    `limit` is the number of items of a subset, drawn with `seed` (None: all); each is answered `repeats`
    times, at `temperature` (0: greedy). `endpoint` is the URL of a server that answers in place of a local
    model, with `concurrency` requests at once; its key is in the environment, under the name `api_key_env`,
    and nowhere else. `training` are the files that the tuned model was trained on.
    """

    suite: str
    model: str
    name: str
    adapter: Path | None
    bits: int | None
    double: bool
    dtype: str
    heldout: Path | None
    arms: tuple[str, ...]
    batch: int
    max_new_tokens: int
    cache: Path | None
    fingerprint: str
    limit: int | None = None
    seed: int = 0
    repeats: int = 1
    temperature: float = 0.0
    endpoint: str | None = None
    api_key_env: str | None = None
    concurrency: int = 8
    training: tuple[Path, ...] = ()

    def has_items_of(self, other: "Request") -> bool:
        """Whether both ask for the same items of a suite, as often."""
        drawn = self.limit is None or self.seed == other.seed
        return (self.limit, self.repeats) == (other.limit, other.repeats) and drawn

    def to_json(self) -> dict[str, Any]:
        """The object that is written."""
        return {
            **asdict(self),
            "schema": SCHEMA_VERSION,
            "adapter": str(self.adapter) if self.adapter else None,
            "heldout": str(self.heldout) if self.heldout else None,
            "cache": str(self.cache) if self.cache else None,
            "training": [str(path) for path in self.training],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Request":
        """Read what `to_json` wrote, now or in an earlier version.

        Raises:
            KeyError: a field is missing.
        """
        found = {
            each.name: value[each.name] if each.default is MISSING else value.get(each.name, each.default)
            for each in fields(cls)
        }
        return cls(
            **{
                **found,
                "adapter": Path(found["adapter"]) if found["adapter"] else None,
                "heldout": Path(found["heldout"]) if found["heldout"] else None,
                "cache": Path(found["cache"]) if found["cache"] else None,
                "arms": tuple(found["arms"]),
                "training": tuple(Path(path) for path in found["training"]),
            }
        )
