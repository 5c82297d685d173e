"""APIBench (Gorilla): an instruction, and an answer that names one call of a Python library.

    {"code": "###Instruction: …\\n###Output: …", "api_call": "torch.hub.load(…)", "provider", "api_data": {…}}

`code` is written in three ways: the output as Python-like dict text (Torch Hub, evaluation); as <<<key>>>:
value (TensorFlow Hub, Hugging Face); or all of it as "{'Instruction': …, 'Output': …}" (Torch Hub,
training). Little of the dict text is valid Python, so it is taken apart at its marks and the answer stays
as it stands.

The answer stays text, and no tool is offered: `api_call` is an expression in a library's own interface,
chosen out of a thousand that the row does not list; to make it a tool call, a tool would have to be
invented. The row's `api_call` is the reference that the benchmark compares with; the answer's own text
holds the call to be learned.

Source: https://github.com/ShishirPatil/gorilla, data/apibench and data/api.
"""

import re
from collections.abc import Mapping
from typing import Any

from tuner_tui.data.converters.errors import ConversionError, kind_of, malformed
from tuner_tui.data.examples import Example

# Where instruction and output begin, as headings and as keys.
_HEADINGS = re.compile(r"#+ ?Instruction:"), re.compile(r"\n#+ ?Output:")
_KEYS = re.compile(r"\{ ?['\"]Instruction['\"]:"), re.compile(r", ?['\"]Output['\"]:")
_QUOTES = ("'", '"')


def from_apibench(value: Mapping[str, Any]) -> Example:
    """One instruction and its answer.

    Raises:
        ConversionError: it is a row of an API list (…_api.jsonl), or `code` is cut off or written otherwise.
    """
    if "code" not in value:
        raise ConversionError(
            "no_answer",
            "api_name",
            "a row of a list of APIs: it describes one, and asks and answers nothing; the instructions are "
            "in the files …_train.json and …_eval.json",
        )
    code = value["code"]
    if not isinstance(code, str):
        raise malformed("code", f"{kind_of(code)} where text should be")
    asked, said = _parts(code)
    if not asked or not said:
        raise ConversionError("no_answer", "code", "it has no part that begins with Output:")
    messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
    return {"messages": messages, "tools": []}


def _parts(code: str) -> tuple[str, str]:
    """The instruction and the output; an empty one where there is none."""
    code = code.strip()
    for way in (_HEADINGS, _KEYS):
        begin = way[0].match(code)
        middle = way[1].search(code, begin.end()) if begin else None
        if begin and middle:
            asked, said = code[begin.end() : middle.start()].strip(), code[middle.end() :].strip()
            return (asked, said) if way is _HEADINGS else (_unquoted(asked), _of_dict(said))
    return "", ""


def _of_dict(said: str) -> str:
    """The output, without the brace that closes the dict around it."""
    said = _unquoted(said.removesuffix("}"))
    if said.startswith("{") and not said.endswith("}"):
        raise malformed("code", "the text is cut off: the brace of the output is not closed")
    return said


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] in _QUOTES and text[0] == text[-1]:
        return text[1:-1]
    return text
