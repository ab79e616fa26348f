"""What is asked of a model. A dataset states it; models, losses and metrics read it and need not meet."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

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
    modalities: names and numbers of channels of the ways in which one field was imaged, in the order of the channels,
        such as `(("fluorescence", 1), ("phase", 1))`; empty where the data set does not tell them apart.

    Raises DataError when the fields contradict each other.
    """

    rank: int
    channels: int
    classes: tuple[str, ...]
    kind: Kind = "binary"
    spacing_mm: tuple[float, ...] | None = None
    ignore: int | None = None
    modalities: tuple[tuple[str, int], ...] = ()

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
        self._check_modalities()

    def _check_modalities(self) -> None:
        names, counts = [name for name, _ in self.modalities], [count for _, count in self.modalities]
        if len(set(names)) != len(names) or "" in names:
            raise DataError(f"task: modalities are {names}; each needs a name of its own")
        if counts and (min(counts) < 1 or sum(counts) != self.channels):
            raise DataError(f"task: modalities have {counts} channels, the image {self.channels}; they must add up")

    @property
    def outputs(self) -> int:
        """Number of logits a pixel."""
        return len(self.classes)

    @property
    def truth_channels(self) -> int:
        """Length of the last axis of a truth array."""
        return len(self.classes) if self.kind == "multilabel" else 1

    @property
    def parts(self) -> tuple[int, ...]:
        """Numbers of channels of the modalities, in order; all channels are one where none is named."""
        return tuple(count for _, count in self.modalities) or (self.channels,)

    def to_json(self) -> dict[str, Any]:
        """The fields as a record has them: modalities only where there are any, as data sets without them never had."""
        fields = asdict(self)
        return fields if self.modalities else {key: value for key, value in fields.items() if key != "modalities"}

    @property
    def scored(self) -> tuple[str, ...]:
        """The classes that get a score: all but the background of exclusive classes."""
        return self.classes[1:] if self.kind == "exclusive" else self.classes
