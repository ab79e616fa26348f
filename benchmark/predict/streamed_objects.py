"""Connected components of a volume that is never whole in memory, with their measures."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...datasets.regions import Place, Stored, places
from ...metrics.objects import label

ReadMask = Callable[[Place], np.ndarray]
"""Gives whether the voxels (*place) belong to a class."""


@dataclass
class _Table:
    """What is known of pieces 1, 2 …, a row each. begin, end: of their bounding boxes."""

    pixels: list[np.ndarray] = field(default_factory=list)
    sums: list[np.ndarray] = field(default_factory=list)
    places: list[np.ndarray] = field(default_factory=list)
    begin: list[np.ndarray] = field(default_factory=list)
    end: list[np.ndarray] = field(default_factory=list)


class StreamedObjects:
    """The objects of a class by `components`: pieces of each region, joined where regions touch.

    numbers: an array on disk (*space) that takes numbers of pieces and, in the end, of objects, of zeros to begin
    with. image: (*space, c), of which mean intensities are taken. Objects are those of `metrics.objects.components`,
    numbered as regions come.
    """

    def __init__(self, mask: ReadMask, image: Stored, numbers: Any) -> None:
        self._numbers, self._image, self._table = numbers, image, _Table()
        self._links: list[np.ndarray] = []
        self._count = 0
        for place in places(image):
            self._take(place, mask(place))
        self._final = self._joined()

    @property
    def count(self) -> int:
        """How many objects there are."""
        return int(self._final.max(initial=0))

    def write(self, put: Callable[[Place, np.ndarray], None], *, after: int = 0) -> None:
        """Give the numbers of objects, from `after` + 1 on and 0 between them, region by region, as uint32."""
        final = np.where(self._final > 0, self._final + after, 0).astype(np.uint32)
        for place in places(self._image):
            found = final[np.asarray(self._numbers[place])]
            if found.any():
                put(place, found)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Of each object its pixels, centroid, bounding box and mean intensities, as lists; by number."""
        if not self.count:
            return
        own, index = self._table, self._final[1:] - 1
        pixels, sums, at = (_summed(np.concatenate(rows), index) for rows in (own.pixels, own.sums, own.places))
        begin = np.full((self.count, at.shape[1]), np.iinfo(np.int64).max)
        end = np.zeros_like(begin)
        np.minimum.at(begin, index, np.concatenate(own.begin))
        np.maximum.at(end, index, np.concatenate(own.end))
        for k in range(self.count):
            size = int(pixels[k, 0])
            yield {
                "pixels": size,
                "centroid": (at[k] / size).tolist(),
                "begin": begin[k].tolist(),
                "end": end[k].tolist(),
                "means": (sums[k] / size).tolist(),
            }

    def _take(self, place: Place, mask: np.ndarray) -> None:
        """Number the pieces of a region, measure them and note what they touch of the regions before."""
        pieces = label(mask, touching="corner")
        count = int(pieces.max(initial=0))
        if not count:
            return
        inside = pieces > 0
        flat = pieces[inside] - 1
        values = self._image[place][inside].astype(np.float64)
        at = np.argwhere(inside) + [part.start for part in place]
        self._table.pixels.append(np.bincount(flat, minlength=count)[:, None])
        for rows, column in ((self._table.sums, values), (self._table.places, at)):
            rows.append(np.stack([np.bincount(flat, column[:, k], count) for k in range(column.shape[1])], -1))
        begin = np.full((count, len(place)), np.iinfo(np.int64).max)
        end = np.zeros_like(begin)
        np.minimum.at(begin, flat, at)
        np.maximum.at(end, flat, at + 1)
        self._table.begin.append(begin)
        self._table.end.append(end)
        numbered = np.where(inside, pieces + self._count, 0)
        self._count += count
        self._link(place, numbered)
        self._numbers[place] = numbered

    def _link(self, place: Place, numbered: np.ndarray) -> None:
        """Note pairs of numbers of voxels that touch across the region's faces, also at a corner."""
        space = self._image.shape[:-1]
        for axis, (part, edge) in enumerate(zip(place, space, strict=True)):
            for outside, face in ((part.start - 1, 0), (part.stop, numbered.shape[axis] - 1)):
                if not 0 <= outside < edge:
                    continue
                own = numbered.take(face, axis)
                wide, lacking = [], []
                for k, (side, length) in enumerate(zip(place, space, strict=True)):
                    low, high = max(0, side.start - 1), min(length, side.stop + 1)
                    wide.append(slice(outside, outside + 1) if k == axis else slice(low, high))
                    if k != axis:
                        lacking.append((low - side.start + 1, side.stop + 1 - high))
                beside = np.pad(np.asarray(self._numbers[tuple(wide)]).take(0, axis), lacking)
                for shift in itertools.product((0, 1, 2), repeat=own.ndim):
                    moved = beside[tuple(slice(k, k + n) for k, n in zip(shift, own.shape, strict=True))]
                    touching = (own > 0) & (moved > 0)
                    if touching.any():
                        self._links.append(np.unique(np.stack([own[touching], moved[touching]], -1), axis=0))

    def _joined(self) -> np.ndarray:
        """The number of the object that each piece belongs to, from 1 on, at the index of the piece; 0 at 0."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        links = np.concatenate(self._links) if self._links else np.zeros((0, 2), np.int64)
        shape = (self._count + 1, self._count + 1)
        graph = coo_array((np.ones(len(links), np.int8), (links[:, 0], links[:, 1])), shape)
        _, found = connected_components(graph, directed=False)
        _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
        return np.argsort(np.argsort(first))[inverse]  # piece 0, the background, comes first


def _summed(rows: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Rows added up for each index."""
    return np.stack([np.bincount(index, rows[:, k]) for k in range(rows.shape[1])], -1)
