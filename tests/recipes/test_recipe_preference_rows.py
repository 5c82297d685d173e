"""Token rows of preference examples: what the tokenizer renders, tools and calls included."""

from pathlib import Path
from typing import Any

import pytest
from preference_data import CITIES, pair
from tiny_runs import example

from tuner_tui.data.examples import Example
from tuner_tui.errors import UserError
from tuner_tui.recipes import preference_rows
from tuner_tui.recipes.rows import Renderer
from tuner_tui.runs.reader import RunReader
from tuner_tui.training.config import TrainConfig


@pytest.fixture
def tokenizer(tiny_model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_model)


@pytest.fixture
def renderer(tokenizer: Any) -> Renderer:
    return Renderer(tokenizer)


def whole(tokenizer: Any, example: Example, side: str) -> list[int]:
    """The tokenizer's own rendering of prompt and answer, with the tools."""
    messages = [*example["prompt"], *example[side]]
    ids = tokenizer.apply_chat_template(messages, tools=example["tools"], return_dict=True)["input_ids"]
    assert tokenizer.eos_token_id in ids
    return list(ids)


def test_rows_are_the_tokenizers_rendering_with_tools_and_calls(tokenizer: Any, renderer: Renderer) -> None:
    from datasets import Dataset

    examples = [pair(city, days) for days, city in enumerate(CITIES)]
    other = pair("Bonn", 3)
    other["tools"] = [{"type": "function", "function": {"name": "other", "parameters": {"type": "object"}}}]
    examples.append(other)  # another schema: Arrow would merge the two
    made = preference_rows.pairs(renderer, examples, 512)
    assert (made.cut, made.left_out, made.unended, made.mismatched) == (0, 0, 0, 0)
    for row, given in zip(Dataset.from_list(made.rows), examples, strict=True):
        for side in ("chosen", "rejected"):
            ids = row["prompt_ids"] + row[f"{side}_ids"]
            assert ids == whole(tokenizer, given, side)
            learned = [t for t, m in zip(row[f"{side}_ids"], row[f"{side}_mask"], strict=True) if m]
            text = tokenizer.decode(learned)
            assert text.startswith("<tool_call>")
            assert text.endswith(tokenizer.eos_token)
            assert ("invented" in text) == (side == "rejected")
        prompt = tokenizer.apply_chat_template(
            given["prompt"], tools=given["tools"], add_generation_prompt=True, return_dict=True
        )["input_ids"]
        assert row["prompt_ids"] == list(prompt)
        assert given["tools"][0]["function"]["name"] in tokenizer.decode(row["prompt_ids"])
    assert made.tokens == sum(len(whole(tokenizer, e, s)) for e in examples for s in ("chosen", "rejected"))


def test_of_an_answer_with_results_in_it_only_the_assistant_counts(
    tokenizer: Any, renderer: Renderer
) -> None:
    given = pair("Ulm", 3)
    result = {"role": "tool", "name": "get_weather", "content": "hailstorm"}
    given["chosen"] += [result, {"role": "assistant", "content": "Stay inside."}]
    (row,) = preference_rows.pairs(renderer, [given], 512).rows
    assert "hailstorm" in tokenizer.decode(row["chosen_ids"])
    learned = [t for t, m in zip(row["chosen_ids"], row["chosen_mask"], strict=True) if m]
    assert "hailstorm" not in tokenizer.decode(learned)
    assert "Stay inside." in tokenizer.decode(learned)


def test_long_rows_are_cut_and_told(tokenizer: Any, renderer: Renderer) -> None:
    given = pair("Ulm", 3)
    ids = whole(tokenizer, given, "chosen")
    made = preference_rows.pairs(renderer, [given, pair("Ulm", 5)], len(ids) - 2)
    assert [len(row["prompt_ids"]) + len(row["chosen_ids"]) for row in made.rows] == [len(ids) - 2] * 2
    assert (made.given, made.cut, made.left_out, made.unended) == (2, 2, 0, 4)
    # Cut before the two answers begin to differ, there is nothing to prefer.
    start = len(made.rows[0]["prompt_ids"])
    made = preference_rows.pairs(renderer, [given], start + 4)
    assert (made.rows, made.cut, made.left_out) == ([], 1, 1)
    made = preference_rows.labelled(renderer, [given], start)
    assert (made.rows, made.left_out) == ([], 2)
    # An answer without its end cannot be scored.
    made = preference_rows.whole_pairs(renderer, [given], len(ids) - 2)
    assert (made.rows, made.cut, made.left_out) == ([], 1, 1)


