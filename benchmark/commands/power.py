"""`unetbench power`: cases and seeds that telling two configurations apart needs, from the variance in the records."""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

from ...core.errors import SpecError, StoreError, UnetbenchError, unknown
from ...core.printable import one_line_printable
from ..records.store import read_sweep
from ..report.frame import frames
from ..report.power_report import numbers, text, write_power
from ..report.statistics.needed import independent, needed_groups, significant_cases
from ..report.statistics.power import Question
from ..report.tables.power import PowerTable, power_table, subjects
from ..report.write import STANDARD_POLICY
from .recommend import sweeps_of

FOLDER = "power"
"""Where the files go, in the folder of a sweep's report."""


def power(options: argparse.Namespace) -> int:
    """Print what the pairs of each table need, or what a deviation and a correlation need; 0."""
    question = _question(options)
    given = [options.deviation, options.correlation]
    if options.results is None:
        if None in given:
            raise SpecError("power: give a folder of results, or --deviation and --correlation of what is planned")
        return _planned(options, question)
    if given != [None, None]:
        raise SpecError("power: --deviation and --correlation take the place of a folder of results; leave one out")
    sweeps = sweeps_of(options.results)
    shown: list[dict[str, Any]] = []
    for sweep in sweeps:
        tables, problems = _tables(sweep, options, question)
        if not tables and sweep == sweeps[-1] and not shown:
            raise problems[0]
        out = sweep / "report" / FOLDER
        if options.out:
            out = options.out / sweep.name if len(sweeps) > 1 else options.out
        written, stayed = write_power(tables, out) if tables else ([], "")
        for problem in [*map(str, problems), *filter(None, [stayed])]:
            print(f"unetbench: {one_line_printable(problem)}", file=sys.stderr)
        files = [str(file) for file in written]
        shown += [{"sweep": sweep.name, **numbers(found), "files": files} for found in tables]
        if not options.json:
            print("\n".join([*(text(found) for found in tables), *files]))
    if options.json:
        print(json.dumps(shown, indent=1))
    return 0


def _tables(
    sweep: Path, options: argparse.Namespace, question: Question
) -> tuple[list[PowerTable], list[UnetbenchError]]:
    """The tables of a sweep that have pairs, and why the others have none."""
    read = frames(sweep, options.empty or read_sweep(sweep).get("empty") or STANDARD_POLICY)
    found: list[PowerTable] = []
    problems: list[UnetbenchError] = []
    if options.measure not in read.measures:
        raise SpecError(unknown("--measure", options.measure, read.measures))
    for subject in subjects(read):
        about: dict[str, Any] = {"name": options.measure, "models": options.models, "seeds": options.seeds}
        try:
            found.append(power_table(read, subject, question, **about))
        except UnetbenchError as error:
            problems.append(error)
    if not found and not problems:
        problems.append(StoreError(f"{sweep}: has trials of continual learning alone, whose stages are not compared"))
    return found, problems


def _planned(options: argparse.Namespace, question: Question) -> int:
    """Cases for one training each on independent cases, of a standard deviation and a correlation that are assumed."""
    if not -1 <= options.correlation < 1:
        raise SpecError(
            f"--correlation {options.correlation:g}: is from -1 to below 1, where both score every case alike"
        )
    spread = options.deviation * math.sqrt(2 * (1 - options.correlation))
    cases = needed_groups(independent(options.deviation, options.correlation), question, seeds=1)
    observed = significant_cases(options.deviation, options.correlation, question)
    found = {"deviation_of_difference": spread, "cases": _whole(cases), "cases_if_observed": _whole(observed)}
    if options.json:
        print(json.dumps({"question": vars(question), **found}, indent=1))
        return 0
    sides = "two-sided" if question.two_sided else "one-sided"
    level = f"{question.alpha:g} {sides}"
    print(f"Standard deviation of the difference: {spread:.4g}")
    found_with = f"Cases to find a true difference of {question.difference:g} in {question.power:.0%} of tests"
    print(f"{found_with}, {level}: {_told(cases)}")
    print(f"Cases from which an observed one of {question.difference:g} is significant, {level}: {_told(observed)}")
    print("For independent cases and one training of each; what other trainings give is not in these numbers.")
    return 0


def _question(options: argparse.Namespace) -> Question:
    asked = Question(options.difference, options.power, options.alpha, not options.one_sided, options.comparisons)
    if not asked.alpha < 0.5:
        raise SpecError(f"--alpha {asked.alpha:g}: a level is below 0.5; 0.05 is usual")
    if not asked.alpha < asked.power < 1:
        raise SpecError(f"--power {asked.power:g}: is between the level ({asked.alpha:g}) and 1; 0.8 is usual")
    return asked


def _whole(value: float) -> int | None:
    return None if math.isinf(value) else int(value)


def _told(value: float) -> str:
    return "more than a million" if math.isinf(value) else f"{value:,.0f}"
