"""BFCL V4's multi-turn categories in its prompting mode: see `prompting` and `multi_turn`.

Source: bfcl_eval/model_handler/base_handler.py (inference_multi_turn_prompting) and
model_handler/local_inference/base_oss_handler.py, which is the handler of local models.
"""

from collections.abc import Sequence
from dataclasses import replace

from tuner_tui.data.answers.parsing import ParsedAnswer
from tuner_tui.data.examples import Call
from tuner_tui.evaluation.suites.bfcl import official
from tuner_tui.evaluation.suites.bfcl.decoding import NOTE, decode
from tuner_tui.evaluation.suites.bfcl.multi_turn import BfclMultiTurnTask, MultiTurn
from tuner_tui.evaluation.suites.bfcl.prompting import system_prompt, with_system_prompt
from tuner_tui.evaluation.suites.bfcl.verdicts import storable
from tuner_tui.evaluation.tasks import Answer, Exchange, Item, Messages, Tools


class BfclMultiTurnPromptingTask(BfclMultiTurnTask):
    """As `BfclMultiTurnTask`."""

    name = "bfcl_multi_turn_prompting"
    heading = "BFCL V4 multi-turn, prompting"

    def __init__(
        self, categories: Sequence[str] | None = None, limit: int | None = None, seed: int = 0
    ) -> None:
        super().__init__(categories, limit, seed)
        self.notes = [NOTE, *self.notes]

    def begin(self, item: Item) -> Exchange:
        """The item from its first request."""
        return _Prompted(item, self.entries[item.id], self.backend)

    def _read(self, category: str, before: int) -> list[Item]:
        items = []
        entries = official.load("utils").load_dataset_entry(category)
        for item, entry in zip(super()._read(category, before), entries, strict=True):
            held = {int(turn): described for turn, described in entry.get("missed_function", {}).items()}
            self.entries[item.id]["held"] = held
            messages = with_system_prompt(item.messages, system_prompt(entry["function"]))
            items.append(replace(item, messages=messages, tools=[]))
        return items


class _Prompted(MultiTurn):
    def _parse(self, answer: Answer) -> ParsedAnswer:
        found = decode(answer.text, "")
        calls = [Call(call.name, storable(call.arguments)) for call in found.calls]
        return ParsedAnswer(found.content, calls, found.strict, found.error)

    def _told(self, text: str, content: str, calls: Sequence[Call], results: Sequence[str]) -> Messages:
        return [
            {"role": "assistant", "content": text},
            *(
                {"role": "tool", "name": _written(call), "content": result}
                for call, result in zip(calls, results, strict=True)
            ),
        ]

    def _offer(self, tools: Tools) -> str:
        """Held back are descriptions of functions, which the user hands over in words."""
        texts = official.load("constants.default_prompts")
        said: str = texts.DEFAULT_USER_PROMPT_FOR_ADDITIONAL_FUNCTION_PROMPTING.format(functions=tools)
        return said


def _written(call: Call) -> str:
    return f"{call.name}({', '.join(f'{name}={value!r}' for name, value in call.arguments.items())})"
