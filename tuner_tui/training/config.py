"""TrainConfig: one model behind the form, the YAML, the command line and the documentation."""

import difflib
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo

from tuner_tui.errors import UserError
from tuner_tui.training.methods import METHODS, Method, applies
from tuner_tui.training.sections.base import Section, explained
from tuner_tui.training.sections.data import DataConfig, EvaluationConfig
from tuner_tui.training.sections.groups import GroupConfig
from tuner_tui.training.sections.launch import LaunchConfig
from tuner_tui.training.sections.model import LoraConfig, ModelConfig, QuantizationConfig
from tuner_tui.training.sections.optimization import LoggingConfig, OptimizationConfig
from tuner_tui.training.sections.ppo import PPOConfig
from tuner_tui.training.sections.preference import PreferenceConfig, RewardConfig

__all__ = [
    "METHODS",
    "DataConfig",
    "EvaluationConfig",
    "GroupConfig",
    "LaunchConfig",
    "LoggingConfig",
    "LoraConfig",
    "Method",
    "ModelConfig",
    "OptimizationConfig",
    "PPOConfig",
    "PreferenceConfig",
    "QuantizationConfig",
    "RewardConfig",
    "Section",
    "TrainConfig",
    "applies",
    "load_config",
    "parse_config",
    "problems",
    "to_yaml",
]

_WIDTH = 98


class TrainConfig(Section):
    """A whole run: `tuner train` of the same file repeats it."""

    name: str = explained(
        "run",
        title="Name",
        description="A word or two, which become part of the run's id.",
        min_length=1,
        max_length=60,
    )
    method: Method = explained(
        "sft",
        title="Method",
        description="sft: learn to say what the assistant says. dpo: from pairs of a better and a worse "
        "answer. kto: from answers labelled good or bad. reward: a model that scores answers, from pairs. "
        "ppo: try answers out, judged by that model. grpo, rloo: try answers out, judged by rules.",
    )
    seed: int = explained(
        0,
        title="Seed",
        description="Start of all random numbers: same seed, data and machine, same run.",
        ge=0,
        le=2**32 - 1,
    )
    model: ModelConfig = Field(default_factory=ModelConfig, title="Model")
    quantization: QuantizationConfig = Field(default_factory=QuantizationConfig, title="Quantization")
    lora: LoraConfig = Field(default_factory=LoraConfig, title="LoRA")
    data: DataConfig = Field(title="Data")
    preference: PreferenceConfig = Field(default_factory=PreferenceConfig, title="Preference")
    reward: RewardConfig = Field(default_factory=RewardConfig, title="Reward model")
    ppo: PPOConfig = Field(default_factory=PPOConfig, title="PPO")
    grpo: GroupConfig = Field(default_factory=GroupConfig, title="Group rewards")
    optimization: OptimizationConfig = Field(default_factory=OptimizationConfig, title="Optimization")
    logging: LoggingConfig = Field(default_factory=LoggingConfig, title="Logging")
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig, title="Evaluation")
    launch: LaunchConfig = Field(default_factory=LaunchConfig, title="Launch")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """What no section can know alone."""
        batch = self.optimization.effective_batch
        if not self.lora.enabled:
            if self.method != "sft":
                raise ValueError("lora.enabled: only sft trains without an adapter; the others need its base")
            if self.quantization.bits:
                raise ValueError(
                    "quantization.bits: 4-bit weights are frozen; without an adapter leave it empty"
                )
        if self.method == "ppo":
            if self.ppo.reward_model is None:
                raise ValueError("ppo.reward_model: missing; train one first, with the method reward")
            if self.ppo.rollouts % batch:
                raise ValueError(f"ppo.rollouts must be a multiple of effective_batch ({batch})")
        if self.method in ("grpo", "rloo") and batch % self.grpo.generations:
            raise ValueError(
                f"effective_batch ({batch}) must be a multiple of grpo.generations ({self.grpo.generations})"
            )
        if self.method == "rloo" and self.grpo.tools is not None:
            raise ValueError("grpo.tools: rloo runs no tools; take the method grpo, or leave it empty")
        return self

    @field_validator("name")
    @classmethod
    def _printable(cls, name: str) -> str:
        if not name.isprintable() or not name.strip():
            raise ValueError("must be printable text")
        return name.strip()


