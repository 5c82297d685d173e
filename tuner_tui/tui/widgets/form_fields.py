"""The fields of a pydantic model as a form sees them: kind, help, what is typed, what is wrong. No widgets.

What stands in a field ("raw") is kept as it was typed: text for numbers and names, the value itself for
choices, a list of texts for lists of paths. pydantic makes a config of it, or says what is wrong.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

if TYPE_CHECKING:
    # pydantic takes a third of a second to import: only after the screen has been painted.
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

Raw = str | bool | int | float | None | list[str]

_NAME = re.compile(r"[a-z_]+(?:\.[a-z_]+)?")  # of a field, or the path of one


class Kind(Enum):
    """How a field is edited."""

    NUMBER = auto()
    TEXT = auto()
    CHOICE = auto()
    PATH = auto()
    PATHS = auto()


@dataclass(frozen=True, slots=True)
class FormField:
    """One setting: `path` is its place in the model, such as "lora.r"; what is `listed` can be chosen from a
    list as well as typed."""

    path: str
    title: str
    help: str
    low: str
    high: str
    unit: str
    kind: Kind
    optional: bool
    choices: tuple[tuple[str, Raw], ...]
    advanced: bool
    listed: bool = False


@dataclass(frozen=True, slots=True)
class FormSection:
    """The fields of one nested model; the fields of the outermost model come first, without a title."""

    title: str
    fields: tuple[FormField, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of the raw values: the model, if any, and the faults by field path ("": of the whole)."""

    model: "BaseModel | None"
    errors: dict[str, str]


def form_sections(
    model: "type[BaseModel]", basic: Collection[str], listed: Collection[str] = ()
) -> list[FormSection]:
    """The sections of a form over `model` (one level of nesting).

    Fields that are not in `basic` are advanced; those in `listed` can be chosen from a list.
    """
    from pydantic import BaseModel

    own: list[FormField] = []
    sections: list[FormSection] = []
    for name, info in model.model_fields.items():
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            fields = tuple(
                _form_field(f"{name}.{key}", each, basic, listed) for key, each in inner.model_fields.items()
            )
            sections.append(FormSection(info.title or name, fields))
        else:
            own.append(_form_field(name, info, basic, listed))
    return [FormSection("", tuple(own)), *sections]


def raw_values(model: "BaseModel", fields: Sequence[FormField]) -> dict[str, Raw]:
    """What the form shows for each field of `model`."""
    found: dict[str, Raw] = {}
    for field in fields:
        value: Any = model
        for part in field.path.split("."):
            value = getattr(value, part)
        found[field.path] = _to_raw(field, value)
    return found


def check(
    model: "type[BaseModel]",
    fields: Sequence[FormField],
    raw: Mapping[str, Raw],
    hidden: Callable[[str], bool] = lambda path: False,
) -> Checked:
    """Make `model` of what was typed; files that do not exist are faults of their fields.

    What is wrong in a field that is `hidden` (told by its path) is no fault: its default stands in.
    """
    from pydantic import ValidationError

    errors = _missing_files([each for each in fields if not hidden(each.path)], raw)
    try:
        return Checked(model.model_validate(_values(fields, raw)), errors)
    except ValidationError as error:
        faults = error.errors(include_url=False)
    unseen = {
        field.path for item in faults if (field := _field_at(fields, item["loc"])) and hidden(field.path)
    }
    if unseen:
        return check(model, [each for each in fields if each.path not in unseen], raw, hidden)
    for item in faults:
        _place_fault(errors, fields, item["loc"], _sentence(item["type"], item["msg"]))
    return Checked(None, errors)


