"""What `unetbench power` says of a table: three tables of texts, notes, and files."""

import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtri, ndtr

from ...core.counted import counted
from ...core.measure import measure
from ...core.record import finite
from ..naming.names import file_stem
from .plots.power import power_plot
from .plots.style import look, save
from .statistics.compare import MINIMUM_GROUPS
from .statistics.components import Components
from .statistics.power import design
from .tables.csv_text import csv_text
from .tables.grid import Grid, markdown_text
from .tables.power import Pair, PowerTable
from .tables.table import UNDEFINED, percent_text
from .written import Written

SHOWN = 12
"""Pairs that are printed one by one at most; the CSV file has all."""

STEPS = 25
"""Points of a curve from a fifth of the difference asked for to ten times of it, and so on where it goes further."""

MARGIN = 0.95
"""Of the interval of a variance that is known from few groups."""


def text(found: PowerTable) -> str:
    """The whole as Markdown."""
    title = markdown_text(f"{found.subject.title}: what it takes to tell two configurations apart")
    parts = [f"# {title}\n", question_text(found), pairs_grid(found).markdown()]
    parts += ["## Where the variance comes from\n", components_grid(found).markdown()]
    parts += [f"## Needed for a difference of {_number(found, found.question.difference)}\n"]
    parts += [needed_grid(found).markdown(), "".join(f"- {markdown_text(note)}\n" for note in notes(found))]
    return "\n".join(parts)


def question_text(found: PowerTable) -> str:
    """What is asked, as a sentence."""
    asked = found.question
    sides = "two-sided" if asked.two_sided else "one-sided"
    shared = f" shared by {asked.comparisons} comparisons" if asked.comparisons > 1 else ""
    return (
        f"A true difference of {_number(found, asked.difference)} in mean {measure(found.name).title} is to be found "
        f"with a probability of {asked.power:.0%} at a level of {asked.alpha:g}{shared}, {sides}, by the report's "
        "paired test.\n"
    )


