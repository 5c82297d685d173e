"""JSON files of general items -> items that are checked and ready to run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tuner_tui.errors import UserError
from tuner_tui.evaluation.suites.environments import ENVIRONMENTS
from tuner_tui.evaluation.suites.general.checks import fault
from tuner_tui.evaluation.tasks import Item

Kind = Literal["texts", "instructions", "choices", "chat"]
KINDS: Sequence[Kind] = ("instructions", "choices", "chat", "texts")
_PACKAGED = Path(__file__).parent / "items"
_PASSAGE = 2_000
"""Bytes of one passage of a text file, about: passages are compared in pairs, so that many tell more."""


@dataclass(frozen=True, slots=True)
class GeneralItem:
    """One item; `text`, `options` and `answer`, or `checks` are filled as its kind needs."""

    item: Item
    kind: Kind
    text: str = ""
    options: Sequence[str] = ()
    answer: int = 0
    checks: Sequence[Mapping[str, Any]] = ()


def packaged_items() -> list[GeneralItem]:
    """Those that come with the package, in the order of KINDS."""
    found: list[GeneralItem] = []
    for kind in KINDS:
        found += read_items(_PACKAGED / f"{kind}.json", len(found) + 1)
    return found


def read_items(path: Path, first_row: int = 1) -> list[GeneralItem]:
    """All items of a file: JSON with some of the keys of KINDS, or plain text (.txt, .md), which is cut into
    passages at empty lines.

    Raises:
        UserError: it cannot be read or an item is not sound; the sentence names file, item and field.
    """
    try:
        content = path.read_text("utf-8")
        document = _passages(path, content) if path.suffix in (".txt", ".md") else json.loads(content)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: is neither JSON nor a text in UTF-8 ({error}).") from None
    if not isinstance(document, dict) or not document or document.keys() - set(KINDS):
        raise UserError(f"{path}: must be an object with some of the keys {', '.join(KINDS)}.")
    found: list[GeneralItem] = []
    for kind in KINDS:
        listed = document.get(kind, [])
        if not isinstance(listed, list):
            raise UserError(f"{path}: {kind}: must be a list.")
        for index, each in enumerate(listed):
            try:
                found.append(_item(kind, each, first_row + len(found), f"{kind}-{index + 1}"))
            except ValueError as error:
                raise UserError(f"{path}: {kind}, item {index + 1}, {error}.") from None
    if not found:
        raise UserError(f"{path}: has no items.")
    ids = [each.item.id for each in found]
    if twice := next((id for id in ids if ids.count(id) > 1), None):
        raise UserError(f'{path}: the id "{twice}" occurs twice.')
    return found


def _item(kind: Kind, each: Any, row: int, default_id: str) -> GeneralItem:
    if not isinstance(each, dict):
        raise ValueError("the item: must be an object")
    id = _text(each, "id") if "id" in each else default_id
    if kind == "texts":
        text = _text(each, "text")
        # Without a category: a text is not right or wrong.
        return GeneralItem(Item(id, row, text[:200], [], [], []), kind, text=text)
    request = _text(each, "question" if kind == "choices" else "request")
    tools: list[dict[str, Any]] = []
    if "tools" in each:
        if kind != "chat" or each["tools"] not in ENVIRONMENTS:
            raise ValueError("tools: only in chat, the name of one of " + ", ".join(ENVIRONMENTS))
        tools = ENVIRONMENTS[each["tools"]].declarations()
    item = Item(id, row, request, [{"role": "user", "content": request}], tools, [], category=kind)
    if kind == "chat":
        return GeneralItem(item, kind)
    if kind == "instructions":
        checks = each.get("checks")
        if not isinstance(checks, list) or not checks:
            raise ValueError("checks: must be a list with a check at least")
        for check in checks:
            if words := fault(check):
                raise ValueError(f"checks: {words}")
        return GeneralItem(item, kind, checks=checks)
    options, answer = each.get("options"), each.get("answer")
    if (
        not isinstance(options, list)
        or len(options) < 2
        or not all(isinstance(o, str) and o for o in options)
    ):
        raise ValueError("options: must be a list of two texts at least")
    if not isinstance(answer, int) or isinstance(answer, bool) or not 0 <= answer < len(options):
        raise ValueError("answer: must be the place of the right option, counted from 0")
    return GeneralItem(item, kind, options=options, answer=answer)


def _text(each: Mapping[str, Any], name: str) -> str:
    value = each.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name}: must be a text that is not empty")
    return value


def _passages(path: Path, content: str) -> dict[str, Any]:
    """Whole paragraphs, gathered to passages of some length."""
    passages: list[str] = []
    for paragraph in content.split("\n\n"):
        if passages and len(passages[-1].encode()) + len(paragraph.encode()) <= _PASSAGE:
            passages[-1] += "\n\n" + paragraph
        elif paragraph.strip():
            passages.append(paragraph)
    return {"texts": [{"id": f"{path.stem}-{n + 1}", "text": text} for n, text in enumerate(passages)]}
