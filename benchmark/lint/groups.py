"""Which rows of a table compete: marks of the best are right or wrong among these."""

from collections.abc import Iterator, Sequence

from .table import Column, Row, Table


def around(table: Table, row: Row, column: Column, marks: Sequence[Row]) -> list[list[Row]]:
    """The sets of rows with a number, this one among them, that its mark may be about.

    The whole table, its block, and those of both that agree with it in one of the columns that name rows; those of
    which all rows are marked say nothing and are left out. marks: the marked rows of the column.
    """
    numbered = [other for other in table.rows if table.cell(other, column).number]
    block = [other for other in numbered if (other.block, other.section) == (row.block, row.section)]
    sets = [numbered, block]
    for place, text in enumerate(row.key):
        if text:
            sets += [[other for other in rows if other.key[place : place + 1] == (text,)] for rows in (numbered, block)]
    found, seen = [], set()
    for rows in sets:
        names = frozenset(map(id, rows))
        if names - set(map(id, marks)) and names not in seen:
            seen.add(names)
            found.append(rows)
    return found


def marked(table: Table, column: Column, mark: str) -> list[Row]:
    """The rows whose number in the column is bold, or underlined; rows that are so throughout are left out."""
    return [
        row
        for row in table.rows
        if table.cell(row, column).number
        and getattr(table.cell(row, column), mark)
        and not _throughout(table, row, mark)
    ]


def _throughout(table: Table, row: Row, mark: str) -> bool:
    shown = [cell for cell in row.cells if not cell.empty]
    return len(table.columns) > 1 and len(shown) > len(table.columns) and all(getattr(cell, mark) for cell in shown)


def best_and_second(table: Table, column: Column) -> Iterator[tuple[Row, Row]]:
    """Each sole bold best of a column with the second, in the largest set of rows in which it is the best."""
    sign = 1 if column.better == "higher" else -1

    def value(row: Row) -> float:
        return sign * table.cell(row, column).number.value * table.cell(row, column).factor

    bold = marked(table, column, "bold")
    for row in bold:
        for group in sorted(around(table, row, column, bold), key=len, reverse=True):
            others = [other for other in group if other is not row]
            if all(value(other) < value(row) for other in others):
                if not any(table.cell(other, column).bold for other in others):
                    yield row, max(others, key=value)
                break
