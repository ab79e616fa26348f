"""`unetbench check runtimes`: every recipe on every runtime that runs from a file."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from ...core.errors import SpecError
from ...core.trial import Choice
from ...models import MODELS
from ...runtimes import RUNTIMES
from ...runtimes.file_runtime import file_formats
from ..deploy.candidate import missing
from ..deploy.compatibility import Compatibility, as_row, compatibilities, read_rows
from ..report.tables.grid import Grid


def check_runtimes(options: argparse.Namespace) -> int:
    """Convert, run and compare each, or show what was found before; 1 when something fails that should not.

    Raises SpecError for an option of something else, which would be passed over.
    """
    if options.size:
        raise SpecError(
            "--size is of `check models`; `check runtimes` tries the first of its sizes that a recipe takes"
        )
    if options.read and (options.only or options.runtimes):
        raise SpecError("--read shows what was tried before; --only and --runtimes say what to try, so leave them out")
    found = _read(options.read) if options.read else _tried(options)
    if options.json:
        print(json.dumps([as_row(row) for rows in found for row in rows], indent=1))
    else:
        print(compatibility_text(found))
    return 0 if all(row.verdict not in ("failed", "off") for rows in found for row in rows) else 1


def _read(files: Sequence[Path]) -> list[list[Compatibility]]:
    """The rows of files by recipe and rank, in their order; of one that was tried twice the last."""
    found: dict[tuple[str, int], dict[str, Compatibility]] = {}
    for row in (row for file in files for row in read_rows(file)):
        found.setdefault((row.recipe, row.rank), {})[row.runtime] = row
    return [list(rows.values()) for rows in found.values()]


def _tried(options: argparse.Namespace) -> list[list[Compatibility]]:
    for name in options.only:
        MODELS.part(name)
    recipes = options.only or list(MODELS)
    runtimes = [Choice(name) for name in options.runtimes or file_formats()]
    for runtime in runtimes:
        RUNTIMES.check(runtime.name, {})
    here = [runtime for runtime in runtimes if not missing(runtime)]
    for runtime in runtimes:
        if runtime not in here:
            print(f"unetbench: {runtime.label}: {missing(runtime)}", file=sys.stderr)
    found: list[list[Compatibility]] = []
    for rows in tqdm(compatibilities(recipes, here), total=len(recipes), leave=False, disable=None):
        found.append(rows)
    return found


def compatibility_text(found: Sequence[Sequence[Compatibility]]) -> str:
    """A Markdown table, recipe and rank by runtime, and below it why something does not work.

    A cell is empty where that runtime was not tried.
    """
    runtimes = list(dict.fromkeys(row.runtime for rows in found for row in rows))
    headers = ("Recipe", "Rank", *runtimes)
    cells = []
    for rows in found:
        known = {row.runtime: _cell(row) for row in rows}
        cells.append((rows[0].recipe, f"{rows[0].rank}D", *(known.get(runtime, "") for runtime in runtimes)))
    problems: dict[str, list[str]] = {}
    for row in (row for rows in found for row in rows if row.problem and row.verdict != "unfit"):
        problems.setdefault(row.problem, []).append(f"{row.recipe} {row.rank}D on {row.runtime}")
    lines = [f"- {', '.join(places)}: {problem}" for problem, places in problems.items()]
    return Grid("", headers, tuple(cells), names=2).markdown() + ("\n" + "\n".join(lines) + "\n" if lines else "")


def _cell(row: Compatibility) -> str:
    if row.verdict in ("failed", "unavailable"):
        return "fails"
    if row.verdict == "unfit":
        return "–"
    text = f"{row.difference:.0e}" if row.verdict == "exact" else f"{row.error:.1%}"
    return f"off ({row.difference:.0e})" if row.verdict == "off" else text
