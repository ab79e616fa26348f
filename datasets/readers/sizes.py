"""What the head of a picture claims of its size, looked at before memory is taken for its pixels."""

import math
import re
import struct
from collections.abc import Sequence
from pathlib import Path

from ...core.errors import DataError
from ...core.memory import memory_bytes, told
from .headers import BMP, JPEG, JPEG2000, PNG
from .orientation import parts

OPENCV_PIXELS = 2**30
"""Of a picture that OpenCV decodes; one with more is refused by it."""

_OPENCV_EDGE = 2**20
_START_OF_FRAME = {b"\xff" + bytes([code]) for code in range(0xC0, 0xD0) if code not in (0xC4, 0xC8, 0xCC)}
_NETPBM = re.compile(rb"P[1-6]\s+(?:#[^\n]*\n\s*)*(\d{1,9})\s+(?:#[^\n]*\n\s*)*(\d{1,9})\s")
_HEAD = 4096
"""Bytes of a file in which the size stands, in formats whose head is of no fixed length."""


def require_opencv_size(content: bytes, file: Path) -> None:
    """Raise DataError for a picture that claims more pixels than OpenCV decodes or than fit into memory."""
    size = claimed(content)
    if size is None:
        return
    width, height = size
    if max(size) > _OPENCV_EDGE or width * height > OPENCV_PIXELS:
        raise DataError(
            f"{file}: says that it has {width} × {height} pixels; pictures of up to 2^30 are read, larger ones as TIFF "
            "or OME-Zarr; if it has not so many it is damaged"
        )
    require_memory((height, width, 4), 1, file)


def require_memory(shape: Sequence[int], itemsize: int, file: Path) -> None:
    """Raise DataError for an array that does not fit into this machine's memory."""
    size = math.prod(shape) * itemsize
    if size > memory_bytes() or min(shape, default=1) < 0:
        raise DataError(
            f"{file}: says that it holds {tuple(shape)}, {told(size)}, and this machine has {told(memory_bytes())} of "
            "memory; if it is not so large it is damaged"
        )


def claimed(content: bytes) -> tuple[int, int] | None:
    """Width and height that the head of a picture states, None where it does not or in other formats."""
    try:
        return _claimed(content)
    except struct.error:
        return None


def _claimed(content: bytes) -> tuple[int, int] | None:
    if content.startswith(PNG):
        return struct.unpack_from(">II", content, 16)
    if content.startswith(BMP):
        width, height = struct.unpack_from("<ii", content, 18)
        return abs(width), abs(height)
    if content.startswith(b"GIF8"):
        return struct.unpack_from("<HH", content, 6)
    if content.startswith(JPEG):
        found = next((start for name, start, _ in parts(content) if name in _START_OF_FRAME), None)
        if found is None:
            return None
        height, width = struct.unpack_from(">HH", content, found + 1)
        return width, height
    if content.startswith(JPEG2000):
        place = content.find(b"\xff\x51", 0, _HEAD)
        right, down, left, top = struct.unpack_from(">IIII", content, place + 6)
        return (right - left, down - top) if place >= 0 else None
    if content[:1] == b"P" and (found := _NETPBM.match(content[:_HEAD])):
        return int(found[1]), int(found[2])
    return None
