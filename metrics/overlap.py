"""Scores from the four counts of a pair; NaN where the formula is 0 / 0, of which `metrics.empty` makes a value."""

from . import METRICS
from .pair import Pair


@METRICS.add
def dice(pair: Pair) -> float:
    """Dice coefficient (F1 score): 2 TP / (2 TP + FP + FN) (Dice 1945).

    0 when one mask is empty, NaN when both are. Per case and class D = 2 J / (1 + J) with J the IoU.
    """
    return _ratio(2 * pair.tp, 2 * pair.tp + pair.fp + pair.fn)


@METRICS.add
def iou(pair: Pair) -> float:
    """Intersection over union (Jaccard index): TP / (TP + FP + FN) (Jaccard 1912).

    0 when one mask is empty, NaN when both are.
    """
    return _ratio(pair.tp, pair.tp + pair.fp + pair.fn)


@METRICS.add
def precision(pair: Pair) -> float:
    """Precision (positive predictive value): TP / (TP + FP), the share of the prediction that is true.

    NaN when the prediction is empty; 0 when only the truth is.
    """
    return _ratio(pair.tp, pair.tp + pair.fp)


@METRICS.add
def recall(pair: Pair) -> float:
    """Recall (sensitivity): TP / (TP + FN), the share of the truth that was found.

    NaN when the truth is empty; 0 when only the prediction is.
    """
    return _ratio(pair.tp, pair.tp + pair.fn)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
