import math

import numpy as np
import pytest
from skimage.metrics import adapted_rand_error, variation_of_information

from unetbench.metrics import METRICS
from unetbench.metrics.objects import label
from unetbench.metrics.pair import Missing, Pair


def _mask(text: str) -> np.ndarray:
    return np.array([[c == "#" for c in line] for line in text.split()])


def _scores(truth: np.ndarray, prediction: np.ndarray) -> tuple[float, float]:
    pair = Pair(truth, prediction)
    return METRICS["isbi_rand"](pair), METRICS["isbi_info"](pair)


def test_a_missing_membrane_merges_two_segments():
    # Segments of 2 and 2 pixels, merged: p_ij = ½, ½; Σ p² = ½, Σ t² = ½, Σ s² = 1, so ½ / ¾.
    # H(T) = log 2, H(S) = 0, so they share no information.
    assert _scores(_mask("..#.."), _mask(".....")) == pytest.approx((2 / 3, 0))


def test_a_false_membrane_splits_a_segment():
    # Truth: 4 and 4 pixels. The first is cut; the pixel of the cut goes to either side: sizes 1, 3, 4 or 2, 2, 4.
    truth, prediction = _mask("....#...."), _mask(".#..#....")
    rand, info = _scores(truth, prediction)
    parts = [np.array([1, 3, 4]) / 8, np.array([2, 2, 4]) / 8]
    expected = [(part**2).sum() / ((part**2).sum() / 2 + 0.25) for part in parts]
    assert any(rand == pytest.approx(value) for value in expected)
    assert 0 < info < 1


def test_the_thickness_of_a_membrane_costs_nothing():
    truth, thick = _mask("....#.... ....#...."), _mask("...###... ...###...")
    assert _scores(truth, thick) == pytest.approx((1, 1))


def test_pixels_under_the_true_membrane_are_not_counted():
    truth, prediction = _mask("..###.."), _mask("...#...")
    assert _scores(truth, prediction) == pytest.approx((1, 1))


def test_segments_are_joined_through_faces_only():
    # Diagonal cells are two segments, and so a prediction that joins them through a gap loses.
    assert METRICS["isbi_rand"](Pair(_mask(".# #."), _mask(".. #."))) < 1


def test_an_image_all_membrane_is_one_segment_or_none():
    full, half = np.ones((3, 5), bool), np.zeros((3, 5), bool)
    half[:, 2] = True
    assert _scores(half, full) == pytest.approx((2 / 3, 0))
    assert all(map(math.isnan, _scores(full, half)))
    assert _scores(np.zeros((3, 5), bool), np.zeros((3, 5), bool)) == (1, 1)


@pytest.mark.parametrize("space", [(60, 50), (12, 14, 16)])
def test_the_scores_agree_with_scikit_image_where_it_takes_the_same_pixels(space):
    """scikit-image neither thins nor restricts the prediction, and counts pairs without putting back, so both get the
    thinned segments of the restricted pixels and an error of the order of one over the number of pixels is left."""
    rng = np.random.default_rng(0)
    grid = np.indices(space)
    truth = np.any([axis % 10 == 0 for axis in grid], axis=0)
    prediction = truth & (rng.random(space) < 0.95)
    truth_segments = label(~truth, touching="face")
    segments = np.where(truth, 0, label(~prediction, touching="face"))
    rand, info = _scores(truth, prediction)
    error, *_ = adapted_rand_error(truth_segments, segments)
    assert rand == pytest.approx(1 - error, abs=2e-2)
    apart = variation_of_information(truth_segments, segments, ignore_labels=(0,))
    sizes = [np.bincount(part[~truth]) for part in (truth_segments, segments)]
    shares = [size[size > 0] / size.sum() for size in sizes]
    entropy = sum(-(share * np.log2(share)).sum() for share in shares)
    assert info == pytest.approx((entropy - apart.sum()) / entropy, abs=1e-9)


def test_ignored_pixels_are_in_no_segment():
    valid = _mask("##.##")
    whole = Pair(_mask("....."), _mask("....."), valid=valid)
    assert METRICS["isbi_rand"](whole) == 1
    assert METRICS["isbi_info"](whole) == 1
    merged = Pair(_mask("..#.."), _mask("....."), valid=_mask("#####"))
    assert METRICS["isbi_rand"](merged) == pytest.approx(2 / 3)


def test_numbered_objects_are_no_outlines():
    labels = np.ones((2, 2), int)
    with pytest.raises(Missing, match="outlines"):
        METRICS["isbi_rand"](Pair(labels > 0, labels > 0, None, None, labels, labels))
