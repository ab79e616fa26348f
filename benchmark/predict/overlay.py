"""Pictures of images with the outlines of what was predicted."""

import numpy as np

from ...core.task import Task
from ...datasets.case import Sample
from ...datasets.thumbnail import Thumbnail

LONGEST_EDGE = 1600
"""Pixels of a picture; larger images are shrunk."""


def overlay(image: np.ndarray, labels: np.ndarray, objects: np.ndarray | None, task: Task) -> np.ndarray:
    """An image (*space, c) with the outlines of its labels (*space, t), or of its objects (*space): (h, w, 3) uint8.

    Of a volume the slice across the first axis with most foreground. At the image's own size, up to 1600 pixels.
    """
    edge = min(max(image.shape[-3:-1]), LONGEST_EDGE)
    return Thumbnail.of("", Sample(image, labels, objects), task, edge=edge).painted(task)


def slices_first(array: np.ndarray, depth: int, orientation: str) -> np.ndarray:
    """A volume (*space, c) with its depth first and, where it is in RAS+, anterior or superior up and right right."""
    array = np.moveaxis(array, depth, 0)
    return np.rot90(array, axes=(1, 2)) if orientation else array
