"""The suite of APIBench (Gorilla): does the answer name the API that was asked for?

The official figure is lenient: it takes the first API of a list whose arguments all occur in the answer's
call as text, and counts the answer as right if that API is of the same *domain* as the reference
(gorilla/eval/eval-scripts/ast_eval_{th,hf,tf}.py). Here the exact API comes first, and the domain stands
beside it. Nothing in an answer is run: it is taken apart at its brackets, quotes and commas.

Source: https://github.com/ShishirPatil/gorilla (Apache-2.0), data/apibench and data/api.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from tuner_tui.data.converters.apibench import from_apibench
from tuner_tui.data.converters.errors import ConversionError
from tuner_tui.data.literals.values import bracketed, split_top
from tuner_tui.errors import UserError
from tuner_tui.evaluation.tasks import Answer, Exchange, Item, Measure, OneTurn, Outcome

_HUB_LOAD = "torch.hub.load"
_POSITIONS = {
    _HUB_LOAD: ("repo_or_dir", "model"),
    "hub.load": ("handle",),
    "hub.KerasLayer": ("handle",),
    "from_pretrained": ("pretrained_model_name_or_path",),
    "pipeline": ("task", "model"),
}
"""Function, or its last name -> the names of its arguments by place."""
_FUNCTION = re.compile(r"\s*([A-Za-z_][\w.]*)\s*\(")
_LONGEST = 20_000
"""Characters of an answer that are looked at."""
_MOST_CALLS, _LONGEST_CALL = 50, 2_000

ERROR_TYPES = {
    "no_api": "named no API call",
    "unknown_api": "named an API that is not in the benchmark's list",
    "other_domain": "named an API of another domain",
    "other_api": "named another API of the right domain",
}
"""Error type -> what the model did, in words."""


@dataclass(frozen=True, slots=True)
class _Api:
    """One API of the list: the function, the texts that an answer's call has to contain, and its domain."""

    function: str
    needles: tuple[str, ...]
    domain: str


@dataclass(frozen=True, slots=True)
class _Row:
    reference: str
    domain: str
    provider: str


class ApiBenchTask:
    """Rows of a file `…_eval.json` or `…_train.json` of APIBench (JSON Lines).

    The list of APIs is the file `<hub>_api.jsonl` beside it or in `../api`; without one, all APIs of the
    file itself.

    Raises:
        UserError: the file cannot be read, or no row of it can be used.
    """

    name = "apibench"
    title = "APIBench"
    measures = (
        Measure("exact_api", "Exact API", "all items: the same function with the same model and source"),
        Measure(
            "domain_match", "Same domain", "all items: the official figure; any API of the domain counts"
        ),
        Measure("known_api", "Known API", "all items: an API of the list; officially, the rest is made up"),
    )
    error_types: Mapping[str, str] = ERROR_TYPES

    def __init__(self, path: Path) -> None:
        rows, self.rejected = _read(path)
        self._rows: dict[str, _Row] = {}
        items: list[Item] = []
        for number, row in rows:
            try:
                messages = from_apibench(row)["messages"][:1]
                entry = _Row(row["api_call"], row["api_data"]["domain"], str(row.get("provider")))
            except (ConversionError, KeyError, TypeError):
                self.rejected += 1
                continue
            if not isinstance(entry.reference, str) or not isinstance(entry.domain, str):
                self.rejected += 1
                continue
            self._rows[str(number)] = entry
            items.append(
                Item(
                    id=str(number),
                    row=number,
                    request=messages[0]["content"],
                    messages=[dict(message) for message in messages],
                    tools=[],
                    gold=[],
                    group=entry.reference,
                    category=entry.domain,
                )
            )
        if not items:
            raise UserError(
                f"{path}: no row of it is one of APIBench; each needs `code`, `api_call` and `api_data`."
            )
        self.items: Sequence[Item] = items
        found = _api_list(path)
        self._apis = [
            api
            for row in (
                _read(found)[0] if found else ((n, r["api_data"]) for n, r in rows if "api_data" in r)
            )
            if (api := _api(row[1])) is not None
        ]
        self.notes: Sequence[str] = [
            "“Same domain” is the official figure. It is lenient: texts that occur anywhere in the call are "
            "enough. Where an answer calls the function of no API, or not in valid Python, the official one "
            "looks at the last part of its syntax tree, and this at the whole call.",
            *([] if found else ["The list of APIs is not beside the file: its own APIs were taken for it."]),
        ]

    def begin(self, item: Item) -> Exchange:
        """One answer in words and code."""
        row = self._rows[item.id]
        return OneTurn(item, lambda answer: _outcome(row, self._apis, answer))


