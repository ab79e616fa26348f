"""What the pairs of a table need, as grids of texts and as sentences."""

import math
from collections.abc import Sequence

from scipy.special import chdtri, ndtr

from ....core.counted import counted
from ....core.measure import measure
from ..statistics.components import Components
from ..statistics.intervals import MINIMUM_GROUPS
from ..statistics.power import design
from .grid import Grid
from .power import PowerTable
from .table import UNDEFINED, percent_text

SHOWN = 12
"""Pairs that are printed one by one at most; the CSV file has all."""

MARGIN = 0.95
"""Of the interval of a variance that is known from few groups."""


def question_text(found: PowerTable) -> str:
    """What is asked, as a sentence."""
    asked = found.question
    sides = "two-sided" if asked.two_sided else "one-sided"
    shared = f" shared by {asked.comparisons} comparisons" if asked.comparisons > 1 else ""
    return (
        f"A true difference of {number_text(found, asked.difference)} in mean {measure(found.name).title} is to be "
        f"found with a probability of {asked.power:.0%} at a level of {asked.alpha:g}{shared}, {sides}, by the "
        "report's paired test.\n"
    )


def pairs_grid(found: PowerTable) -> Grid:
    """The typical pair, then each pair where they are few."""
    rows = [found.typical, *(found.pairs if 1 < len(found.pairs) <= SHOWN else ())]
    unit, seeds = _unit(found), [row.found for row in rows]
    columns = {
        "Pair": [row.label for row in rows],
        "Difference": [number_text(found, abs(row.found.difference)) for row in rows],
        "SD of a case": ["/".join(number_text(found, v) for v in dict.fromkeys(one.deviation)) for one in seeds],
        "Correlation": [_plain(one.correlation) for one in seeds],
        "SD of the difference": [number_text(found, math.sqrt(_total(one))) for one in seeds],
        "Design effect": [_plain(one.design_effect) for one in seeds],
        "Cases that count": [f"{one.cases / one.design_effect:.0f} of {one.cases}" for one in seeds],
        "SD of seeds": [_seeds_text(found, one) for one in seeds],
        "Found now": [number_text(found, row.detectable) for row in rows],
        f"{unit} needed": [_count(row.groups) for row in rows],
        "Seeds needed": [_count(row.with_seeds) if row.found.known else UNDEFINED for row in rows],
    }
    return Grid("pairs", tuple(columns), tuple(zip(*columns.values(), strict=True)), names=1)


def components_grid(found: PowerTable) -> Grid:
    """Standard deviations of the typical pair, and their shares of the variance of the mean difference as it is."""
    one = found.typical.found
    rests = [part.residual.times(1 / part.seeds) for part in (one.first, one.second)]
    rest = rests[0] + rests[1]
    parts = [
        ("groups", one.gap.between, one.gap.between / one.many, "more groups"),
        ("cases of a group", one.gap.within, one.gap.within / one.cases, "more groups or cases"),
    ]
    if found.known:
        alone = one.first.residual + one.second.residual
        shift = one.first.shift + one.second.shift
        parts += [
            ("case × seed", alone.between + alone.within, rest.of_mean(one.many, one.cases), "more cases or seeds"),
            ("seeds", shift, design(one).of_seeds, "more seeds alone"),
        ]
    whole = sum(part[2] for part in parts)
    cells = [
        (name, number_text(found, math.sqrt(variance)), percent_text(share / whole if whole else math.nan), mend)
        for name, variance, share, mend in parts
    ]
    return Grid("components", ("Between", "SD of the difference", "Share now", "Smaller with"), tuple(cells), names=1)


def needed_grid(found: PowerTable) -> Grid:
    """Seeds by seeds what the typical pair needs."""
    unit, here = _unit(found), found.typical.found.cases
    headers = ["Seeds", "Groups needed", "Cases needed", f"Found with {here} cases", "Found with any number"]
    cells = [
        (
            f"{row.seeds}{' (these networks)' if row.seeds == 1 else ''}",
            _count(row.groups),
            _count(row.cases),
            number_text(found, row.present),
            number_text(found, row.unlimited),
        )
        for row in found.needed
    ]
    if unit == "Cases":
        headers, cells = [headers[0], *headers[2:]], [(cell[0], *cell[2:]) for cell in cells]
    return Grid("needed", tuple(headers), tuple(cells), names=1)


