"""Scores of single objects, from labels of the truth and of the prediction; NaN where neither has an object.

How predicted objects are made of masks or probabilities is chosen where the case is scored (`metrics.objects`). A pair
without labels raises Missing in each of these metrics.
"""

import math

import numpy as np

from ..core.errors import SpecError
from . import METRICS
from .matching import THRESHOLDS, Overlaps, overlaps
from .pair import Pair


@METRICS.add
def pq(pair: Pair) -> float:
    """Panoptic quality: sum of the IoU of matches / (TP + FP / 2 + FN / 2) (Kirillov et al. 2019, arXiv:1801.00868).

    Objects match when IoU > 0.5; PQ = SQ × RQ. 0 when nothing matches.
    """
    found = pair.cached(overlaps)
    return _ratio(_quality(found).sum(), (found.truth.size + found.prediction.size) / 2)


@METRICS.add
def sq(pair: Pair) -> float:
    """Segmentation quality: mean IoU of the matches, IoU > 0.5 (Kirillov et al. 2019, arXiv:1801.00868).

    NaN also where nothing matches: there is no segment whose quality could be said.
    """
    quality = _quality(pair.cached(overlaps))
    return _ratio(quality.sum(), quality.size)


@METRICS.add
def rq(pair: Pair) -> float:
    """Recognition quality: TP / (TP + FP / 2 + FN / 2), matches of IoU > 0.5 (Kirillov et al. 2019, arXiv:1801.00868).

    0 when nothing matches.
    """
    found = pair.cached(overlaps)
    return _ratio(_quality(found).size, (found.truth.size + found.prediction.size) / 2)


@METRICS.add
def object_ap(pair: Pair, *, iou: float = 0.5) -> float:
    """AP of objects: TP / (TP + FP + FN) with matches of IoU >= `iou` (Caicedo et al. 2019), as StarDist and Cellpose.

    One operating point, not the area under a precision-recall curve that COCO calls AP. Raises SpecError for an iou
    outside 0.5 to 1.
    """
    found = pair.cached(overlaps)
    hits = _hits(found, iou)
    return _ratio(hits, found.truth.size + found.prediction.size - hits)


@METRICS.add
def object_f1(pair: Pair, *, iou: float = 0.5) -> float:
    """F1 of objects: 2 TP / (2 TP + FP + FN) with matches of IoU >= `iou` (Caicedo et al. 2019).

    Raises SpecError for an iou outside 0.5 to 1.
    """
    found = pair.cached(overlaps)
    return _ratio(2 * _hits(found, iou), found.truth.size + found.prediction.size)


@METRICS.add
def dsb2018_score(pair: Pair) -> float:
    """Score of the Data Science Bowl 2018: mean of TP / (TP + FP + FN) over IoU 0.5, 0.55 … 0.95 (Caicedo et al. 2019).

    A match has IoU >= threshold, as in StarDist.
    """
    return float(np.mean([object_ap(pair, iou=float(threshold)) for threshold in THRESHOLDS]))


@METRICS.add
def aji(pair: Pair) -> float:
    """Aggregated Jaccard index: Σ |T ∩ P(T)| / (Σ |T ∪ P(T)| + what was never chosen) (Kumar et al. 2017).

    P(T) is the predicted object of highest IoU with T, the first of equals, and may be chosen twice, as in the authors'
    code; a T that nothing overlaps adds its size below. 0 when nothing overlaps.
    """
    found = pair.cached(overlaps)
    union = found.union
    order = np.lexsort((found.prediction_index, -found.intersection / union, found.truth_index))
    first, places = np.unique(found.truth_index[order], return_index=True)
    best = order[places]
    missed = np.delete(found.truth, first).sum()
    unused = np.delete(found.prediction, np.unique(found.prediction_index[best])).sum()
    return _ratio(found.intersection[best].sum(), union[best].sum() + missed + unused)


def matched_counts(pair: Pair) -> list[int]:
    """True positives at each of the ten thresholds; with the numbers of objects they give AP and F1 at all of them."""
    found = pair.cached(overlaps)
    return [found.matched(float(threshold)).size for threshold in THRESHOLDS]


def _hits(found: Overlaps, iou: float) -> int:
    if not 0.5 <= iou <= 1:
        raise SpecError(f"iou: {iou} is not from 0.5 to 1; below 0.5 an object can match several others")
    return found.matched(iou).size


def _quality(found: Overlaps) -> np.ndarray:
    matches = found.matched(0.5, strict=True)
    return found.intersection[matches] / found.union[matches]


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else math.nan
