"""What `unetbench power` says of a table: three tables of texts, notes, and files."""

import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...core.record import finite
from ..naming.names import file_stem
from .plots.power import power_plot
from .plots.style import look, save
from .statistics.components import Components
from .tables.csv_text import csv_text
from .tables.grid import markdown_text
from .tables.power import Pair, PowerTable
from .tables.power_text import components_grid, needed_grid, notes, number_text, pairs_grid, question_text
from .written import Written

STEPS = 25
"""Points of a curve from a fifth of the difference asked for to ten times of it, and so on where it goes further."""


def text(found: PowerTable) -> str:
    """The whole as Markdown."""
    title = markdown_text(f"{found.subject.title}: what it takes to tell two configurations apart")
    parts = [f"# {title}\n", question_text(found), pairs_grid(found).markdown()]
    parts += ["## Where the variance comes from\n", components_grid(found).markdown()]
    parts += [f"## Needed for a difference of {number_text(found, found.question.difference)}\n"]
    parts += [needed_grid(found).markdown(), "".join(f"- {markdown_text(note)}\n" for note in notes(found))]
    return "\n".join(parts)


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


def write_power(tables: Sequence[PowerTable], out: Path) -> tuple[list[Path], str]:
    """Write Markdown, CSV and the plot of each table into a folder; returns the files. Raises OSError.

    And why files of an earlier call had to stay, "" where they had not.
    """
    written, files = Written(out), list[Path]()
    for found in tables:
        stem, points = (
            _free(file_stem(f"{found.subject.file}-{found.name}"), [file.stem for file in files]),
            curve(found),
        )
        frame = pd.DataFrame([_flat(pair) for pair in found.pairs])
        texts = {f"{stem}.md": text(found), f"{stem}-pairs.csv": csv_text(frame), f"{stem}-curve.csv": csv_text(points)}
        files += [written.put(name, content.encode()) for name, content in texts.items()]
        with look():
            files += save(power_plot(found, points), written, f"{stem}-curve")
    written.finish()
    return files, written.problem


def _free(stem: str, taken: Sequence[str]) -> str:
    """The name, with a number where another table has it."""
    numbered = (f"{stem}-{number}" for number in count(1))
    return next(name for name in chain([stem], numbered) if name not in taken)


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


def _total_residual(one: Components) -> float:
    rest = one.first.residual + one.second.residual
    return rest.between + rest.within
