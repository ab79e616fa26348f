"""Scores of the ISBI 2012 challenge: does the class, drawn as outlines, part the image into the right segments?

Segments are the regions that the class (a membrane) leaves over, connected through faces. Only voxels that the truth
leaves over are counted ("foreground-restricted"), and what the prediction calls membrane among them goes to the nearest
predicted segment, so that the thickness of a membrane costs nothing ("after border thinning"). A class with labels of
single objects is no outline and raises Missing.
"""

import math

import cv2
import numpy as np

from . import METRICS
from .matching import Overlaps, label_overlaps
from .objects import label
from .pair import Missing, Pair


@METRICS.add
def isbi_rand(pair: Pair) -> float:
    """Foreground-restricted Rand score: Σ p_ij² / (½ Σ s_i² + ½ Σ t_j²) (Arganda-Carreras et al. 2015).

    p_ij is the share of voxels in predicted segment i and true segment j, s_i and t_j its sums; the harmonic mean of
    split and merge score, 1 is best. The class must be the outline: it says nothing of blobs. NaN when the
    truth leaves no segment.
    """
    found = pair.cached(partition)
    whole = (_squares(found.truth) + _squares(found.prediction)) / 2
    return _squares(found.intersection) / whole if whole else math.nan


@METRICS.add
def isbi_info(pair: Pair) -> float:
    """Foreground-restricted information score: 2 I(S; T) / (H(S) + H(T)) (Arganda-Carreras et al. 2015).

    S and T are the segments as random variables; 1 is best. The class must be the outline. NaN when
    the truth leaves no segment, 1 when both leave one and the same.
    """
    found = pair.cached(partition)
    if not found.intersection.size:
        return math.nan
    apart = _entropy(found.truth) + _entropy(found.prediction)
    return 2 * (apart - _entropy(found.intersection)) / apart if apart else 1.0


def partition(pair: Pair) -> Overlaps:
    """Segments of the truth and of the prediction, counted together over the voxels that the truth leaves over.

    Raises Missing for a class of numbered objects, whose rest is one background and no segments.
    """
    if pair.truth_objects is not None:
        raise Missing("ISBI scores are of a class drawn as outlines; this one has labels of single objects")
    inside, left = ~pair.truth, ~pair.prediction
    if pair.valid is not None:
        inside, left = inside & pair.valid, left & pair.valid
    thinned = _thinned(label(left, touching="face"), pair.spacing_mm)
    return label_overlaps(label(inside, touching="face"), np.where(inside, thinned, 0))


def _thinned(segments: np.ndarray, spacing_mm: tuple[float, ...] | None) -> np.ndarray:
    """Give every voxel without a segment to the nearest one; an image without any is one segment.

    In an image of square pixels the nearest is found to within half a pixel.
    """
    outside = segments == 0
    if not outside.any():
        return segments
    if outside.all():
        return np.ones_like(segments)
    if segments.ndim == 2 and len(set(spacing_mm or ())) < 2:
        _, nearest = cv2.distanceTransformWithLabels(
            outside.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
        )
        names = np.zeros(int(nearest.max()) + 1, segments.dtype)
        names[nearest[~outside]] = segments[~outside]
        return names[nearest]
    from scipy.ndimage import distance_transform_edt

    places = distance_transform_edt(outside, spacing_mm, return_distances=False, return_indices=True)
    return segments[tuple(places)]  # pyright: ignore[reportArgumentType]


def _squares(sizes: np.ndarray) -> float:
    return float(np.square(sizes / max(sizes.sum(), 1)).sum()) if sizes.size else 0.0


def _entropy(sizes: np.ndarray) -> float:
    shares = sizes / sizes.sum()
    return float(-(shares * np.log(shares)).sum())
