"""Connected components of a volume that is never whole in memory, with their measures."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...datasets import regions
from ...datasets.regions import Place, Stored, places
from ...metrics.objects import label
from .object_sums import ObjectSums

_PIXELS = 2**23  # that are numbered at once

ReadMask = Callable[[Place], np.ndarray]
"""Gives whether the voxels (*place) belong to a class."""


class StreamedObjects:
    """The objects of a class by `components`: pieces of each region, joined where regions touch.

    numbers: an array on disk (*space) that takes numbers of pieces and, in the end, of objects, of zeros to begin
    with. image: (*space, c), of which mean intensities are taken. Objects are those of `metrics.objects.components`,
    numbered as regions come.
    """

    def __init__(self, mask: ReadMask, image: Stored, numbers: Any) -> None:
        self._numbers, self._image = numbers, image
        self._region_bytes = min(regions.REGION_BYTES, _PIXELS * image.dtype.itemsize * image.shape[-1])
        self._parts: list[ObjectSums] = []
        self._links: list[np.ndarray] = []
        self._count = 0
        for place in places(image, self._region_bytes):
            self._take(place, mask(place))
        self._final = self._joined()

    @property
    def count(self) -> int:
        """How many objects there are."""
        return int(self._final.max(initial=0))

    def write(self, put: Callable[[Place, np.ndarray], None], *, after: int = 0) -> None:
        """Give the numbers of objects, from `after` + 1 on and 0 between them, region by region, as uint32."""
        final = np.where(self._final > 0, self._final + after, 0).astype(np.uint32)
        for place in places(self._image, self._region_bytes):
            found = final[np.asarray(self._numbers[place])]
            if found.any():
                put(place, found)

    def rows(self) -> Iterator[dict[str, Any]]:
        """As `ObjectSums.rows`, by number."""
        if self.count:
            yield from ObjectSums.joined(self._parts, self._final[1:] - 1, self.count).rows()

    def _take(self, place: Place, mask: np.ndarray) -> None:
        """Number the pieces of a region, measure them and note what they touch of the regions before."""
        pieces = label(mask, touching="corner")
        count = int(pieces.max(initial=0))
        if not count:
            return
        self._parts.append(ObjectSums.of(pieces, self._image[place], count, [part.start for part in place]))
        numbered = np.where(pieces > 0, pieces + self._count, 0)
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
