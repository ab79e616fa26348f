"""What is asked of a model. A dataset states it; models, losses and metrics read it and need not meet."""

from dataclasses import dataclass
from typing import Literal

from .errors import DataError

Kind = Literal["binary", "exclusive", "multilabel"]


@dataclass(frozen=True)
class Task:
    """Spatial rank, channels, classes and how classes exclude each other.

    kind        logits (n, *space, outputs)         truth (n, *space, t), integers
    binary      1, sigmoid                          t = 1, values 0 and 1
    exclusive   one a class, softmax                t = 1, values 0 .. len(classes) - 1
    multilabel  one a class, sigmoid each           t = len(classes), values 0 and 1

    classes: names in the order of the logits. For `binary` the one foreground class; for `exclusive` the first
        is the background, which is never scored.
    spacing_mm: voxel edge lengths in the order of the axes, or None when unknown.
    ignore: the truth value that no loss and no metric looks at, or None.

    Raises DataError when the fields contradict each other.
    """

    rank: int
    channels: int
    classes: tuple[str, ...]
    kind: Kind = "binary"
    spacing_mm: tuple[float, ...] | None = None
    ignore: int | None = None

    def __post_init__(self) -> None:
        if self.rank not in (2, 3):
            raise DataError(f"task: rank is {self.rank}; images are 2D or 3D")
        if self.channels < 1:
            raise DataError(f"task: {self.channels} channels; at least 1 is needed")
        if self.kind == "binary" and len(self.classes) != 1:
            raise DataError(f"task: binary has one class, the foreground; came {len(self.classes)}: {self.classes}")
        if self.kind == "exclusive" and len(self.classes) < 2:
            raise DataError("task: exclusive classes need a background and at least one class; use binary for one")
        if len(set(self.classes)) != len(self.classes):
            raise DataError(f"task: class names repeat: {self.classes}")
        if self.spacing_mm is not None:
            if len(self.spacing_mm) != self.rank:
                raise DataError(f"task: spacing {self.spacing_mm} has not one value an axis (rank {self.rank})")
            if min(self.spacing_mm) <= 0:
                raise DataError(f"task: spacing {self.spacing_mm} must be positive")
        if self.ignore is not None and 0 <= self.ignore < max(2, len(self.classes)):
            raise DataError(f"task: ignore label {self.ignore} is also a class; choose a value that none has")

    @property
    def outputs(self) -> int:
        """Number of logits a pixel."""
        return len(self.classes)

    @property
    def truth_channels(self) -> int:
        """Length of the last axis of a truth array."""
        return len(self.classes) if self.kind == "multilabel" else 1

    @property
    def scored(self) -> tuple[str, ...]:
        """The classes that get a score: all but the background of exclusive classes."""
        return self.classes[1:] if self.kind == "exclusive" else self.classes