def pairs_grid(found: PowerTable) -> Grid:
    """The typical pair, then each pair where they are few."""
    rows = [found.typical, *(found.pairs if 1 < len(found.pairs) <= SHOWN else ())]
    unit, seeds = _unit(found), [row.found for row in rows]
    columns = {
        "Pair": [row.label for row in rows],
        "Difference": [_number(found, abs(row.found.difference)) for row in rows],
        "SD of a case": ["/".join(_number(found, v) for v in dict.fromkeys(one.deviation)) for one in seeds],
        "Correlation": [_plain(one.correlation) for one in seeds],
        "SD of the difference": [_number(found, math.sqrt(_total(one))) for one in seeds],
        "Design effect": [_plain(one.design_effect) for one in seeds],
        "Cases that count": [f"{one.cases / one.design_effect:.0f} of {one.cases}" for one in seeds],
        "SD of seeds": [_seeds_text(found, one) for one in seeds],
        "Found now": [_number(found, row.detectable) for row in rows],
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
        (name, _number(found, math.sqrt(variance)), percent_text(share / whole if whole else math.nan), mend)
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
            _number(found, row.present),
            _number(found, row.unlimited),
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


def numbers(found: PowerTable) -> dict[str, Any]:
    """All as numbers, for JSON; NaN and infinities are null."""
    return finite(
        {
            "table": found.subject.title,
            "measure": found.name,
            "question": asdict(found.question),
            "configurations": found.configurations,
            "collapsed": list(found.collapsed),
            "typical": _flat(found.typical),
            "pairs": [_flat(pair) for pair in found.pairs],
            "needed": [asdict(row) for row in found.needed],
            "notes": notes(found),
        }
    )


def curve(found: PowerTable) -> pd.DataFrame:
    """Cases needed for each difference and number of seeds; infinite where no number is enough."""
    asked = found.question
    reached = [row.present for row in found.needed if not math.isnan(row.present)]
    ends = asked.difference / 5, max([asked.difference * 10, *(2 * value for value in reached)])
    steps = np.geomspace(*ends, round(STEPS * math.log(ends[1] / ends[0]) / math.log(50)))
    rows: list[dict[str, float]] = []
    for row in found.needed:
        steep = [row.unlimited * factor for factor in (1.003, 1.02, 1.1)] if row.unlimited else []
        for value in sorted([*map(float, steps), *steep]):
            cases = found.cases_for(replace(asked, difference=value), row.seeds)
            rows.append({"seeds": row.seeds, "difference": value, "cases": cases})
    return pd.DataFrame(rows)


def write_power(tables: Sequence[PowerTable], out: Path) -> list[Path]:
    """Write Markdown, CSV and the plot of each table into a folder; returns the files. Raises OSError."""
    written, files = Written(out), list[Path]()
    for found in tables:
        stem, points = file_stem(f"{found.subject.file}-{found.name}"), curve(found)
        frame = pd.DataFrame([_flat(pair) for pair in found.pairs])
        texts = {f"{stem}.md": text(found), f"{stem}-pairs.csv": csv_text(frame), f"{stem}-curve.csv": csv_text(points)}
        files += [written.put(name, content.encode()) for name, content in texts.items()]
        with look():
            files += save(power_plot(found, points), written, f"{stem}-curve")
    written.finish()
    return files


def _groups_note(found: PowerTable) -> str:
    one = found.typical.found
    freedom = one.many - 1
    low, high = (freedom / float(chdtri(freedom, tail)) for tail in ((1 - MARGIN) / 2, (1 + MARGIN) / 2))
    weight = "" if one.many == one.groups else f", unequal, that weigh as {one.many:g},"
    rough = "" if one.groups >= MINIMUM_GROUPS else f" Fewer than {MINIMUM_GROUPS} groups: a rough guess only."
    return (
        f"A variance known from {one.groups} groups{weight} may be {low:.2g} to {high:.2g} times what it seems "
        f"({MARGIN:.0%}), and the numbers needed with it.{rough}"
    )


def _seeds_notes(found: PowerTable) -> list[str]:
    one = found.typical.found
    title, asked = measure(found.name).title, _number(found, found.question.difference)
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
        f"{_number(found, math.sqrt(shift))}, so that with one seed and any number of cases a true difference of "
        f"{asked} shows the other way round in {chance:.0%} of trainings. The line of one seed is of the trained "
        "networks alone."
    ]
    short = [row for row in found.needed if row.seeds > 1 and row.unlimited > found.question.difference]
    if short:
        lines.append(
            f"With {_listed([row.seeds for row in short])} seeds no number of cases finds {asked}: the least that is "
            f"found is {', '.join(_number(found, row.unlimited) for row in short)}."
        )
    return lines


def _flat(pair: Pair) -> dict[str, Any]:
    one = pair.found
    return {
        "first": pair.first,
        "second": pair.second,
        "difference": one.difference,
        "cases": one.cases,
        "groups": one.groups,
        "effective_groups": one.many,
        "seeds_first": one.first.seeds,
        "seeds_second": one.second.seeds,
        "sd_first": one.deviation[0],
        "sd_second": one.deviation[1],
        "correlation": one.correlation,
        "variance_groups": one.gap.between,
        "variance_cases": one.gap.within,
        "variance_case_seed": _total_residual(one) if one.known else math.nan,
        "variance_seeds_first": one.first.shift if one.known else math.nan,
        "variance_seeds_second": one.second.shift if one.known else math.nan,
        "design_effect": one.design_effect,
        "effective_cases": one.cases / one.design_effect,
        "detectable": pair.detectable,
        "groups_needed": pair.groups,
        "seeds_needed": pair.with_seeds if one.known else math.nan,
    }


def _total(one: Components) -> float:
    return one.observed.between + one.observed.within


def _total_residual(one: Components) -> float:
    rest = one.first.residual + one.second.residual
    return rest.between + rest.within


def _seeds_text(found: PowerTable, one: Components) -> str:
    """Standard deviation by which one training of each shifts their difference."""
    return _number(found, math.sqrt(one.first.shift + one.second.shift)) if one.known else "unknown"


def _unit(found: PowerTable) -> str:
    return "Cases" if found.typical.found.groups == found.typical.found.cases else "Groups"


def _number(found: PowerTable, value: float) -> str:
    """In the format of the measure, with a digit more, as differences are small."""
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
