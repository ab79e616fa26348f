"""Decode files: one module a format, found by the suffixes that it registers."""

from .mask import read_mask
from .picture import Channels, Exif, Picture, Reading
from .read import page_count, read_image, read_page
from .registry import hidden, reads, stem, suffix, suffixes

__all__ = [
    "Channels",
    "Exif",
    "Picture",
    "Reading",
    "hidden",
    "page_count",
    "read_image",
    "read_mask",
    "read_page",
    "reads",
    "stem",
    "suffix",
    "suffixes",
]
