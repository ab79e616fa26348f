"""Tables as CSV."""

import pandas as pd

from ....core.printable import csv_cell


def csv_text(table: pd.DataFrame) -> str:
    """The table as CSV without its index; no text in it is a formula to a spreadsheet (see `core.printable`)."""
    texts = {
        str(name): column.map(csv_cell) for name, column in table.items() if not pd.api.types.is_numeric_dtype(column)
    }
    return table.assign(**texts).rename(columns=csv_cell).to_csv(index=False)  # pyright: ignore[reportArgumentType]
