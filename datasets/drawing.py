"""Annotated regions as the truth of a case: which class and which object each pixel shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np

from ..core.errors import DataError
from .meaning import Meaning
from .object_labels import pieces
from .readers.annotations import Asked, Order, Region, RunLengths, bitmap_of, drawn, numbers_of, unseen

IGNORED, LEFT_OUT = -1, -2
"""In place of a class: what nothing looks at, and what is not drawn."""

NOT_DRAWN = "a region holds the centre of no pixel and is not drawn"

OTHER_ORDER = (
    "run lengths lie in fewer pieces when read in the other order, down columns or along rows: were they written so? "
    "For a CSV there is `run_order`"
)

_LOOKED_AT = 5  # regions of an image, which are enough to tell


class Drawn(NamedTuple):
    """truth: (y, x, t) uint8 as `Task` says. objects: (y, x) int32, or None where there are none."""

    truth: np.ndarray
    objects: np.ndarray | None
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Drawing:
    """What an annotation file says of one image.

    regions: from the backmost to the frontmost; codes: what each is in the truth, the value of its class or, for
    classes that may overlap, its plane, or `IGNORED`, or `LEFT_OUT`. size: (y, x) of the image that was annotated, or
    None. asked: how the file was read. With the file's content, all but the regions says what the truth is.
    """

    file: Path
    regions: tuple[Region, ...] = field(repr=False)
    codes: tuple[int, ...]
    size: tuple[int, int] | None
    asked: Asked

    def truth(self, meant: Meaning, image: Path, space: tuple[int, ...]) -> Drawn:
        """Draw what is annotated of an image (y, x), later regions over earlier ones.

        Each class by itself where classes may overlap. Raises DataError for an image of another size or rank, and for
        regions that have no area.
        """
        edges = self._edges(image, space)
        regions = [region for region, code in zip(self.regions, self.codes, strict=True) if code != LEFT_OUT]
        codes = np.array([code for code in self.codes if code != LEFT_OUT], np.int64)
        for region in regions:
            if not region.parts:
                raise DataError(f"{region.where}; delete it, or leave its label out by naming the others in `classes`")
        if meant.kind == "multilabel":
            planes = [_plane(regions, codes, plane, meant, edges) for plane in range(len(meant.names))]
            return Drawn(np.stack(planes, -1), None, ())
        canvas = drawn(regions, edges)
        truth = _looked_up(_marked(codes, codes, meant), canvas).astype(np.uint8)
        objects = None
        if meant.instances:
            objects = _looked_up(np.where(codes > 0, numbers_of(regions), 0), canvas).astype(np.int32)
        notes = (NOT_DRAWN,) if unseen(regions, canvas) else ()
        return Drawn(truth[..., None], objects, (*notes, *((OTHER_ORDER,) if _is_in_pieces(regions, edges) else ())))

    def _edges(self, image: Path, space: tuple[int, ...]) -> tuple[int, int]:
        """The image's height and width. Raises DataError where these are not those of the image annotated."""
        sizes = ["×".join(map(str, size)) for size in (space, self.size or ())]
        if len(space) != 2:
            raise DataError(f"{image} is {sizes[0]}, a volume, and {self.file} outlines objects in 2D images")
        if self.size not in (None, space):
            turned = ""
            if self.size == space[::-1]:
                turned = "; if the camera's orientation was not applied when it was annotated, say `exif: ignore`"
            raise DataError(f"{image} is {sizes[0]} and {self.file} annotates an image of {sizes[1]}{turned}")
        return space


def _is_in_pieces(regions: Sequence[Region], edges: tuple[int, int]) -> bool:
    """Whether run lengths of whole images have less than half as many pieces in the order that they are not in."""
    runs = [part for region in regions for part in region.parts if isinstance(part, RunLengths) and part.box is None]
    counts = dict.fromkeys(get_args(Order), 0)
    for one in runs[:_LOOKED_AT]:
        for order in counts:
            bitmap = bitmap_of(one._replace(order=order), edges, "")
            counts[order] += int(pieces(bitmap.pixels.astype(np.uint8)).max(initial=0))
    return bool(runs) and min(counts.values()) < counts[runs[0].order] / 2


def _plane(
    regions: Sequence[Region], codes: np.ndarray, plane: int, meant: Meaning, edges: tuple[int, int]
) -> np.ndarray:
    """One class of those that may overlap, (y, x) uint8."""
    chosen = np.isin(codes, (plane, IGNORED))
    canvas = drawn([region for region, own in zip(regions, chosen, strict=True) if own], edges)
    return _looked_up(_marked(codes[chosen], np.ones(int(chosen.sum()), np.int64), meant), canvas).astype(np.uint8)


def _marked(codes: np.ndarray, values: np.ndarray, meant: Meaning) -> np.ndarray:
    """The values of regions, with what a truth has for ignored pixels where these are ignored."""
    return values if meant.code is None else np.where(codes == IGNORED, meant.code, values)


def _looked_up(values: np.ndarray, canvas: np.ndarray) -> np.ndarray:
    """The value of the region that each pixel (y, x) shows, 0 where it shows none."""
    return np.concatenate(([0], values))[canvas]
