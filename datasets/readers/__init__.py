"""Decode files: one module a format, found by the suffixes that it registers."""

from .anatomical import from_ras, in_file_order, to_ras
from .mask import mask_once, read_mask
from .pages import Page, cut
from .picture import Channels, Exif, Pages, Picture, Reading
from .read import decoding, image_once, pages_in, read_image, read_page
from .registry import (
    DESKTOP_FILES,
    FOLDER,
    FOLDERS,
    PAGE_READERS,
    files_of,
    hidden,
    kind_of,
    reads,
    require_text,
    stem,
    suffix,
    suffixes,
    visible,
)

__all__ = [
    "DESKTOP_FILES",
    "FOLDER",
    "FOLDERS",
    "PAGE_READERS",
    "Channels",
    "Exif",
    "Page",
    "Pages",
    "Picture",
    "Reading",
    "cut",
    "decoding",
    "files_of",
    "from_ras",
    "hidden",
    "image_once",
    "in_file_order",
    "kind_of",
    "mask_once",
    "pages_in",
    "read_image",
    "read_mask",
    "read_page",
    "reads",
    "require_text",
    "stem",
    "suffix",
    "suffixes",
    "to_ras",
    "visible",
]
