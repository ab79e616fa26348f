"""Contrast-limited adaptive histogram equalisation of images and volumes, and how other than 8 bits become 8."""

from typing import Any

import cv2
import numpy as np

RANGE_PERCENTILES = (0.1, 99.9)
"""Of other than 8-bit images, which `clahe` brings to 0 and 255."""


def equalised(image: np.ndarray, clip_limit: float) -> np.ndarray:
    """(*space, c) uint8 → the same with the contrast of each of its slices equalised."""
    clahe = cv2.createCLAHE(clip_limit, (8, 8))
    space = image.shape[:-1]
    slices = image.reshape(-1, *image.shape[-3:])
    done = np.empty_like(slices)
    for source, target in zip(slices, done, strict=True):
        if source.shape[-1] == 3:
            lab = cv2.cvtColor(source, cv2.COLOR_RGB2LAB)
            light = lab[..., 0]
            if light.min() == light.max():
                target[...] = source  # also spared the rounding of Lab and back
                continue
            lab[..., 0] = clahe.apply(light)
            target[...] = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
        else:
            for channel in range(source.shape[-1]):
                target[..., channel] = _spread(clahe, np.ascontiguousarray(source[..., channel]))
    return done.reshape(*space, -1)


def _spread(clahe: Any, plane: np.ndarray) -> np.ndarray:
    """Equalise a plane (y, x) uint8; OpenCV would make a constant one brighter, 0 to 6 at the usual limits."""
    return plane if plane.min() == plane.max() else clahe.apply(plane)


def byte_range(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What becomes 0 and 255 in each channel of an image that is to be equalised."""
    space = tuple(range(image.ndim - 1))
    low, high = np.percentile(image, RANGE_PERCENTILES, axis=space)
    flat = high <= low
    return np.where(flat, image.min(space), low), np.where(flat, image.max(space), high)


def in_bytes(image: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(*space, c) of any type → uint8: `low` of each channel becomes 0, `high` 255."""
    scaled = (image - low) * (255 / np.where(high > low, high - low, 1))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
