"""PBM, PGM and PPM, binary by OpenCV, as text by NumPy."""

import re
from pathlib import Path

import numpy as np

from ...core.errors import DataError
from .picture import Picture, Reading
from .raster import decoded
from .registry import reads


@reads(".pbm", ".pgm", ".ppm", ".pnm")
def netpbm(file: Path, reading: Reading) -> Picture:
    """(y, x, c), values as stored, whatever the highest one that the head states; a PBM is 0 (black) and 255."""
    content = file.read_bytes()
    if content[:2] in (b"P2", b"P3"):  # OpenCV stretches these to 255, and binary ones not
        return Picture(_text(content, file))
    array = decoded(content, file)
    return Picture(array[..., None] if array.ndim == 2 else np.ascontiguousarray(array[..., ::-1]))


def _text(content: bytes, file: Path) -> np.ndarray:
    words = re.sub(rb"#[^\n]*", b"", content).split()
    try:
        numbers = np.array(words[1:], np.int64)
    except ValueError:
        raise DataError(f"{file}: is no readable PGM or PPM; it is damaged") from None
    channels = 3 if words[0] == b"P3" else 1
    width, height, highest = (*numbers[:3], 0, 0, 0)[:3]
    pixels = numbers[3:]
    sound = len(pixels) == width * height * channels > 0 and numbers.min() >= 0
    if not sound or pixels.max() > highest:
        raise DataError(f"{file}: is no readable PGM or PPM; it is damaged or cut short")
    return pixels.reshape(height, width, channels).astype(np.uint8 if highest < 256 else np.uint16)
