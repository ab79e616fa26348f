"""Scores of the same cases that bound each other: Dice and IoU, precision, recall and F1."""

import math
from collections.abc import Callable, Iterator
from itertools import product

from ..cell import Number
from ..finding import Finding, Severity, finding
from ..table import Column, Options, Row, Table, readings, scaled
from . import RULES

SINGLE = 1e-6
"""What arithmetic in single precision may add to a mean."""

Ends = tuple[float, float]
Allowed = Callable[..., Ends]
"""From the ranges of the other numbers to the range in which the checked one must lie."""


@RULES.add
def dice_iou(table: Table, options: Options) -> Iterator[Finding]:
    """D / (2 - D) ≤ IoU ≤ D for means of cases; IoU = D / (2 - D) for pooled counts.

    Per case, and for pooled true and false positives, IoU = f(D) = D / (2 - D). f is convex with f(0) = 0 and f(1) = 1,
    so that over cases mean IoU ≥ f(mean D) (Jensen's inequality; equal where all cases are) and mean IoU ≤ mean D, the
    chord (equal where every case is 0 or 1). The bounds also hold where both have one smoothing term s above and below:
    (I + s/2) / (U + s/2) ≤ (I + s) / (U + s) ≤ (2 I + s) / (I + U + s). Without `--aggregate pooled` both are allowed.
    Where one of the two is said to be a mean (mIoU) and the other is not, or F1 stands beside scores of objects, it is
    doubtful only: they may be of other classes, or of objects.
    """
    pooled = options.aggregate == "pooled"
    objects = any(table.of("object_f1", "object_ap", "aji", "pq"))
    for iou in table.of("iou"):
        for dice in _alike(table, iou, "dice") or _alike(table, iou, "f1"):
            strict = iou.meaning.averaged == dice.meaning.averaged and not (objects and dice.meaning.quantity == "f1")
            reason = "pooled counts have IoU = D / (2 - D)" if pooled else "means of cases have D / (2 - D) ≤ IoU ≤ D"
            if not strict:
                reason += ", unless one of the two is a mean over other classes, or counts objects"
            for row in table.rows:
                yield from _checked(
                    table, row, (iou, dice), _jaccard if pooled else _iou_of_means, reason, _severity(strict)
                )


@RULES.add
def precision_recall_f1(table: Table, options: Options) -> Iterator[Finding]:
    """max(0, P + R - 1) ≤ F1 ≤ 2 P R / (P + R) for means of cases; F1 = 2 P R / (P + R) for pooled counts.

    Per case and for pooled counts F1, which is Dice, is the harmonic mean H of precision and recall. H is concave, so
    that over cases mean F1 ≤ H(mean P, mean R) (Jensen's inequality), and nowhere below P + R - 1, which is linear.
    The bounds hold for means over the same cases. A Dice that leaves out images without an object, where precision
    does not, can exceed the upper one: beside a column that is headed Dice and not F1 the finding is doubtful, unless
    counts are pooled.
    """
    pooled = options.aggregate == "pooled"
    for score in table.of("dice", "f1"):
        exact = pooled or score.meaning.quantity == "f1"
        reason = (
            "F1 is 2 P R / (P + R) of pooled counts"
            if pooled
            else "means of cases have P + R - 1 ≤ F1 ≤ 2 P R / (P + R)"
        )
        for precision, recall in product(_alike(table, score, "precision"), _alike(table, score, "recall")):
            for row in table.rows:
                columns = (score, precision, recall)
                yield from _checked(
                    table, row, columns, _harmonic if pooled else _f1_of_means, reason, _severity(exact)
                )


