"""PNG, JPEG, BMP and WebP, by OpenCV."""

import struct
from pathlib import Path

import cv2
import numpy as np

from ...core.errors import DataError, one_line
from .orientation import orientation_of, parts, upright
from .picture import Picture, Reading
from .registry import reads
from .sizes import require_opencv_size

TRANSPARENCY = "transparency that differs between pixels was left out (`channels: last` keeps it as a channel)"
"""What is noted of a picture whose alpha was more than a formality."""

_TO_RGB = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}  # many times as fast as turning the axis in NumPy


@reads(".png", ".jpg", ".jpeg", ".bmp", ".webp")
def raster(file: Path, reading: Reading) -> Picture:
    """(y, x, c), colours in the order red, green, blue, grey as one channel, without alpha, upright.

    Palettes become their colours, CMYK becomes RGB. Raises DataError for what is damaged and for animations.
    """
    content = file.read_bytes()
    array = decoded(content, file)
    if (frames := _frames(content)) > 1:
        raise DataError(f"{file}: is an animation of {frames} frames; save each as a file of its own")
    if array.ndim == 2:
        picture = Picture(array[..., None])
    elif content.startswith(b"\x89PNG") and content[25] == 4:  # colour type: grey and alpha
        picture = without_alpha(array[..., 2:], reading)
    else:
        picture = without_alpha(cv2.cvtColor(array, _TO_RGB[array.shape[-1]]), reading)
    return upright(picture, orientation_of(content)) if reading.exif == "apply" else picture


def decoded(content: bytes, file: Path) -> np.ndarray:
    """Decode (y, x) or (y, x, c) in OpenCV's order of colours. Raises DataError naming the file."""
    require_opencv_size(content, file)
    try:
        array = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) if content else None
    except cv2.error as error:
        raise DataError(f"{file}: is not decoded by OpenCV; it is damaged or too large ({one_line(error)})") from None
    # a JPEG cut short decodes to grey blocks: its last scan (FFDA) must be followed by an end of image (FFD9)
    cut = content.startswith(b"\xff\xd8") and content.rfind(b"\xff\xd9") < content.rfind(b"\xff\xda")
    if array is None or cut:
        raise DataError(f"{file}: is {'cut short' if cut else 'empty, damaged or cut short'}; fetch it again")
    return array


def without_alpha(array: np.ndarray, reading: Reading) -> Picture:
    """A picture of grey or colours (*space, c) whose last channel is alpha where there are 2 or 4 of them.

    Alpha is left out, or kept where `channels: last` says so; what differs in an image's is noted.
    """
    if array.shape[-1] not in (2, 4) or reading.channels == "last":
        return Picture(np.ascontiguousarray(array))
    alpha = array[..., -1]
    notes = (TRANSPARENCY,) if not reading.mask and (alpha != alpha.flat[0]).any() else ()
    if array.ndim == 3 and array.shape[-1] == 4 and array.dtype in (np.uint8, np.uint16):
        return Picture(cv2.cvtColor(array, cv2.COLOR_RGBA2RGB), notes=notes)
    return Picture(np.ascontiguousarray(array[..., :-1]), notes=notes)


def _frames(content: bytes) -> int:
    found = 0
    for name, start, _ in parts(content):
        if name == b"acTL":  # an animated PNG says it before its pixels
            return struct.unpack_from(">I", content, start)[0]
        if name == b"IDAT":
            return 1
        found += name == b"ANMF"  # a frame of a WebP
    return max(1, found)
