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

    spacing_mm: voxel edges in place of those that the file states.
    """

    pair: Pair
    meant: Meaning
    reading: Reading
    spacing_mm: tuple[float, ...] | None = None
    page: int | None = None

    def picture(self) -> Picture:
        """Decode the image alone. Raises DataError."""
        if self.page is None:
            return read_image(self.pair.image, self.reading)
        return read_page(self.pair.image, self.page, self.reading)

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
        picture = read_mask(file, self.reading.of_mask())
        mask = picture.array
        if self.page is not None and mask.ndim == len(space) + 1:
            if self.page >= len(mask):
                raise DataError(f"{file}: has {len(mask)} pages, its image {self.pair.image} more; both need the same")
            mask = mask[self.page]
        if mask.shape != space:
            sizes = ["×".join(map(str, shape)) for shape in (space, mask.shape)]
            raise DataError(f"{self.pair.image} is {sizes[0]} and its mask {file} {sizes[1]}; both need the same size")
        return replace(picture, array=mask)


def pages_of(case: Case, reading: FolderCase) -> list[Case]:
    """The pages of a case's image, each a case; together they are a group unless another one is given."""
    count = page_count(reading.pair.image, reading.reading)
    digits = len(str(count - 1))
    return [
        replace(case, name=f"{case.name}/page{page:0{digits}}", read=replace(reading, page=page))
        for page in range(count)
    ]


def _numbered(parts: Sequence[np.ndarray | None], space: tuple[int, ...]) -> np.ndarray:
    """Objects of several masks with a number each; where masks overlap, those of the later one."""
    objects = np.zeros(space, np.int32)
    for part in parts:
        if part is not None:
            moved = part.astype(np.int64) + int(objects.max(initial=0))
            objects = numbered(np.where(part > 0, moved, objects))
    return objects
