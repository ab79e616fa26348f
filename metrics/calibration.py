"""Are the probabilities true? Scores of the probability of one class over all valid voxels of a case.

Each class is taken against the rest: p is the probability of the class, y is 1 where the truth has it. A case of mostly
background is easy for all four; they compare models on the same cases, not one data set with another. They need no
foreground and are defined on empty masks. A pair without probabilities raises Missing.
"""

import math
from typing import NamedTuple

import numpy as np

from ..core.errors import SpecError
from . import METRICS
from .pair import Missing, Pair

CLIP = 1e-7
"""Probabilities are kept this far from 0 and 1 in the logarithm, so that NLL is at most 16.12."""


@METRICS.add
def ece(pair: Pair, *, bins: int = 15) -> float:
    """Expected calibration error: Σ n_b / N |mean p - mean y| over bins of p (Naeini et al. 2015; Guo et al. 2017).

    Of the class against the rest, in equal bins: bin b of B holds b / B <= p < (b + 1) / B, the last one 1 too.
    Raises SpecError unless bins is positive.
    """
    found = pair.cached(reliability, _checked(bins))
    return float((found.voxels * found.gap).sum() / found.voxels.sum()) if found.voxels.size else math.nan


@METRICS.add
def mce(pair: Pair, *, bins: int = 15) -> float:
    """Maximum calibration error: the largest |mean p - mean y| of a bin that is not empty (Naeini et al. 2015).

    Bins as in `ece`. A bin of a few voxels can decide it.
    """
    found = pair.cached(reliability, _checked(bins))
    return float(found.gap.max()) if found.voxels.size else math.nan


@METRICS.add
def brier(pair: Pair) -> float:
    """Brier score: mean of (p - y)² (Brier 1950), of the class against the rest; 0 is best, 1 worst."""
    p, y = pair.cached(_flat)
    return float(np.mean((p - y) ** 2, dtype=np.float64)) if p.size else math.nan


@METRICS.add
def nll(pair: Pair) -> float:
    """Negative log likelihood: mean of -log p where y is 1 and -log(1 - p) where it is 0, in nats (Good 1952).

    p is kept 1e-7 away from 0 and 1.
    """
    p, y = pair.cached(_flat)
    likelihood = np.clip(np.where(y, p, 1 - p), CLIP, None)
    return float(-np.mean(np.log(likelihood), dtype=np.float64)) if p.size else math.nan


class Reliability(NamedTuple):
    """voxels, gap (k,): number of voxels and |mean p - mean y| of each bin that is not empty."""

    voxels: np.ndarray
    gap: np.ndarray


def reliability(pair: Pair, bins: int) -> Reliability:
    """The reliability diagram of a pair. Raises Missing without probabilities."""
    p, y = pair.cached(_flat)
    place = np.minimum((p * bins).astype(np.int32), bins - 1)
    voxels = np.bincount(place, minlength=bins)
    expected, found = np.bincount(place, p, bins), np.bincount(place[y], minlength=bins)
    filled = voxels > 0
    return Reliability(voxels[filled], np.abs(expected - found)[filled] / voxels[filled])


def _flat(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    if pair.probability is None:
        raise Missing("calibration is scored where the model's probabilities are given; this pair has none")
    p, y = pair.probability, pair.truth
    if pair.valid is not None:
        p, y = p[pair.valid], y[pair.valid]
    return np.clip(p.ravel(), 0, 1), y.ravel()


def _checked(bins: int) -> int:
    if bins < 1:
        raise SpecError(f"bins: {bins} must be 1 or more")
    return bins
