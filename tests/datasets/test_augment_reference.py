"""Whatever cv2 is installed, a warp is the one that NumPy computes from the formula alone.

cv2 has other code for other numbers of channels, types and versions. Images are float32 and linear, truths uint8 and
nearest; both come with any number of channels. cv2 5.0 is exact for 1, 3 and 4 channels and rounds positions to 1/32
pixel for others, so a position may be off by that much along an axis.
"""

import itertools

import cv2
import numpy as np
import pytest

from unetbench.core.recipe import Augmentation
from unetbench.datasets.augment import AugmentationParams, draw_params, warp_patch

ROUNDING = 1 / 32
GEOMETRY = Augmentation(brightness=0, contrast=0, noise=0)

INSIDE = ((90, 80), (32, 40), (44.5, 40.0))
"""Space of the image, edges of the patch and its centre: nothing is mirrored."""

PLACES = {
    "inside": INSIDE,
    "at a corner": ((90, 80), (32, 40), (2.5, 77.0)),
    "larger than the image": ((21, 17), (64, 48), (10.0, 8.0)),
    "far outside": ((40, 33), (32, 32), (-50.0, 71.0)),
    "an image of one row": ((1, 30), (24, 24), (0.0, 15.0)),
    "a volume": ((14, 40, 36), (8, 24, 20), (6.5, 19.5, 17.5)),
    "a volume smaller than the patch": ((5, 12, 30), (8, 24, 20), (1.5, 5.5, 14.5)),
}


def positions(drawn: AugmentationParams, centre: tuple[float, ...]) -> np.ndarray:
    """Where each pixel of the patch comes from, (*patch, rank) float64: centre + shift + matrix (pixel - middle)."""
    pixels = np.stack(np.meshgrid(*map(np.arange, drawn.patch), indexing="ij"), -1)
    return (pixels - (np.array(drawn.patch) - 1) / 2) @ drawn.matrix.T + np.array(centre) + drawn.shift


def mirrored(indices: np.ndarray, size: int) -> np.ndarray:
    """Indices of an axis, reflected at its ends without repeating the edge pixel, one bounce at a time."""
    while size > 1 and (indices.min() < 0 or indices.max() >= size):
        indices = np.where(indices < 0, -indices, indices)
        indices = np.where(indices >= size, 2 * (size - 1) - indices, indices)
    return indices if size > 1 else np.zeros_like(indices)


def pick(array: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """The pixels (…, c) of (*space, c) at whole indices (…, rank)."""
    return array[tuple(mirrored(indices[..., axis], size) for axis, size in enumerate(array.shape[:-1]))]


def linear(array: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Weigh the 2^rank pixels around each place by their nearness, in float64."""
    low = np.floor(places).astype(int)
    share, total = places - low, 0.0
    for corner in itertools.product((0, 1), repeat=places.shape[-1]):
        weight = np.prod(np.where(corner, share, 1 - share), axis=-1, keepdims=True)
        total = total + weight * pick(array.astype(np.float64), low + np.array(corner))
    return np.asarray(total)


def nearest_ones(array: np.ndarray, places: np.ndarray) -> list[np.ndarray]:
    """The pixels that are nearest to a place rounded one way or the other; one pixel but for those near a tie."""
    offsets = itertools.product((-ROUNDING, 0, ROUNDING), repeat=places.shape[-1])
    return [pick(array, np.floor(places + np.array(offset) + 0.5).astype(int)) for offset in offsets]


def draw(seed: int, patch: tuple[int, ...], channels: int) -> AugmentationParams:
    return draw_params(np.random.default_rng(seed), GEOMETRY, patch, channels=channels)


def image_of(space: tuple[int, ...], channels: int) -> np.ndarray:
    return np.random.default_rng(channels).standard_normal((*space, channels), np.float32)


def check_image(space, patch, centre, channels, seed) -> None:
    image, drawn = image_of(space, channels), draw(seed, patch, channels)
    moved, places = warp_patch(drawn, image, np.array(centre), cv2.INTER_LINEAR), positions(drawn, centre)
    assert (moved.dtype, moved.shape) == (np.float32, (*patch, channels))
    # White noise: a position off by 1/32 pixel along two axes changes a pixel by 2/32 of the range of its neighbours.
    around = itertools.product((-1, 0, 1, 2), repeat=len(space))
    reach = np.ptp([pick(image, np.floor(places).astype(int) + np.array(step)) for step in around], axis=0)
    assert np.all(np.abs(moved - linear(image, places)) <= 2 * ROUNDING * reach + 1e-5)


def check_truth(space, patch, centre, channels, seed) -> None:
    truth = np.random.default_rng(channels).integers(0, 256, (*space, channels), np.uint8)
    drawn = draw(seed, patch, channels)
    moved, places = warp_patch(drawn, truth, np.array(centre), cv2.INTER_NEAREST), positions(drawn, centre)
    assert (moved.dtype, moved.shape) == (np.uint8, (*patch, channels))
    possible = nearest_ones(truth, places)
    assert np.all(np.any([moved == one for one in possible], axis=0))
    sure = np.all([one == possible[0] for one in possible], axis=0)
    assert sure.mean() > 0.8


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("check", [check_image, check_truth])
def test_a_warp_is_that_of_numpy_with_mirrored_borders(check, place: str, seed: int) -> None:
    check(*PLACES[place], 2, seed)


@pytest.mark.parametrize("channels", [1, 3, 4, 5, 8, 63, 64, 65, 130])
@pytest.mark.parametrize("check", [check_image, check_truth])
def test_a_warp_is_that_of_numpy_for_every_number_of_channels(check, channels: int) -> None:
    check(*INSIDE, channels, 5)
    if channels <= 5:
        check(*PLACES["a volume"], channels, 5)


@pytest.mark.parametrize(("place", "axis"), [("inside", 0), ("inside", 1), ("a volume", 0), ("a volume", 2)])
def test_image_and_truth_of_a_warp_do_not_drift_apart(place: str, axis: int) -> None:
    """Both of a ramp: where the image says that a pixel comes from, the truth says too, but for rounding."""
    space, patch, _ = PLACES[place]
    middle, drifts = (np.array(space) - 1) / 2, []
    ramp = np.broadcast_to(np.arange(space[axis]).reshape([-1 if k == axis else 1 for k in range(len(space))]), space)
    for seed in range(40):
        drawn = draw(seed, tuple(edge // 2 for edge in patch), 1)  # small enough to meet no border
        image = warp_patch(drawn, ramp[..., None].astype(np.float32), middle, cv2.INTER_LINEAR)
        truth = warp_patch(drawn, ramp[..., None].astype(np.uint8), middle, cv2.INTER_NEAREST)
        assert np.abs(truth - image).max() <= 0.5 + ROUNDING
        drifts.append(np.mean(truth - image))
    assert abs(np.mean(drifts)) < 0.02
