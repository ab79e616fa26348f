"""Annotation files: which objects and classes the images of a data set show; one module a format."""

from . import cellpose, coco, cvat, decathlon, imagej, kaggle, labelme, nnunet  # noqa: F401 each registers its format
from .draw import drawn, mask_of, numbers_of, unseen
from .regions import AnnotatedImage, Annotations, Corners, Ellipse, Outline, Region
from .registry import FORMATS, Asked, Described, DescribedCase, annotates, read_annotations
from .run_lengths import Order, RunLengths, bitmap_of

__all__ = [
    "FORMATS",
    "AnnotatedImage",
    "Annotations",
    "Asked",
    "Corners",
    "Described",
    "DescribedCase",
    "Ellipse",
    "Order",
    "Outline",
    "Region",
    "RunLengths",
    "annotates",
    "bitmap_of",
    "drawn",
    "mask_of",
    "numbers_of",
    "read_annotations",
    "unseen",
]
