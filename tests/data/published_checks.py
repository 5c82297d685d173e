"""What the tests of published benchmarks' layouts share: rows refused, errors found, instructions cut out."""

from collections.abc import Mapping
from typing import Any

import pytest

from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.examples import Example
from tuner_tui.data.layouts.companions import Companion
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.layouts.reshape import reshaper
from tuner_tui.data.readers import Row
from tuner_tui.data.rules import RULES, Severity
from tuner_tui.data.validators import validate

Value = Mapping[str, Any]


def instructions(api: dict[str, Any]) -> list[dict[str, Any]]:
    reshape = reshaper(api)
    assert reshape is not None
    return [row.value for row in reshape(iter([Row(1, api, None)])) if row.value is not None]


def refused(value: Value, format: Format, companion: Companion | None = None) -> ConversionError:
    """The error of a row that cannot be converted; its rule is one that is explained."""
    with pytest.raises(ConversionError) as caught:
        convert(value, format, companion)
    assert caught.value.rule in RULES
    return caught.value


def rules(example: Example) -> list[str]:
    """The rules of which a converted row has errors."""
    return [found.rule for found in validate(example, 1) if found.severity is Severity.ERROR]
