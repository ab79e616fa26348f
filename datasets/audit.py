"""Decode every case of a data set and say what is wrong with it."""

from collections.abc import Callable

import numpy as np

from ..core.errors import DataError
from .case import Case, Dataset, Sample
from .object_labels import ObjectLabels
from .prepare import Preprocess, prepare


def audit(
    dataset: Dataset, *, preprocess: Preprocess | None = None, progress: Callable[[], object] | None = None
) -> list[str]:
    """Return one line a finding; none means every case can be trained on and scored.

    Findings are what a case raises when it is read and prepared as `preprocess` says (the default when None), and what
    is legal but worth a look: constant images, empty truths, a class that no case has, labels that are not those of
    single objects, cases with the same pixels in different groups. What the listing noticed is in `Dataset.notes`.
    progress is called after every case.
    """
    findings: list[str] = []
    classes: set[tuple[int, int]] = set()
    pixels: dict[int, Case] = {}
    labels = ObjectLabels()
    for case in dataset.cases:
        try:
            sample = case.read()
            prepare(case.name, sample, dataset.task, preprocess or Preprocess())
        except DataError as error:
            findings.append(str(error))
        else:
            findings += [f"{case.name}: {line}" for line in _odd(sample, dataset.task.ignore)]
            labels.add(case.name, sample.instances)
            classes |= _present(sample, dataset)
            twin = pixels.setdefault(hash(sample.image.tobytes()), case)
            if twin.group != case.group:
                findings.append(f"{case.name}: has the same image as {twin.name}, which is in another group")
        if progress is not None:
            progress()
    findings += [f"no case holds the class {name}" for name in _missing(classes, dataset)]
    return findings + labels.remarks()


def _odd(sample: Sample, ignore: int | None) -> list[str]:
    lines = []
    if sample.image.min() == sample.image.max():
        lines.append("the image is constant")
    marked = sample.truth != 0
    if not marked.any():
        lines.append("the mask is empty")
    elif ignore is not None and (sample.truth[marked] == ignore).all():
        lines.append("the mask holds ignored pixels and no object; is the value of `ignore` the foreground's?")
    return lines


def _present(sample: Sample, dataset: Dataset) -> set[tuple[int, int]]:
    """(plane, value) of everything but zero that the truth holds."""
    planes = range(sample.truth.shape[-1])
    return {(k, int(v)) for k in planes for v in np.flatnonzero(np.bincount(sample.truth[..., k].ravel())) if v}


def _missing(present: set[tuple[int, int]], dataset: Dataset) -> list[str]:
    task = dataset.task
    wanted = {
        "binary": [(0, 1)],
        "exclusive": [(0, value) for value in range(1, len(task.classes))],
        "multilabel": [(plane, 1) for plane in range(len(task.classes))],
    }[task.kind]
    return [name for name, place in zip(task.scored, wanted, strict=True) if place not in present]
