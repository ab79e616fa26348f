import math

import numpy as np
import pytest
from skimage.morphology import skeletonize

from unetbench.metrics import METRICS
from unetbench.metrics.pair import Pair


def _line(shape: tuple[int, ...], *places) -> np.ndarray:
    mask = np.zeros(shape, bool)
    for place in places:
        mask[place] = True
    return mask


def _cldice(truth: np.ndarray, prediction: np.ndarray) -> float:
    return METRICS["cldice"](Pair(truth, prediction))


def test_a_broken_line_by_hand():
    # One pixel wide, so each is its own skeleton: 10 pixels, of which 8 are found: p = 8 / 8, s = 8 / 10, 1.6 / 1.8.
    truth, prediction = _line((5, 12), np.s_[2, 1:11]), _line((5, 12), np.s_[2, 1:5], np.s_[2, 7:11])
    assert _cldice(truth, prediction) == pytest.approx(1.6 / 1.8)


def test_thickness_costs_nothing():
    truth, thick = _line((9, 30), np.s_[4, 5:25]), _line((9, 30), np.s_[3:6, 3:27])
    assert METRICS["dice"](Pair(truth, thick)) < 0.5
    assert _cldice(truth, thick) > 0.9


def test_lines_that_do_not_meet_score_nothing():
    assert _cldice(_line((9, 9), np.s_[1, :]), _line((9, 9), np.s_[7, :])) == 0


@pytest.mark.parametrize("shape", [(40, 40), (14, 16, 18)])
def test_cldice_agrees_with_skeletons_of_the_whole_image(shape):
    rng = np.random.default_rng(0)
    grid = np.indices(shape)
    truth = np.abs(np.sin(grid.sum(0) / 4)) < 0.4
    prediction = truth ^ (rng.random(shape) < 0.05)
    skeletons = [skeletonize(np.pad(mask, 1))[(slice(1, -1),) * mask.ndim] > 0 for mask in (truth, prediction)]
    sensitive = (skeletons[0] & prediction).sum() / skeletons[0].sum()
    precise = (skeletons[1] & truth).sum() / skeletons[1].sum()
    assert _cldice(truth, prediction) == pytest.approx(2 * precise * sensitive / (precise + sensitive))


@pytest.mark.parametrize("shape", [(4, 4), (3, 4, 4)])
def test_cldice_of_empty_full_and_single_masks(shape):
    empty, full = np.zeros(shape, bool), np.ones(shape, bool)
    single = _line(shape, (0,) * len(shape))
    assert math.isnan(_cldice(empty, empty))
    assert _cldice(empty, full) == _cldice(full, empty) == 0
    assert _cldice(full, full) == _cldice(single, single) == 1


@pytest.mark.parametrize("edges", [(2, 2), (1, 3), (2, 3), (2, 2, 2), (1, 2, 2), (3, 3, 3), (2, 4, 2)])
def test_a_small_box_agrees_with_itself(edges):
    # scikit-image thins a cube of 2 × 2 × 2 to nothing, and the formula of 0 voxels would be 0 / 0.
    box = np.ones(edges, bool)
    assert _cldice(box, box) == 1


@pytest.mark.parametrize(("edges", "expected"), [((2, 2), 2 / 3), ((4, 4), 2 / 3)])
def test_a_missed_vessel_of_even_width_is_seen_beside_one_that_was_found(edges, expected):
    # Lee's thinning leaves nothing of it; found is a vessel of 3 × 3 with a skeleton as long: about p = 1, s = 1/2.
    found = _line((50, 30, 30), np.s_[5:45, 5:8, 5:8])
    truth = found | _line((50, 30, 30), np.s_[5:45, 20 : 20 + edges[0], 20 : 20 + edges[1]])
    assert not skeletonize(truth ^ found).any()
    assert _cldice(truth, found) == _cldice(found, truth) == pytest.approx(expected, abs=0.02)


def test_a_missed_cube_is_seen_beside_a_line_that_was_found():
    # A line, and a cube of 2 × 2 × 2 that is missed: thinning alone would see the line only.
    truth = _line((12, 12, 12), np.s_[1:10, 1:2, 1:2], np.s_[8:10, 8:10, 8:10])
    prediction = _line((12, 12, 12), np.s_[1:10, 1:2, 1:2])
    assert 0 < _cldice(truth, prediction) < 1
