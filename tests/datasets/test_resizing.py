"""Images, masks and predictions stay on each other when they are resized."""

from itertools import product

import cv2
import numpy as np
import pytest

from unetbench.core.task import Task
from unetbench.datasets.case import Sample
from unetbench.datasets.prepare import Preprocess, prepare
from unetbench.datasets.resizing import nearest, resized


def _ramp(length: int) -> np.ndarray:
    return np.arange(length)[:, None]


def _disc(space, centre, radius) -> np.ndarray:
    """A ball (*space, 1); centre in pixels, 0.0 the middle of the first."""
    places = np.meshgrid(*map(np.arange, space), indexing="ij")
    return (sum((p - c) ** 2 for p, c in zip(places, centre, strict=True)) <= radius**2)[..., None].astype(np.uint8)


def _centroid(weights: np.ndarray) -> np.ndarray:
    places = np.meshgrid(*map(np.arange, weights.shape[:-1]), indexing="ij")
    return np.array([(p * weights[..., 0]).sum() / weights.sum() for p in places])


def test_a_ramp_by_hand():
    # 5 → 3: centres at 0.833, 2.5, 4.167. 3 → 5: centres at 0.3, 0.9, 1.5, 2.1, 2.7.
    assert nearest(_ramp(5), (3,))[:, 0].tolist() == [0, 2, 4]
    assert nearest(_ramp(3), (5,))[:, 0].tolist() == [0, 0, 1, 2, 2]
    # 7 → 4: centres at 0.875, 2.625, 4.375, 6.125. OpenCV takes floor(1.75 i).
    assert nearest(_ramp(7), (4,))[:, 0].tolist() == [0, 2, 4, 6]
    assert nearest(_ramp(2), (6,))[:, 0].tolist() == [0, 0, 0, 1, 1, 1]
    careless = cv2.resize(np.arange(5, dtype=np.uint8)[None], (3, 1), interpolation=cv2.INTER_NEAREST)
    assert careless[0].tolist() == [0, 1, 3]


def test_a_centre_between_two_pixels_takes_either_as_often():
    # 4 × 4 → 2 × 2: every centre lies on a corner of four pixels, and each of the four is taken once.
    columns = np.tile(np.arange(4), (4, 1))
    picked = nearest(np.stack([columns.T, columns], -1), (2, 2))
    assert picked.reshape(-1, 2).tolist() == [[0, 0], [1, 2], [2, 1], [3, 3]]
    # 2 × 1 → 7 × 2: only the fourth centre, at 1.0, is between two; it takes one of them in each column.
    assert nearest(np.array([0, 1])[:, None, None], (7, 2))[..., 0].T.tolist() == [[0] * 4 + [1] * 3, [0] * 3 + [1] * 4]
    # A line has no other axis along which to alternate.
    assert nearest(_ramp(6), (3,))[:, 0].tolist() == [0, 2, 4]


@pytest.mark.parametrize(("old", "new"), [(64, 23), (23, 64), (97, 60), (60, 97), (31, 31), (200, 3), (1, 5), (5, 1)])
def test_each_pixel_is_the_nearest_one_in_2d_and_3d(old, new):
    ramp = _ramp(old)
    wanted = (np.arange(new) + 0.5) * old / new - 0.5
    assert np.abs(nearest(ramp, (new,))[:, 0] - wanted).max() <= 0.5
    for rank in (2, 3):
        space = (old, *range(6, 6 + rank - 1))
        target = (new, *range(4, 4 + rank - 1))
        places = np.stack(np.meshgrid(*map(np.arange, space), indexing="ij"), -1)
        picked = nearest(places, target)
        for axis, (n, m) in enumerate(zip(space, target, strict=True)):
            middle = (np.arange(m) + 0.5) * n / m - 0.5
            shape = [-1 if k == axis else 1 for k in range(rank)]
            assert np.abs(picked[..., axis] - middle.reshape(shape)).max() <= 0.5


def _drift(space, target, resize) -> np.ndarray:
    """How far, in new pixels and on average over balls anywhere, resized masks lie from resized images of them."""
    rng, drifts = np.random.default_rng(0), []
    for _ in range(120):
        mask = _disc(space, [rng.uniform(0.3, 0.7) * edge for edge in space], 0.25 * min(space))
        image = resized(mask * np.float32(200), target)
        drifts.append(_centroid(resize(mask, target)) - _centroid(image))
    return np.mean(drifts, 0)


@pytest.mark.parametrize("target", [(64, 64), (32, 32), (48, 40), (70, 80), (128, 128), (100, 131), (31, 57), (16, 64)])
def test_a_disc_and_its_mask_do_not_drift_apart_at_any_size(target):
    assert np.abs(_drift((64, 64), target, nearest)).max() < 0.05


@pytest.mark.parametrize("target", [(12, 20, 20), (24, 10, 15), (17, 33, 40)])
def test_a_ball_and_its_mask_do_not_drift_apart(target):
    assert np.abs(_drift((24, 20, 20), target, nearest)).max() < 0.05


@pytest.mark.parametrize(
    ("target", "method"), [(32, cv2.INTER_NEAREST), (32, cv2.INTER_NEAREST_EXACT), (40, cv2.INTER_NEAREST)]
)
def test_masks_of_opencv_drift(target, method):
    drift = _drift(
        (64, 64), (target, target), lambda mask, size: cv2.resize(mask[..., 0], size, None, 0, 0, method)[..., None]
    )
    assert np.abs(drift).min() > 0.2


@pytest.mark.parametrize("size", [(32, 32), (40, 56), (96, 131)])
def test_what_is_restored_lies_where_the_case_has_it(size):
    mask = _disc((64, 64), (27.0, 38.5), 18)
    task, how = Task(2, 1, ("disc",)), Preprocess(normalise="none", resize=size, pad=16)
    found = prepare("a", Sample(mask * 200, mask), task, how)
    assert np.abs(_centroid(found.restore(found.image)) - _centroid(mask)).max() < 0.05


def test_values_and_types_of_labels_stay():
    labels = np.random.default_rng(0).choice([0, 7, 60000], (50, 41, 2)).astype(np.uint16)
    for target in product((25, 33, 100), (41, 20)):
        picked = nearest(labels, target)
        assert picked.dtype == np.uint16
        assert set(np.unique(picked)) <= {0, 7, 60000}


def test_thin_lines_keep_the_place_that_opencv_moves_them_from():
    lines = np.zeros((512, 512), np.uint8)
    for y0, x0, y1, x1 in np.random.default_rng(0).integers(0, 512, (12, 4)).tolist():
        cv2.line(lines, (x0, y0), (x1, y1), (1,), 2)
    wanted = resized(lines[..., None], (300, 300))[..., 0] >= 0.5

    def dice(found):
        return 2 * np.count_nonzero(found & wanted) / (np.count_nonzero(found) + np.count_nonzero(wanted))

    assert dice(nearest(lines[..., None], (300, 300))[..., 0] > 0) > 0.93
    assert dice(cv2.resize(lines, (300, 300), interpolation=cv2.INTER_NEAREST) > 0) < 0.8
