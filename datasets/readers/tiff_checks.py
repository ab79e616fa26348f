"""What tifffile reads without a word and nobody should: a TIFF that is cut short, colours that are not RGB."""

import math
import struct
from pathlib import Path
from typing import Any

from ...core.errors import DataError

_FOREIGN = {5: "CMYK", 6: "YCbCr", 8: "CIELAB"}  # PhotometricInterpretation
_DESCRIPTION = 270
_JPEG = (6, 7)  # of these tifffile makes RGB


def check_head(file: Path, opened: Any) -> None:
    """Raise DataError for what keeps tifffile busy when it looks at `series` of a `TiffFile`; to be called before.

    That is XML that defines entities, which can stand for very much text and OME-XML has none of, and an image of more
    strips or tiles than the file has places for, each of which it would look for.
    """
    len(opened.pages)  # walks to the end of the chain of pages, which `series` goes through for ever where it is broken
    _check_parts(file, opened.pages.first)
    if "<!DOCTYPE" in opened.pages.first.description.upper():
        raise DataError(f"{file}: its OME-XML defines entities, which no microscope does; save it anew")


def check(file: Path, opened: Any) -> None:
    """Raise DataError for a `tifffile.TiffFile` whose pages or pixels are not all there or whose colours are foreign.

    tifffile logs directories and descriptions that lie beyond the file, and fills strips of no bytes with 0.
    """
    pages, page = opened.pages, opened.series[0].keyframe
    count = len(pages)  # walks to the end
    opened.filehandle.seek(pages.next_page_offset)
    following = opened.filehandle.read(opened.tiff.offsetsize)
    if len(following) < opened.tiff.offsetsize or any(following):
        raise DataError(f"{file}: is cut short, there are {count} of its pages; fetch it again")
    if _loses_description(opened, page.offset):
        raise DataError(f"{file}: is cut short, what describes its axes is missing; fetch it again")
    _check_parts(file, page)
    if 0 in page.databytecounts:
        raise DataError(f"{file}: holds no pixels for a part of its image; whatever wrote it was interrupted or failed")
    if page.photometric in _FOREIGN and not (page.photometric == 6 and page.compression in _JPEG):
        raise DataError(f"{file}: its colours are {_FOREIGN[page.photometric]}; save it as RGB or grey")


def _check_parts(file: Path, page: Any) -> None:
    parts, places = math.prod(page.chunked), len(page.dataoffsets)
    if parts > max(places, 1) or not places:
        raise DataError(f"{file}: has {places} places of pixels for an image of {parts} parts; it is damaged")


def _loses_description(opened: Any, place: int) -> bool:
    """Whether the text that holds the metadata of ImageJ and OME lies beyond the end of the file."""
    tiff, content = opened.tiff, opened.filehandle
    content.seek(place)
    (count,) = struct.unpack(tiff.tagnoformat, content.read(tiff.tagnosize))
    entries = content.read(count * tiff.tagsize)
    for start in range(0, len(entries), tiff.tagsize):
        code, _ = struct.unpack_from(tiff.tagformat1, entries, start)
        if code == _DESCRIPTION:
            length, value = struct.unpack_from(tiff.byteorder + 2 * tiff.offsetformat[1:], entries, start + 4)
            return length > tiff.offsetsize and value + length > content.size
    return False
