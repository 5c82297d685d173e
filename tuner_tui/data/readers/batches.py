"""Record batches of Arrow that can be relied on: looked at before they are used, and of a bounded size."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyarrow import RecordBatch

BATCH_BYTES = 4 << 20
"""Of a batch whose rows are made values of Python."""


def sound_batches(
    batches: Iterator["RecordBatch"], target: int = BATCH_BYTES
) -> Iterator["RecordBatch | str"]:
    """The batches, the large ones in slices of about `target` bytes; in place of a row that cannot be read,
    and after the last batch that can be, the reason.

    As Python values, rows need many times their memory. Arrow itself believes its files: a length that is
    wrong in a damaged one would end the process, so all are looked at.
    """
    import pyarrow

    try:
        for batch in batches:
            batch.validate()
            rows = max(1, min(batch.num_rows, target * batch.num_rows // (batch.nbytes or 1)))
            for start in range(0, batch.num_rows, rows):
                yield from _valid_parts(batch.slice(start, rows))
    except (pyarrow.ArrowException, OSError, ValueError, MemoryError) as error:
        yield f"the file is damaged or cut off here ({first_line(error)})"


def _valid_parts(batch: "RecordBatch") -> Iterator["RecordBatch | str"]:
    import pyarrow

    try:
        batch.validate(full=True)
    except pyarrow.ArrowInvalid as error:
        if batch.num_rows == 1:
            yield f"a value cannot be read ({first_line(error)})"
            return
    else:
        yield batch
        return
    for index in range(batch.num_rows):
        yield from _valid_parts(batch.slice(index, 1))


def first_line(error: BaseException) -> str:
    """The first line of what the library says, without its full stop."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
