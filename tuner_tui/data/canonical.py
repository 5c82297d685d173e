"""From the rows of any dataset to canonical examples."""

from collections.abc import Callable
from pathlib import Path

from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.examples import Example
from tuner_tui.data.layouts.companions import load_companion
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.readers import Row
from tuner_tui.data.sources import open_source


def row_converter(path: Path, format: Format | None = None) -> Callable[[Row], Example]:
    """What converts a row of this dataset: its layout is told from its first rows when none is given. A row
    that cannot be converted raises ConversionError.

    Raises:
        UserError: the dataset or the file that goes with it cannot be read, or its layout is not known.
    """
    layout = open_source(path, format=format).format
    companion = load_companion(path, layout)

    def to_example(row: Row) -> Example:
        if row.value is None:
            raise ConversionError(row.rule or "not_json", None, row.error or "")
        return convert(row.value, layout, companion)

    return to_example
