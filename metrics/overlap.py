"""Scores from the four counts of a pair; NaN where the formula is 0 / 0, of which `metrics.empty` makes a value."""

import math

from ..core.errors import SpecError
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
    """Precision (positive predictive value): TP / (TP + FP), what is true of the prediction (Kent et al. 1955).

    NaN when the prediction is empty; 0 when only the truth is.
    """
    return _ratio(pair.tp, pair.tp + pair.fp)


@METRICS.add
def recall(pair: Pair) -> float:
    """Recall (sensitivity): TP / (TP + FN), the share of the truth that was found (Kent et al. 1955).

    NaN when the truth is empty; 0 when only the prediction is.
    """
    return _ratio(pair.tp, pair.tp + pair.fn)


@METRICS.add
def specificity(pair: Pair) -> float:
    """Specificity (true negative rate): TN / (TN + FP), the rest that was left alone (Yerushalmy 1947).

    Defined for an empty truth; NaN only when the truth is everywhere. It grows with the margin around the object.
    """
    return _ratio(pair.tn, pair.tn + pair.fp)


@METRICS.add
def f_beta(pair: Pair, *, beta: float = 2.0) -> float:
    """F-beta: (1 + b²) TP / ((1 + b²) TP + b² FN + FP), recall weighing b times precision (van Rijsbergen 1979).

    beta = 1 is Dice. 0 when one mask is empty, NaN when both are. Raises SpecError unless beta is positive.
    """
    if not 0 < beta < math.inf:
        raise SpecError(f"f_beta.beta: {beta} must be positive; 2 stresses recall, 0.5 precision, 1 is Dice")
    hits = (1 + beta**2) * pair.tp
    return _ratio(hits, hits + beta**2 * pair.fn + pair.fp)


@METRICS.add
def mcc(pair: Pair) -> float:
    """Matthews correlation: (TP TN - FP FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN)) (Matthews 1975).

    From -1 to 1, 0 for chance. NaN when either mask is empty or everywhere, where some tools write 0.
    """
    tp, fp, fn, tn = pair.tp, pair.fp, pair.fn, pair.tn
    return _ratio(tp * tn - fp * fn, math.sqrt((tp + fp) * (tp + fn)) * math.sqrt((tn + fp) * (tn + fn)))


@METRICS.add
def volume_difference(pair: Pair) -> float:
    """Volume difference: |P - T| / (P + T), 1 minus volumetric similarity (Taha and Hanbury 2015, T and P in voxels).

    From 0 to 1, blind to where the voxels are. 1 when one mask is empty, NaN when both are. The difference relative to
    the truth alone, |P - T| / T, has no worst value; it is |fp - fn| / (tp + fn) of the counts kept with each score.
    """
    return _ratio(abs(pair.fp - pair.fn), 2 * pair.tp + pair.fp + pair.fn)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
