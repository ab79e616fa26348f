"""Annotated regions as the truth of a case: which class and which object each pixel shows."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..core.errors import DataError
from .meaning import Meaning
from .readers.annotations import Region, drawn, numbers_of, unseen

IGNORED = -1
"""In place of a class: what nothing looks at."""

NOT_DRAWN = "a region holds the centre of no pixel and is not drawn"


class Drawn(NamedTuple):
    """truth: (y, x, t) uint8 as `Task` says. objects: (y, x) int32, or None where there are none."""

    truth: np.ndarray
    objects: np.ndarray | None
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Drawing:
    """What an annotation file says of one image.

    regions: from the backmost to the frontmost; codes: what each is in the truth, the value of its class or, for
    classes that may overlap, its plane, or `IGNORED`. size: (y, x) of the image that was annotated, or None.
    """

    file: Path
    regions: tuple[Region, ...]
    codes: tuple[int, ...]
    size: tuple[int, int] | None = None

    def truth(self, meant: Meaning, image: Path, space: tuple[int, ...]) -> Drawn:
        """Draw what is annotated of an image (y, x), later regions over earlier ones.

        Each class by itself where classes may overlap. Raises DataError for an image of another size or rank, and for
        regions that have no area.
        """
        self._check(image, space)
        height, width = space
        codes, code = np.array(self.codes, np.int64), meant.code or 0
        if meant.kind == "multilabel":
            canvases, planes = [], []
            for plane in range(len(meant.names)):
                own = [region for region, its in zip(self.regions, self.codes, strict=True) if its in (plane, IGNORED)]
                canvases.append(drawn(own, (height, width)))
                values = np.where(codes[np.isin(codes, (plane, IGNORED))] == IGNORED, code, 1)
                planes.append(_looked_up(values, canvases[-1]))
            return Drawn(np.stack(planes, -1).astype(np.uint8), None, ())
        canvas = drawn(self.regions, (height, width))
        truth = _looked_up(np.where(codes == IGNORED, code, codes), canvas).astype(np.uint8)
        objects = None
        if meant.instances:
            objects = _looked_up(np.where(codes > 0, numbers_of(self.regions), 0), canvas).astype(np.int32)
        notes = (NOT_DRAWN,) if unseen(self.regions, canvas, (height, width)) else ()
        return Drawn(truth[..., None], objects, notes)

    def _check(self, image: Path, space: tuple[int, ...]) -> None:
        sizes = ["×".join(map(str, size)) for size in (space, self.size or ())]
        if len(space) != 2:
            raise DataError(f"{image} is {sizes[0]}, a volume, and {self.file} outlines objects in 2D images")
        if self.size not in (None, space):
            turned = ""
            if self.size == space[::-1]:
                turned = "; if the camera's orientation was not applied when it was annotated, say `exif: ignore`"
            raise DataError(f"{image} is {sizes[0]} and {self.file} annotates an image of {sizes[1]}{turned}")
        for region in self.regions:
            if not region.parts:
                raise DataError(f"{region.where}; delete it, or leave its label out by naming the others in `classes`")


def _looked_up(values: np.ndarray, canvas: np.ndarray) -> np.ndarray:
    """The value of the region that each pixel (y, x) shows, 0 where it shows none."""
    return np.concatenate(([0], values))[canvas]
