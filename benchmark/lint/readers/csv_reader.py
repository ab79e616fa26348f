"""CSV and TSV."""

import csv
import io

from ..grid import GridRow, Printed, PrintedTable, sectioned

DELIMITERS = ",;\t|"


def read_csv(text: str, title: str) -> list[PrintedTable]:
    """The one table of the text: its first row is the header. The delimiter is the one that the header has most of."""
    head = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    rows: list[list[Printed]] = []
    first = 1
    for values in reader:
        if any(value.strip() for value in values):
            rows.append([Printed(value.strip(), first) for value in values])
        first = reader.line_num + 1
    if len(rows) < 2 or len(rows[0]) < 2:
        return []
    body = sectioned([GridRow(cells) for cells in rows[1:]], len(rows[0]))
    return [PrintedTable(rows[0][0].line, title, rows[:1], body)]
