"""Messages as typed structs: what the inspection decodes rows to, and what is hashed of an example.

A decoder of these refuses a field or a type that is not named here, and then the row goes the thorough way.
Encoded, fields that say nothing are left out.
"""

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw, Struct

_PLAIN = re.compile(r"[A-Za-z0-9_.\-]+")
Said = Annotated[str, Meta(min_length=1)]


class Function(Struct, forbid_unknown_fields=True, gc=False):
    """What a call names. `arguments` is JSON text, or whatever has taken its place."""

    name: str
    arguments: str


class Call(Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A tool call as OpenAI writes it: the arguments are JSON text inside a JSON string."""

    function: Function
    id: str | None = None
    type: Literal["function"] | None = None


class OpenFunction(Struct, forbid_unknown_fields=True, gc=False):
    """What a call names, with its arguments as an object."""

    name: str
    arguments: Raw


class OpenCall(Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A tool call of the canonical layout."""

    function: OpenFunction
    id: str | None = None
    type: Literal["function"] | None = None


class System(
    Struct, tag_field="role", tag="system", forbid_unknown_fields=True, omit_defaults=True, gc=False
):
    """A system message."""

    content: Said


class User(Struct, tag_field="role", tag="user", forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A user message."""

    content: Said


class Result(Struct, tag_field="role", tag="tool", forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """The result of a call."""

    content: str
    tool_call_id: str | None = None
    name: str | None = None


class Assistant(
    Struct, tag_field="role", tag="assistant", forbid_unknown_fields=True, omit_defaults=True, gc=False
):
    """An assistant message; its calls have their arguments as text."""

    content: str | None = None
    tool_calls: list[Call] | None = None
    reasoning_content: str | None = None
    refusal: None = None
    weight: Literal[0, 1] | None = None


class OpenAssistant(
    Struct, tag_field="role", tag="assistant", forbid_unknown_fields=True, omit_defaults=True, gc=False
):
    """An assistant message; its calls have their arguments as objects."""

    content: str | None = None
    tool_calls: list[OpenCall] | None = None
    reasoning_content: str | None = None
    refusal: None = None
    weight: Literal[0, 1] | None = None


def row_decoder(*, text_arguments: bool, extra_keys: tuple[str, ...] = ()) -> msgspec.json.Decoder[Any]:
    """A decoder of whole rows: `messages`, and `tools` as a list of raw JSON, as JSON text, or None.

    `extra_keys` are further keys of a row, at which a conversion does not look; those that msgspec cannot
    have for a field are left out.
    """
    assistant = Assistant if text_arguments else OpenAssistant
    fields: list[Any] = [
        ("messages", list[System | User | assistant | Result]),  # type: ignore[valid-type]
        ("tools", list[Raw] | str | None, None),
        ("parallel_tool_calls", bool | None, None),
    ]
    extra = {f"extra_{number}": key for number, key in enumerate(extra_keys) if _PLAIN.fullmatch(key)}
    fields += [(name, Any, None) for name in extra]
    row = msgspec.defstruct("Row", fields, rename=extra, forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(row)
