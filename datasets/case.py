"""What a data set gives: cases that are read when asked for, at their own size and spacing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from ..core.task import Task

Role = Literal["train", "validation", "test"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class Sample:
    """One decoded case.

    image: (*space, channels), the dtype of the file, intensities as stored.
    truth: (*space, t) uint8 as `Task` says.
    instances: (*space,) integer labels, 0 = background, or None when the data set has none.
    spacing_mm: voxel edge lengths of this case in the order of the axes, or None when unknown; spacing_source: what
        says so (`NIfTI header`, `sweep file`).
    orientation: the directions of the image's axes as its file has them (`LPS`), or ""; the arrays are then RAS+.
    notes: what reading the files understood that is not plain, one line each, the same words for every case of a kind.
    """

    image: np.ndarray
    truth: np.ndarray
    instances: np.ndarray | None = None
    spacing_mm: tuple[float, ...] | None = None
    spacing_source: str = ""
    orientation: str = ""
    notes: tuple[str, ...] = ()

    @property
    def space(self) -> tuple[int, ...]:
        """Edge lengths in pixels."""
        return self.truth.shape[:-1]


@dataclass(frozen=True)
class Case:
    """A case by name. Cases of one group (patient, plate, slide, near-duplicate) never get different roles.

    stratum: kind of image (stain, modality) that a split keeps in proportion, or "".
    files: what it is read from; their contents are part of the split's digest. planes: how many of them, after the
        first, show each plane of the truth, where it has several.
    read: decodes it; raises DataError naming the file when it cannot.
    """

    name: str
    group: str
    read: Callable[[], Sample] = field(hash=False, compare=False)
    stratum: str = ""
    files: tuple[Path, ...] = ()
    planes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """A data set: its task, its cases sorted by name, where it comes from.

    official: role of cases whose publisher fixed it, by case name; the others are split.
    reading: version of how its files become arrays, "" for the first; trials of another version are others.
    notes: what was noticed while listing (a mask without its image, say), one line a kind; printed and recorded.
    """

    name: str
    task: Task
    cases: tuple[Case, ...]
    licence: str
    citation: str
    official: Mapping[str, Role] = field(default_factory=dict, hash=False)
    notes: tuple[str, ...] = ()
    reading: str = ""
