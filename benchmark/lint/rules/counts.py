"""Percentages that no whole number of cases gives."""

import math
from collections.abc import Iterator

from ..cell import Cell, Number
from ..finding import Finding, finding
from ..meanings import Meaning
from ..table import Column, Options, Row, Table, scaled
from . import RULES


@RULES.add
def grim(table: Table, options: Options) -> Iterator[Finding]:
    """A share of n cases is k / n for a whole k: one that rounds from no k is impossible (GRIM).

    Brown and Heathers 2017, doi:10.1177/1948550616673876. Only for columns of shares of cases (detection rate, success
    rate, or `--column "Sensitivity=rate"`), never for means of scores, which may be any number; n is the column of
    cases or `--n`. A mean over seeds or folds (with ±, or beside a column of seeds) is left out.
    """
    repeated = any("seed" in header.casefold() or "fold" in header.casefold() for header in table.headers)
    for column in table.of("rate"):
        for row in table.rows:
            cell = table.cell(row, column)
            cases = None if repeated else table.cases(row, options)
            if cell.number and cell.count is None and not cell.spread and cases:
                yield from _no_count(table, row, column, cell, cases)


@RULES.add
def count_and_percentage(table: Table, options: Options) -> Iterator[Finding]:
    """A number of cases, all cases, and its percentage of them: `45/60 (75.0 %)`, or `45 (75.0 %)` with n known."""
    for row in table.rows:
        for place, cell in enumerate(row.cells):
            of = cell.of or table.cases(row, options)
            if cell.count is None or not of:
                continue
            column = Column(place, table.headers[place], Meaning())
            if cell.count > of:
                yield finding(table, row, column, f"{cell.count} of {of} is more than all")
            elif cell.number and abs(100 * cell.count / of - cell.number.value) > cell.number.half * (1 + 1e-9):
                yield finding(
                    table,
                    row,
                    column,
                    f"{cell.count} of {of} is another share",
                    consistent=f"{100 * cell.count / of:.4g} %",
                )


def _no_count(table: Table, row: Row, column: Column, cell: Cell, cases: int) -> Iterator[Finding]:
    possible = [scaled(cell, column, scale) for scale in column.scales]
    if any(_given(number, cases) for number in possible) or not 0 <= possible[0].value <= 1:
        return
    below = math.floor(possible[0].value * cases)
    near = [f"{k / cases / column.scales[0]:.6g} ({k})" for k in (below, below + 1) if k <= cases]
    yield finding(table, row, column, f"no whole number of {cases} cases gives it", consistent=" or ".join(near))


def _given(number: Number, cases: int) -> bool:
    slack = number.half * (1 + 1e-9) + 1e-12
    return math.ceil((number.value - slack) * cases) <= math.floor((number.value + slack) * cases)
