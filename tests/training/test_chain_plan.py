"""A plan: what each step begins with, and what is wrong with it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tuner_tui.cli import main
from tuner_tui.errors import UserError
from tuner_tui.runs import layout
from tuner_tui.runs.layout import RunState, Status
from tuner_tui.runs.store import create_run, write_starting
from tuner_tui.training import chain as chains
from tuner_tui.training.chain_plan import load_plan, overrides_of, plan_names


def plan(tmp_path: Path, *steps: dict[str, Any], **more: Any) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump({"name": "test", "steps": list(steps), **more}))
    return path


def step(name: str, method: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "preset": "demo", "set": {"method": method}, **more}


def test_each_step_begins_with_the_policy_before_it(tmp_path: Path) -> None:
    path = plan(
        tmp_path,
        step("sft", "sft"),
        step("judge", "reward"),
        step("ppo", "ppo"),
        step("again", "dpo"),
        step("other", "sft", **{"from": "base"}),
        step("judge-2", "reward", **{"from": "sft"}),
        step("ppo-2", "ppo", reward_from="judge"),
    )
    found = {link.name: (link.begins_with, link.reward_from) for link in load_plan(path)[1]}
    assert found == {
        "sft": (None, None),
        "judge": ("sft", None),
        "ppo": ("sft", "judge"),  # where its judge began, for both must have one base
        "again": ("ppo", None),  # a reward model answers nothing: the policy before it
        "other": (None, None),
        "judge-2": ("sft", None),
        "ppo-2": ("sft", "judge"),
    }


def test_a_step_is_a_preset_or_a_file_with_changes(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("data: {train: [rows.jsonl]}\nlora: {r: 4}\n")
    path = plan(
        tmp_path,
        {"name": "a", "config": "own.yaml", "set": {"optimization.learning_rate": 1e-4, "lora.r": 8}},
        {"name": "b", "preset": "demo", "set": {"seed": 7, "quantization.bits": None}},
    )
    first, second = (link.config for link in load_plan(path)[1])
    assert (first.lora.r, first.optimization.learning_rate) == (8, 1e-4)
    assert (second.seed, second.quantization.bits, second.optimization.max_steps) == (7, None, 27)


def test_what_is_set_may_be_any_value() -> None:
    values = {"a.b": 0.003, "c": None, "d": "x: y", "e": ["p", "q"], "f": True, "g": "null"}
    for override, (key, value) in zip(overrides_of(values), values.items(), strict=True):
        name, text = override.split("=", 1)
        assert (name, yaml.safe_load(text)) == (key, value)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([step("a", "sft"), step("a", "sft")], "each step needs a name of its own"),
        ([{"name": "a"}], "give either preset or config"),
        ([{"name": "a", "preset": "demo", "config": "x.yaml"}], "give either preset or config"),
        ([{"name": "a b", "preset": "demo"}], "steps.0.name"),
        ([{"name": "a", "preset": "demo", "begin": "b"}], "there is no such field"),
        ([{"name": "a", "preset": "nothing"}], 'step a: there is no preset "nothing"'),
        ([{"name": "a", "config": "gone.yaml"}], "step a: cannot read"),
        ([step("a", "sft", **{"from": "b"})], 'step a: from: no step before it is called "b"'),
        (
            [step("a", "reward"), step("b", "dpo", **{"from": "a"})],
            "trains a reward model, which answers nothing",
        ),
        ([step("a", "ppo")], "step a: PPO needs a reward model, and no step before it trains one"),
        ([step("a", "sft", reward_from="b")], "the method sft takes no reward model"),
        (
            [step("a", "reward"), step("b", "ppo", reward_from="c")],
            'no step before it called "c" trains one',
        ),
        (
            [{"name": "a", "preset": "demo", "set": {"lora.rr": 1}}],
            'lora.rr: there is no such field; did you mean "r"',
        ),
    ],
)
def test_a_wrong_plan_is_refused_in_a_sentence(tmp_path: Path, steps: list[Any], told: str) -> None:
    with pytest.raises(UserError) as error:
        load_plan(plan(tmp_path, *steps))
    assert told in str(error.value)


@pytest.mark.parametrize(("text", "told"), [("a: [", "not valid YAML"), ("name: x\n", "it has no steps")])
def test_what_is_no_plan(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=told):
        load_plan(path)


def test_a_missing_input_of_any_step_is_told_before_anything_is_started(tmp_path: Path) -> None:
    path = plan(
        tmp_path, step("a", "sft"), {"name": "b", "preset": "demo", "set": {"data.train": ["/gone.jsonl"]}}
    )
    loaded, links = load_plan(path)
    with pytest.raises(UserError, match=r"step b: data.train: there is no file /gone.jsonl"):
        chains.start(loaded, links, path.read_text())
    assert chains.all_chains() == []


def test_the_shipped_plans_can_be_printed_and_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan_names() == ["chain-sft-dpo", "chain-sft-reward-ppo"]
    for name in plan_names():
        assert main(["init", name]) == 0
        path = tmp_path / f"{name}.yaml"
        path.write_text(capsys.readouterr().out)
        _, links = load_plan(path)
        assert links[-1].begins_with == "sft"
    assert [link.reward_from for link in links] == [None, None, "reward"]
    assert main(["init"]) == 0
    assert "chain-sft-dpo" in capsys.readouterr().out
    assert main(["chain", "chain-sft-dpo.yaml"]) == 2
    assert "`tuner init chain-sft-dpo > chain-sft-dpo.yaml` writes that plan" in capsys.readouterr().err


def made(tmp_path: Path, status: Status) -> chains.Chain:
    """The folder of a chain whose first step has a run, without any process."""
    run_dir = create_run("one", "data: {}\n", {})
    (run_dir / layout.STATUS).write_text(json.dumps(Status(RunState.FINISHED, step=3, total=3).to_json()))
    path = chains.folder() / "20260101-000000-test"
    path.mkdir(parents=True)
    steps = [
        chains.ChainStep("one", "sft", None, None, str(run_dir)),
        chains.ChainStep("two", "dpo", "one", None),
    ]
    chain = chains.Chain(path, "test", False, 1.0, steps)
    chain.save()
    write_starting(path, status)
    (path / layout.STATUS).write_text(json.dumps(status.to_json()))
    return chain


def test_chains_are_listed_and_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chain"]) == 0
    assert "No chains yet" in capsys.readouterr().out
    chain = made(tmp_path, Status(RunState.STOPPED, step=1, total=2, reason="stopped on request."))
    assert chains.find("last") == chains.find("2026") == chain.path
    assert main(["chain", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["chains"]
    assert (listed["chain"], listed["state"]) == (chain.id, "stopped")
    assert [(item["name"], item["state"]) for item in listed["steps"]] == [
        ("one", "finished"),
        ("two", "waiting"),
    ]
    assert main(["chain"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in (chain.id, "stopped on request.", "one", "dpo", "3/3"))
    assert main(["chain", "--stop", "last"]) == 2
    assert "so there is nothing to stop" in capsys.readouterr().err
    assert main(["chain", "--watch", "nothing"]) == 2
    assert 'no chain is called "nothing"' in capsys.readouterr().err
    assert main(["chain", "--rm", "last"]) == 0
    assert chains.all_chains() == []
    assert Path(str(chain.steps[0].run)).is_dir()  # its runs stay


def test_a_finished_chain_is_not_resumed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path, Status(RunState.FINISHED, step=2, total=2))
    assert main(["chain", "--resume", "last"]) == 2
    assert "is finished; there is nothing left to resume" in capsys.readouterr().err
