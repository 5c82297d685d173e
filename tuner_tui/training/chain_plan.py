"""The plan of a chain: several runs, each beginning with what an earlier one has made.

A YAML file:

    name: sft-dpo
    steps:
      - {name: sft, preset: demo}
      - name: dpo
        config: dpo.yaml               # relative to the plan's folder
        set: {optimization.max_steps: 40}

Each step begins with the adapter of the last policy before it, unless it says `from: STEP` (or `from: base`).
PPO takes the reward model of the last reward step before it, and begins where that one began, for both must
have one base; `reward_from: STEP` names another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tuner_tui.errors import UserError
from tuner_tui.training.config import TrainConfig, parse_config, problems
from tuner_tui.training.presets import preset_text

BASE = "base"
_TO_COME = "(the reward model of an earlier step)"
_PLANS = Path(__file__).parent / "plans"


class PlanStep(BaseModel):
    """One run of a plan: a preset or a configuration file, and what is different in it."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")
    preset: str | None = None
    config: Path | None = None
    set: dict[str, Any] = Field(default_factory=dict)
    begins_with: str | None = Field(None, alias="from")
    reward_from: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "PlanStep":
        if (self.preset is None) == (self.config is None):
            raise ValueError("give either preset or config")
        return self


class Plan(BaseModel):
    """A whole plan; `evaluate` compares base and tuned model when all is trained."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=60)
    evaluate: bool = False
    steps: list[PlanStep] = Field(min_length=1, max_length=50)

    @field_validator("steps")
    @classmethod
    def _named_apart(cls, steps: list[PlanStep]) -> list[PlanStep]:
        names = [step.name for step in steps]
        if len(set(names)) < len(names) or BASE in names:
            raise ValueError(f'each step needs a name of its own, other than "{BASE}"')
        return steps


@dataclass(frozen=True, slots=True)
class Link:
    """A step that is ready to run but for the results of earlier ones.

    `begins_with` and `reward_from` are names of earlier steps; None: the base model, no reward model.
    """

    name: str
    config: TrainConfig
    begins_with: str | None
    reward_from: str | None


def plan_names() -> list[str]:
    """The plans that ship with tuner."""
    return sorted(path.stem for path in _PLANS.glob("*.yaml"))


def plan_text(name: str) -> str:
    """A shipped plan as it is written.

    Raises:
        UserError: there is none of that name.
    """
    if name not in plan_names():
        raise UserError(f'there is no plan "{name}"; there are: {", ".join(plan_names())}.')
    return (_PLANS / f"{name}.yaml").read_text("utf-8")


def plan_summary(name: str) -> str:
    """What a shipped plan is for, in one line.

    Raises:
        UserError: there is none of that name.
    """
    lines = plan_text(name).splitlines()
    end = next(number for number, line in enumerate(lines) if not line.startswith("# "))
    return " ".join(line.removeprefix("# ") for line in lines[:end])


def load_plan(path: Path) -> tuple[Plan, list[Link]]:
    """Read a plan and all that it names.

    Raises:
        UserError: what is wrong with which step, and how to mend it.
    """
    text = _read(path)
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(values, dict) or "steps" not in values:
        raise UserError(f"{path} is no plan: it has no steps; `tuner init chain-sft-dpo` prints one.")
    try:
        plan = Plan.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{path}: {'; '.join(problems(error))}.") from error
    return plan, _links(plan, path)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path}: {error}.") from error


def _links(plan: Plan, path: Path) -> list[Link]:
    links: list[Link] = []
    for step in plan.steps:
        try:
            config = _config(step, path.parent)
            known = {link.name: link for link in links}
            reward = _reward_from(step, config, known)
            begins_with = _begins_with(step, reward, known)
        except UserError as error:
            raise UserError(f"{path}: step {step.name}: {error}") from error
        if reward is not None:
            config.ppo.reward_model = None  # what a preset names is not what this plan makes
        if begins_with is not None:
            config.model.adapter = None
        links.append(Link(step.name, config, begins_with, reward.name if reward else None))
    return links


def _config(step: PlanStep, folder: Path) -> TrainConfig:
    if step.preset is not None:
        text, source = preset_text(step.preset), f"preset {step.preset}"
    else:
        assert step.config is not None
        path = folder / step.config.expanduser()
        text, source = _read(path), str(path)
    try:
        return parse_config(text, source, overrides_of(step.set))
    except UserError as error:
        if "ppo.reward_model" not in str(error):
            raise
        # Not there yet: an earlier step may make it.
        config = parse_config(text, source, [*overrides_of(step.set), f"ppo.reward_model={_TO_COME}"])
        config.ppo.reward_model = None
        return config


def overrides_of(values: Mapping[str, Any]) -> list[str]:
    """`set` of a step as what `--set` takes."""
    return [f"{key}={_in_yaml(value)}" for key, value in values.items()]


def _in_yaml(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10**9)
    return text.removesuffix("...\n").strip()


def _reward_from(step: PlanStep, config: TrainConfig, known: Mapping[str, Link]) -> Link | None:
    if config.method != "ppo":
        if step.reward_from is not None:
            raise UserError(f"reward_from: the method {config.method} takes no reward model.")
        return None
    if "ppo.reward_model" in step.set:
        if step.reward_from is not None:
            raise UserError("give either reward_from or ppo.reward_model.")
        return None  # one that was there before this plan
    rewards = [link for link in known.values() if link.config.method == "reward"]
    if step.reward_from is not None:
        rewards = [link for link in rewards if link.name == step.reward_from]
    if not rewards and config.ppo.reward_model is not None and step.reward_from is None:
        return None
    if not rewards:
        wanted = f' called "{step.reward_from}"' if step.reward_from else ""
        raise UserError(
            f"PPO needs a reward model, and no step before it{wanted} trains one; add a step of the method "
            "reward before it, or set ppo.reward_model."
        )
    return rewards[-1]


def _begins_with(step: PlanStep, reward: Link | None, known: Mapping[str, Link]) -> str | None:
    if step.begins_with == BASE:
        return None
    if step.begins_with is not None:
        if step.begins_with not in known:
            raise UserError(f'from: no step before it is called "{step.begins_with}".')
        if known[step.begins_with].config.method == "reward":
            raise UserError(f"from: {step.begins_with} trains a reward model, which answers nothing.")
        return step.begins_with
    if reward is not None:
        return reward.begins_with
    policies = [link.name for link in known.values() if link.config.method != "reward"]
    return policies[-1] if policies else None
