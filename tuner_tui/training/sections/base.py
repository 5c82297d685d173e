"""What every section of a TrainConfig is made of.

Each field carries a title, a description (what it does) and, in `json_schema_extra`, what happens
when it is too `low` or too `high`, and its `unit`.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def explained(
    default: Any = ...,
    *,
    title: str,
    description: str,
    low: str = "",
    high: str = "",
    unit: str = "",
    **limits: Any,
) -> Any:
    """A pydantic field whose explanation the form and the YAML show."""
    extra: dict[str, Any] = {
        key: text for key, text in (("low", low), ("high", high), ("unit", unit)) if text
    }
    return Field(default, title=title, description=description, json_schema_extra=extra or None, **limits)


class Section(BaseModel):
    """Strict: an unknown field is a mistake to be told, a number must be finite."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, validate_assignment=True)
