"""Scores of thin, connected things: vessels, membranes, neurites."""

import math

import numpy as np

from . import METRICS
from .pair import Pair


@METRICS.add
def cldice(pair: Pair) -> float:
    """clDice: harmonic mean of the shares of each skeleton inside the other mask (Shit et al. 2021, arXiv:2003.07311).

    2 p s / (p + s) with p = |S(P) ∩ T| / |S(P)| and s = |S(T) ∩ P| / |S(T)|; S thins to one pixel, after Zhang and
    Suen 1984 in an image and Lee et al. 1994 in a volume, as the authors' code does through scikit-image. Blind to
    thickness, and of little meaning for blobs. A mask of which thinning leaves nothing is its own skeleton. 0 when one
    mask is empty, NaN when both are.
    """
    if pair.empty != "none":
        return math.nan if pair.empty == "both" else 0.0
    precise = _share(pair.prediction, pair.truth)
    sensitive = _share(pair.truth, pair.prediction)
    return 2 * precise * sensitive / (precise + sensitive) if precise + sensitive else 0.0


def _share(mask: np.ndarray, other: np.ndarray) -> float:
    """Share of the skeleton of `mask` that lies in `other`."""
    from skimage.morphology import skeletonize

    places = np.nonzero(mask)
    box = tuple(slice(int(place.min()), int(place.max()) + 1) for place in places)
    skeleton = skeletonize(np.pad(mask[box], 1))[(slice(1, -1),) * mask.ndim].astype(bool, copy=False)
    if not skeleton.any():  # Lee's thinning can leave nothing of a few voxels, a cube of two for one
        skeleton = mask[box]
    return np.count_nonzero(skeleton & other[box]) / np.count_nonzero(skeleton)
