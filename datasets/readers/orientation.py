"""How a camera was held: the orientation that PNG, JPEG, WebP and TIFF files state, and pictures turned by it."""

import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from .picture import Picture

_MIRRORED_DOWN = (3, 4, 7, 8)
_MIRRORED_ACROSS = (2, 3, 6, 7)
_TAG = 274


def upright(picture: Picture, orientation: int) -> Picture:
    """Turn a picture (*space, c) as EXIF 2.32 (tag 274) says: its last two axes of space are height and width.

    1 stays, 2 is mirrored across, 3 turned by 180°, 4 mirrored down; 5 to 8 are transposed and then as 1, 2, 3 and 4
    (6 is a quarter turn clockwise). Other numbers stay, as in Pillow. Spacing turns along; noted.
    """
    if not 2 <= orientation <= 8:
        return picture
    array, spacing_mm = picture.array, picture.spacing_mm
    if orientation >= 5:
        array = array.swapaxes(-3, -2)
        spacing_mm = spacing_mm and (*spacing_mm[:-2], spacing_mm[-1], spacing_mm[-2])
    if orientation in _MIRRORED_DOWN:
        array = array[..., ::-1, :, :]
    if orientation in _MIRRORED_ACROSS:
        array = array[..., ::-1, :]
    note = f"turned as the file's orientation {orientation} says (`exif: ignore` leaves it as stored)"
    return replace(picture, array=np.ascontiguousarray(array), spacing_mm=spacing_mm, notes=(*picture.notes, note))


def orientation_of(content: bytes) -> int:
    """The orientation that the EXIF of a PNG, JPEG or WebP states, or 1. Damaged EXIF states none."""
    exif = next((content[start : start + length] for name, start, length in parts(content) if name == b"Exif"), b"")
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        (first,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, first)
        entries = [struct.unpack_from(order + "HHIH", exif, first + 2 + 12 * k) for k in range(count)]
    except struct.error:
        return 1
    return next((value for tag, kind, _, value in entries if tag == _TAG and kind == 3), 1)  # 3: a 16-bit number


def parts(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and length of the chunks of a PNG or WebP and of the segments of a JPEG before its first scan.

    EXIF is called `Exif` in all; other JPEG segments are called by their marker. Ends where the file does.
    """
    if content.startswith(b"\x89PNG"):
        yield from _png_chunks(content)
    elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        yield from _webp_chunks(content)
    elif content.startswith(b"\xff\xd8"):
        yield from _jpeg_segments(content)


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    place = 8
    while place + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, place)
        yield (b"Exif" if name == b"eXIf" else name), place + 8, length
        place += 12 + length  # the checksum follows


def _webp_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    place = 12
    while place + 8 <= len(content):
        name, length = struct.unpack_from("<4sI", content, place)
        yield (b"Exif" if name == b"EXIF" else name), place + 8, length
        place += 8 + length + length % 2  # filled up to whole words


def _jpeg_segments(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    place = 2
    while place + 4 <= len(content) and content[place] == 0xFF and content[place + 1] != 0xDA:
        if content[place + 1] == 0xFF:  # fill byte
            place += 1
            continue
        (length,) = struct.unpack_from(">H", content, place + 2)
        exif = content[place + 1] == 0xE1 and content.startswith(b"Exif\0\0", place + 4)
        yield (b"Exif" if exif else content[place : place + 2]), place + 4, length - 2
        place += 2 + length
