"""BFCL V4's single turn in its prompting mode: for models that have no notation of their own for calls.

The functions stand in the official system prompt as text, no tools are offered, and the answer is a list of
calls that the official reader takes apart (see `decoding`).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from tuner_tui.data.answers.parsing import ParsedAnswer
from tuner_tui.evaluation.suites.bfcl import official
from tuner_tui.evaluation.suites.bfcl.categories import SINGLE_TURN
from tuner_tui.evaluation.suites.bfcl.decoding import NOTE, PARSERS, decode, reads
from tuner_tui.evaluation.suites.bfcl.single import BfclTask
from tuner_tui.evaluation.tasks import Answer, Messages, Tools


class BfclPromptingTask(BfclTask):
    """As `BfclTask`, without the Java and JavaScript categories where their official readers are missing."""

    name = "bfcl_prompting"
    heading = "BFCL V4 single-turn, prompting"
    dotted = True

    def __init__(
        self, categories: Sequence[str] | None = None, limit: int | None = None, seed: int = 0
    ) -> None:
        asked = list(SINGLE_TURN if categories is None else categories)
        unread = [name for name in asked if not reads(name)]
        super().__init__([name for name in asked if name not in unread], limit, seed)
        self.notes = [NOTE, *self.notes]
        if unread:
            self.notes = [
                f"Not run, as the official readers of their notation are not installed: {', '.join(unread)} "
                f"(pip install {PARSERS}).",
                *self.notes,
            ]

    def _present(self, functions: list[dict[str, Any]], messages: Messages) -> tuple[Messages, Tools]:
        return with_system_prompt(messages, system_prompt(functions)), []

    def _parse(self, category: str, answer: Answer) -> ParsedAnswer:
        return decode(answer.text, category)


def system_prompt(functions: Sequence[Mapping[str, Any]]) -> str:
    """The official system prompt in its default form.

    Source: bfcl_eval/model_handler/utils.py, `formulate_system_prompt`; the texts are the package's own
    (constants/default_prompts.py).
    """
    texts = official.load("constants.default_prompts")
    form = {key: value for key, [value] in parse_qs(texts.DEFAULT_SYSTEM_PROMPT_FORMAT).items()}
    style, notation = texts.PROMPT_STYLE_TEMPLATES[form["style"]], form["ret_fmt"]
    prompt: str = texts.PROMPT_TEMPLATE_MAPPING[form["prompt_fmt"]].format(
        persona=style["persona"],
        task=style["task"],
        tool_call_format=style["tool_call_no_tag"].format(
            output_format=texts.OUTPUT_FORMAT_MAPPING[notation],
            param_types=texts.PARAM_TYPE_MAPPING[notation],
        ),
        multiturn_behavior=style["multiturn_behavior"],
        available_tools=style["available_tools"].format(
            format=form["func_doc_fmt"], functions=json.dumps(functions, indent=4)
        ),
    )
    return prompt


def with_system_prompt(messages: Messages, prompt: str) -> Messages:
    """A conversation with the prompt before what its own system message says."""
    if messages and messages[0]["role"] == "system":
        return [{**messages[0], "content": f"{prompt}\n\n{messages[0]['content']}"}, *messages[1:]]
    return [{"role": "system", "content": prompt}, *messages]
