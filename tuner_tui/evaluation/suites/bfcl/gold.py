"""BFCL's answers as calls: the first alternative of each argument, written as a model has to write it.

In the Java and JavaScript categories every argument is text in that language's own notation, which the
official checker reads (bfcl_eval/eval_checker/ast_eval/type_convertor).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tuner_tui.data.converters.bfcl_answers import chosen
from tuner_tui.data.examples import Call
from tuner_tui.evaluation.suites.bfcl.tools import tool_name


def gold_calls(
    answer: Sequence[Mapping[str, Any]],
    functions: Sequence[Mapping[str, Any]],
    category: str,
    dotted: bool = False,
) -> list[Call]:
    """The calls of one answer; `functions` are its descriptions as they stand in the file, and `dotted` says
    whether their names are shown like that too."""
    calls = []
    for one in answer:
        call = chosen(_passable(one), "ground_truth", functions)["function"]
        arguments = _declared(call, next(iter(one.values())), functions)
        if category in ("simple_java", "simple_javascript"):
            write = _java if category == "simple_java" else _javascript
            declared = functions[0]["parameters"]["properties"]
            arguments = {name: write(value, declared[name]) for name, value in arguments.items()}
        calls.append(Call(call["name"] if dotted else tool_name(call["name"]), arguments))
    return calls


def _passable(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Without the entries of an object that stand there as bare text (simple_java_64): the official checker
    takes the text for its list of alternatives, so that only an object without the entry is right."""
    [(name, arguments)] = answer.items()
    return {
        name: {
            key: [
                {k: v for k, v in one.items() if not isinstance(v, str)} if isinstance(one, dict) else one
                for one in alternatives
            ]
            for key, alternatives in arguments.items()
        }
    }


def _declared(
    call: Mapping[str, Any], alternatives: Mapping[str, Any], functions: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The arguments, without those that may be left out and that no description declares."""
    declared: Mapping[str, Any] = next(
        (each["parameters"]["properties"] for each in functions if each["name"] == call["name"]), {}
    )
    arguments: Mapping[str, Any] = call["arguments"]
    return {
        name: value
        for name, value in arguments.items()
        if name in declared or "" not in alternatives.get(name, [])
    }


def _java(value: Any, schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    items = {"type": schema.get("items", {}).get("type")}
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        if kind == "ArrayList":
            inner = (_quoted(one) if isinstance(one, str) else _java(one, items) for one in value)
            return f"new ArrayList<>(Arrays.asList({', '.join(inner)}))"
        # The official reader keeps the quotes of an array's texts, so that only bare ones are right.
        inner = (_java(one, items) for one in value)
        return f"new {'int' if items['type'] == 'integer' else 'String'}[]{{{', '.join(inner)}}}"
    if isinstance(value, dict):
        puts = " ".join(f"put({_quoted(key)}, {_inner_java(one)});" for key, one in value.items())
        return f"new HashMap<String, Object>() {{{{ {puts} }}}}"
    return f"{value}{ {'long': 'L', 'float': 'f'}.get(str(kind), '') if not isinstance(value, str) else '' }"


def _inner_java(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) else _java(value, {})


def _javascript(value: Any, schema: Mapping[str, Any]) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        inner = schema.get("items", {})
        return f"[{', '.join(_quoted(x) if isinstance(x, str) else _javascript(x, inner) for x in value)}]"
    if isinstance(value, dict):
        pairs = (f"{key}: {_inner_javascript(one)}" for key, one in value.items())
        return f"{{{', '.join(pairs)}}}"
    if schema.get("type") == "Bigint":
        return f"{value}n"
    return str(value)


def _inner_javascript(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) else _javascript(value, {})


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
