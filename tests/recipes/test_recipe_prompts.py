"""Prompts of GRPO and RLOO: what TRL generates from is what every other method renders, row by row; and the
loop of executed calls, on the embedded model."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from group_rows import TOOLS, request, tool
from peft import LoraConfig
from transformers import AutoModelForCausalLM
from trl import GRPOConfig, GRPOTrainer, RLOOConfig, RLOOTrainer

from tuner_tui import paths
from tuner_tui.data.examples import Call, conversation
from tuner_tui.errors import UserError
from tuner_tui.recipes.conventions import find_convention
from tuner_tui.recipes.faults import explain
from tuner_tui.recipes.groups import grouped, teach_parsing
from tuner_tui.recipes.kernels import fast_path
from tuner_tui.recipes.model import load_tokenizer
from tuner_tui.recipes.prompts import as_messages, exchanges_of, prompt_rows, prompts_of
from tuner_tui.recipes.rewards import Judge, joined
from tuner_tui.recipes.rows import Renderer
from tuner_tui.recipes.tools import ToolBox
from tuner_tui.runs.reader import RunReader
from tuner_tui.runs.silent import SilentRun
from tuner_tui.runs.store import create_run
from tuner_tui.runs.writer import RunWriter
from tuner_tui.training.config import TrainConfig

EXAMPLES: list[dict[str, Any]] = [request("Oslo"), request("Rome", due=False)]


@pytest.fixture
def written(home: Path) -> Any:
    """Rows of the examples, and the messages of the events, for a configuration of the section grpo."""

    def write(examples: list[dict[str, Any]], tools: Any = None, length: int = 400) -> tuple[Any, list[str]]:
        config = TrainConfig.model_validate(
            {"method": "grpo", "data": {"train": ["x"], "max_length": length}, "grpo": {"max_new_tokens": 32}}
        )
        run_dir = create_run("x", "", {})
        tokenizer = load_tokenizer("embedded")
        with RunWriter(run_dir) as run:
            rows = prompt_rows(run, Renderer(tokenizer), tokenizer, config, examples, "training", tools)
        return rows, [event["message"] for event in RunReader(run_dir).poll_events()]

    return write


def test_each_turn_of_the_assistant_is_a_prompt_and_its_calls_are_right() -> None:
    first, second = prompts_of(EXAMPLES[0])
    assert [message["role"] for message in first.messages] == ["system", "user"]
    assert first.gold == [Call("get_weather", {"city": "Oslo"})]
    assert [message["role"] for message in second.messages] == ["system", "user", "assistant", "tool"]
    assert second.gold == []
    muted = {"messages": [*EXAMPLES[0]["messages"][:-1], {**EXAMPLES[0]["messages"][-1], "weight": 0}]}
    assert len(list(prompts_of(muted))) == 1


def test_with_executable_tools_each_question_is_a_prompt() -> None:
    again = conversation(request("Rome"))[1:]
    one, two = exchanges_of({"messages": [*EXAMPLES[0]["messages"], *again]})
    assert one.gold == [Call("get_weather", {"city": "Oslo"})]
    assert two.gold == [Call("get_weather", {"city": "Rome"})]
    assert two.messages == [*EXAMPLES[0]["messages"], again[0]]


@pytest.mark.parametrize(("trainer", "config"), [(GRPOTrainer, GRPOConfig), (RLOOTrainer, RLOOConfig)])
def test_trl_generates_from_the_tokens_that_training_renders(
    trainer: Any, config: Any, tiny_model: Path, tmp_path: Path, written: Any
) -> None:
    rows, messages = written(EXAMPLES)
    assert messages[-1].startswith("3 training prompts of 2 examples")
    assert messages[-1].endswith("a call is due in 1.")
    tokenizer = load_tokenizer(str(tiny_model))
    renderer = Renderer(tokenizer)
    made = grouped(trainer, SilentRun(tmp_path), renderer)(
        model=AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32),
        reward_funcs=[lambda completions, **_: [0.0] * len(completions)],
        args=config(str(tmp_path), use_cpu=True, bf16=False, num_generations=2, report_to="none"),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
    )
    prompts = [row["prompt"] for row in made.train_dataset]
    ids = made._tokenize_prompts(prompts)[0]
    expected = [
        tokenizer.apply_chat_template(
            list(prompt.messages), tools=example["tools"], add_generation_prompt=True, return_dict=True
        )["input_ids"]
        for example in EXAMPLES
        for prompt in prompts_of(example)
    ]
    assert ids == expected
    # The same as the beginnings of what supervised fine-tuning learns: the whole but its last turn's answer.
    learned = renderer.rows(EXAMPLES, 400).rows
    for turn, row in ((1, learned[0]), (2, learned[1])):
        assert row["input_ids"][: len(ids[turn])] == ids[turn]
        assert row["labels"][len(ids[turn]) - 1] == -100 != row["labels"][len(ids[turn])]
    # Neither a schema nor an argument of one row has got into another.
    assert json.loads(made.train_dataset[2]["tools"]) == EXAMPLES[1]["tools"]
    assert "play_song" in prompts[2] and "get_weather" not in prompts[2] and "null" not in "".join(prompts)


def test_prompts_without_room_for_an_answer_are_left_out(written: Any) -> None:
    long = request("Oslo " * 200)
    rows, messages = written([EXAMPLES[0], long])
    assert len(rows) == 2
    assert messages[0].startswith("left 2 of 4 training prompts out: they leave no room for an answer of 32")
    with pytest.raises(UserError, match="none of the 2 training prompts leaves room"):
        written([long])


def test_prompts_whose_calls_cannot_be_executed_are_left_out(written: Any) -> None:
    songs = [tool("play_song", title="string")]
    rows, messages = written(EXAMPLES, songs)
    assert [json.loads(row["gold"]) for row in rows] == [[]]
    assert messages[0].startswith("left 1 training prompts out: right is a call of a tool that grpo.tools")
    with pytest.raises(UserError, match=r"none has an answer that calls the executable tools \(play_song\)"):
        written(EXAMPLES[:1], songs)


def test_calls_are_executed_and_only_what_the_model_said_is_learned(tmp_path: Path, written: Any) -> None:
    path = tmp_path / "tools.py"
    path.write_text(TOOLS)
    tokenizer = load_tokenizer("embedded")
    renderer, convention = Renderer(tokenizer), find_convention(tokenizer, "embedded")
    teach_parsing(tokenizer, convention)
    with ToolBox(path, seconds=30) as box:
        rows, _ = written([request("Oslo"), request("Atlantis")], box.schemas, 600)
        trainer = grouped(GRPOTrainer, SilentRun(tmp_path), renderer, box.schemas)(
            model=AutoModelForCausalLM.from_pretrained(paths.embedded_model(), dtype=torch.float32),
            reward_funcs=Judge(convention, tokenizer, {tokenizer.eos_token_id}).functions(["tool"]),
            args=GRPOConfig(
                str(tmp_path),
                use_cpu=True,
                bf16=False,
                num_generations=2,
                per_device_train_batch_size=4,
                gradient_accumulation_steps=1,
                max_completion_length=90,
                temperature=0.01,  # as good as greedy
                generation_kwargs={"use_cache": True},
                report_to="none",
            ),
            train_dataset=Dataset.from_list(rows).with_transform(as_messages),
            processing_class=tokenizer,
            tools=box.functions,
        )
        batch = [trainer.train_dataset[place] for place in (0, 0, 1, 1)]
        scored = trainer._generate_and_score_completions(batch)
    learned = scored["completion_mask"] * scored["tool_mask"]
    for row, result in ((0, '{"weather": "quartz"'), (2, "{'error': 'no such city'}")):
        ids, mine = scored["completion_ids"][row], learned[row].bool()
        given = tokenizer.decode(ids[~mine & scored["completion_mask"][row].bool()])
        assert result in given
        said = tokenizer.decode(ids[mine])
        assert said.startswith("<tool_call>") and result not in said
        assert "<tool_response>" in given and "<tool_response>" not in said
    metrics = trainer._metrics["eval"]  # the model is not in training
    assert metrics["tools/call_frequency"][0] >= 1
    assert 0 < metrics["tools/failure_frequency"][0] < 1
    assert metrics["rewards/tool/mean"][0] > 0


def test_an_answer_of_several_turns_is_judged_as_one() -> None:
    def calling(name: Any, arguments: Any) -> dict[str, Any]:
        call = {"type": "function", "function": {"name": name, "arguments": arguments}}
        return {"role": "assistant", "content": "", "tool_calls": [call]}

    result = {"role": "tool", "name": "a", "content": "1"}
    done = {"role": "assistant", "content": "Done."}
    found = joined([calling("a", {"x": 1}), result, calling("b", {}), result, done])
    assert (found.calls, found.strict, found.error) == ([Call("a", {"x": 1}), Call("b", {})], True, None)
    assert found.content == "Done."
    broken = joined([calling("a", {}), result, {"role": "assistant", "content": '<tool_call>{"name'}])
    assert (broken.calls, broken.strict) == ([Call("a", {})], False)
    assert broken.error
    near = joined([{"role": "assistant", "content": "{'name': 'a', 'arguments': {}}"}])
    assert (near.calls, near.strict, near.error) == ([Call("a", {})], False, None)
    assert joined([calling(["a"], {})]).error and joined([calling("a", "x")]).error
    assert not joined([]).attempted


def test_a_run_in_which_no_group_differs_is_told(tmp_path: Path, home: Path) -> None:
    class Logger:
        def log(self, logs: dict[str, float]) -> None: ...

    run_dir = create_run("x", "", {})
    with RunWriter(run_dir) as run:
        dull, lively = (grouped(Logger, run, None)() for _ in range(2))  # type: ignore[arg-type]
        lively.log({"frac_reward_zero_std": 0.75})
        for _ in range(12):
            lively.log({"frac_reward_zero_std": 1.0})
            dull.log({"eval_frac_reward_zero_std": 1.0})
        assert RunReader(run_dir).poll_events() == []
        for _ in range(12):
            dull.log({"frac_reward_zero_std": 1.0})
    (event,) = RunReader(run_dir).poll_events()
    assert event["code"] == "warning"
    assert event["message"].startswith("in 5 logs no answer of a group earned more than another")


def test_outputs_that_are_no_numbers_are_explained() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.multinomial(torch.tensor([float("nan"), 1.0]), 1)
    assert explain(caught.value).startswith("the model's outputs became infinite or not a number while it")


def test_the_fast_path_has_the_same_loss_gradient_and_reference(tmp_path: Path, written: Any) -> None:
    """Rows with padding on both sides, the adapter on and off."""
    rows, _ = written([request("Oslo"), request("Rio de Janeiro", due=False)])
    torch.manual_seed(0)
    tokenizer = load_tokenizer("embedded")
    trainer = grouped(GRPOTrainer, SilentRun(tmp_path), Renderer(tokenizer))(
        model=AutoModelForCausalLM.from_pretrained(paths.embedded_model(), dtype=torch.float32),
        reward_funcs=[lambda completion_ids, **_: [float(sum(ids) % 7) for ids in completion_ids]],
        args=GRPOConfig(
            str(tmp_path),
            use_cpu=True,
            bf16=False,
            num_generations=2,
            per_device_train_batch_size=6,
            gradient_accumulation_steps=1,
            max_completion_length=24,
            beta=0.1,
            temperature=1.5,
            generation_kwargs={"use_cache": True},
            report_to="none",
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False),
    )
    model = trainer.model.train()
    trainer.current_gradient_accumulation_steps = 1
    batch = trainer._generate_and_score_completions([rows[place] for place in (0, 0, 1, 1, 2, 2)])
    assert batch["advantages"].any()
    assert not batch["prompt_mask"].all() and not batch["completion_mask"].all()
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], 1)
    mask = torch.cat([batch["prompt_mask"], batch["completion_mask"]], 1)

    def computed() -> tuple[torch.Tensor, ...]:
        model.zero_grad()
        loss = trainer.compute_loss(model, dict(batch))
        loss.backward()
        with torch.no_grad(), model.disable_adapter():
            width = batch["completion_ids"].shape[1]
            reference = trainer._get_per_token_logps_and_entropies(model, ids, mask, width)[0]
        gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        return loss.detach(), gradient, reference * batch["completion_mask"]

    plain = computed()
    assert fast_path(model).layers == "fast"
    for one, other in zip(plain, computed(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert plain[1].abs().max() > 0.01