def notes(found: PowerTable) -> list[str]:
    """What a reader must know to believe it."""
    one = found.typical.found
    sizes = "" if one.groups == one.cases else f" in {one.groups} groups"
    lines = [
        f"From {counted(len(found.pairs), 'pair')} of {found.configurations} configurations on {one.cases} cases{sizes}"
        f", {counted(one.first.seeds, 'seed')} each."
        + (f" Left out, for a trial collapsed: {', '.join(found.collapsed)}." if found.collapsed else "")
    ]
    lines += [_groups_note(found), *_seeds_notes(found)]
    if found.question.comparisons == 1 and found.configurations > 2:
        pairs = math.comb(found.configurations, 2)
        lines.append(
            f"For one comparison planned beforehand. The ranks of the report correct for all {pairs} pairs and need "
            f"more: --comparisons {pairs}."
        )
    return lines


def _groups_note(found: PowerTable) -> str:
    one = found.typical.found
    weight = "" if one.many == one.groups else f", unequal, that weigh as {one.many:g},"
    if one.many < 2:
        return f"One of {one.groups} groups{weight} outweighs the others: the variance between groups is hardly known."
    freedom = one.many - 1
    low, high = (freedom / float(chdtri(freedom, tail)) for tail in ((1 - MARGIN) / 2, (1 + MARGIN) / 2))
    rough = "" if one.groups >= MINIMUM_GROUPS else f" Fewer than {MINIMUM_GROUPS} groups: a rough guess only."
    return (
        f"A variance known from {one.groups} groups{weight} may be {low:.2g} to {high:.2g} times what it seems "
        f"({MARGIN:.0%}), and the numbers needed with it.{rough}"
    )


def _seeds_notes(found: PowerTable) -> list[str]:
    one = found.typical.found
    title, asked = measure(found.name).title, number_text(found, found.question.difference)
    if not found.known:
        return [
            "One seed each: how much trainings differ is not in these records. The numbers hold for these trained "
            "networks; between methods, another training of each may shift all cases, which no number of cases shows. "
            "Two seeds or more of each tell."
        ]
    shift = one.first.shift + one.second.shift
    if not shift:
        return [
            f"Seeds shift the mean {title} no more than the residual of the cases explains: cases are what is short."
        ]
    chance = float(ndtr(-found.question.difference / math.sqrt(shift)))
    lines = [
        f"More cases cannot mend the seeds: one training of each differs from the next by a standard deviation of "
        f"{number_text(found, math.sqrt(shift))}, so that with one seed and any number of cases a true difference of "
        f"{asked} shows the other way round in {chance:.0%} of trainings. The line of one seed is of the trained "
        "networks alone."
    ]
    short = [row for row in found.needed if row.seeds > 1 and row.unlimited > found.question.difference]
    if short:
        lines.append(
            f"With {_listed([row.seeds for row in short])} seeds no number of cases finds {asked}: the least that is "
            f"found is {', '.join(number_text(found, row.unlimited) for row in short)}."
        )
    return lines


def _total(one: Components) -> float:
    return one.observed.between + one.observed.within


def _seeds_text(found: PowerTable, one: Components) -> str:
    """Standard deviation by which one training of each shifts their difference."""
    return number_text(found, math.sqrt(one.first.shift + one.second.shift)) if one.known else "unknown"


def _unit(found: PowerTable) -> str:
    return "Cases" if found.typical.found.groups == found.typical.found.cases else "Groups"


def number_text(found: PowerTable, value: float) -> str:
    """A difference in the format of its measure, shares with a digit more."""
    if value == 0:
        return "0"
    shown = measure(found.name).text(value) if measure(found.name).format != ".3f" else f"{value:.4f}"
    return UNDEFINED if math.isnan(value) else shown


def _plain(value: float) -> str:
    return UNDEFINED if math.isnan(value) else f"{value:.2f}"


def _count(value: float) -> str:
    return "none" if math.isinf(value) else f"{value:,.0f}"


def _listed(values: Sequence[int]) -> str:
    words = [str(value) for value in values]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
