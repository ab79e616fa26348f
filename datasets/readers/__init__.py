"""Decode files: one module a format, found by the suffixes that it registers."""

from .anatomical import from_ras, in_file_order, to_ras
from .pages import Page, cut
from .picture import Channels, Pages, Picture, Reading
from .read import image_once, mask_once, pages_in, read_image, read_mask
from .registry import reads, stem, suffix, suffixes

__all__ = [
    "Channels",
    "Page",
    "Pages",
    "Picture",
    "Reading",
    "cut",
    "from_ras",
    "image_once",
    "in_file_order",
    "mask_once",
    "pages_in",
    "read_image",
    "read_mask",
    "reads",
    "stem",
    "suffix",
    "suffixes",
    "to_ras",
]
