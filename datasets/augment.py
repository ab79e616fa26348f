"""Random draws that move an image and its truth together, and cut the training patch out in the same step.

One affine map takes a pixel of the patch to a place in the whole image, so that nothing is interpolated twice and no
border is invented where the image goes on. Volumes turn in one plane of two axes, slice by slice: a full 3D warp is
more than ten times slower in every library and turns thick slices into mush.
"""

import itertools
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import cv2
import numpy as np

from ..core.recipe import Augmentation
from .scaling import ScaledImage, Scaling

ISOTROPIC = 2.0
"""Largest ratio of two voxel edges between which a volume may turn."""

_BLOCK = 8192
_CHANNELS = 64  # cv2 5 refuses more than 128 channels


@dataclass(frozen=True, eq=False)
class AugmentationParams:
    """What was drawn for one patch of edges `patch`.

    matrix: (rank, rank); offset from the patch's centre → offset in the image, in pixels.
    shift: (rank,) pixels, added after the matrix; whole ones along every axis that nothing turns.
    plane: the two axes between which the matrix may turn; along every other axis it is 1 or -1.
    gain, offset: (channels,) contrast factor about the mean, and brightness in standard deviations.
    noise: standard deviation of the noise, in those of the image; noise_seed draws it.
    """

    patch: tuple[int, ...]
    matrix: np.ndarray
    shift: np.ndarray
    plane: tuple[int, int]
    gain: np.ndarray
    offset: np.ndarray
    noise: float = 0.0
    noise_seed: int = 0


def draw_params(
    rng: np.random.Generator,
    augment: Augmentation,
    patch: tuple[int, ...],
    *,
    channels: int = 1,
    spacing_mm: tuple[float, ...] | None = None,
) -> AugmentationParams:
    """Draw one move and one change of intensities, uniformly within the ranges of `augment`.

    matrix = D⁻¹ R(rotation) S(shear) D F / zoom, with D the pixel edges and F the flips. The plane is one of
    those whose pixel edges differ by a ratio of at most 2 (any when the spacing is unknown), each as likely; when there
    is none, nothing turns. Brightness and contrast are drawn for each channel.
    """
    rank = len(patch)
    spacing = np.ones(rank) if spacing_mm is None else np.asarray(spacing_mm, float)
    planes = [p for p in itertools.combinations(range(rank), 2) if _ratio(spacing[list(p)]) <= ISOTROPIC]
    sizes = [4, rank, rank, channels, channels, 1]
    pose, shift, flips, gain, offset, noise = np.split(rng.uniform(-1, 1, sum(sizes)), np.cumsum(sizes)[:-1])
    choice, angle, shear, zoom = pose
    matrix, plane = np.eye(rank), planes[int((choice + 1) / 2 * len(planes))] if planes else (rank - 2, rank - 1)
    turns = bool(planes and (augment.rotation_deg or augment.shear or augment.zoom))
    if turns:
        turn = _turn(np.deg2rad(angle * augment.rotation_deg), shear * augment.shear, 1 + zoom * augment.zoom)
        edges = spacing[list(plane)]
        matrix[np.ix_(plane, plane)] = turn * edges[None, :] / edges[:, None]
    if augment.flips:
        matrix *= np.where(flips < 0, -1.0, 1.0)
    shift = shift * augment.shift * np.asarray(patch)
    still = [axis for axis in range(rank) if not turns or axis not in plane]
    shift[still] = np.round(shift[still])
    return AugmentationParams(
        patch,
        matrix,
        shift,
        plane,
        1 + gain * augment.contrast,
        offset * augment.brightness,
        abs(float(noise[0])) * augment.noise,
        int(rng.integers(1 << 63)),
    )


def warp_patch(
    drawn: AugmentationParams, image: np.ndarray | ScaledImage, centre: np.ndarray, interpolation: int
) -> np.ndarray:
    """Cut the patch around `centre` (pixels, (rank,)) out of `image` (*space, c), moved as drawn.

    Gives a new array (*patch, c), also where the patch is the whole image. Borders are reflected without repeating the
    edge pixel. A draw of flips and whole pixels only copies pixels and gives back the crop bit for bit. interpolation:
    `cv2.INTER_LINEAR` or `cv2.INTER_NEAREST`. Of a `ScaledImage` only the pixels that are looked at are scaled.
    """
    array, scaling = (image.stored, image.scaling) if isinstance(image, ScaledImage) else (image, None)
    matrix, patch, plane = drawn.matrix, drawn.patch, drawn.plane
    origin = centre + drawn.shift - matrix @ ((np.asarray(patch) - 1) / 2)
    copied = range(len(patch)) if _whole_pixels(matrix, origin) else set(range(len(patch))) - set(plane)
    for axis in copied:
        array = _line(array, axis, round(origin[axis]), int(matrix[axis, axis]), patch[axis])
    if len(copied) == len(patch):
        return scaling(array) if scaling else array.copy()
    edges = patch[plane[0]], patch[plane[1]]
    slices = array[None] if len(patch) == 2 else np.moveaxis(array, plane, (1, 2))
    moved = _warp(slices, matrix[np.ix_(plane, plane)], origin[list(plane)], edges, interpolation, scaling)
    return moved[0] if len(patch) == 2 else np.ascontiguousarray(np.moveaxis(moved, (1, 2), plane))