def test_a_prompt_that_reads_differently_before_an_answer_is_told(tokenizer: Any) -> None:
    tokenizer.chat_template += "{% if add_generation_prompt %}Think: {% endif %}"
    made = preference_rows.pairs(Renderer(tokenizer), [pair("Ulm", 3)], 512)
    assert made.mismatched == 1
    (row,) = made.rows
    assert row["prompt_ids"] + row["chosen_ids"] == whole(tokenizer, pair("Ulm", 3), "chosen")


def test_a_template_that_refuses_is_told(tokenizer: Any) -> None:
    tokenizer.chat_template = (
        "{% if tools %}{{ tools[0]['function']['name'] }}{% endif %}"
        "{% for m in messages %}{% if m.content == 'no' %}{{ raise_exception('never') }}{% endif %}"
        "{{ m.content }}{% endfor %}"
    )
    given = pair("Ulm", 3)
    given["rejected"] = [{"role": "assistant", "content": "no"}]
    with pytest.raises(UserError, match=r"the model's chat template refuses example 1: never\."):
        preference_rows.pairs(Renderer(tokenizer), [given], 512)


def test_pairs_are_two_labelled_answers(tokenizer: Any, renderer: Renderer) -> None:
    given = pair("Ulm", 3)
    single = {"prompt": given["prompt"], "completion": given["rejected"], "label": False, "tools": []}
    made = preference_rows.labelled(renderer, [given, single], 512)
    assert [row["label"] for row in made.rows] == [True, False, False]
    for row, side in zip(made.rows, ("chosen", "rejected"), strict=False):
        assert row["prompt_ids"] + row["completion_ids"] == whole(tokenizer, given, side)
    assert len(preference_rows.both_sides([given, single])) == 3


@pytest.mark.parametrize(("rows", "group"), [(6, 3), (7, 3), (8, 3), (2, 2), (5, 64)])
def test_each_prompt_is_given_the_answer_to_another(rows: int, group: int) -> None:
    given = [
        {"prompt_ids": [place], "completion_ids": [place], "mask": [1], "label": True}
        for place in range(rows)
    ]
    made = preference_rows.mismatch(given, group, seed=5)
    assert sorted(row["prompt_ids"] for row in made) == sorted(row["prompt_ids"] for row in given)
    assert made == preference_rows.mismatch(given, group, seed=5)
    assert made != preference_rows.mismatch(given, group, seed=6) or rows == 2
    for start in range(0, rows, group):
        part = made[start : start + group]
        own = [row["completion_ids"] for row in part]
        if len(part) > 1:  # the same answers, each with another prompt
            assert [row["KL_completion_ids"] for row in part] == [own[-1], *own[:-1]]
    assert all(row["completion_ids"] != row["KL_completion_ids"] for row in made)


def test_a_reward_model_reads_whole_turns_and_never_takes_their_end_for_padding(
    tokenizer: Any, renderer: Renderer
) -> None:
    given = pair("Ulm", 3)
    made = preference_rows.whole_pairs(renderer, [given], 512)
    (row,) = made.rows
    assert row == {f"{side}_ids": whole(tokenizer, given, side) for side in ("chosen", "rejected")}
    end = row["chosen_ids"][-1]
    assert tokenizer.decode([tokenizer.eos_token_id, *renderer.after_end()]).endswith(tokenizer.decode([end]))
    assert preference_rows.padding(end, made.rows) != end
    assert preference_rows.padding(None, made.rows) != end
    assert preference_rows.padding(end + 1, made.rows) == end + 1


