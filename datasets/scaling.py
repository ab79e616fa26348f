"""Intensities brought to one scale, of a whole image at once or of the part that is looked at."""

from dataclasses import dataclass
from typing import Any

import numpy as np

_PERCENTILES = (1.0, 99.8)
_PIXELS = 250_000  # evenly spaced ones that percentiles are taken from at most


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
            low, high = np.percentile(thinned, _PERCENTILES, axis=0)
            flat = high <= low
            low, high = np.where(flat, pixels.min(0), low), np.where(flat, pixels.max(0), high)
            offset, scale = low, high - low
        elif rule == "minmax":
            offset = pixels.min(0).astype(float)
            scale = pixels.max(0) - offset
        else:
            offset, scale = pixels.mean(0, dtype=np.float64), pixels.std(0, dtype=np.float64)
        factor = np.divide(1.0, scale, out=np.zeros_like(scale, float), where=scale > 1e-9 * np.abs(offset))
        return cls(channels, offset, factor)

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
