"""What a lighter model loses against the one that it comes from, case by case."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ....core.record import Record
from ..statistics.compare import compare, holm
from ..statistics.intervals import Estimate, estimate


class Scored(Protocol):
    """A configuration as it is compared. name: model and loss. seeds (s,), dice (s, cases). trials: see `Frames`."""

    name: tuple[str, str]
    trials: Any
    seeds: np.ndarray
    dice: np.ndarray


@dataclass(frozen=True)
class AgainstParent:
    """A row that comes from another. name, parent: model and loss of both.

    lost: mean Dice of the parent minus that of the row, each difference of one case at one seed; its interval is that
    of `intervals.interval`. p: of the sign-flip test of these differences, see `statistics.compare`, Holm-corrected
    over the rows of the table that come from others; NaN where either has no score.
    """

    name: tuple[str, str]
    parent: tuple[str, str]
    lost: Estimate
    p: float


def against_parents(
    configurations: Sequence[Scored], records: Mapping[str, Record], groups: np.ndarray
) -> tuple[AgainstParent, ...]:
    """Compare each configuration that comes from another with that one, where the table has it.

    groups (cases,): which cases belong together.
    """
    owner = {key: entry for entry in configurations for key in entry.trials["record"]}
    found: list[tuple[Scored, Scored]] = []
    for child in configurations:
        parents = (_parent(key, records[key]) for key in child.trials["record"])
        parent = next((owner[key] for key in parents if key in owner), None)
        if parent is not None:
            found.append((child, parent))
    losses = [_lost(child, parent) for child, parent in found]
    values = [_p(lost, groups) for lost in losses]
    tested = [place for place, value in enumerate(values) if not math.isnan(value)]
    for place, value in zip(tested, holm(np.array([values[place] for place in tested])), strict=True):
        values[place] = float(value)
    return tuple(
        AgainstParent(child.name, parent.name, estimate(lost, groups, bounds=(-1.0, 1.0)), p)
        for (child, parent), lost, p in zip(found, losses, values, strict=True)
    )


def _parent(key: str, record: Record) -> str:
    """The key of the record of the parent that was made lighter or taught, "" for other trials."""
    trial = record.trial
    if trial.derivation is None or trial.is_untrained or trial.derivation.step == "update":
        return ""
    return f"{key.rpartition('/')[0]}/{trial.derivation.parent}"


def _lost(child: Scored, parent: Scored) -> np.ndarray:
    """Differences (common seeds, cases); one row of NaN where no seed is common."""
    _, ours, theirs = np.intersect1d(child.seeds, parent.seeds, return_indices=True)
    if not len(ours):
        return np.full((1, child.dice.shape[1]), np.nan)
    return parent.dice[theirs] - child.dice[ours]


def _p(lost: np.ndarray, groups: np.ndarray) -> float:
    """The test of `compare` on the differences, whose variance over seeds is that of the pair; against none it has."""
    if np.isnan(lost).all():
        return math.nan
    return float(compare([lost, np.zeros_like(lost)], groups, stable=[True, False]).p[0])
