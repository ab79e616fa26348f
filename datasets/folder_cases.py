"""One case of a folder: its image, its masks and what they mean, read together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..core.errors import DataError
from . import truth
from .case import Case, Sample
from .geometry import aligned, fix_of_shapes
from .meaning import Meaning
from .modality_files import stacked
from .object_labels import numbered
from .pairing import Pair
from .readers import (
    PAGE_READERS,
    Page,
    Picture,
    Reading,
    cut,
    decoding,
    image_once,
    kind_of,
    mask_once,
    pages_in,
    read_image,
    read_mask,
    read_page,
)


@dataclass(frozen=True)
class FolderCase:
    """Reads a case when it is called. page: the part of image and masks that is the case, or None for the whole.

    spacing_mm: voxel edges in place of those that the file states. channels: of the set's first image, which this one
    is brought to where that loses nothing, or None to keep its own. mask_array: which array of an NPZ the mask is.
    of several modalities, their channels are `parts`. spaced: whether the images of the set state theirs. anywhere:
    whether masks, and modalities, may state another geometry than their image.
    """

    pair: Pair
    meant: Meaning
    reading: Reading
    spacing_mm: tuple[float, ...] | None = None
    page: Page | None = None
    channels: int | None = None
    mask_array: str = ""
    spaced: bool | None = None
    anywhere: bool = False
    parts: tuple[int, ...] | None = None

    def picture(self) -> Picture:
        """Decode the image alone. Raises DataError."""
        whole = self.whole()
        return whole if self.page is None else cut(whole, self.page)

    def whole(self) -> Picture:
        """Decode the files of the image. Raises DataError."""
        files = (self.pair.image, *self.pair.further)
        pictures = [self._decoded(file) for file in files]
        if self.parts is not None:
            for index, (picture, channels) in enumerate(zip(pictures, self.parts, strict=True)):
                pictures[index] = alike(picture, channels)
                self._check_channels(files[index], pictures[index], channels)
        elif self.channels is not None:
            pictures[0] = alike(pictures[0], self.channels)
        return stacked(pictures, files, anywhere=self.anywhere) if len(files) > 1 else pictures[0]

    def depths(self) -> tuple[int, ...]:
        """Channels of each modality. Raises DataError."""
        return tuple(self._decoded(file).array.shape[-1] for file in (self.pair.image, *self.pair.further))

    def _decoded(self, file: Path) -> Picture:
        if self.page is not None and self._by_page():
            return read_page(file, self.reading, self.page)
        return (image_once if self.reading.pages != "volume" else read_image)(file, self.reading)

    def _by_page(self) -> bool:
        """Whether all files are of formats of which a page is read without the rest."""
        files = (self.pair.image, *self.pair.further, *(file for files in self.pair.masks for file in files))
        return all(kind_of(file) in PAGE_READERS for file in files)

    def _check_channels(self, file: Path, picture: Picture, channels: int) -> None:
        found = picture.array.shape[-1]
        if found != channels:
            raise DataError(f"{file}: the image has {found} channels, its modality {channels} in the first case")

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
        if self.pair.drawing is not None:
            with decoding(self.pair.drawing.file):
                found = self.pair.drawing.truth(self.meant, self.pair.image, space)
            notes |= dict.fromkeys(found.notes)
            planes, objects = [found.truth], found.objects
        for plane, files in enumerate(self.pair.masks):
            pictures = [self._mask(file, whole, space, plane) for file in files]
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

    def _mask(self, file: Path, image: Picture, space: tuple[int, ...], plane: int) -> Picture:
        read = mask_once if self.reading.pages != "volume" else read_mask
        reading = replace(self.reading.of_mask(self.mask_array), image=self.pair.image)
        if self.meant.kind == "multilabel":
            shared = sum(file in files for files in self.pair.masks) > 1
            reading = replace(reading, segment=self.meant.names[plane], shared=shared)
        if self.page is not None and self._by_page():
            found = read_mask(file, reading, self.page)
        else:
            found = read(file, reading)
        whole = aligned(self.pair.image, image, file, found, ignore=self.anywhere)
        mask = whole if self.page is None else cut(whole, self.page)
        if mask.array.shape[:-1] != space:
            shapes = (space, mask.array.shape[:-1])
            if image.frames and whole.frames:
                shapes = (image.array.shape[:-1], whole.array.shape[:-1])
            sizes = ["×".join(map(str, shape)) for shape in shapes]
            raise DataError(
                f"{self.pair.image} is {sizes[0]} and its mask {file} {sizes[1]}; both need the same size"
                + fix_of_shapes(*shapes)
            )
        return replace(mask, array=mask.array[..., 0])


def pages_of(case: Case, reading: FolderCase) -> list[Case]:
    """The parts of a case's image that are cases; together they are a group unless another one is given."""
    found = pages_in(reading.pair.image, reading.reading)
    digits = len(str(len(found) - 1))
    return [
        replace(case, name=f"{case.name}/page{number:0{digits}}", read=replace(reading, page=page))
        for number, page in enumerate(found)
    ]


def alike(picture: Picture, channels: int) -> Picture:
    """Grey as RGB, or RGB of equal channels as grey, where these are the channels that are wanted; else as it is."""
    array = picture.array
    if channels == 3 and array.shape[-1] == 1:
        note = "grey, repeated to three channels"
        return replace(picture, array=np.repeat(array, 3, -1), notes=(*picture.notes, note))
    if channels == 1 and array.shape[-1] == 3 and (array == array[..., :1]).all():
        note = "three equal channels, read as grey"
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
