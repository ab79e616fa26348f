"""Truth and prediction of one class in one case, counted once."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np

from ..core.errors import DataError

Empty = Literal["none", "truth", "prediction", "both"]
T = TypeVar("T")


class Missing(DataError):
    """The case lacks what a metric needs (spacing, instances, probabilities); the message says what and whence."""


@dataclass(frozen=True)
class Pair:
    """Boolean masks of one class, both `(*space,)`, with their counts of voxels.

    valid: False where the truth is the ignore label; those voxels are in neither mask, in no object and in no count.
    spacing_mm: voxel edge lengths in the order of the axes, or None when unknown.
    truth_objects, predicted_objects: integer labels `(*space,)` of single objects, 0 = background, or None.
    probability: float `(*space,)` from 0 to 1 that the model gave this class, or None.
    Raises DataError when shapes differ, a mask is not boolean, a spacing is not positive, an object has a negative
    label or a probability is NaN or outside 0 to 1.
    """

    truth: np.ndarray
    prediction: np.ndarray
    spacing_mm: tuple[float, ...] | None = None
    valid: np.ndarray | None = None
    truth_objects: np.ndarray | None = None
    predicted_objects: np.ndarray | None = None
    probability: np.ndarray | None = None
    _kept: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("truth", "prediction", "valid", "truth_objects", "predicted_objects", "probability"):
            array = getattr(self, name)
            if array is not None and array.shape != self.truth.shape:
                raise DataError(f"{name} has shape {array.shape}, truth has {self.truth.shape}")
        for name in ("truth", "prediction", "valid"):
            mask = getattr(self, name)
            if mask is not None and mask.dtype != np.bool_:
                raise DataError(f"{name} has dtype {mask.dtype}; masks of a pair are bool")
        _check_spacing(self.spacing_mm, self.truth.ndim)
        _check_objects(self.truth_objects, "truth_objects")
        _check_objects(self.predicted_objects, "predicted_objects")
        _check_probability(self.probability)
        if self.valid is not None:
            object.__setattr__(self, "truth", self.truth & self.valid)
            object.__setattr__(self, "prediction", self.prediction & self.valid)
            for name in ("truth_objects", "predicted_objects"):
                labels = getattr(self, name)
                if labels is not None:
                    object.__setattr__(self, name, np.where(self.valid, labels, 0).astype(labels.dtype, copy=False))

    def cached(self, make: Callable[..., T], *arguments: Any) -> T:
        """`make(pair, *arguments)`, computed on the first call and kept: a costly step that several metrics read."""
        key = make, arguments
        if key not in self._kept:
            self._kept[key] = make(self, *arguments)
        return self._kept[key]

    @cached_property
    def tp(self) -> int:
        """Voxels in both."""
        return int(np.count_nonzero(self.truth & self.prediction))

    @cached_property
    def fn(self) -> int:
        """Voxels in the truth only."""
        return int(np.count_nonzero(self.truth)) - self.tp

    @cached_property
    def fp(self) -> int:
        """Voxels in the prediction only."""
        return int(np.count_nonzero(self.prediction)) - self.tp

    @cached_property
    def tn(self) -> int:
        """Valid voxels in neither."""
        voxels = self.truth.size if self.valid is None else int(np.count_nonzero(self.valid))
        return voxels - self.tp - self.fn - self.fp

    @property
    def empty(self) -> Empty:
        """Which side has no voxel: `none`, `truth`, `prediction` or `both`."""
        if self.tp + self.fn:
            return "none" if self.tp + self.fp else "prediction"
        return "truth" if self.fp else "both"

    @property
    def unit(self) -> Literal["mm", "px"]:
        """What distances are measured in: millimetres, or pixels when the spacing is unknown."""
        return "px" if self.spacing_mm is None else "mm"

    @property
    def spacing(self) -> tuple[float, ...]:
        """Voxel edge lengths in `unit`. Raises Missing for a volume of unknown spacing: its voxels may not be cubes."""
        if self.spacing_mm is None and self.truth.ndim > 2:
            raise Missing("distances in a volume need spacing_mm, the voxel edges in the order of the axes; came None")
        return self.spacing_mm or (1.0,) * self.truth.ndim

    @property
    def diagonal(self) -> float:
        """Diagonal of the whole image in `unit`, which no distance exceeds: the worst value of a surface distance."""
        return math.hypot(*(edge * n for edge, n in zip(self.spacing, self.truth.shape, strict=True)))


def _check_spacing(spacing_mm: tuple[float, ...] | None, rank: int) -> None:
    if spacing_mm is None:
        return
    if len(spacing_mm) != rank or not all(0 < edge < math.inf for edge in spacing_mm):
        raise DataError(f"spacing_mm is {tuple(spacing_mm)}; {rank} positive lengths are needed, one an axis")


def _check_objects(labels: np.ndarray | None, name: str) -> None:
    if labels is None:
        return
    if labels.dtype.kind not in "ui":
        raise DataError(f"{name} has dtype {labels.dtype}; labels of objects are integers")
    if labels.dtype.kind == "i" and labels.size and labels.min() < 0:
        raise DataError(f"{name} has the label {labels.min()}; labels of objects are 0 for the background and up")


def _check_probability(probability: np.ndarray | None) -> None:
    if probability is None or not probability.size:
        return
    low, high = probability.min(), probability.max()
    if not (low >= -1e-3 and high <= 1 + 1e-3):  # averaging of windows rounds; NaN fails both comparisons
        raise DataError(f"probability goes from {low} to {high}; it must be a number from 0 to 1 everywhere")
