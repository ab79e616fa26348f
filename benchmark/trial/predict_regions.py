"""Probabilities of an image region by region, from the windows that `predict` takes of the whole one."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, product

import numpy as np

from ...core.task import Task
from ...datasets.regions import Place, Stored
from .predict import Forward, gaussian, grid, window_probabilities

FLOAT_BYTES = 4


def predict_regions(
    forward: Forward,
    image: Stored,
    task: Task,
    *,
    window: tuple[int, ...],
    overlap: float | Sequence[float] = 0.5,
    batch: int = 8,
    mirror: bool = False,
    align: Sequence[int] | None = None,
    memory_bytes: int = 2**28,
    on_progress: Callable[[int, int], None] = lambda done, of: None,
) -> Iterator[tuple[Place, np.ndarray]]:
    """Places that together make up the image (*space, c) and, as (*place, k) float32, their probabilities.

    They are those of `predict` bit by bit where `forward` gives a window the same logits whatever else is in its batch,
    and as close as it does otherwise. The image is passed over along its first axis, once where `memory_bytes` hold
    the probabilities and pixels of all windows that begin at one place of that axis; else in several bands along the
    other axes, and windows across their border are predicted for each. A band is never less than one pixel of the last
    axes, so that one row of windows is the least. on_progress: is told how many windows are done, of how many.
    """
    space = image.shape[:-1]
    wide, lines = grid(space, window, overlap, align)
    index = [
        np.pad(np.arange(edge), (0, whole - edge), mode="symmetric") for edge, whole in zip(space, wide, strict=True)
    ]
    pixel = FLOAT_BYTES * (3 * task.outputs + 1 + image.shape[-1])
    bands = _bands(wide, window, memory_bytes // (pixel * window[0]))
    touching = [_touching(lines[1:], window[1:], band) for band in bands]
    done, of = 0, len(lines[0]) * sum(math.prod(map(len, starts)) for starts in touching)
    for band, starts in zip(bands, touching, strict=True):
        sums = _Sums(band, window, task.outputs)
        corners = list(product(*starts))
        seen = tuple(slice(line[0], line[-1] + edge) for line, edge in zip(starts, window[1:], strict=True))
        for first, following in zip(lines[0], [*lines[0][1:], wide[0]], strict=True):
            pixels = _read(image, index, (slice(first, first + window[0]), *seen))
            for k in range(0, len(corners), batch):
                chunk = corners[k : k + batch]
                windows = np.stack([pixels[(slice(None), *_place(corner, window, seen))] for corner in chunk])
                found = window_probabilities(forward, windows, task, mirror)
                for corner, probabilities in zip(chunk, found, strict=True):
                    sums.add(corner, probabilities)
                done += len(chunk)
                on_progress(done, of)
            place = (slice(first, following), *band)
            place = tuple(slice(part.start, min(part.stop, edge)) for part, edge in zip(place, space, strict=True))
            if all(part.start < part.stop for part in place):  # and not in the padding
                yield place, sums.mean(tuple(part.stop - part.start for part in place))
            sums.advance(following - first)


class _Sums:
    """Weighted sums of probabilities, and of their weights, over the rows of a band that a window's height spans."""

    def __init__(self, band: Place, window: tuple[int, ...], outputs: int) -> None:
        shape = (window[0], *(part.stop - part.start for part in band))
        self._band, self._weights = band, gaussian(window)[..., None]
        self._total, self._norm = np.zeros((*shape, outputs), np.float32), np.zeros((*shape, 1), np.float32)

    def add(self, corner: Sequence[int], probabilities: np.ndarray) -> None:
        """Add a window's probabilities (*window, k) where it lies in the band."""
        target, source = [slice(None)], [slice(None)]
        for start, part, edge in zip(corner, self._band, probabilities.shape[1:-1], strict=True):
            low, high = max(start, part.start), min(start + edge, part.stop)
            target.append(slice(low - part.start, high - part.start))
            source.append(slice(low - start, high - start))
        weights = self._weights[tuple(source)]
        self._total[tuple(target)] += probabilities[tuple(source)] * weights
        self._norm[tuple(target)] += weights

    def mean(self, shape: Sequence[int]) -> np.ndarray:
        """Probabilities of the first pixels along each axis, a new array."""
        inside = tuple(map(slice, shape))
        return self._total[inside] / self._norm[inside]

    def advance(self, rows: int) -> None:
        """Leave the first rows, which no further window touches, for as many new ones."""
        for sums in (self._total, self._norm):
            sums[: len(sums) - rows] = sums[rows:]
            sums[len(sums) - rows :] = 0


def _place(corner: Sequence[int], window: tuple[int, ...], seen: Place) -> Place:
    """Where a window lies in what is seen of the axes after the first."""
    starts = [start - part.start for start, part in zip(corner, seen, strict=True)]
    return tuple(slice(start, start + edge) for start, edge in zip(starts, window[1:], strict=True))


def _bands(wide: tuple[int, ...], window: tuple[int, ...], pixels: int) -> list[Place]:
    """Parts of the axes after the first that hold so many pixels at most, and one window's edge at least."""
    edges = list(wide[1:])
    for axis in range(len(edges)):
        rest = math.prod(edges[axis + 1 :])
        edges[axis] = min(edges[axis], max(window[axis + 1], pixels // (rest * math.prod(edges[:axis]))))
    cuts = []
    for edge, whole in zip(edges, wide[1:], strict=True):
        count = -(-whole // edge)
        ends = [round(whole * k / count) for k in range(count + 1)]
        cuts.append([slice(a, b) for a, b in pairwise(ends)])
    return list(product(*cuts))


def _touching(lines: Sequence[Sequence[int]], window: Sequence[int], band: Place) -> list[list[int]]:
    """Where windows begin, along each axis, that share a pixel with the band."""
    return [
        [start for start in line if start < part.stop and start + edge > part.start]
        for line, edge, part in zip(lines, window, band, strict=True)
    ]


def _read(image: Stored, index: Sequence[np.ndarray], place: Place) -> np.ndarray:
    """The pixels of the padded image at a place."""
    picked = [whole[part] for whole, part in zip(index, place, strict=True)]
    inside = tuple(slice(int(part.min()), int(part.max()) + 1) for part in picked)
    pixels = image[inside]
    if all(part.stop <= edge for part, edge in zip(place, image.shape, strict=False)):
        return pixels
    return pixels[np.ix_(*(part - around.start for part, around in zip(picked, inside, strict=True)))]
