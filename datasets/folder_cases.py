"""One case of a folder: its image, its masks and what they mean, read together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..core.errors import DataError
from . import truth
from .case import Case, Sample
from .meaning import Meaning
from .object_labels import numbered
from .pairing import Pair
from .readers import Picture, Reading, page_count, read_image, read_mask, read_page


@dataclass(frozen=True)
class FolderCase:
    """Reads a case when it is called. page: the page of image and masks that is the case, or None for the whole.

    spacing_mm: voxel edges in place of those that the file states. channels: of the set's first image, which this one
    is brought to where that loses nothing, or None to keep its own. mask_array: which array of an NPZ the mask is.
    """

    pair: Pair
    meant: Meaning
    reading: Reading
    spacing_mm: tuple[float, ...] | None = None
    page: int | None = None
    channels: int | None = None
    mask_array: str = ""

    def picture(self) -> Picture:
        """Decode the image alone. Raises DataError."""
        if self.page is None:
            picture = read_image(self.pair.image, self.reading)
        else:
            picture = read_page(self.pair.image, self.page, self.reading)
        return picture if self.channels is None else _alike(picture, self.channels)

    def __call__(self) -> Sample:
        """Decode image and masks. Raises DataError naming the file."""
        picture = self.picture()
        space = picture.array.shape[:-1]
        notes = dict.fromkeys(picture.notes)
        planes, objects = [], None
        for files in self.pair.masks:
            pictures = [self._mask(file, space) for file in files]
            notes |= dict.fromkeys(note for found in pictures for note in found.notes)
            masks = [found.array for found in pictures]
            own = [
                self.meant.plane(found.array, file, lossy=found.lossy, highest=found.highest, indexed=found.indexed)
                for found, file in zip(pictures, files, strict=True)
            ]
            planes.append(truth.united(own, files, self.meant.code) if own else np.zeros((*space, 1), np.uint8))
            objects = _numbered([self.meant.objects(mask) for mask in masks], space) if self.meant.instances else None
        return Sample(
            picture.array,
            np.concatenate(planes, -1),
            objects,
            self.spacing_mm or picture.spacing_mm,
            "sweep file" if self.spacing_mm else picture.spacing_source,
            picture.orientation,
            tuple(notes),
        )

    def _mask(self, file: Path, space: tuple[int, ...]) -> Picture:
        picture = read_mask(file, self.reading.of_mask(self.mask_array))
        mask = picture.array
        if self.page is not None and mask.ndim == len(space) + 1:
            if self.page >= len(mask):
                raise DataError(f"{file}: has {len(mask)} pages, its image {self.pair.image} more; both need the same")
            mask = mask[self.page]
        if mask.shape != space:
            sizes = ["×".join(map(str, shape)) for shape in (space, mask.shape)]
            raise DataError(
                f"{self.pair.image} is {sizes[0]} and its mask {file} {sizes[1]}; both need the same size"
                + _mend(space, mask.shape)
            )
        return replace(picture, array=mask)


def pages_of(case: Case, reading: FolderCase) -> list[Case]:
    """The pages of a case's image, each a case; together they are a group unless another one is given."""
    count = page_count(reading.pair.image, reading.reading)
    digits = len(str(count - 1))
    return [
        replace(case, name=f"{case.name}/page{page:0{digits}}", read=replace(reading, page=page))
        for page in range(count)
    ]


def _mend(space: tuple[int, ...], mask: tuple[int, ...]) -> str:
    """What may help where an image and its mask differ in shape."""
    if len(space) == len(mask) + 1:
        return "; if an axis of the image is channels, say `channels: first` or `channels: last`"
    if mask == space[::-1]:
        return "; if only one of the files states an orientation, `exif: ignore` leaves both as stored"
    return ""


def _alike(picture: Picture, channels: int) -> Picture:
    """Grey as RGB, or RGB of equal channels as grey, where the set's first image is so; others as they are."""
    array = picture.array
    if channels == 3 and array.shape[-1] == 1:
        note = "grey, repeated to three channels as the first image has them"
        return replace(picture, array=np.repeat(array, 3, -1), notes=(*picture.notes, note))
    if channels == 1 and array.shape[-1] == 3 and (array == array[..., :1]).all():
        note = "three equal channels, read as grey as the first image is"
        return replace(picture, array=np.ascontiguousarray(array[..., :1]), notes=(*picture.notes, note))
    return picture


def _numbered(parts: Sequence[np.ndarray | None], space: tuple[int, ...]) -> np.ndarray:
    """Objects of several masks with a number each; where masks overlap, those of the later one."""
    objects = np.zeros(space, np.int32)
    for part in parts:
        if part is not None:
            moved = part.astype(np.int64) + int(objects.max(initial=0))
            objects = numbered(np.where(part > 0, moved, objects))
    return objects
