"""What tifffile reads without a word and nobody should: a TIFF that is cut short, colours that are not RGB."""

import struct
from pathlib import Path
from typing import Any

from ...core.errors import DataError

_FOREIGN = {5: "CMYK", 6: "YCbCr", 8: "CIELAB"}  # PhotometricInterpretation
_DESCRIPTION = 270
_JPEG = (6, 7)  # of these tifffile makes RGB


def check_description(file: Path, opened: Any) -> None:
    """Raise DataError for XML in a `tifffile.TiffFile` that defines entities: they can stand for very much text.

    OME-XML has none. To be called before tifffile looks at `series`, for which it parses the XML.
    """
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
    if 0 in page.databytecounts:
        raise DataError(f"{file}: holds no pixels for a part of its image; whatever wrote it was interrupted or failed")
    if page.photometric in _FOREIGN and not (page.photometric == 6 and page.compression in _JPEG):
        raise DataError(f"{file}: its colours are {_FOREIGN[page.photometric]}; save it as RGB or grey")


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