def _outcome(row: _Row, apis: Sequence[_Api], answer: Answer) -> Outcome:
    text = answer.text[:_LONGEST]
    exact = names_api(text, row.reference)
    api = _match(_named_call(text, required=row.provider == "PyTorch"), apis)
    same = api is not None and api.domain == row.domain
    if exact:
        error = None
    elif api is None:
        error = "unknown_api" if "(" in text else "no_api"
    else:
        error = "other_api" if same else "other_domain"
    return Outcome(
        verdict={"exact_api": exact, "domain_match": same, "known_api": api is not None},
        right=exact,
        error=error,
        text=answer.text,
    )


def _match(call: str | None, apis: Sequence[_Api]) -> _Api | None:
    """The first API of the list whose texts are all in the answer's call."""
    if call is None:
        return None
    first: dict[str, str] = {}
    for api in apis:
        if api.function not in first:
            first[api.function] = next(iter(_calls_of(call, api.function)), call)
        within = first[api.function]
        if all(needle in within for needle in api.needles):
            return api
    return None


def names_api(text: str, reference: str) -> bool:
    """Whether an answer holds a call of the reference's function with all of its texts as arguments.

    Texts are what identifies an API (the source, the model, the address); switches such as `pretrained=True`
    are left aside. Arguments by place and by name are the same.
    """
    wanted = _arguments(reference)
    if wanted is None:
        return reference.strip() in text
    function, texts = wanted
    for call in _calls_of(text, function):
        found = _arguments(call)
        if found and all(found[1].get(key) == value for key, value in texts.items()):
            return True
    return False


@cache
def _arguments(call: str) -> tuple[str, dict[str, str]] | None:
    """A call's function, and its arguments that are texts, by name or place; None for anything else."""
    taken = _taken_apart(call)
    if taken is None:
        return None
    function, pieces = taken
    places = _POSITIONS.get(function) or _POSITIONS.get(function.rpartition(".")[2], ())
    texts: dict[str, str] = {}
    for place, (key, value) in enumerate(pieces):
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            texts[key or (places[place] if place < len(places) else str(place))] = value[1:-1]
    return function, texts


def _taken_apart(call: str) -> tuple[str, list[tuple[str, str]]] | None:
    """A call's function, and each argument's name ("" by place) and source. Some calls of the benchmark are
    no valid Python (an argument by place after one by name), which this reads too."""
    begin = _FUNCTION.match(call)
    inside = bracketed(call, begin.end() - 1) if begin else None
    if begin is None or inside is None:
        return None
    pieces = []
    for piece in split_top(inside[1:-1]):
        key, is_named, value = piece.partition("=")
        if is_named and key.strip().isidentifier() and not value.startswith("="):
            pieces.append((key.strip(), value.strip()))
        elif piece.strip():
            pieces.append(("", piece.strip()))
    return begin.group(1), pieces


def _calls_of(text: str, function: str) -> list[str]:
    """Every call of a function in a text, from its name to the bracket that closes it."""
    calls: list[str] = []
    start = -1
    for _ in range(_MOST_CALLS):
        start = text.find(function + "(", start + 1)
        if start < 0:
            break
        inside = bracketed(text[start : start + _LONGEST_CALL], len(function))
        if inside is not None:
            calls.append(function + inside)
    return calls


def _named_call(text: str, required: bool) -> str | None:
    """What stands after `api_call` in an answer, as the official scripts cut it. Without it Torch Hub's takes
    none, and the others the whole answer."""
    _, mark, rest = text.partition("api_call")
    if not mark:
        return None if required else text
    output = rest.split("api_call")[0].split("api_provider")[0]
    start = output.find(":") + 2 if ":" in output else 2
    return output[start : output.rindex(")") + 1] if ")" in output else output[start:-1]


def _api(data: Any) -> _Api | None:
    """One API as the official scripts look for it; None when its call cannot be read (they pass over it)."""
    if not isinstance(data, Mapping) or not isinstance(data.get("api_call"), str):
        return None
    taken = _taken_apart(data["api_call"].strip().split(" = ", 1)[-1])
    if taken is None:
        return None
    function, pieces = taken
    needles = []
    for key, value in pieces:
        named = f"{key}={value}" if key else value
        if function == _HUB_LOAD:
            if key and ("repo_or_dir" in named or "model" in named):
                needles.append(value)
        else:
            needles.append(value if "model=" in named else named)
    found = tuple(needle.strip("'") for needle in needles)
    return _Api(function, found, str(data.get("domain"))) if found else None


def _api_list(path: Path) -> Path | None:
    name = f"{path.name.split('_')[0]}_api.jsonl"
    return next(
        (each for each in (path.parent / name, path.parent.parent / "api" / name) if each.is_file()), None
    )


def _read(path: Path) -> tuple[list[tuple[int, dict[str, Any]]], int]:
    """Numbered rows, and how many lines are no JSON objects."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}.") from error
    rows: list[tuple[int, dict[str, Any]]] = []
    bad = 0
    for number, line in enumerate(lines, start=1):
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            value = None
        if isinstance(value, dict):
            rows.append((number, value))
        else:
            bad += bool(line.strip())
    return rows, bad
