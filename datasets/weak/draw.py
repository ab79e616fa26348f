"""What an annotator would draw: a click well inside, a stroke along the middle."""

import numpy as np
from scipy import ndimage
from skimage.graph import route_through_array

WELL_INSIDE = 0.5
"""Share of its largest distance from the border that a click keeps at least."""

MIDDLE = 4.0
"""How much a stroke avoids the border: the cost of a pixel is (1 + depth)^-4, so that it runs along the middle."""


def depth(mask: np.ndarray) -> np.ndarray:
    """Distance of each pixel of a mask to the nearest one outside, which the border of the array is too."""
    return ndimage.distance_transform_edt(np.pad(mask, 1))[(slice(1, -1),) * mask.ndim]  # pyright: ignore


def clicks(mask: np.ndarray, count: int, rng: np.random.Generator, most: float = np.inf) -> list[tuple[int, ...]]:
    """Pixels of a mask, at random among those well inside; fewer where there are not so many.

    most: distance from the border that suffices, however large the mask is.
    """
    inside = depth(mask)
    least = min(most, WELL_INSIDE * inside.max())
    places = np.argwhere(inside >= least) if mask.any() else np.empty((0, mask.ndim), int)
    chosen = rng.choice(len(places), min(count, len(places)), replace=False) if len(places) else []
    return [tuple(int(edge) for edge in places[index]) for index in chosen]


def disc(shape: tuple[int, ...], centre: tuple[int, ...], radius: float) -> tuple[tuple[slice, ...], np.ndarray]:
    """The part of an array around a pixel, and which of its pixels are no farther than the radius."""
    reach = int(radius)
    place = tuple(slice(max(0, c - reach), min(n, c + reach + 1)) for c, n in zip(centre, shape, strict=True))
    apart = np.ogrid[tuple(slice(part.start - c, part.stop - c) for part, c in zip(place, centre, strict=True))]
    return place, sum(axis.astype(float) ** 2 for axis in apart) <= radius**2  # pyright: ignore[reportReturnType]


def stroke(mask: np.ndarray, width: int, rng: np.random.Generator) -> np.ndarray:
    """A stroke in a 2D mask: between two pixels well inside that lie far apart, along the middle, `width` pixels wide.

    Only within the piece of the mask that the pixel is of, and never outside of the mask.
    """
    drawn = np.zeros(mask.shape, bool)
    found = clicks(mask, 1, rng)
    if not found:
        return drawn
    labels, _ = ndimage.label(mask)  # pyright: ignore[reportGeneralTypeIssues]
    piece = labels == labels[found[0]]
    inside = depth(piece)
    near = _farthest(piece, inside, found[0])
    far = _farthest(piece, inside, near)
    cost = np.where(piece, (1 + inside) ** -MIDDLE, -1)  # below 0 there is no way
    path, _ = route_through_array(cost, near, far, fully_connected=True, geometric=True)
    for pixel in path:
        place, around = disc(mask.shape, tuple(int(edge) for edge in pixel), width / 2)
        drawn[place] |= around
    return drawn & piece


def _farthest(piece: np.ndarray, inside: np.ndarray, start: tuple[int, ...]) -> tuple[int, ...]:
    """The pixel well inside that is farthest from the start."""
    places = np.argwhere(piece & (inside >= WELL_INSIDE * inside.max()))
    apart = ((places - np.array(start)) ** 2).sum(1)
    return tuple(int(edge) for edge in places[int(apart.argmax())])
