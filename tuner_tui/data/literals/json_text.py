"""JSON without loss: orjson reads an integer beyond 64 bits as the nearest float, and writes none.

Such an integer stays exact here, so that whoever cannot keep it refuses it and never trains another number.
"""

import json
from typing import Any

import orjson

# 2^63 has 19 digits: no shorter number can be too large. A constant text is found far quicker than a pattern.
_DIGITS = bytes(ord("0") if chr(byte) in "0123456789" else 0 for byte in range(256))
_LONG_RUN = b"0" * 19
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1


def load_json(text: str | bytes) -> Any:
    """The value of a JSON text, with integers of any length.

    Raises:
        orjson.JSONDecodeError: it is no JSON, or is nested too deeply.
    """
    value = orjson.loads(text)
    data = text.encode() if isinstance(text, str) else text
    if _LONG_RUN not in data.translate(_DIGITS):
        return value
    too_large = False

    def integer(digits: str) -> int:
        nonlocal too_large
        number = int(digits)
        too_large = too_large or not _LOWEST <= number <= _HIGHEST
        return number

    try:
        exact = json.loads(data, parse_int=integer)
    except RecursionError:  # orjson reads a little deeper than Python
        raise orjson.JSONDecodeError("nested too deeply", data.decode(), 0) from None
    return exact if too_large else value


def dump_json(value: Any) -> bytes:
    """The JSON text of a value that `load_json` gave.

    Raises:
        orjson.JSONEncodeError, RecursionError: it is nested too deeply, or no JSON at all.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        if not exceeds_64_bits(error):
            raise
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def exceeds_64_bits(error: orjson.JSONEncodeError) -> bool:
    """Whether orjson could not write a value because an integer in it has more than 64 bits."""
    return "64-bit" in str(error)
