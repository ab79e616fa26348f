"""Scores of thin, connected things: vessels, membranes, neurites."""

import math

import numpy as np

from . import METRICS
from .objects import label
from .pair import Pair


@METRICS.add
def cldice(pair: Pair) -> float:
    """clDice: harmonic mean of the shares of each skeleton inside the other mask (Shit et al. 2021, arXiv:2003.07311).

    2 p s / (p + s) with p = |S(P) ∩ T| / |S(P)| and s = |S(T) ∩ P| / |S(T)|; S thins to one pixel, after Zhang and
    Suen 1984 in an image and Lee et al. 1994 in a volume, as the authors' code does through scikit-image. Blind to
    thickness, and of little meaning for blobs. Lee's thinning leaves nothing of a straight bar whose sides are even: a
    component (by corners) without a skeleton is widened by an element of two voxels a side and thinned again, of which
    counts what lies in it; if nothing does, it is its own skeleton. Thinning goes from side to side, so the score of a
    flipped image can differ. 0 when one mask is empty, NaN when both are.
    """
    if pair.empty != "none":
        return math.nan if pair.empty == "both" else 0.0
    precise = _share(pair.prediction, pair.truth)
    sensitive = _share(pair.truth, pair.prediction)
    return 2 * precise * sensitive / (precise + sensitive) if precise + sensitive else 0.0


def _share(mask: np.ndarray, other: np.ndarray) -> float:
    """Share of the skeleton of `mask` that lies in `other`."""
    places = np.nonzero(mask)
    box = tuple(slice(int(place.min()), int(place.max()) + 1) for place in places)
    skeleton = _skeleton(mask[box])
    return np.count_nonzero(skeleton & other[box]) / np.count_nonzero(skeleton)


def _skeleton(mask: np.ndarray) -> np.ndarray:
    """The skeleton of a mask, in which each of its components has a part."""
    from scipy import ndimage

    found = _thinned(mask)
    parts = label(mask, touching="corner")
    whole = np.zeros(int(parts.max()) + 1, bool)
    whole[parts[found]] = True
    for number, box in enumerate(ndimage.find_objects(parts), 1):
        if not whole[number]:
            part = parts[box] == number
            wide = ndimage.binary_dilation(np.pad(part, 1), np.ones((2,) * part.ndim))
            inside = _thinned(wide)[(slice(1, -1),) * part.ndim] & part
            found[box] |= inside if inside.any() else part
    return found


def _thinned(mask: np.ndarray) -> np.ndarray:
    from skimage.morphology import skeletonize

    return skeletonize(np.pad(mask, 1))[(slice(1, -1),) * mask.ndim].astype(bool, copy=False)
