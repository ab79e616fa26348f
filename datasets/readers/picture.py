"""What a reader is asked, and what it gives."""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

Channels = Literal["", "first", "last", "none"]
"""Which axis of an image is channels, where its file does not say it."""

Exif = Literal["apply", "ignore"]
"""Whether pictures are turned as their files' orientation says."""


@dataclass(frozen=True)
class Reading:
    """What the sweep file says about how files are to be read.

    channels: which axis of a TIFF, NPY or NPZ of 3 or 4 axes is channels, whatever it says; the others are (z,) y, x.
        `last` keeps transparency as a channel; `none` takes planes that are stored apart for depth.
    exif: whether the orientation that a file states is applied. array: which array of an NPZ.
    mask: whether the file is a mask, whose axes are all space where it does not say otherwise. colours: whether a mask
    is read for its colours. threshold: the least value that is 1 in a mask, else 0.
    """

    channels: Channels = ""
    exif: Exif = "apply"
    array: str = ""
    mask: bool = False
    colours: bool = False
    threshold: float | None = None

    def of_mask(self, array: str = "") -> "Reading":
        """How the mask of an image that is read so is read: it has no channels. array: which array of an NPZ."""
        return replace(self, channels="", array=array, mask=True)


@dataclass(frozen=True)
class Picture:
    """One decoded file.

    array: (*space, c), intensities and bit depth as stored. spacing_mm: voxel edges in the order of the axes, or None
    where the file does not say them; spacing_source: what says them (`NIfTI header`). orientation: the directions of
    the axes as the file has them (`LPS`), where it says them. notes: what was understood that is not plain, one line
    each without the file's name. label_step: the scale factor, below 1, of integers that hold labels as fractions of
    a range. highest: the highest value that the file's samples can have where that is less than its dtype's. lossy:
    whether its compression changes values. indexed: whether the array holds indices into a palette.
    """

    array: np.ndarray = field(hash=False, compare=False)
    spacing_mm: tuple[float, ...] | None = None
    spacing_source: str = ""
    orientation: str = ""
    notes: tuple[str, ...] = ()
    label_step: float | None = None
    highest: int | None = None
    lossy: bool = False
    indexed: bool = False
