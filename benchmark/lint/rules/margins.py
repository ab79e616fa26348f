"""Margins between a marked best and the second that spreads, or the number of cases, do not bear out."""

import math
import re
from collections.abc import Iterator

from ..cell import Cell
from ..finding import Finding, finding
from ..groups import best_and_second
from ..table import Column, Options, Table, scaled
from ..typical import DEVIATIONS, typical_deviation
from . import RULES


@RULES.add
def margin_below_spread(table: Table, options: Options) -> Iterator[Finding]:
    """A sole bold best whose margin to the second is below the larger ± of the two, or within the other's interval.

    ± may be over cases, seeds or folds. A paired test can tell apart what lies within it, so that it is doubtful, and
    tables that have ranks with ranges or p of tests are left out.
    """
    if _tested(table):
        return
    for column in _scored(table):
        for best, second in best_and_second(table, column):
            first, other = table.cell(best, column), table.cell(second, column)
            margin = abs(first.number.value - other.number.value)
            spread = max((cell.spread.value for cell in (first, other) if cell.spread), default=math.nan)
            if margin < spread:
                reason = f"the margin to {second.label}, {_short(margin)}, is below the stated spread {_short(spread)}"
            elif _holds(other, first.number.value):
                reason = f"it lies within the interval of {second.label}, {other.text}"
            else:
                continue
            yield finding(table, best, column, reason, consistent="no sole best, or a paired test", severity="doubtful")


@RULES.add
def margin_below_interval(table: Table, options: Options) -> Iterator[Finding]:
    """A sole bold best whose margin to the second is below half a usual 95 % interval, 1.96 sd / sqrt(n). An estimate.

    Where the table has no ± or interval, sd of Dice or IoU over cases is taken as 0.25 sqrt(m (1 - m)), m the mean: a
    quarter of the largest that it can be, the median over the data sets of this suite's own sweeps (0.18 to 0.49).
    Christodoulou et al. 2024 (arXiv:2409.17763) reconstruct intervals of papers so, with a curve of their own: the
    median one of MICCAI 2023 was 0.03 wide, three times the median margin. n is the column of cases, or `--n`. Cases
    are taken as independent, and a paired test may tell apart what an interval does not, so that it is doubtful.
    """
    if _tested(table):
        return
    for column in _scored(table):
        if column.meaning.quantity not in DEVIATIONS or not column.certain:
            continue
        for best, second in best_and_second(table, column):
            cases, first, other = table.cases(best, options), table.cell(best, column), table.cell(second, column)
            if not cases or first.spread or other.spread or first.low or other.low:
                continue
            mean = scaled(first, column).value
            if not 0 < mean < 1:
                continue
            half = 1.96 * typical_deviation(mean) / math.sqrt(cases) / column.scales[0]
            margin = abs(first.number.value - other.number.value)
            if margin < half:
                reason = f"the margin to {second.label}, {_short(margin)}, is below half a usual 95 % interval"
                reason += f" of {cases} cases, about {half:.2g}"
                mend = "an interval or a paired test"
                yield finding(table, best, column, reason, consistent=mend, severity="doubtful")


def _tested(table: Table) -> bool:
    """Whether the table has p-values, or ranks of which some are ranges."""
    ranks = list(table.of("rank")) + list(table.of("rank", role="other"))
    ranged = [place for place, header in enumerate(table.headers) if "rank" in header.casefold()]
    texts = [row.cells[place].text for row in table.rows for place in ranged if place < len(row.cells)]
    return any(table.of("p")) or len(ranks) > 1 or any(re.search(r"\d\s*[–-]\s*\d", text) for text in texts)


def _scored(table: Table) -> list[Column]:
    return [column for column in table.columns if column.better != "none" and column.meaning.role == "mean"]


def _holds(cell: Cell, value: float) -> bool:
    return bool(cell.low and cell.high) and cell.low.value <= value <= cell.high.value


def _short(value: float) -> str:
    return f"{value:.3g}"
