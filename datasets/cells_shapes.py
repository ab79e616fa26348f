"""Where generated cells lie and what shape and texture they have; one formula for two and three dimensions.

Lengths are in pixels of the finest axis, so that a volume with thick slices holds round nuclei.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True, eq=False)
class Body:
    """A star-shaped body: an ellipsoid whose surface is wavy.

    A point at distance d and direction u from the centre lies at depth d |A u| exp(-Σ w cos(k·u + p)); the surface has
    depth 1, and no point further away than `reach` is inside.

    axes: (rank, rank), A: turns into the ellipsoid's own axes and divides by its radii. waves: (m, rank), k.
    weights, phases: (m,), w and p.
    """

    centre: np.ndarray
    radius: float
    reach: float
    axes: np.ndarray
    waves: np.ndarray
    weights: np.ndarray
    phases: np.ndarray

    def depth(self, offsets: np.ndarray) -> np.ndarray:
        """Depth (*shape) of points given as offsets (rank, *shape) from the centre: 0 there, 1 on the surface."""
        flat = offsets.reshape(len(offsets), -1)
        distance = np.sqrt((flat**2).sum(0)) + 1e-9
        wave = self.weights @ np.cos(self.waves @ (flat / distance) + self.phases[:, None])
        return (np.sqrt(((self.axes @ flat) ** 2).sum(0)) * np.exp(-wave)).reshape(offsets.shape[1:])


class Trace(NamedTuple):
    """Where a body of about `radius` shows in an image: a window (empty when outside), and the depth of its pixels."""

    window: tuple[slice, ...]
    depth: np.ndarray
    radius: float


def body(rng: np.random.Generator, centre: np.ndarray, radius: float, stretch: float, waviness: float) -> Body:
    """Draw a body of about `radius`, longest axis at most (1 + stretch)² times the shortest."""
    rank = len(centre)
    turn, _ = np.linalg.qr(rng.standard_normal((rank, rank)))
    radii = radius * (1 + stretch) ** rng.uniform(-1, 1, rank)
    waves = rng.standard_normal((6, rank)) * np.linspace(1.0, 3.6, 6)[:, None]
    weights = waviness * rng.standard_normal(6) / np.linspace(1, 2.5, 6)
    reach = float(radii.max() * np.exp(np.abs(weights).sum()))
    return Body(centre, radius, reach, turn / radii[:, None], waves, weights, rng.uniform(0, 2 * np.pi, 6))


def places(
    rng: np.random.Generator, extent: np.ndarray, radii: np.ndarray, *, clumping: float, overlap: float
) -> Iterator[tuple[np.ndarray, float]]:
    """Put discs of the given radii into a box, and try for a share `clumping` of them a place beside an earlier one.

    overlap: the part of the sum of two radii by which discs may run into each other. A disc that finds no place in
    thirty tries is left out. Gives centre and radius.
    """
    centres, sizes = np.empty((0, len(extent))), np.empty(0)
    for radius in radii:
        for _ in range(30):
            if len(sizes) and rng.random() < clumping:
                mate = rng.integers(len(sizes))
                way = rng.standard_normal(len(extent))
                apart = (sizes[mate] + radius) * rng.uniform(1 - overlap, 1.1)
                centre = centres[mate] + way / np.linalg.norm(way) * apart
            else:
                centre = rng.uniform(-radius, extent + radius)
            outside = centre.min() < -radius or (centre - extent).max() > radius
            gaps = ((centres - centre) ** 2).sum(1) - ((1 - overlap) * (sizes + radius)) ** 2
            if not outside and gaps.min(initial=0) >= 0:
                centres, sizes = np.vstack([centres, centre]), np.append(sizes, radius)
                yield centre, float(radius)
                break


def trace(one: Body, shape: tuple[int, ...], edges: np.ndarray) -> Trace:
    """Find the pixels of an image of this shape that a body may touch, and how deep in it they lie.

    edges: (rank,) pixel edges of the image in those of the finest axis.
    """
    low = np.clip(np.floor((one.centre - one.reach) / edges).astype(int) - 1, 0, shape)
    high = np.clip(np.ceil((one.centre + one.reach) / edges).astype(int) + 1, low, shape)
    lines = [(np.arange(a, b) + 0.5) * e - c for a, b, e, c in zip(low, high, edges, one.centre, strict=True)]
    depth = one.depth(np.stack(np.meshgrid(*lines, indexing="ij")))
    return Trace(tuple(slice(a, b) for a, b in zip(low, high, strict=True)), depth, one.radius)


def outline(traces: Sequence[Trace], shape: tuple[int, ...]) -> np.ndarray:
    """Number the pixels of each body 1, 2, … (*shape) int32; where two overlap, the deeper one has them."""
    best, labels = np.ones(shape), np.zeros(shape, np.int32)
    for number, one in enumerate(traces, 1):
        inside = one.depth < best[one.window]
        best[one.window][inside], labels[one.window][inside] = one.depth[inside], number
    return labels