@RULES.add
def precision_recall_iou(table: Table, options: Options) -> Iterator[Finding]:
    """max(0, P + R - 1) ≤ IoU ≤ min(P, R) for means of cases; 1 / IoU = 1 / P + 1 / R - 1 for pooled counts.

    Per case IoU = TP / (TP + FP + FN), which is at most TP / (TP + FP) and TP / (TP + FN) and at least P + R - 1; these
    are linear, or minima, and hold for means. Like `precision_recall_f1` it is doubtful unless counts are pooled.
    """
    pooled = options.aggregate == "pooled"
    reason = (
        "pooled counts have 1 / IoU = 1 / P + 1 / R - 1"
        if pooled
        else "means of cases have P + R - 1 ≤ IoU ≤ min(P, R)"
    )
    for iou in table.of("iou"):
        for precision, recall in product(_alike(table, iou, "precision"), _alike(table, iou, "recall")):
            for row in table.rows:
                columns = (iou, precision, recall)
                allowed = _intersection if pooled else _below_both
                yield from _checked(table, row, columns, allowed, reason, _severity(pooled))


def _severity(exact: bool) -> Severity:
    return "impossible" if exact else "doubtful"


def _alike(table: Table, column: Column, *quantities: str) -> list[Column]:
    """The one column of the quantity that is of the same class, data set and the like; none where there are several."""
    found = [c for c in table.of(*quantities) if c.meaning.apart == column.meaning.apart]
    same = [c for c in table.of(column.meaning.quantity) if c.meaning.apart == column.meaning.apart]
    return found if len(same) == 1 and len({c.meaning.quantity for c in found}) == len(found) else []


def _checked(
    table: Table, row: Row, columns: tuple[Column, ...], allowed: Allowed, reason: str, severity: Severity
) -> Iterator[Finding]:
    """A finding where the first column's number lies outside what the others allow, however they are read."""
    cells = [table.cell(row, column) for column in columns]
    if not all(cell.number for cell in cells):
        return
    outside = []
    for scales in readings(cells, columns):
        numbers = [scaled(cell, column, scale) for cell, column, scale in zip(cells, columns, scales, strict=True)]
        if not all(-0.5 <= number.value <= 1.5 for number in numbers):
            continue  # `out_of_range` says what is wrong
        first, *others = map(_ends, numbers)
        low, high = allowed(*others)
        if first[1] >= low - SINGLE and first[0] <= high + SINGLE:
            return
        outside.append((max(low - first[1], first[0] - high), low, high, scales[0], numbers[0]))
    if outside:
        _, low, high, scale, number = min(outside, key=lambda found: found[0])
        text = _range(low, high, scale * cells[0].factor, number)
        yield finding(table, row, columns, reason, consistent=f"{columns[0].header} {text}", severity=severity)


def _ends(number: Number) -> Ends:
    return max(0.0, number.value - number.half), min(1.0, number.value + number.half)


def _range(low: float, high: float, scale: float, number: Number) -> str:
    """The numbers that the table could print: those whose own rounding reaches into the range."""
    unit = 2 * number.half / scale
    digits = max(0, min(6, round(-math.log10(unit))))
    unit = max(unit, 10.0**-digits)
    first = max(0.0, math.ceil((low / scale - unit / 2) / unit - 1e-6) * unit)
    last = min(1 / scale, math.floor((high / scale + unit / 2) / unit + 1e-6) * unit)
    ends = f"{first:.{digits}f}", f"{last:.{digits}f}"
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _f(dice: float) -> float:
    return dice / (2 - dice)


def _jaccard(dice: Ends) -> Ends:
    return _f(dice[0]), _f(dice[1])


def _iou_of_means(dice: Ends) -> Ends:
    return _f(dice[0]), dice[1]


def _h(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _harmonic(precision: Ends, recall: Ends) -> Ends:
    return _h(precision[0], recall[0]), _h(precision[1], recall[1])


def _f1_of_means(precision: Ends, recall: Ends) -> Ends:
    return max(0.0, precision[0] + recall[0] - 1), _h(precision[1], recall[1])


def _intersection(precision: Ends, recall: Ends) -> Ends:
    low, high = _harmonic(precision, recall)
    return _f(low), _f(high)


def _below_both(precision: Ends, recall: Ends) -> Ends:
    return max(0.0, precision[0] + recall[0] - 1), min(precision[1], recall[1])
