"""Two answers to each prompt of a file, made by a process of its own: what people then compare."""

import re
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tuner_tui import paths
from tuner_tui.data.dataset import load_dataset
from tuner_tui.data.examples import Example, Message, Tool
from tuner_tui.errors import UserError
from tuner_tui.evaluation import layout
from tuner_tui.evaluation.heartbeat import write_starting
from tuner_tui.runs import files, process
from tuner_tui.runs import layout as runs_layout
from tuner_tui.training.bases import base_model
from tuner_tui.training.config import load_config

ANSWERS = "answers.jsonl"


@dataclass(frozen=True, slots=True)
class AnswersRequest:
    """What `request.json` of a folder of answers says.

    `sources` names the two answers; `tuned` says for each whether the adapter answers. `temperature` 0 is
    greedy decoding. `out` is the file that `load_comparisons` reads.
    """

    model: str
    adapter: str | None
    bits: int | None
    double: bool
    dtype: str
    data: str
    out: str
    sources: tuple[str, str]
    tuned: tuple[bool, bool]
    temperature: float
    seed: int
    limit: int | None
    batch: int
    max_new_tokens: int

    def to_json(self) -> dict[str, Any]:
        """The object that is written."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "AnswersRequest":
        """Read what `to_json` wrote.

        Raises:
            KeyError: a field is missing.
        """
        fields = {key: value[key] for key in cls.__slots__}
        return cls(**{**fields, "sources": tuple(fields["sources"]), "tuned": tuple(fields["tuned"])})


@dataclass(frozen=True, slots=True)
class Prompt:
    """Where a model has to speak; `row` is 1-based in the file."""

    row: int
    messages: list[Message]
    tools: list[Tool]


def answers_dir() -> Path:
    """One folder for each request, named by its time."""
    return paths.home() / "answers"


def start_answers(
    run_dir: Path | None,
    data: Path,
    out: Path | None = None,
    *,
    model: str = "embedded",
    samples: bool = False,
    temperature: float | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> Path:
    """Let a model answer each prompt twice, in a process of its own.

    Args:
        run_dir: a finished run: its base and its tuned model answer, or, with `samples`, the tuned one twice.
            None: `model` answers twice.
        data: a file in any known layout; of a row, what stands before its last answer is the prompt.
        out: the file of answers; by default one in the folder that is returned.
        temperature: of sampling; by default 1 for two samples, else 0.
        limit: answer this many prompts only.

    Returns:
        The folder of the request, at once: `evaluation.progress.read_progress` tells how far it is.

    Raises:
        UserError: the run has no adapter, the file no prompt, or `out` exists.
    """
    prompts_of(data)
    samples = samples or run_dir is None
    warm = temperature if temperature is not None else 1.0 if samples else 0.0
    if samples and not warm:
        raise UserError("two answers of one model are the same at temperature 0; give another temperature.")
    folder = answers_dir() / f"{time.strftime('%Y%m%d-%H%M%S')}-{_slug(data.stem)}"
    target = out.absolute() if out is not None else folder / ANSWERS
    if target.exists():
        raise UserError(f"{target} exists; name another file for the answers.")
    settings: dict[str, Any] = {
        "model": paths.resolve_model(model),
        "adapter": None,
        "bits": 4,
        "double": True,
        "dtype": "auto",
        "batch": 8,
        "max_new_tokens": 256,
    }
    if run_dir is not None:
        settings = _settings_of(run_dir)
    request = AnswersRequest(
        **settings,
        data=str(data.absolute()),
        out=str(target),
        sources=("sample 1", "sample 2") if samples else ("base", "tuned"),
        tuned=(run_dir is not None,) * 2 if samples else (False, True),
        temperature=warm,
        seed=seed,
        limit=limit,
    )
    return _start(folder, request)


def prompts_of(data: Path) -> list[Prompt]:
    """The prompts of a file: of each row what stands before its last answer, if a user speaks there.

    Raises:
        UserError: the file cannot be read, or no row has a prompt.
    """
    dataset = load_dataset(data)
    prompts = [
        Prompt(row, _before_answer(example), example["tools"])
        for row, example in zip(dataset.rows, dataset.examples, strict=True)
    ]
    found = [prompt for prompt in prompts if any(turn["role"] == "user" for turn in prompt.messages)]
    if not found:
        raise UserError(f"{data}: no row has a prompt; each needs a user message.")
    return found


def _before_answer(example: Example) -> list[Message]:
    if "prompt" in example:
        return list(example["prompt"])
    messages: list[Message] = example["messages"]
    last = max((i for i, each in enumerate(messages) if each["role"] == "assistant"), default=len(messages))
    return messages[:last]


def _settings_of(run_dir: Path) -> dict[str, Any]:
    config = load_config(run_dir / runs_layout.CONFIG)
    if config.method == "reward":
        raise UserError(f"run {run_dir.name} made a reward model, which scores answers and gives none.")
    adapter = run_dir / (runs_layout.ADAPTER if config.lora.enabled else runs_layout.MODEL)
    if not adapter.is_dir():
        raise UserError(f"run {run_dir.name} has no adapter yet; wait until it has finished.")
    return {
        "model": base_model(config),
        "adapter": str(adapter.absolute()),
        "bits": config.quantization.bits,
        "double": config.quantization.double,
        "dtype": config.model.dtype,
        "batch": config.evaluation.batch,
        "max_new_tokens": config.evaluation.max_new_tokens,
    }


def _start(folder: Path, request: AnswersRequest) -> Path:
    for each in (folder, folder / layout.CONTROL):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.write_json(folder / layout.REQUEST, request.to_json())
    write_starting(folder)
    process.start_detached(
        [sys.executable, "-m", "tuner_tui.evaluation.preferences.answer_worker", str(folder)],
        folder / layout.LOG,
        {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_DISABLE_PROGRESS_BARS": "1"},
    )
    return folder


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "prompts"
