"""From polygons to pixels by one rule: a pixel belongs to the polygon that contains its centre."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

MOST_CROSSINGS = 2**25
"""Of edges with rows of pixels in one image; a hundred thousand nuclei have about 2**23."""


class Runs(NamedTuple):
    """Pixels of several owners: rows of pixels `start` to `stop` - 1 in row `row`, sorted by owner, row and start.

    Each field is (n,) int64.
    """

    owner: np.ndarray
    row: np.ndarray
    start: np.ndarray
    stop: np.ndarray


def polygon_runs(polygons: Sequence[Sequence[np.ndarray]], space: tuple[int, int]) -> Runs:
    """The pixels of an image (y, x) whose centres lie in each polygon; owners are 0, 1 … in the order of the polygons.

    A polygon is one or more rings (n, 2) of x and y, closed by themselves, by the even-odd rule: a point is inside if a
    ray from it meets the rings an odd number of times, so that a ring in a ring is a hole. The outer corner of the
    first pixel is (0, 0) and its centre (0.5, 0.5). A centre on an edge belongs to the polygon to the right of it, on
    a level edge to the one below, so that polygons with a common edge neither share a pixel nor leave a gap. What lies
    outside of the image is cut off.

    Exact for coordinates below 65,536 that are multiples of 1/256 (their products fit into float64); of others a centre
    closer to an edge than rounding, about 1e-12, may fall to either side, but to the same one for both polygons.
    Raises ValueError for more crossings of rows than `MOST_CROSSINGS`.
    """
    height, width = space
    rings = [(owner, np.asarray(ring, np.float64)) for owner, own in enumerate(polygons) for ring in own if len(ring)]
    if not rings or 0 in space:
        return Runs(*(np.zeros(0, np.int64) for _ in Runs._fields))
    low, high, owner = _edges(rings)
    first, last = (np.clip(np.ceil(end[:, 1] - 0.5), 0, height).astype(np.int64) for end in (low, high))
    counts = last - first
    if (total := int(counts.sum())) > MOST_CROSSINGS:
        raise ValueError(f"outlines cross rows {total:,} times, more than {MOST_CROSSINGS:,}, which fills memory")
    edge = np.repeat(np.arange(len(counts)), counts)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    column = _columns(low[edge], high[edge], row + 0.5, width)
    # each row of each owner is crossed an even number of times, so sorted crossings come in pairs: in, out
    crossings = np.sort((owner[edge] * height + row) * (width + 1) + column)
    starts, stops = crossings[::2], crossings[1::2]
    kept = stops > starts
    line, start = np.divmod(starts[kept], width + 1)
    return Runs(line // height, line % height, start, start + (stops - starts)[kept])


def _edges(rings: Sequence[tuple[int, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Upper and lower end (n, 2) of every edge, and its owner (n,).

    The order of the ends is that of y, whichever way round the ring goes: two polygons compute the same of one edge.
    """
    lengths = np.array([len(ring) for _, ring in rings])
    ends = np.cumsum(lengths)
    points = np.concatenate([ring for _, ring in rings])
    following = np.arange(1, len(points) + 1)
    following[ends - 1] = ends - lengths
    others = points[following]
    turned = (points[:, 1] > others[:, 1])[:, None]
    owner = np.repeat(np.array([owner for owner, _ in rings], np.int64), lengths)
    return np.where(turned, others, points), np.where(turned, points, others), owner


def _columns(low: np.ndarray, high: np.ndarray, y: np.ndarray, width: int) -> np.ndarray:
    """The first column whose centre is not left of the edge at the height y, (n,) int64 from 0 to width."""
    (dx, dy), (x0, y0) = (high - low).T, low.T
    across = (y - y0) * dx

    def is_right(x: np.ndarray) -> np.ndarray:
        return (x - x0) * dy >= across

    column = np.clip(np.ceil(x0 + across / dy - 0.5), 0, width)
    # the division rounds, the comparison of products does not
    column -= is_right(column - 0.5)
    column += ~is_right(column + 0.5)
    return np.clip(column, 0, width).astype(np.int64)


def border_runs(polygons: Sequence[Sequence[np.ndarray]], space: tuple[int, int]) -> Runs:
    """The pixels of an image (y, x) whose indices lie on an edge between corners that are pixels, as runs of one pixel.

    Of rings (n, 2) of x and y that are whole numbers within the image; owners are as of `polygon_runs`.
    """
    rings = [(owner, np.asarray(ring, np.float64)) for owner, own in enumerate(polygons) for ring in own]
    if not rings:
        return Runs(*(np.zeros(0, np.int64) for _ in Runs._fields))
    low, high, owner = _edges(rings)
    low, steps = low.astype(np.int64), (high - low).astype(np.int64)
    parts = np.maximum(np.gcd(np.abs(steps[:, 0]), steps[:, 1]), 1)
    edge = np.repeat(np.arange(len(parts)), parts + 1)
    number = np.arange(len(edge)) - np.repeat(np.cumsum(parts + 1) - parts - 1, parts + 1)
    x, y = (low[edge] + steps[edge] // parts[edge, None] * number[:, None]).T
    height, width = space
    line, column = np.divmod(np.unique((owner[edge] * height + y) * width + x), width)
    return Runs(line // height, line % height, column, column + 1)


def paint(labels: np.ndarray, runs: Runs, values: np.ndarray) -> None:
    """Write `values[owner]` into the pixels of labels (y, x), later owners over earlier ones. labels is contiguous."""
    flat = labels.reshape(-1)
    offset = runs.row * labels.shape[1]
    # slices, for an array of the indices of all pixels would be many times as large as the image where polygons overlap
    for start, stop, value in zip(
        (offset + runs.start).tolist(), (offset + runs.stop).tolist(), values[runs.owner].tolist(), strict=True
    ):
        flat[start:stop] = value
