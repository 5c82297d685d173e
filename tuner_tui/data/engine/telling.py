"""Results that plainly report no error, told without parsing what they hold."""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from tuner_tui.data.stats import TELLING_KEYS, reports_error

# Of an object only the telling keys are kept, and these as they stand: the rest is passed over.
_Told = msgspec.defstruct(
    "Told",
    [(f"f{index}", Raw | UnsetType, UNSET) for index in range(len(TELLING_KEYS))],
    rename={f"f{index}": key for index, key in enumerate(sorted(TELLING_KEYS))},
    gc=False,
)
_decode = msgspec.json.Decoder(_Told).decode
_NOTHING: Any = _Told()


def may_report_error(result: str) -> bool:
    """As `stats.reports_error`, which it asks unless the text is an object without any key that tells."""
    if result[:1] == "{":
        try:
            if _decode(result) == _NOTHING:
                return False
        except msgspec.MsgspecError:
            pass
    return reports_error(result)
