"""Distances between the surfaces of truth and prediction, and the bands along them: measured once, read often.

The surface of a mask is its voxels that share a face with a voxel outside it (a mask minus its erosion by a cross);
what lies beyond the image, or is ignored, counts as outside. Distances run between voxel centres. This is the surface
of MONAI, medpy and MetricsReloaded; DeepMind's surface-distance puts elements of area between the voxels instead.
"""

import os
from dataclasses import dataclass

import cv2
import numpy as np

from .nearest import nearest
from .pair import Pair

BAND = 0.02
"""Width of the boundary band as a share of the image diagonal (Cheng et al. 2021)."""


@dataclass(frozen=True)
class Surfaces:
    """What every surface distance reads. Distances are in `Pair.unit`, infinite when the other mask is empty.

    truth (n,): float32, distance of each surface voxel of the truth to the prediction's surface; prediction (m,): the
    reverse.
    """

    truth: np.ndarray
    prediction: np.ndarray


@dataclass(frozen=True)
class Bands:
    """Voxels in both bands, in the truth's, in the prediction's.

    A band is what of a mask lies nearer than `width` (in `Pair.unit`) to the mask's own surface.
    """

    both: int
    truth: int
    prediction: int
    width: float


def surfaces(pair: Pair) -> Surfaces:
    """Distances between the two surfaces. Raises Missing for a volume of unknown spacing."""
    spacing = pair.spacing
    truth, prediction = _cropped(pair)
    return Surfaces(*nearest(surface(truth), surface(prediction), spacing))


def bands(pair: Pair) -> Bands:
    """Sizes of the two bands and of what they share. Raises Missing for a volume of unknown spacing."""
    spacing = pair.spacing
    width = max(1, round(BAND * pair.diagonal / max(spacing))) * max(spacing)
    truth, prediction = _cropped(pair)
    band = _band(truth, spacing, width)
    true_size, packed = int(np.count_nonzero(band)), np.packbits(band)  # packed: a distance map follows
    band = _band(prediction, spacing, width)
    predicted_size = int(np.count_nonzero(band))
    band &= np.unpackbits(packed, count=band.size).view(bool).reshape(band.shape)
    return Bands(int(np.count_nonzero(band)), true_size, predicted_size, width)


def surface(mask: np.ndarray) -> np.ndarray:
    """The voxels of a boolean mask that share a face with its outside or with the end of the image."""
    inner = mask.copy()
    for axis in range(mask.ndim):
        kept, whole = np.moveaxis(inner, axis, 0), np.moveaxis(mask, axis, 0)
        kept[:-1] &= whole[1:]
        kept[1:] &= whole[:-1]
        kept[:1] = kept[-1:] = False
    return np.logical_xor(mask, inner, out=inner)


def distance_to(edge: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Exact Euclidean distance of each voxel centre to the nearest voxel of `edge`, float32, same shape."""
    if edge.ndim == 2 and spacing[0] == spacing[1]:
        found = cv2.distanceTransform((~edge).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        found *= spacing[0]
        return found
    import edt

    return edt.edt(~edge, anisotropy=spacing, parallel=min(4, os.cpu_count() or 1))


def _band(mask: np.ndarray, spacing: tuple[float, ...], width: float) -> np.ndarray:
    edge = surface(mask)
    if not edge.any():
        return edge
    band = distance_to(edge, spacing) < width * (1 - 1e-5)  # a distance that equals the width up to rounding is outside
    band &= mask
    return band


def _cropped(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Both masks on the smallest box that holds them."""
    box = _box(pair.truth, pair.prediction)
    return pair.truth[box], pair.prediction[box]


def _box(*masks: np.ndarray) -> tuple[slice, ...]:
    either = np.logical_or(*masks)
    box = []
    for axis in range(either.ndim):
        others = tuple(k for k in range(either.ndim) if k != axis)
        filled = np.flatnonzero(either.any(axis=others))
        box.append(slice(int(filled[0]), int(filled[-1]) + 1) if len(filled) else slice(0, 0))
    return tuple(box)
