"""JPEG 2000, by imagecodecs."""

import struct
from pathlib import Path

import numpy as np

from ...core.errors import DataError, one_line
from .picture import Picture, Reading
from .raster import without_alpha
from .registry import reads
from .sizes import claimed, require_memory

_DECODED_BYTES = 8
"""Of a pixel while it is decoded, of one channel: OpenJPEG computes in 32 bits, and gives a copy."""


@reads(".jp2", ".j2k")
def jpeg2000(file: Path, reading: Reading) -> Picture:
    """(y, x, c), up to 16 bits, signed or not. Alpha is what the file calls so; other channels are kept."""
    import imagecodecs

    content = file.read_bytes()
    if (size := claimed(content)) is not None:
        require_memory((*size, _DECODED_BYTES), 1, file)
    try:
        array = np.asarray(imagecodecs.jpeg2k_decode(content))
    except (imagecodecs.Jpeg2kError, ValueError) as error:
        raise DataError(f"{file}: is no readable JPEG 2000; it is damaged or cut short ({one_line(error)})") from None
    array = array[..., None] if array.ndim == 2 else array
    return without_alpha(array, reading) if _states_alpha(content) else Picture(array)


def _states_alpha(content: bytes) -> bool:
    """Whether a box of channel definitions (ISO/IEC 15444-1, I.5.3.6) calls a channel opacity."""
    place = content.find(b"cdef", 0, content.find(b"jp2c"))
    if place < 0:
        return False
    (count,) = struct.unpack_from(">H", content, place + 4)
    return any(struct.unpack_from(">HHH", content, place + 6 + 6 * k)[1] in (1, 2) for k in range(count))
