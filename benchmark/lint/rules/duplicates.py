"""Rows that stand twice."""

from collections import defaultdict
from collections.abc import Iterator

from ..finding import Finding, finding
from ..table import Options, Row, Table
from . import RULES

FEWEST, DIGITS = 4, 3
"""So many numbers of so many digits that are all the same are no accident."""


@RULES.add
def repeated_row(table: Table, options: Options) -> Iterator[Finding]:
    """Two rows of one name: the same row twice, or one name with two results.

    The name is all that stands in columns that hold no quantity, with the heading above.
    """
    named: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in table.rows:
        if any(row.key):
            named[
                (row.section, *(text.casefold() for text in row.key), *([] if row.section else [str(row.block)]))
            ].append(row)
    for rows in named.values():
        for row in rows[1:]:
            same = _numbers(table, row) == _numbers(table, rows[0])
            what = "stands twice" if same else "has other numbers there"
            column = table.columns[0] if table.columns else None
            if column:
                yield finding(table, row, column, f"the row of line {rows[0].line} {what}", severity="doubtful")


@RULES.add
def same_numbers(table: Table, options: Options) -> Iterator[Finding]:
    """Two rows of different names with the same numbers throughout, at least four of three digits: copied?"""
    seen: dict[tuple[str, ...], Row] = {}
    for row in table.rows:
        numbers = _numbers(table, row)
        fine = [text for text in numbers if sum(map(str.isdigit, text.lstrip("0."))) >= DIGITS]
        if len(set(fine)) < FEWEST:
            continue
        first = seen.setdefault(numbers, row)
        if first is not row and (first.key, first.section) != (row.key, row.section):
            reason = f"every number is that of {first.label} in line {first.line}"
            yield finding(table, row, table.columns[0], reason, severity="doubtful")


def _numbers(table: Table, row: Row) -> tuple[str, ...]:
    return tuple(table.cell(row, column).text for column in table.columns)