def jitter_intensity(
    drawn: AugmentationParams, image: np.ndarray, mean: np.ndarray, deviation: np.ndarray
) -> np.ndarray:
    """Change the intensities of a patch (*patch, c) float32 as drawn, in place where it is contiguous.

    image → (image - mean) gain + mean + deviation (offset + noise · normal), with the mean and standard deviation
    (channels,) of the whole image. The normal numbers are read from a table of 65,536 quantiles by random bits, five
    times faster than drawing them; the tails end at 4.3 standard deviations.
    """
    width = image.shape[-2]
    lines = image.reshape(-1, width * image.shape[-1])
    gain, bias, grain = drawn.gain, mean * (1 - drawn.gain) + deviation * drawn.offset, deviation * drawn.noise
    if np.any(gain != 1):
        lines *= _tiled(gain, width)
    if np.any(bias != 0):
        lines += _tiled(bias, width)
    if drawn.noise:
        _add_normal(lines, _tiled(grain, width), drawn.noise_seed)
    return lines.reshape(image.shape)


def reflected(start: int, count: int, size: int, step: int = 1) -> np.ndarray:
    """Indices start, start + step, … of an axis of `size` pixels, mirrored at its ends without repeating them."""
    period = max(2 * (size - 1), 1)
    indices = np.mod(start + step * np.arange(count), period)
    return np.minimum(indices, period - indices) if size > 1 else np.zeros(count, int)


def _turn(angle: float, shear: float, zoom: float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]]) @ np.array([[1.0, shear], [0.0, 1.0]]) / zoom


def _ratio(edges: np.ndarray) -> float:
    return float(edges.max() / edges.min())


def _whole_pixels(matrix: np.ndarray, origin: np.ndarray) -> bool:
    return bool(np.array_equal(np.abs(matrix), np.eye(len(matrix))) and np.array_equal(origin, np.round(origin)))


def _line(array: np.ndarray, axis: int, start: int, step: int, count: int) -> np.ndarray:
    size, last = array.shape[axis], start + step * (count - 1)
    if min(start, last) < 0 or max(start, last) >= size:
        return np.take(array, reflected(start, count, size, step), axis)
    stop = last + step
    inside = slice(start, None if stop < 0 else stop, step)
    return array[(slice(None),) * axis + (inside,)]


def _warp(
    slices: np.ndarray,
    matrix: np.ndarray,
    origin: np.ndarray,
    edges: tuple[int, int],
    interpolation: int,
    scaling: Scaling | None,
) -> np.ndarray:
    """Warp slices (k, h, w, c), scaled, by one map from pixels of the target to pixels of the source.

    Gives (k, *edges, c).
    """
    corners = origin[:, None] + matrix @ (np.array([(0, 0, 1, 1), (0, 1, 0, 1)]) * (np.asarray(edges)[:, None] - 1))
    (top, bottom), (left, right) = (
        _window(c.min(), c.max(), n) for c, n in zip(corners, slices.shape[1:3], strict=True)
    )
    (yy, yx), (xy, xx) = matrix
    inverse = np.array([[xx, xy, origin[1] - left], [yx, yy, origin[0] - top]])
    flags, channels = interpolation | cv2.WARP_INVERSE_MAP, scaling.channels if scaling else slices.shape[-1]
    moved = np.empty((len(slices), *edges, channels), np.float32 if scaling else slices.dtype)
    for window, target in zip(slices[:, top:bottom, left:right], moved, strict=True):
        source = scaling(window) if scaling else window
        for k in range(0, channels, _CHANNELS):
            part = source[..., k : k + _CHANNELS]
            dst = target if channels <= _CHANNELS else None
            part = cv2.warpAffine(part, inverse, edges[::-1], dst=dst, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
            # cv2 writes into dst where it can; what it gives back is then dst.
            if not np.may_share_memory(part, target):
                target[..., k : k + _CHANNELS] = part.reshape(*edges, -1)
    return moved


def _window(low: float, high: float, size: int) -> tuple[int, int]:
    """Start and stop of the part of an axis that holds the range low..high and all that it sees in the mirrors."""
    first, last = int(np.floor(low)) - 2, int(np.ceil(high)) + 2
    start, stop = min(first, 2 * (size - 1) - last), max(last, -first) + 1
    return max(start, 0), min(stop, size)


def _tiled(values: np.ndarray, width: int) -> np.ndarray:
    """One value a channel as a line of `width` pixels: numpy multiplies long rows four times faster than short ones."""
    return np.tile(values.astype(np.float32), width)


@cache
def _quantiles() -> np.ndarray:
    normal = NormalDist()
    return np.array([normal.inv_cdf((i + 0.5) / 65536) for i in range(65536)], np.float32)


def _add_normal(lines: np.ndarray, deviation: np.ndarray, seed: int) -> None:
    """Add normal noise to (rows, n) in place, deviation (n,). A few rows at a time stay in the processor's cache."""
    source, quantiles, length = np.random.SFC64(seed), _quantiles(), lines.shape[1]
    step = max(1, _BLOCK // length)
    for first in range(0, len(lines), step):
        block = lines[first : first + step]
        bits = source.random_raw(-(-block.size // 4)).astype("<u8", copy=False).view("<u2")[: block.size]
        block += quantiles.take(bits).reshape(block.shape) * deviation
