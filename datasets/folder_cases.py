"""One case of a folder: its image, its masks and what they mean, read together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..core.errors import DataError
from . import truth
from .case import Case, Sample
from .geometry import aligned
from .meaning import Meaning
from .pairing import Pair
from .readers import Page, Picture, Reading, cut, image_once, mask_once, pages_in, read_image, read_mask


@dataclass(frozen=True)
class FolderCase:
    """Reads a case when it is called. page: the part of image and masks that is the case, or None for the whole.

    spacing_mm: voxel edges in place of those that the file states. spaced: whether the images of the set state theirs.
    anywhere: whether masks may state another geometry than their image.
    """

    pair: Pair
    meant: Meaning
    reading: Reading
    spacing_mm: tuple[float, ...] | None = None
    page: Page | None = None
    spaced: bool | None = None
    anywhere: bool = False

    def picture(self) -> Picture:
        """Decode the image alone. Raises DataError."""
        whole = self.whole()
        return whole if self.page is None else cut(whole, self.page)

    def whole(self) -> Picture:
        """Decode the file of the image. Raises DataError."""
        return (image_once if self.reading.pages != "volume" else read_image)(self.pair.image, self.reading)

    def __call__(self) -> Sample:
        """Decode image and masks. Raises DataError naming the file."""
        whole = self.whole()
        picture = whole if self.page is None else cut(whole, self.page)
        if self.spacing_mm is None and self.spaced not in (None, picture.spacing_mm is not None):
            states = ("states no spacing, other images do", "states a spacing, other images do not")[not self.spaced]
            raise DataError(
                f"{self.pair.image}: {states}, and scores in mm and in pixels do not add up; give `spacing_mm`"
            )
        space = picture.array.shape[:-1]
        notes = dict.fromkeys(picture.notes)
        planes, objects = [], None
        for files in self.pair.masks:
            pictures = [self._mask(file, whole, space) for file in files]
            notes |= dict.fromkeys(note for found in pictures for note in found.notes)
            masks = [found.array for found in pictures]
            own = [self.meant.plane(mask, file) for mask, file in zip(masks, files, strict=True)]
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

    def _mask(self, file: Path, image: Picture, space: tuple[int, ...]) -> Picture:
        read = mask_once if self.reading.pages != "volume" else read_mask
        whole = aligned(self.pair.image, image, file, read(file, self.reading.of_mask()), ignore=self.anywhere)
        mask = whole if self.page is None else cut(whole, self.page)
        if mask.array.shape[:-1] != space:
            sizes = ["×".join(map(str, shape)) for shape in (space, mask.array.shape[:-1])]
            raise DataError(f"{self.pair.image} is {sizes[0]} and its mask {file} {sizes[1]}; both need the same size")
        return replace(mask, array=mask.array[..., 0])


def pages_of(case: Case, reading: FolderCase) -> list[Case]:
    """The parts of a case's image that are cases; together they are a group unless another one is given."""
    found = pages_in(reading.pair.image, reading.reading)
    digits = len(str(len(found) - 1))
    return [
        replace(case, name=f"{case.name}/page{number:0{digits}}", read=replace(reading, page=page))
        for number, page in enumerate(found)
    ]


def _numbered(parts: Sequence[np.ndarray | None], space: tuple[int, ...]) -> np.ndarray:
    """Objects of several masks with a number each; where masks overlap, those of the later one."""
    objects = np.zeros(space, np.int32)
    for part in parts:
        if part is not None:
            objects = np.where(part > 0, part + objects.max(initial=0), objects)
    return objects
