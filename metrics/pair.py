"""Truth and prediction of one class in one case, counted once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ..core.errors import DataError

Empty = Literal["none", "truth", "prediction", "both"]


@dataclass(frozen=True)
class Pair:
    """Boolean masks of one class, both `(*space,)`, with their counts of voxels.

    valid: False where the truth is the ignore label; those voxels are in neither mask and in no count.
    spacing_mm: voxel edge lengths in the order of the axes, or None when unknown.
    Raises DataError when the shapes differ.
    """

    truth: np.ndarray
    prediction: np.ndarray
    spacing_mm: tuple[float, ...] | None = None
    valid: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in ("truth", "prediction", "valid"):
            mask = getattr(self, name)
            if mask is None:
                continue
            if mask.shape != self.truth.shape:
                raise DataError(f"{name} has shape {mask.shape}, truth has {self.truth.shape}")
            if mask.dtype != np.bool_:
                raise DataError(f"{name} has dtype {mask.dtype}; masks of a pair are bool")
        if self.valid is not None:
            object.__setattr__(self, "truth", self.truth & self.valid)
            object.__setattr__(self, "prediction", self.prediction & self.valid)

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
