"""An image file, or an OME-Zarr, as what a network can be shown: one image or, page by page, several."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...datasets.folder_cases import alike
from ...datasets.prepare import Preprocess
from ...datasets.readers import FOLDER, Page, Reading, cut, pages_in, read_image
from ...datasets.readers.ome_zarr import OmeZarr, open_ome_zarr
from ...datasets.regions import Stored
from ..trial.segmenter import Segmenter
from .inputs import Input


@dataclass(frozen=True)
class Source:
    """An opened input.

    shape: of an output without channels: (*space), or (t, *space) where `frames`, in the order of axes as read.
    parts: the pages that are images of their own, or None alone where the whole is one image. image: gives the image
    (*space, c) of a part. spacing_mm: edges of a voxel of the whole, or None. orientation: of the file where it was
    turned to RAS+, or "". depth: the axis of space along which slices are counted. turned: whether axes were swapped
    as the file's orientation says (EXIF). zarr: the opened OME-Zarr. affine: (4, 4) from indices of the whole to
    millimetres in RAS, or None.
    """

    entry: Input
    shape: tuple[int, ...]
    parts: Sequence[Page | None]
    image: Callable[[Page | None], Stored] = field(compare=False)
    frames: bool = False
    spacing_mm: tuple[float, ...] | None = None
    orientation: str = ""
    depth: int = 0
    exif: bool = True
    zarr: OmeZarr | None = None
    notes: tuple[str, ...] = ()
    affine: np.ndarray | None = field(default=None, compare=False)

    @property
    def kind(self) -> str:
        """The suffix whose format its outputs have: that of its image, NIfTI of volumes of DICOM."""
        if self.entry.kind not in (".dcm", FOLDER):
            return self.entry.kind
        return ".nii.gz" if self.affine is not None else ".dcm"

    def place(self, page: Page | None) -> tuple[Any, ...]:
        """Where in an array of `shape` a part lies."""
        frame = (page.frame,) if page is not None and self.frames else ()
        if page is None or page.slice is None or len(self.shape) - len(frame) < 3:
            return frame
        return (*frame, *([slice(None)] * self.depth), page.slice)

    def spacing_of(self, page: Page | None) -> tuple[float, ...] | None:
        """Edges of a pixel of a part."""
        edges = self.spacing_mm
        if edges is None or page is None or page.slice is None or len(edges) < 3:
            return edges
        return (*edges[: self.depth], *edges[self.depth + 1 :])


def open_source(entry: Input, segmenter: Segmenter, reading: Reading) -> Source:
    """Decode a file as training reads it, or open an OME-Zarr. Raises DataError naming it.

    Grey becomes three equal channels, and three equal channels grey, where the network was trained on these.
    """
    return _of_zarr(entry, segmenter, reading) if entry.is_zarr else _of_file(entry, segmenter, reading)


def _of_file(entry: Input, segmenter: Segmenter, reading: Reading) -> Source:
    picture = read_image(entry.file, reading)
    if segmenter.preprocess.colour == Preprocess.colour and len(segmenter.source.parts) == 1:
        picture = alike(picture, segmenter.source.channels)
    return Source(
        entry,
        picture.array.shape[:-1],
        (None,) if reading.pages == "volume" else pages_in(entry.file, reading),
        lambda page: picture.array if page is None else cut(picture, page).array,
        frames=picture.frames,
        spacing_mm=picture.spacing_mm,
        orientation=picture.orientation,
        depth=picture.depth,
        exif=reading.exif == "apply",
        notes=picture.notes,
        affine=picture.affine,
    )


def _of_zarr(entry: Input, segmenter: Segmenter, reading: Reading) -> Source:
    """Each point of time is an image; and each slice where the network is 2D and there is one, or slices are cases."""
    zarr = open_ome_zarr(entry.file)
    space, frames = zarr.space, zarr.frames
    sliced = len(space) == 3 and segmenter.source.rank == 2 and (space[0] == 1 or reading.pages == "cases")
    slices = range(space[0]) if sliced else (None,)
    return Source(
        entry,
        (frames, *space) if frames else space,
        [Page(frame, index) for frame in range(max(1, frames)) for index in slices],
        lambda page: zarr.image(page or Page(0, None)),
        frames=bool(frames),
        spacing_mm=zarr.spacing_mm,
        zarr=zarr,
    )
