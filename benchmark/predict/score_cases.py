"""Scores of a model on cases that it was not made for, such as images of another source."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ...datasets.case import Case
from ...metrics.score import score_case
from ..trial.segmenter import Segmenter
from .segment import segment

METRICS = ("dice", "iou")


def score_cases(segmenter: Segmenter, cases: Iterable[Case]) -> list[dict[str, Any]]:
    """One row a case and class: case, group, class, tp, fp, fn, tn, empty, and each of METRICS, raw.

    Images are read and segmented whole, as `predict` does, and compared at their own size. Raises DataError for an
    image that the network cannot be shown, and for a truth of other classes.
    """
    rows: list[dict[str, Any]] = []
    for case in cases:
        sample = case.read()
        image = sample.image
        if image.shape[-1] == 1:  # as a grey file is read for a network of colours
            image = np.repeat(image, segmenter.source.channels, -1)
        labels = segment(image, segmenter, name=case.name).labels
        found = score_case(sample.truth, labels, segmenter.task, sample.spacing_mm, metrics=METRICS)
        rows += [{"case": case.name, "group": case.group, **row} for row in found]
    return rows
