"""What a reader is asked, and what it gives."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

Channels = Literal["", "first", "last", "none"]
"""Which axis of an image is channels, where its file does not say it."""

Exif = Literal["apply", "ignore"]
"""Whether pictures are turned as their files' orientation says."""

Pages = Literal["volume", "frames", "cases"]
"""What of a file is a case: the whole, each frame of a time stack, or each 2D image."""


@dataclass(frozen=True)
class Reading:
    """What the sweep file says about how files are to be read.

    channels: which axis of a TIFF, NPY or NPZ of 3 or 4 axes is channels, whatever it says; the others are (z,) y, x.
        `last` says it of the fourth axis of a NIfTI and keeps transparency as a channel; `none` takes planes that are
        stored apart for depth.
    exif: whether the orientation that a file states is applied. array: which array of an NPZ.
    pages: what of a file is a case; where it is `volume`, there is no time axis.
    mask: whether the file is a mask, whose axes are all space where it does not say otherwise. colours: whether a mask
        is read for its colours. threshold: the least value that is 1 in a mask, else 0.
    outline: whether the shape alone is wanted, of zeros, so that a file's pages can be counted without decoding them.
    segment: which segment of a mask is read, by name, where its file holds several that may overlap. shared: whether
        other classes are read from the same file. or_empty: whether a segment that is not there shows no object.
    image: of a mask, the file or folder of its image.
    """

    channels: Channels = ""
    exif: Exif = "apply"
    array: str = ""
    pages: Pages = "volume"
    mask: bool = False
    colours: bool = False
    threshold: float | None = None
    outline: bool = False
    segment: str = ""
    shared: bool = False
    or_empty: bool = False
    image: Path | None = None

    def of_mask(self, array: str = "") -> "Reading":
        """How the mask of an image that is read so is read: it has no channels. array: which array of an NPZ.

        Planes that are stored apart are depth in the mask where they are in the image.
        """
        return replace(self, channels="none" if self.channels == "none" else "", array=array, mask=True)


@dataclass(frozen=True)
class Picture:
    """One decoded file.

    array: (*space, c), intensities and bit depth as stored, or (t, *space, c) where frames is true. spacing_mm: voxel
    edges in the order of the axes of space, or None where the file does not say them; spacing_source: what says them
    (`NIfTI header`). depth: the axis of space along which slices are counted. orientation: the directions of the axes
    as the file has them (`LPS`), where it says them; the array's are then RAS+. affine: (4, 4) from indices of the
    array's voxels to millimetres, where the file has an orientation; rounding_rad: by how much its rotation may be off
    for the way the file stores it. notes: what was understood that is not plain, one line each without the file's name.
    label_step: the scale factor, below 1, of integers that hold labels as fractions of a range. highest: the highest
    value that the file's samples can have where that is less than its dtype's. lossy: whether its compression changes
    values. indexed: whether the array holds indices into a palette. partial: whether a mask's grid may be a part of its
    image's, outside of which it shows nothing.
    """

    array: np.ndarray = field(hash=False, compare=False)
    spacing_mm: tuple[float, ...] | None = None
    spacing_source: str = ""
    orientation: str = ""
    notes: tuple[str, ...] = ()
    frames: bool = False
    depth: int = 0
    affine: np.ndarray | None = field(default=None, hash=False, compare=False)
    rounding_rad: float = 0.0
    label_step: float | None = None
    highest: int | None = None
    lossy: bool = False
    indexed: bool = False
    partial: bool = False

    @property
    def space(self) -> tuple[int, ...]:
        """Edge lengths in voxels, without time and channels."""
        return self.array.shape[self.frames : -1]
