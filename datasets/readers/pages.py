"""Parts of a decoded file: frames of a time stack, slices of a volume."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .picture import Pages, Picture


class Page(NamedTuple):
    """frame: of a time stack. slice: of a volume along its depth, or None for all of it."""

    frame: int
    slice: int | None


MOST = 2**20
"""Cases that one file can be; a damaged head may claim very many more, which would be listed one by one."""


def count(picture: Picture, kind: Pages) -> int:
    """How many `pages` there are."""
    frames, slices = _counts(picture, kind)
    return frames * slices


def pages(picture: Picture, kind: Pages) -> list[Page]:
    """The parts that are cases: each frame for `frames`, each slice of each frame for `cases`."""
    frames, slices = _counts(picture, kind)
    if kind == "frames":
        return [Page(frame, None) for frame in range(frames)]
    return [Page(frame, number) for frame in range(frames) for number in range(slices)]


def _counts(picture: Picture, kind: Pages) -> tuple[int, int]:
    frames = len(picture.array) if picture.frames else 1
    return frames, picture.space[picture.depth] if kind != "frames" and len(picture.space) == 3 else 1


def cut(picture: Picture, page: Page) -> Picture:
    """One page of a file: (*space, c). What has no frames or no depth is the same for each of them."""
    array, edges, affine = picture.array, picture.spacing_mm, picture.affine
    if picture.frames:
        array = array[page.frame]
    if page.slice is not None and len(picture.space) == 3:
        # ndarray.take copies the whole of an array in Fortran's order, as nibabel's are, for each slice
        array = np.ascontiguousarray(array[(*[slice(None)] * picture.depth, page.slice)])
        edges = edges and (*edges[: picture.depth], *edges[picture.depth + 1 :])
        affine = None
    source = picture.spacing_source if edges else ""
    return replace(picture, array=array, spacing_mm=edges, spacing_source=source, affine=affine, frames=False)
