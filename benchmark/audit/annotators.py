"""Agreement of several people who annotated the same images: pairs, and each against the vote of all."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ...core.errors import DataError
from ...core.task import Task
from ...datasets.case import Case, Dataset


@dataclass(frozen=True)
class CaseAgreement:
    """Of an image that several annotated. pairs: Dice of each two of them, by their places; dice: the mean of these.

    votes: Dice of each annotator with what more than half of all have, himself included. NaN where neither of two masks
    holds a class.
    """

    case: str
    pairs: dict[tuple[int, int], float]
    votes: tuple[float, ...]

    @property
    def dice(self) -> float:
        """Mean over the pairs that are defined."""
        return _mean(list(self.pairs.values()))


def annotators(datasets: Mapping[str, Dataset]) -> list[list[str]]:
    """Names of the data sets that are the same images with other masks: every case read from the same first file."""
    by_images: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for name, dataset in datasets.items():
        if all(case.files for case in dataset.cases):
            by_images[(dataset.task, *((case.name, case.files[0]) for case in dataset.cases))].append(name)
    return [names for names in by_images.values() if len(names) > 1]


def agreement(datasets: Sequence[Dataset], on_case: Callable[[], object] = lambda: None) -> Iterator[CaseAgreement]:
    """Case by case. Raises DataError for masks of different size."""
    task = datasets[0].task
    for cases in zip(*(dataset.cases for dataset in datasets), strict=True):
        yield compare(cases[0].name, [_labels(case, task) for case in cases], task)
        on_case()


def compare(name: str, masks: Sequence[np.ndarray], task: Task) -> CaseAgreement:
    """masks: (*space, classes) bool of each annotator, of the scored classes."""
    if len({mask.shape for mask in masks}) > 1:
        sizes = ", ".join("×".join(map(str, mask.shape[:-1])) for mask in masks)
        raise DataError(f"{name}: the masks of its annotators are of different size ({sizes}); give them the image's")
    pairs = {(a, b): _dice(masks[a], masks[b]) for a, b in combinations(range(len(masks)), 2)}
    count = np.sum([mask.astype(np.int16) for mask in masks], 0)
    vote = 2 * count > len(masks)
    return CaseAgreement(name, pairs, tuple(_dice(mask, vote) for mask in masks))


def _labels(case: Case, task: Task) -> np.ndarray:
    truth = case.read().truth
    if task.kind == "exclusive":
        return np.stack([truth[..., 0] == k for k in range(1, len(task.classes))], -1)
    return truth == 1


def _dice(a: np.ndarray, b: np.ndarray) -> float:
    """Mean over classes that one of the two holds."""
    values = []
    for k in range(a.shape[-1]):
        total = int(a[..., k].sum()) + int(b[..., k].sum())
        if total:
            values.append(2 * int((a[..., k] & b[..., k]).sum()) / total)
    return _mean(values)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
