"""An image prepared region by region, so that one larger than memory is never whole in it."""

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, Protocol

import numpy as np

from ..core.errors import DataError
from ..core.task import Task
from .contrast import RANGE_PERCENTILES, equalised, in_bytes
from .prepare import Preprocess, check_shape, coloured, mixed, not_finite, task_after
from .resizing import resized_from_regions, resized_region
from .scaling import Regions, Scaling

REGION_BYTES = 32 * 2**20
"""Of stored pixels that are read at once where all of an image is looked at."""

Place = tuple[slice, ...]
"""Where a region lies: a slice with start and stop for each axis of space."""


class Stored(Protocol):
    """An image (*space, c) of which regions can be read, as an array of NumPy is, or one on disk.

    An attribute `chunks`, where there is one, says the edges along the axes of space that are read at once.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """(*space, c)."""
        ...

    @property
    def dtype(self) -> np.dtype:
        """Of its pixels."""
        ...

    def __getitem__(self, place: Any, /) -> np.ndarray:
        """The region (*region, c) at a place in space."""
        ...


def places(stored: Stored, most_bytes: int = 0) -> Iterator[Place]:
    """Places that make up the space of an image, of whole chunks each and, if these take less, of about `most_bytes`.

    most_bytes: of stored pixels; 32 MiB by default.
    """
    most_bytes = most_bytes or REGION_BYTES
    space = stored.shape[:-1]
    edges = [min(edge, n) for edge, n in zip(getattr(stored, "chunks", (1,) * len(space)), space, strict=True)]
    for axis in reversed(range(len(space))):
        size = math.prod(edges) * stored.shape[-1] * stored.dtype.itemsize
        edges[axis] = min(space[axis], edges[axis] * max(1, most_bytes // size))
        if edges[axis] < space[axis]:
            break
    for corner in np.ndindex(*(-(-n // edge) for n, edge in zip(space, edges, strict=True))):
        starts = [index * edge for index, edge in zip(corner, edges, strict=True)]
        yield tuple(slice(k, min(k + edge, n)) for k, edge, n in zip(starts, edges, space, strict=True))


class PreparedRegions:
    """What `prepare_image` gives, read by regions. The whole image is read once or, for `zscore`, twice to begin with.

    Equal to it bit by bit for `normalise: percentile`, `minmax` and `none` without `resize`; to about 1e-6 otherwise.
    shape: (*space, c) as the network sees it; content: its space without padding. What is resized is held whole, at the
    size that the network sees. `clahe` equalises whole slices of a volume, and all of a 2D image, as 8 bits.

    Raises DataError naming the image, for what `prepare_image` does and for `clahe` of volumes of other than 8 or 16
    bits, whose percentiles would need all of them at once.
    """

    def __init__(self, name: str, stored: Stored, task: Task, preprocess: Preprocess) -> None:
        check_shape(name, stored.shape, task, preprocess)
        self.space, self.content = stored.shape[:-1], preprocess.resize or stored.shape[:-1]
        self.dtype = np.dtype(np.float32)
        self._stored: Stored = _Coloured(stored, preprocess.colour, task_after(task, preprocess).channels)
        self._parts = task.parts if mixed(task.parts, stored.dtype, preprocess) else (self._stored.shape[-1],)
        if preprocess.clahe and len(self._parts) > 1:
            raise DataError(
                f"{name}: the model equalises contrast (`clahe`) of each modality, which needs all of the image in "
                "memory; give more memory"
            )
        if preprocess.clahe:
            self._stored = _Equalised(name, self._stored, preprocess.clahe)
        self._scaling = self._look(name, preprocess.normalise)
        self._resized: np.ndarray | None = None
        if preprocess.resize is not None:
            scaled = ((place, self._scaling(self._stored[place])) for place in places(self._stored))
            self._resized = resized_from_regions(scaled, self._stored.shape, preprocess.resize)
        lacking = [-edge % preprocess.pad if preprocess.pad else 0 for edge in self.content]
        self._index = [
            np.pad(np.arange(edge), (0, lack), mode="reflect") for edge, lack in zip(self.content, lacking, strict=True)
        ]
        self.shape = (*map(len, self._index), self._stored.shape[-1])

    def __getitem__(self, place: Place) -> np.ndarray:
        """The region (*region, c) float32 at a place of the network's image."""
        index = [whole[part] for whole, part in zip(self._index, place, strict=True)]
        inside = tuple(slice(int(part.min()), int(part.max()) + 1) for part in index)
        region = self._scaling(self._stored[inside]) if self._resized is None else self._resized[inside]
        if all(part.stop <= edge for part, edge in zip(place, self.content, strict=True)):
            return region
        return region[np.ix_(*(part - wide.start for part, wide in zip(index, inside, strict=True)))]

    @property
    def resizes(self) -> bool:
        """Whether the network's image has another size than the image."""
        return self.content != self.space

    def restore(self, probabilities: np.ndarray, place: Place) -> np.ndarray:
        """As `PreparedImage.restore` of all probabilities (*space, k), the region of the image at a place only."""
        return resized_region(probabilities[tuple(slice(edge) for edge in self.content)], self.space, place)

    def _look(self, name: str, rule: str) -> Scaling:
        stored, strange = self._stored, 0

        def regions() -> Iterator[tuple[Sequence[slice], np.ndarray]]:
            nonlocal strange
            strange = 0
            for place in places(stored):
                region = stored[place]
                if stored.dtype.kind == "f":
                    strange += np.count_nonzero(~np.isfinite(region))
                    if strange:
                        region = np.nan_to_num(region)  # refused once all are counted
                yield place, region

        scaling = Scaling.joined([self._scaling_of(regions, part, rule) for part in self._slices()])
        if rule == "none" and stored.dtype.kind == "f":
            for _ in regions():
                pass
        if strange:
            raise not_finite(name, strange)
        return scaling

    def _slices(self) -> list[slice]:
        """The channels of what is scaled apart."""
        stops = list(accumulate(self._parts))
        return [slice(stop - count, stop) for count, stop in zip(self._parts, stops, strict=True)]

    def _scaling_of(self, regions: Regions, part: slice, rule: str) -> Scaling:
        """The scaling of some channels of the image."""
        shape, dtype = (*self._stored.shape[:-1], part.stop - part.start), self._stored.dtype
        return Scaling.of_regions(
            lambda: ((place, region[..., part]) for place, region in regions()), shape, dtype, rule
        )


