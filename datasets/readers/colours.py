"""Colours as classes: `#rrggbb` in the sweep file, one integer in an array."""

import re

import numpy as np

from ...core.errors import DataError

HOW = 'write a colour as "#rrggbb", six hexadecimal digits in quotes, for without them YAML takes # for a comment'

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def colour_value(text: str) -> int | None:
    """`#rrggbb` → red · 65536 + green · 256 + blue, or None for other texts."""
    return int(text[1:], 16) if _HEX.fullmatch(text) else None


def colour_text(value: int) -> str:
    """The inverse of `colour_value`, in small letters."""
    return f"#{value:06x}"


def packed(array: np.ndarray, where: object) -> np.ndarray:
    """(*space, 1 or 3) of 8 bits → (*space,) int32, red · 65536 + green · 256 + blue.

    Raises DataError that begins with `where` for other arrays.
    """
    if array.dtype != np.uint8 or array.shape[-1] not in (1, 3):
        raise DataError(
            f"{where}: has {array.shape[-1]} channels of {array.dtype}; where `classes` are colours, masks have 8 bits "
            "a channel and are RGB, grey or have a palette"
        )
    red, green, blue = (array[..., k].astype(np.int32) for k in (0, array.shape[-1] // 2, -1))
    return red << 16 | green << 8 | blue
