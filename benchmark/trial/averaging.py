"""Which weights a training keeps beside the selected ones, for the trials that are made of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ...core.arrays import read_npz
from ...core.json_text import parsed
from ...core.recipe import Recipe
from ...core.structure import COUNT, MAPPING, TEXT, check, list_of
from ...core.trial import Trial

KEPT = "averages"
"""Begins the names of arrays in a checkpoint and in the file that a training leaves."""

ABOUT = f"{KEPT}_about"
"""Names the array that says what the others are."""

By = Literal["ema", "swa", "snapshots"]


@dataclass(frozen=True)
class Averaging:
    """What is kept. models: canonical texts of the models whose trainings keep it.

    ema: an exponential moving mean of the weights after each step, of decay `value`. swa: the mean of the weights after
    each epoch behind the share `value` of all (Izmailov et al. 2018, arXiv:1803.05407). snapshots: the weights after
    each cycle of the rate (Huang et al. 2017, arXiv:1704.00109); `value` is 0.
    """

    by: By
    value: float
    models: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of its arrays in the file."""
        return self.by if self.by == "snapshots" else f"{self.by} {self.value:g}"

    def serves(self, trial: Trial) -> bool:
        """Whether the trial's training is to keep it."""
        return trial.derivation is None and trial.model.canonical in self.models


def share_after(step: int, decay: float) -> float:
    """By how much a moving mean of weights follows after step t = 0, 1, …: 1 - min(decay, (1 + t) / (10 + t)).

    The smaller decay of the first steps is that of TensorFlow's ExponentialMovingAverage: without it, few steps would
    leave mostly the weights that training began with.
    """
    return 1 - min(decay, (1 + step) / (10 + step))


def wanted_of(trial: Trial, averagings: Sequence[Averaging]) -> tuple[Averaging, ...]:
    """What the trial's training is to keep, each once."""
    return tuple(dict.fromkeys(Averaging(one.by, one.value) for one in averagings if one.serves(trial)))


def cycle_epochs(recipe: Recipe) -> int:
    """Epochs of a cycle of the rate; the last one may be shorter."""
    return math.ceil(recipe.epochs / recipe.cycles)


def first_averaged(recipe: Recipe, begin: float) -> int:
    """The first epoch, counted from 1, whose weights `swa` averages: behind that share of all, the last at least."""
    return min(recipe.epochs, math.floor(begin * recipe.epochs) + 1)


def kept(found: Mapping[str, np.ndarray]) -> tuple[list[str], dict[str, int]]:
    """Names of what a training was to keep, and what it has: of how many weights a mean is, or a snapshot's epoch.

    Raises ValueError for arrays that are none of it.
    """
    if ABOUT not in found:
        raise ValueError("it holds no averaged weights")
    told = parsed(str(found[ABOUT]))
    check(told, "averages", {"wanted": list_of(TEXT), "counts": MAPPING}, "wanted", "counts")
    check(told["counts"], "averages: counts", dict.fromkeys(told["counts"], COUNT))
    return told["wanted"], told["counts"]


def lacks_averages(file: Path | None, wanted: Sequence[Averaging]) -> bool:
    """Whether a file that a training left lacks some of what is wanted; also where there is none or it is damaged."""
    if not wanted or file is None:
        return bool(wanted)
    try:
        names, _ = kept(read_npz(file))
    except (OSError, ValueError, KeyError, TypeError):
        return True
    return any(one.name not in names for one in wanted)
