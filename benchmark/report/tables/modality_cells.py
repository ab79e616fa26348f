"""What each configuration scores with each set of modalities that tests had."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ....core.measure import measure
from ....core.record import Record
from ....datasets.modalities import named
from ..frame import PRIMARY, score_value
from ..statistics.intervals import Estimate, estimate
from .row import Row
from .summary import ComparisonTable

Names = tuple[str, ...]
"""Of modalities, in the order of the channels."""


@dataclass(frozen=True)
class Cell:
    """A configuration on test cases of which it was given some modalities.

    tested: these. how: as `datasets.modalities.Seen` has it; `impossible` has no dice. lost: Dice with all that it was
    trained with less this one, case by case, None where they are the same.
    """

    tested: Names
    how: str
    dice: Estimate | None
    lost: Estimate | None
    cases: int


@dataclass(frozen=True)
class Trained:
    """A configuration by what it was trained with. dropout: share of patches without a modality. cells: by test."""

    table: ComparisonTable
    row: Row
    names: Names
    dropout: float
    cells: dict[Names, Cell]


def trained_rows(table: ComparisonTable, whole: Names) -> Iterator[Trained]:
    """The rows of a table with scores. whole: all modalities of the data set, () where no trial was given all."""
    trial = table.example.trial
    names = named(trial.dataset.options.get("modalities")) or whole
    for row in table.compared:
        records = [table.done[key] for key in row.records if key in table.done]
        cells = {names: Cell(names, "given", row.dice, None, row.cases)}
        told = [record.prediction.get("conditions", ()) for record in records]
        for tested in dict.fromkeys(tuple(one["modalities"]) for conditions in told for one in conditions):
            cells[tested] = _cell(table, row, records, tested)
        yield Trained(table, row, names, trial.recipe.modality_dropout, cells)


def _cell(table: ComparisonTable, row: Row, records: Sequence[Record], tested: Names) -> Cell:
    found = [
        (record.trial.seed, one)
        for record in records
        for one in record.prediction.get("conditions", ())
        if tuple(one["modalities"]) == tested
    ]
    how = found[0][1]["how"]
    if how == "given":
        return Cell(tested, how, row.dice, None, row.cases)
    groups = dict(sorted((str(score["case"]), _group(score)) for record in records for score in record.scores))
    values = np.full((len(found), len(groups)), np.nan)
    for place, (_, one) in enumerate(found):
        values[place] = _by_case(table.policy, one["scores"], list(groups))
    if np.isnan(values).all():
        return Cell(tested, how, None, None, 0)
    clusters = np.array(list(groups.values()))
    dice = estimate(values, clusters, bounds=measure(PRIMARY).bounds)
    lost = None
    if len(groups) == len(row.case_means):
        lost = estimate(row.case_means[None] - _mean(values)[None], clusters)
    return Cell(tested, how, dice, lost, int((~np.isnan(values)).any(0).sum()))


def _by_case(policy: str, scores: Sequence[dict], cases: Sequence[str]) -> np.ndarray:
    """Dice of each case, a mean over the classes where it is defined."""
    found: dict[str, list[float]] = {case: [] for case in cases}
    for score in scores:
        value = score_value(policy, PRIMARY, score)
        if not math.isnan(value) and score["case"] in found:
            found[score["case"]].append(value)
    return np.array([sum(own) / len(own) if own else math.nan for own in found.values()])


def _mean(values: np.ndarray) -> np.ndarray:
    defined = ~np.isnan(values)
    sums = np.where(defined, values, 0.0).sum(0)
    return np.divide(sums, defined.sum(0), out=np.full(values.shape[1], np.nan), where=defined.any(0))


def _group(score: dict) -> str:
    return str(score.get("group") or score["case"])
