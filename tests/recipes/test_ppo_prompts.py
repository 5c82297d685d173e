"""Prompts as the policy gets them, and turns as the reward model has seen them."""

from typing import Any

import pytest
from tiny_runs import example

from tuner_tui import paths
from tuner_tui.data.dataset import load_dataset
from tuner_tui.recipes.preference_rows import whole_pairs
from tuner_tui.recipes.rows import Renderer


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(paths.embedded_model())


def test_a_prompt_ends_where_the_assistant_speaks_last(tokenizer: Any) -> None:
    renderer = Renderer(tokenizer)

    def text(given: dict[str, Any]) -> str:
        decoded: str = tokenizer.decode(renderer.prompt(given))
        return decoded

    row = example("Oslo", 3)
    shown = text(row)
    assert shown.endswith("Weather in Oslo for 3 days?<|im_end|>\n<|im_start|>assistant\n")
    assert '"name": "get_weather"' in shown  # its tools are in it
    assert "<tool_call>" not in shown

    messages = [
        *row["messages"],  # type: ignore[misc]
        {"role": "tool", "name": "get_weather", "content": "rain"},
        {"role": "assistant", "content": "It rains."},
    ]
    longer = text({**row, "messages": messages})
    assert longer.endswith("rain\n</tool_response><|im_end|>\n<|im_start|>assistant\n")
    assert "<tool_call>" in longer
    # Without an answer, all of it; of a preference pair, its prompt.
    assert text({**row, "messages": messages[:1]}) == shown
    pair = {"prompt": messages[:1], "chosen": messages[1:2], "rejected": [], "tools": row["tools"]}
    assert text(pair) == shown


def test_what_is_scored_ends_as_what_the_reward_model_has_learned_from(tokenizer: Any) -> None:
    renderer = Renderer(tokenizer)
    examples = load_dataset(paths.sample_data() / "preferences.jsonl").examples[:20]
    after = renderer.after_end()
    assert after
    for pair, row in zip(examples, whole_pairs(renderer, examples, 4096).rows, strict=True):
        prompt = renderer.prompt(pair)
        for ids in (row["chosen_ids"], row["rejected_ids"]):
            assert ids[: len(prompt)] == prompt
            assert ids[-len(after) :] == after
            answer = ids[len(prompt) : -len(after)]
            assert [token in renderer.ends for token in answer] == [False] * (len(answer) - 1) + [True]
