"""A case as training holds it from one epoch to the next."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .scaling import ScaledImage


class Outline(NamedTuple):
    """space, spacing_mm: of a case as it was read."""

    space: tuple[int, ...]
    spacing_mm: tuple[float, ...] | None


@dataclass(frozen=True)
class Held:
    """A case as training holds it: as `Prepared`, with of the original its outline only.

    planes: of the truth that are classes; those behind them are marks of a weaker annotation (`core.marks`). 0 for all.
    """

    image: np.ndarray | ScaledImage
    truth: np.ndarray
    original: Outline
    content: tuple[int, ...]
    planes: int = 0

    @property
    def classes(self) -> np.ndarray:
        """The truth without marks."""
        return self.truth[..., : self.planes or None]

    @property
    def nbytes(self) -> int:
        """Bytes of memory that image and truth take."""
        return self.image.nbytes + self.truth.nbytes