def _values(fields: Sequence[FormField], raw: Mapping[str, Raw]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in fields:
        place = values
        *sections, key = field.path.split(".")
        for section in sections:
            place = place.setdefault(section, {})
        place[key] = _from_raw(field, raw[field.path])
    return values


def shown(field: FormField, raw: Raw) -> str:
    """The raw value as one line of text; "" for nothing."""
    if field.kind is Kind.CHOICE:
        return next((label for label, value in field.choices if value == raw), str(raw))
    if isinstance(raw, list):
        return ", ".join(raw)
    return "" if raw is None else str(raw)


def _form_field(path: str, info: "FieldInfo", basic: Collection[str], listed: Collection[str]) -> FormField:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    kind, optional, choices = _kind(info.annotation)
    return FormField(
        path=path,
        title=info.title or path,
        help=info.description or "",
        low=str(extra.get("low", "")),
        high=str(extra.get("high", "")),
        unit=str(extra.get("unit", "")),
        kind=kind,
        optional=optional,
        choices=choices,
        advanced=path not in basic,
        listed=path in listed,
    )


def _kind(annotation: Any) -> tuple[Kind, bool, tuple[tuple[str, Raw], ...]]:
    optional = False
    if get_origin(annotation) in (Union, UnionType):
        inner = [each for each in get_args(annotation) if each is not type(None)]
        optional = len(inner) < len(get_args(annotation))
        if len(inner) != 1:
            raise TypeError(f"a form has no field for {annotation}")
        annotation = inner[0]
    if annotation is bool:
        return Kind.CHOICE, optional, (("on", True), ("off", False))
    if get_origin(annotation) is Literal:
        choices: tuple[tuple[str, Raw], ...] = tuple((str(v), v) for v in get_args(annotation))
        return Kind.CHOICE, optional, (*choices, ("none", None)) if optional else choices
    if annotation in (int, float):
        return Kind.NUMBER, optional, ()
    if annotation is str:
        return Kind.TEXT, optional, ()
    if annotation is Path:
        return Kind.PATH, optional, ()
    if annotation == list[Path]:
        return Kind.PATHS, optional, ()
    raise TypeError(f"a form has no field for {annotation}")


def _to_raw(field: FormField, value: Any) -> Raw:
    if field.kind is Kind.CHOICE:
        raw: Raw = value
        return raw
    if field.kind is Kind.PATHS:
        return [str(each) for each in value]
    return "" if value is None else str(value)


def _from_raw(field: FormField, raw: Raw) -> Any:
    if field.kind is Kind.CHOICE or isinstance(raw, list):
        return raw
    text = str(raw).strip()
    if not text and field.optional:
        return None
    if field.kind is Kind.PATH:
        return Path(text).expanduser()
    return text


def _missing_files(fields: Sequence[FormField], raw: Mapping[str, Raw]) -> dict[str, str]:
    errors = {}
    for field in fields:
        value = raw[field.path]
        if field.kind not in (Kind.PATH, Kind.PATHS) or not value:
            continue
        for text in value if isinstance(value, list) else [str(value)]:
            if not Path(text).expanduser().is_file():
                errors[field.path] = f"there is no file {text}"
    return errors


def _field_at(fields: Sequence[FormField], loc: tuple[int | str, ...]) -> FormField | None:
    place = ".".join(str(part) for part in loc)
    return next((each for each in fields if place == each.path or place.startswith(f"{each.path}.")), None)


def _place_fault(
    errors: dict[str, str], fields: Sequence[FormField], loc: tuple[int | str, ...], text: str
) -> None:
    if (field := _field_at(fields, loc)) is not None:
        errors[field.path] = text
        return
    # A rule over several fields: told as a whole, and beside each field that it names.
    errors[""] = text
    section = "".join(f"{part}." for part in loc)
    names = set(_NAME.findall(text))
    for field in fields:
        key = field.path.removeprefix(section)
        # Of the whole model, a bare word such as "method" need not mean a field; "reward_model" does.
        bare = field.path.rpartition(".")[2]
        sure = bool(section) or "." in key
        if field.path.startswith(section) and ((sure and key in names) or ("_" in bare and bare in names)):
            errors.setdefault(field.path, text.removeprefix(f"{field.path}: "))


def _sentence(kind: str, message: str) -> str:
    if kind in ("int_parsing", "int_from_float", "int_type"):
        return "must be a whole number"
    if kind in ("float_parsing", "float_type"):
        return "must be a number, such as 0.1 or 2e-4"
    if kind in ("string_too_short", "too_short", "missing"):
        return "must not be empty"
    text = message.removeprefix("Value error, ").replace("Input should be", "must be")
    return text[:1].lower() + text[1:]