class _Coloured:
    """`coloured` of an image, by regions."""

    def __init__(self, stored: Stored, colour: str, channels: int) -> None:
        self._of, self._colour, self.dtype = stored, colour, stored.dtype
        self.shape = (*stored.shape[:-1], channels)
        self.chunks = getattr(stored, "chunks", (1,) * (len(stored.shape) - 1))

    def __getitem__(self, place: Place) -> np.ndarray:
        return coloured(self._of[place], self._colour)


class _Equalised:
    """`equalised` of an image, by regions, of which the slices are kept that were used last."""

    def __init__(self, name: str, stored: Stored, clip_limit: float) -> None:
        self._of, self._clip_limit, self.shape, self.dtype = stored, clip_limit, stored.shape, np.dtype(np.uint8)
        space = stored.shape[:-1]
        self.chunks = (getattr(stored, "chunks", (1,))[0], *space[1:])
        self._range = None if stored.dtype == np.uint8 else _range(name, stored)
        self._held: tuple[slice, np.ndarray] | None = None

    def __getitem__(self, place: Place) -> np.ndarray:
        rows = slice(0, self.shape[0]) if len(place) == 2 else place[0]
        if self._held is None or self._held[0] != rows:
            region = self._of[(rows, *(slice(0, edge) for edge in self.shape[1:-1]))]
            region = region if self._range is None else in_bytes(region, *self._range)
            self._held = rows, equalised(region, self._clip_limit)
        return self._held[1][place if len(place) == 2 else (slice(None), *place[1:])]


def _range(name: str, stored: Stored) -> tuple[np.ndarray, np.ndarray]:
    """What becomes 0 and 255 in each channel, as `prepare` takes it from the whole image; exact, from a histogram."""
    if stored.dtype.kind not in "ui" or stored.dtype.itemsize > 2:
        raise DataError(
            f"{name}: the model equalises contrast (`clahe`), which needs all of an image of {stored.dtype} in memory; "
            "give more memory, or save it as 16 bits"
        )
    lowest, channels = int(np.iinfo(stored.dtype).min), stored.shape[-1]
    counts = np.zeros((channels, 2**16), np.int64)
    for place in places(stored):
        region = stored[place].reshape(-1, channels).astype(np.int64) - lowest
        for channel in range(channels):
            counts[channel] += np.bincount(region[:, channel], minlength=2**16)
    ends = [[_percentile(row, share) + lowest for row in counts] for share in RANGE_PERCENTILES]
    low, high = np.array(ends)
    flat = high <= low
    present = [np.flatnonzero(row)[[0, -1]] + lowest for row in counts]
    least, most = np.array(present).T
    return np.where(flat, least, low), np.where(flat, most, high)


def _percentile(counts: np.ndarray, share: float) -> float:
    """`numpy.percentile` of values 0, 1 … that occur so often: linear between the two nearest ranks."""
    ranks = np.cumsum(counts)
    place = share / 100 * (int(ranks[-1]) - 1)
    low, high = (int(np.searchsorted(ranks, rank, side="right")) for rank in (math.floor(place), math.ceil(place)))
    part = place - math.floor(place)
    return high - (high - low) * (1 - part) if part >= 0.5 else low + (high - low) * part