def load_config(path: Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a configuration.

    Args:
        path: a YAML file; the paths in it are relative to the current folder.
        overrides: `section.field=value`, value in YAML; they win over the file.

    Raises:
        UserError: what is wrong with which field of which file, and how to mend it.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the configuration {path}: {error}.") from error
    return parse_config(text, str(path), overrides)


def parse_config(text: str, source: str, overrides: Sequence[str] = ()) -> TrainConfig:
    """`load_config` of a text; `source` names it in messages.

    Raises:
        UserError: see `load_config`.
    """
    try:
        values = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise UserError(f"{source} is not valid YAML: {_one_line(error)}.") from error
    if not isinstance(values, dict):
        raise UserError(f"{source} holds no configuration; `tuner init` prints one to start from.")
    for override in overrides:
        _apply(values, override)
    try:
        return TrainConfig.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{source}: {'; '.join(problems(error))}.") from error


def problems(error: ValidationError) -> list[str]:
    """Each fault as `section.field: what is wrong (got ...), how to mend it`."""
    found = []
    for item in error.errors(include_url=False):
        path = [str(part) for part in item["loc"]]
        name = ".".join(path) or "configuration"
        if item["type"] == "extra_forbidden":
            found.append(f"{name}: there is no such field{_suggestion(path)}")
        elif item["type"] == "missing":
            found.append(f"{name}: missing ({_purpose(path)})")
        else:
            text = item["msg"].removeprefix("Value error, ")
            got = item.get("input")
            shown = f" (got {str(got)[:60]!r})" if isinstance(got, str | int | float) else ""
            found.append(f"{name}: {text[:1].lower()}{text[1:]}{shown}")
    return found


def to_yaml(config: TrainConfig) -> str:
    """A YAML text with a comment on every field; `parse_config` of it gives the same again.

    Sections that mean nothing to the method are left out, unless something was set in them.
    """
    lines: list[str] = []
    _write_section(config, lines, "", config.method)
    return "\n".join(lines) + "\n"


def _write_section(section: BaseModel, lines: list[str], indent: str, method: str) -> None:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            if not applies(name, method) and value == type(value)():
                continue
            lines += ["", f"{indent}# {field.title}: {(type(value).__doc__ or '').strip()}"]
            lines.append(f"{indent}{name}:")
            _write_section(value, lines, indent + "  ", method)
        else:
            lines += _comment(field, indent)
            lines.append(f"{indent}{name}: {_scalar(value)}")


def _comment(field: FieldInfo, indent: str) -> list[str]:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    text = field.description or ""
    for key, label in (("low", "Too low"), ("high", "Too high")):
        if key in extra:
            text += f" {label}: {extra[key]}"
    return textwrap.wrap(text, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def _scalar(value: Any) -> str:
    if isinstance(value, Path):
        value = str(value)
    elif isinstance(value, list):
        value = [str(item) for item in value]
    # PyYAML takes some control characters (U+0085) for printable, and reads them back as line breaks.
    printable = all(text.isprintable() for text in (value if isinstance(value, list) else [str(value)]))
    dumped = yaml.safe_dump(value, default_flow_style=True, width=10**9, allow_unicode=printable)
    return dumped.removesuffix("\n").removesuffix("\n...")


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice: YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is not a text", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f'the key "{key}" is given twice', key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def _apply(values: dict[str, Any], override: str) -> None:
    name, equals, text = override.partition("=")
    path = name.strip().split(".")
    if not equals or not all(path):
        raise UserError(f'--set takes section.field=value, not "{override}".')
    try:
        value = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise UserError(f"--set {name}: {text!r} is not valid YAML.") from error
    target = values
    for part in path[:-1]:
        inner = target.get(part)
        if inner is None:
            inner = target[part] = {}
        if not isinstance(inner, dict):
            raise UserError(f'--set {name}: "{part}" is not a section.')
        target = inner
    target[path[-1]] = value


def _fields(path: Sequence[str]) -> Mapping[str, FieldInfo]:
    model: Any = TrainConfig
    for part in path:
        field = model.model_fields.get(part)
        if field is None or not isinstance(field.annotation, type):
            return {}
        model = field.annotation
        if not issubclass(model, BaseModel):
            return {}
    fields: Mapping[str, FieldInfo] = model.model_fields
    return fields


def _suggestion(path: Sequence[str]) -> str:
    near = difflib.get_close_matches(path[-1], list(_fields(path[:-1])), n=1)
    return f'; did you mean "{near[0]}"?' if near else "; `tuner init` prints them all"


def _purpose(path: Sequence[str]) -> str:
    field = _fields(path[:-1]).get(path[-1])
    if field is None:
        return "required"
    section = field.annotation.__doc__ if isinstance(field.annotation, type) else None
    return (field.description or section or "required").strip().rstrip(".")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
