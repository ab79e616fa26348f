"""GIF, by Pillow."""

from pathlib import Path

import numpy as np

from ...core.errors import DataError, one_line
from .picture import Picture, Reading
from .registry import reads
from .sizes import claimed

_MOST_PIXELS = 2560
"""That a byte of LZW stands for at most: a code of 12 bits for the longest entry of its table, 3839 pixels."""


@reads(".gif")
def gif(file: Path, reading: Reading) -> Picture:
    """(y, x, 1) where the palette holds greys alone, as GIF has no other grey, or (y, x, 3) colours.

    A transparent colour is a colour. Raises DataError for what is damaged and for animations.
    """
    indices, palette = _indexed(file)
    grey = bool((palette == palette[:, :1]).all())
    return Picture((palette[:, :1] if grey else palette)[indices])


def _indexed(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """(y, x) indices and the (n, 3) colours that they stand for."""
    from PIL import GifImagePlugin

    _require_plausible(file)
    try:
        with file.open("rb") as content, GifImagePlugin.GifImageFile(content) as image:
            if image.n_frames > 1:
                raise DataError(f"{file}: is an animation of {image.n_frames} frames; save each as a file of its own")
            image.load()
            palette = image.getpalette("RGB")  # None where it is the greys 0 to 255
            colours = np.repeat(np.arange(256), 3) if palette is None else palette
            return np.asarray(image), np.array(colours, np.uint8).reshape(-1, 3)
    except (SyntaxError, EOFError, OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise DataError(f"{file}: is no readable GIF; it is damaged or cut short ({one_line(error)})") from None


def _require_plausible(file: Path) -> None:
    """Raise DataError for a size that the file is too short for: Pillow fills its memory before it finds that out."""
    with file.open("rb") as content:
        size = claimed(content.read(10))
    if size is not None and size[0] * size[1] > _MOST_PIXELS * file.stat().st_size:
        raise DataError(
            f"{file}: says that it has {size[0]} × {size[1]} pixels and is too short for them; it is damaged"
        )
