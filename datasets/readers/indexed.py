"""Files whose samples are indices into a palette: PNG and BMP by Pillow, TIFF by tifffile."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .headers import BMP, PNG

_PALETTE_TYPE = b"\3"  # of PNG


class Indexed(NamedTuple):
    """indices: (*space,) as stored. palette: (entries, 3) uint8, red, green and blue; an index beyond it is black."""

    indices: np.ndarray
    palette: np.ndarray

    def colours(self) -> np.ndarray:
        """(*space, 3), or (*space, 1) where every colour that is used is grey. Transparency changes no colour."""
        lacking = max(0, int(self.indices.max(initial=0)) + 1 - len(self.palette))
        seen = np.pad(self.palette, ((0, lacking), (0, 0)))[self.indices]
        return seen[..., :1] if (seen == seen[..., :1]).all() else seen


def indexed(file: Path, content: bytes) -> Indexed | None:
    """The indices of a PNG or BMP with a palette, or None for other files.

    A BMP has no grey but that of its palette, so one whose palette is grey alone counts as grey. Raises OSError and
    SyntaxError for damage.
    """
    if content.startswith(PNG) and content[25:26] == _PALETTE_TYPE:
        from PIL.PngImagePlugin import PngImageFile

        return _decoded(PngImageFile, file)
    if content.startswith(BMP) and int.from_bytes(content[28:30], "little") <= 8:
        from PIL.BmpImagePlugin import BmpImageFile

        found = _decoded(BmpImageFile, file)
        return None if found is None or (found.palette == found.palette[:, :1]).all() else found
    return None


def _decoded(reader: Any, file: Path) -> Indexed | None:
    # the class itself, for Image.open warns of pictures above 89 million pixels, as masks of slides are
    with reader(file) as opened:
        return Indexed(np.asarray(opened), _palette(opened)) if opened.mode == "P" else None


def _palette(opened: Any) -> np.ndarray:
    return np.array(opened.getpalette("RGB"), np.uint8).reshape(-1, 3)
