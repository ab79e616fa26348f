"""Intensities brought to one scale, of a whole image at once or of the part that is looked at."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_PERCENTILES = (1.0, 99.8)
_PIXELS = 250_000  # evenly spaced ones that percentiles are taken from at most

Regions = Callable[[], Iterable[tuple[Sequence[slice], np.ndarray]]]
"""At each call all of an image (*space, c) in regions (*region, c), each with its place in space, in any order."""


@dataclass(frozen=True)
class Scaling:
    """(x - offset) factor for each channel, or x as it is without an offset; the rules are those of `Preprocess`.

    channels: of the scaled image; one of a single channel is repeated to so many.
    """

    channels: int
    offset: np.ndarray | None = None
    factor: np.ndarray | None = None

    @classmethod
    def of(cls, image: np.ndarray, rule: str) -> "Scaling":
        """The scaling of an image (*space, c)."""
        channels = image.shape[-1]
        if rule == "none":
            return cls(channels)
        colours = image.dtype == np.uint8 and channels == 3
        pixels = image.reshape(-1, 1) if colours else image.reshape(-1, channels)
        if rule == "percentile":
            thinned = pixels[:: -(-len(pixels) // _PIXELS)]
            return cls(channels, *_of_percentiles(thinned, pixels.min(0), pixels.max(0)))
        if rule == "minmax":
            return cls(channels, *_of_range(pixels.min(0), pixels.max(0)))
        mean = pixels.mean(0, dtype=np.float64)
        return cls(channels, mean, _factor(mean, pixels.std(0, dtype=np.float64)))

    @classmethod
    def of_regions(cls, regions: Regions, shape: tuple[int, ...], dtype: np.dtype, rule: str) -> "Scaling":
        """The scaling of an image of this shape and type that is never whole in memory.

        `percentile` and `minmax` give the bits of `of`, `zscore` float64 sums in another order.
        """
        channels = shape[-1]
        if rule == "none":
            return cls(channels)
        grid = shape if dtype == np.uint8 and channels == 3 else (*shape[:-1], 1)  # of what shares its percentiles
        columns = channels // grid[-1]
        if rule == "zscore":
            count = math.prod(grid)
            none = np.zeros(columns)
            mean = sum((_rows(region, columns).sum(0, dtype=np.float64) for _, region in regions()), none) / count
            squares = sum((((_rows(region, columns) - mean) ** 2).sum(0) for _, region in regions()), none) / count
            return cls(channels, mean, _factor(mean, np.sqrt(squares)))
        wanted = np.arange(0, math.prod(grid), -(-math.prod(grid) // _PIXELS))
        where = np.unravel_index(wanted, grid)
        thinned, lows, highs = np.empty((len(wanted), columns), dtype), [], []
        for place, region in regions():
            pixels = _rows(region, columns)
            lows.append(pixels.min(0))
            highs.append(pixels.max(0))
            inside = np.logical_and.reduce(
                [(part.start <= index) & (index < part.stop) for index, part in zip(where, place, strict=False)]
            )
            local = [index[inside] - part.start for index, part in zip(where, place, strict=False)]
            found = region[tuple(local)]
            thinned[inside] = found if columns > 1 else found[np.arange(len(found)), where[-1][inside]][:, None]
        least, most = np.min(lows, 0), np.max(highs, 0)
        return cls(channels, *(_of_range(least, most) if rule == "minmax" else _of_percentiles(thinned, least, most)))

    @classmethod
    def joined(cls, parts: Sequence["Scaling"]) -> "Scaling":
        """The scaling of an image whose channels are those of several, one after the other, all by one rule."""
        if len(parts) == 1:
            return parts[0]
        channels, offsets, factors = sum(part.channels for part in parts), [], []
        for part in parts:
            if part.offset is None or part.factor is None:
                return cls(channels)
            offsets.append(np.broadcast_to(part.offset, part.channels))
            factors.append(np.broadcast_to(part.factor, part.channels))
        return cls(channels, np.concatenate(offsets), np.concatenate(factors))

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """The image, or any part of it, (*space, c) → float32. A new array."""
        if image.shape[-1] < self.channels:
            image = np.repeat(image, self.channels, -1)
        if self.offset is None or self.factor is None:
            return image.astype(np.float32)
        scaled = image.astype(np.result_type(image, np.float32))
        scaled -= self.offset.astype(scaled.dtype)
        scaled *= self.factor.astype(scaled.dtype)
        return scaled.astype(np.float32, copy=False)


def _rows(region: np.ndarray, columns: int) -> np.ndarray:
    return region.reshape(-1, columns)


def _of_percentiles(thinned: np.ndarray, least: np.ndarray, most: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.percentile(thinned, _PERCENTILES, axis=0)
    flat = high <= low
    low, high = np.where(flat, least, low), np.where(flat, most, high)
    return low, _factor(low, high - low)


def _of_range(least: np.ndarray, most: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    offset = least.astype(float)
    return offset, _factor(offset, most - offset)


def _factor(offset: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return np.divide(1.0, scale, out=np.zeros_like(scale, float), where=scale > 1e-9 * np.abs(offset))


@dataclass(frozen=True, eq=False)
class ScaledImage:
    """An image (*space, c) float32 that is held as its file has it. An index along the axes of space scales that part.

    stored: (*space, c), or (*space, 1) for a grey image that is scaled to several channels.
    """

    stored: np.ndarray
    scaling: Scaling

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the scaled image."""
        return (*self.stored.shape[:-1], self.scaling.channels)

    @property
    def ndim(self) -> int:
        """Axes of space, and one."""
        return self.stored.ndim

    @property
    def nbytes(self) -> int:
        """Bytes of memory that it takes."""
        return self.stored.nbytes

    def __getitem__(self, index: Any) -> np.ndarray:
        return self.scaling(self.stored[index])
