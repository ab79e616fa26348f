"""Numbers outside what their quantity can be, and numbers in another unit than those around them."""

import math
from collections.abc import Iterator

from ..finding import Finding, finding
from ..meanings import LOWEST
from ..table import PERCENT, Column, Options, Row, Table, scaled
from . import RULES


@RULES.add
def out_of_range(table: Table, options: Options) -> Iterator[Finding]:
    """A score outside its range (Dice 0 to 1, MCC -1 to 1), or a negative distance, count or time.

    Ranges are those of `core.measure`. Whether a column is of percentages is told from a % in its header or cells, else
    from its numbers (percentages where their median is above 1); `--unit` says it.
    """
    for column in table.columns:
        low, high = _bounds(column)
        if math.isinf(low):
            continue
        for row in table.rows:
            cell = table.cell(row, column)
            if cell.number and all(_outside(scaled(cell, column, s), low, high) for s in column.scales):
                shown = [f"{end / column.scales[0]:g}" for end in (low, high) if math.isfinite(end)]
                unit = f" (read as {unit_of(column)})" if column.share else ""
                limits = f"between {' and '.join(shown)}" if len(shown) > 1 else f"at least {shown[0]}"
                reason = f"{column.quantity.title} is {limits}{unit}"
                yield finding(table, row, column, reason)


@RULES.add
def mixed_units(table: Table, options: Options) -> Iterator[Finding]:
    """A fraction among percentages: a number up to 1, two decimals finer, that fits in a hundred times as large.

    A percentage with d decimals has d + 2 as a fraction. It fits in where it is then not a fifth below the least of the
    others.
    """
    for column in table.columns:
        if not column.share or column.scales[0] != PERCENT:
            continue
        numbers = [(row, table.cell(row, column)) for row in table.rows]
        numbers = [(row, cell) for row, cell in numbers if cell.number and not cell.percent]
        others = [cell.number for _, cell in numbers if cell.number.value > 1]
        least = 0.8 * min((number.value for number in others), default=math.inf)
        for row, cell in numbers:
            finer = any(math.isclose(cell.number.half * 100, number.half) for number in others)
            if finer and least <= 100 * cell.number.value <= 100:
                reason = "a fraction in a column of percentages"
                yield finding(
                    table, row, column, reason, consistent=f"{100 * cell.number.value:g}", severity="doubtful"
                )


def unit_of(column: Column) -> str:
    """How a column of shares is read."""
    if not column.certain:
        return "fractions or percentages"
    return "percentages" if column.scales[0] == PERCENT else "fractions"


def _bounds(column: Column) -> tuple[float, float]:
    low, high = column.quantity.bounds
    if low == low and high == high:
        return low, high
    return LOWEST.get(column.meaning.quantity, -math.inf), math.inf


def _outside(number, low: float, high: float) -> bool:
    slack = number.half + 1e-9 * max(1.0, abs(number.value))
    return number.value + slack < low or number.value - slack > high


@RULES.add
def interval_order(table: Table, options: Options) -> Iterator[Finding]:
    """An interval whose lower end is above its upper end, or that does not hold its own value (doubtful).

    Intervals of some kinds, a bootstrap corrected for bias say, may leave out the value in rare cases.
    """
    for column in table.columns:
        for row in table.rows:
            yield from _order(table, row, column)


def _order(table: Table, row: Row, column: Column) -> Iterator[Finding]:
    cell = table.cell(row, column)
    if not (cell.low and cell.high):
        return
    slack = 1e-9 + cell.number.half if cell.number else 1e-9
    low, high = cell.low.value - cell.low.half - slack, cell.high.value + cell.high.half + slack
    if low > high:
        yield finding(
            table, row, column, f"the interval ends at {cell.high.value:g}, below its beginning {cell.low.value:g}"
        )
    elif cell.number and not low <= cell.number.value <= high:
        reason = f"the interval {cell.low.value:g} to {cell.high.value:g} does not hold {cell.number.value:g}"
        yield finding(table, row, column, reason, severity="doubtful")


@RULES.add
def spread_too_large(table: Table, options: Options) -> Iterator[Finding]:
    """sd² ≤ (mean - a) (b - mean) n / (n - 1) for scores between a and b: a larger ± is no standard deviation.

    Bhatia and Davis 2000 (doi:10.1080/00029890.2000.12005203), with Bessel's correction; n / (n - 1) is 2 where n is
    not known. Impossible where the table says that it is a standard deviation, else doubtful: half of an interval of
    few values can be larger.
    """
    for column in table.columns:
        low, high = column.quantity.bounds
        if not column.share or not column.certain:
            continue
        for row in table.rows:
            cell = table.cell(row, column)
            if not (cell.number and cell.spread):
                continue
            most = _largest_deviation(scaled(cell, column), low, high)
            spread = cell.spread.scaled(column.scales[0])
            if spread.value - spread.half > most + 1e-6:
                reason = f"values between {low:g} and {high:g} with this mean deviate by {most:.3g} at most"
                stated = any(
                    word in f"{column.header} {table.title}".casefold() for word in ("sd", "std", "standard dev")
                )
                yield finding(table, row, column, reason, severity="impossible" if stated else "doubtful")


def _largest_deviation(mean, low: float, high: float) -> float:
    """Of two values, whose standard deviation with n - 1 is the largest that a number of values can have."""
    middle = (low + high) / 2
    nearest = min(max(middle, mean.value - mean.half), mean.value + mean.half)
    return math.sqrt(max(0.0, (nearest - low) * (high - nearest)) * 2)