def test_batches_have_masks_of_what_is_learned() -> None:
    import torch

    from tuner_tui.recipes.preference_trainer import LabelCollator, PairCollator

    pairs = [
        {"prompt_ids": [1, 2], "chosen_ids": [3, 4, 5], "chosen_mask": [1, 0, 1]},
        {"prompt_ids": [1], "chosen_ids": [3], "chosen_mask": [1]},
    ]
    batch = PairCollator(0, 4)([{**row, "rejected_ids": [7, 8], "rejected_mask": [0, 1]} for row in pairs])
    assert batch["input_ids"].tolist() == [[1, 2, 3, 4], [1, 3, 0, 0], [1, 2, 7, 8], [1, 7, 8, 0]]
    assert batch["completion_mask"].tolist() == [[0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 1, 0]]

    rows = [
        {"prompt_ids": [1, 2], "completion_ids": [3, 4], "mask": [0, 1], "label": True},
        {"prompt_ids": [1], "completion_ids": [5], "mask": [1], "label": False},
    ]
    batch = LabelCollator(0, 3)(
        [
            {**row, "KL_completion_ids": o["completion_ids"], "KL_mask": o["mask"]}
            for row, o in zip(rows, rows[::-1], strict=True)
        ]
    )
    assert batch["completion_mask"].tolist() == [[0, 0, 0], [0, 1, 0]]
    assert batch["KL_input_ids"].tolist() == [[1, 2, 5], [1, 3, 4]]
    assert batch["KL_completion_mask"].tolist() == [[0, 0, 1], [0, 0, 1]]
    assert torch.equal(batch["label"], torch.tensor([True, False]))


def test_conversations_are_no_preferences() -> None:
    from tuner_tui.recipes.preference_events import no_label, no_pair

    talk = example("Ulm", 3)
    given = pair("Ulm", 3)
    single = preference_rows.unpaired(given)[0]
    assert [no_pair(e) is None for e in (talk, given, single)] == [False, True, False]
    assert [no_label(e) is None for e in (talk, given, single)] == [False, True, True]


def test_what_was_lost_is_told(config: TrainConfig, tmp_path: Path) -> None:
    from tuner_tui.recipes.preference_events import tell
    from tuner_tui.runs.writer import RunWriter

    rows = [{}, {}]
    lost = preference_rows.Rows(rows, 10, given=5, cut=4, left_out=3, unended=2, mismatched=1)
    with RunWriter(tmp_path) as run:
        for method in ("dpo", "reward"):
            config.method = method  # type: ignore[assignment]
            tell(run, config, lost, 5, "training")
        lost.rows = []
        with pytest.raises(UserError, match="none of the 5 training rows has anything to learn within 256"):
            tell(run, config, lost, 5, "training")
    told = [event["message"] for event in RunReader(tmp_path).poll_events()]
    assert told[:4] == [
        "cut 4 of 5 training rows at 256 tokens; left 3 of 5 training rows out: nothing is left in them to "
        "prefer.",
        "2 answers of the training rows do not end with the token at which the model stops: the chat "
        "template leaves it out, or data.max_length cuts it off.",
        "in 1 training rows the chat template writes the prompt differently when an answer follows; what "
        "differs counts as part of the answer.",
        "5 training examples, 10 tokens.",
    ]
    assert told[4] == (
        "left 3 of 5 training rows out: longer than 256 tokens, and an answer without its end cannot be "
        "scored."
    )


def test_every_row_of_an_evaluationweighs_the_same() -> None:
    from tuner_tui.recipes.preference_trainer import weigh

    # Micro-batches of 4 and 1 answers; the second has no bad one. (KTO)
    metrics = {
        "kl": [1.0, 6.0],
        "rewards/chosen": [2.0, 5.0],
        "rewards/rejected": [-1.0],
        "rewards/margins": [3.0],
    }
    counts = [{"rows": 4, "chosen": 2, "rejected": 2}, {"rows": 1, "chosen": 1, "rejected": 0}]
    weigh(metrics, counts)
    assert metrics == {
        "kl": [2.0],
        "rewards/chosen": [3.0],
        "rewards/rejected": [-1.0],
        "rewards/margins": [4.0],
    }
