"""Arrow columns as the values that the same rows would have in JSON.

A struct drops its fields that are null: Arrow gives every struct of a column the fields of all the others,
and fills what a row has not with null. Which null was there before cannot be told. Columns are kept.
"""

import base64
import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tuner_tui.data.readers.rows import Row

if TYPE_CHECKING:
    from pyarrow import Array, DataType, RecordBatch, Schema


def batch_rows(batch: "RecordBatch", number: int = 1) -> Iterator[Row]:
    """The rows of a sound batch (`RecordBatch.validate(full=True)`), numbered from `number`."""
    names = batch.schema.names
    columns = [_values(batch.column(index)) for index in range(len(names))]
    rows = zip(*columns, strict=True) if columns else iter([()] * batch.num_rows)
    for place, row in enumerate(rows, start=number):
        yield Row(place, dict(zip(names, row, strict=True)), None)


def has_structs(schema: "Schema") -> bool:
    """Whether some column holds structs, whose fields Arrow may have filled with nulls."""
    return any(_any_type(field.type, _is_struct) for field in schema)


def check_names(schema: "Schema") -> None:
    """Raises UnicodeDecodeError when the name of some field, at any depth, is not UTF-8."""
    _ = schema.names
    for field in schema:
        _any_type(field.type, _has_bad_name)


def _values(array: "Array") -> list[Any]:
    """The values of a column, null as None."""
    import pyarrow
    from pyarrow import types

    kind = array.type
    if isinstance(kind, pyarrow.BaseExtensionType):
        return _values(array.storage)
    if types.is_dictionary(kind):
        return _values(array.dictionary_decode())
    if types.is_run_end_encoded(kind):
        return _values(pyarrow.compute.run_end_decode(array))
    if types.is_struct(kind):
        return _structs(array)
    if types.is_map(kind):
        return _maps(array)
    if types.is_list_view(kind) or types.is_large_list_view(kind):
        return _views(array)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _lists(array)
    if types.is_temporal(kind):
        return _times(array)
    if types.is_decimal(kind):
        return _mapped(array.to_pylist(), _number)
    if types.is_floating(kind):
        return [None if value is None or not math.isfinite(value) else value for value in array.to_pylist()]
    if types.is_string(kind) or types.is_large_string(kind) or types.is_integer(kind):
        return list(array.to_pylist())
    return _mapped(array.to_pylist(), _plain)


def _structs(array: "Array") -> list[dict[str, Any] | None]:
    from pyarrow import compute

    rows: list[dict[str, Any]] = [{} for _ in range(len(array))]
    for index in range(array.type.num_fields):
        name, child = array.type.field(index).name, array.field(index)
        if child.null_count == len(child):
            continue
        places: Any = range(len(child))
        if child.null_count:  # of thousands of fields, a row has a few
            found = compute.indices_nonzero(child.is_valid())
            places, child = found.to_pylist(), child.take(found)
        for place, value in zip(places, _values(child), strict=True):
            if value is not None:
                rows[place][name] = value
    return _with_nulls(array, rows)


def _lists(array: "Array") -> list[list[Any] | None]:
    import pyarrow

    if pyarrow.types.is_fixed_size_list(array.type):
        size = array.type.list_size
        offsets = range(array.offset * size, (array.offset + len(array)) * size + 1, size or 1)
        bounds = list(offsets) if size else [0] * (len(array) + 1)
    else:
        bounds = array.offsets.to_pylist()
    first, last = bounds[0], bounds[-1]
    inner = _values(array.values.slice(first, last - first))
    return _with_nulls(array, [inner[begin - first : end - first] for begin, end in pairwise(bounds)])


def _views(array: "Array") -> list[list[Any] | None]:
    inner = _values(array.values)
    places = zip(array.offsets.to_pylist(), array.sizes.to_pylist(), strict=True)
    return _with_nulls(array, [inner[start : start + size] for start, size in places])


def _maps(array: "Array") -> list[dict[str, Any] | None]:
    bounds = array.offsets.to_pylist()
    first, last = bounds[0], bounds[-1]
    keys = _values(array.keys.slice(first, last - first))
    items = _values(array.items.slice(first, last - first))
    rows: list[dict[str, Any] | None] = []
    for begin, end in pairwise(bounds):
        pairs = zip(keys[begin - first : end - first], items[begin - first : end - first], strict=True)
        rows.append({str(key): value for key, value in pairs})
    return _with_nulls(array, rows)


def _times(array: "Array") -> list[Any]:
    """Dates and times as ISO 8601 with a space, in UTC (Z) where there is a zone; durations as a number."""
    import pyarrow
    from pyarrow import types

    kind = array.type
    if types.is_interval(kind):
        return _mapped(array.to_pylist(), str)
    if types.is_duration(kind):
        return list(array.cast(pyarrow.int64()).to_pylist())
    zoned = types.is_timestamp(kind) and kind.tz is not None
    plain = array.cast(pyarrow.timestamp(kind.unit)) if zoned else array
    try:
        texts = plain.cast(pyarrow.string()).to_pylist()
    except pyarrow.ArrowInvalid:  # a year that no calendar has
        return list(array.cast(pyarrow.int64()).to_pylist())
    return _mapped(texts, lambda text: f"{text}Z") if zoned else list(texts)


def _number(value: Decimal) -> int | float:
    """A whole number where the column has no decimal places and JSON readers can hold it."""
    places = value.as_tuple().exponent
    return int(value) if isinstance(places, int) and places >= 0 and abs(value) < 2**63 else float(value)


def _plain(value: Any) -> Any:
    """Bytes as text, in base64 when they are none; all else as it is."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


def _mapped(values: list[Any], function: Callable[[Any], Any]) -> list[Any]:
    return [None if value is None else function(value) for value in values]


def _with_nulls(array: "Array", values: list[Any]) -> list[Any]:
    if not array.null_count:
        return values
    return [
        value if valid else None for value, valid in zip(values, array.is_valid().to_pylist(), strict=True)
    ]


def _is_struct(kind: "DataType") -> bool:
    from pyarrow import types

    return bool(types.is_struct(kind))


def _has_bad_name(kind: "DataType") -> bool:
    for index in range(kind.num_fields):
        _ = kind.field(index).name
    return False


def _any_type(kind: "DataType", test: Callable[["DataType"], bool]) -> bool:
    storage = getattr(kind, "storage_type", kind)
    if test(storage):
        return True
    return any(_any_type(storage.field(index).type, test) for index in range(storage.num_fields))
