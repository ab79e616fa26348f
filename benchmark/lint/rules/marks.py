"""Bold that is not the best."""

from collections.abc import Iterator

from .. import groups
from ..cell import Cell
from ..finding import Finding, finding
from ..table import Column, Options, Row, Table
from . import RULES


@RULES.add
def bold_not_best(table: Table, options: Options) -> Iterator[Finding]:
    """A bold number, where another of its column that is not bold is better.

    Better is higher or lower by an arrow in the header, else by the measure. A mark is right where it is right among
    the whole table, its block between two rules, or the rows that agree with it in some naming column (a data set, a
    class). A row that is all bold is set off and claims nothing.
    """
    for column in _ordered(table):
        marked = groups.marked(table, column, "bold")
        for row in marked:
            others = [_better(table, column, row, group, marked) for group in groups.around(table, row, column, marked)]
            if others and all(others):
                best = others[0][0]
                reason = f"bold, but {best.label} has {table.cell(best, column).text}, which is better"
                yield finding(table, row, column, reason, severity="doubtful")


@RULES.add
def underlined_not_second(table: Table, options: Options) -> Iterator[Finding]:
    """An underlined number beside a bold one, where another that is neither is better than it."""
    for column in _ordered(table):
        bold = groups.marked(table, column, "bold")
        second = groups.marked(table, column, "underlined")
        both = [*bold, *second]
        for row in second if bold else ():
            others = [_better(table, column, row, group, both) for group in groups.around(table, row, column, both)]
            if others and all(others):
                best = others[0][0]
                reason = f"underlined as second, but {best.label} has {table.cell(best, column).text}, which is better"
                yield finding(table, row, column, reason, severity="doubtful")


def _ordered(table: Table) -> list[Column]:
    return [column for column in table.columns if column.better != "none"]


def _better(table: Table, column: Column, row: Row, group: list[Row], marked: list[Row]) -> list[Row]:
    """The rows of the group, not marked, that are better than the row as printed; the best first."""
    sign = 1 if column.better == "higher" else -1
    least = sign * _value(table.cell(row, column))
    places = {id(other) for other in marked}
    found = [other for other in group if id(other) not in places and sign * _value(table.cell(other, column)) > least]
    return sorted(found, key=lambda other: -sign * _value(table.cell(other, column)))


def _value(cell: Cell) -> float:
    return cell.number.value * cell.factor
