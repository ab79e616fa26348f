import math

import numpy as np
import pytest

from unetbench.core.errors import DataError, SpecError
from unetbench.metrics import METRICS
from unetbench.metrics.pair import Missing, Pair

NAMES = ("ece", "mce", "brier", "nll")


def _pair(truth: list[int], probability: list[float], valid: list[int] | None = None) -> Pair:
    mask, p = np.array([truth], bool), np.array([probability], np.float32)
    return Pair(mask, p >= 0.5, None, None if valid is None else np.array([valid], bool), probability=p)


def test_calibration_of_four_pixels_by_hand():
    # Two bins. Below 0.5: mean p 0.2, one of two true, gap 0.3. From 0.5: mean p 0.8, both true, gap 0.2.
    pair = _pair([0, 1, 1, 1], [0.1, 0.3, 0.7, 0.9])
    assert METRICS["ece"](pair, bins=2) == pytest.approx((2 * 0.3 + 2 * 0.2) / 4)
    assert METRICS["mce"](pair, bins=2) == pytest.approx(0.3)
    assert METRICS["brier"](pair) == pytest.approx((0.01 + 0.49 + 0.09 + 0.01) / 4)
    expected = -(math.log(0.9) + math.log(0.3) + math.log(0.7) + math.log(0.9)) / 4
    assert METRICS["nll"](pair) == pytest.approx(expected, rel=1e-6)


def test_certainty_is_free_when_right_and_costs_the_most_when_wrong():
    right, wrong = _pair([0, 1], [0, 1]), _pair([1, 0], [0, 1])
    assert [METRICS[name](right) for name in NAMES] == pytest.approx([0, 0, 0, 0], abs=1e-6)
    assert [METRICS[name](wrong) for name in NAMES] == pytest.approx([1, 1, 1, -math.log(1e-7)], rel=1e-6)


def test_a_probability_on_the_edge_of_a_bin_belongs_to_the_upper_one():
    # p = 0.5 in two bins: gaps |0.25 - 0| and |0.75 - 0.5|, where the lower bin would have had |1/3 - 0| and |1 - 1|.
    pair = _pair([0, 0, 1], [0.25, 0.5, 1.0])
    assert METRICS["ece"](pair, bins=2) == pytest.approx((0.25 + 2 * 0.25) / 3)


def test_calibration_agrees_with_bins_taken_one_by_one():
    rng = np.random.default_rng(0)
    p = rng.random((40, 40), np.float32)
    y = rng.random((40, 40)) < p**2
    pair = Pair(y, p >= 0.5, probability=p)
    inside = [(p >= np.float32(b / 15)) & (p < np.float32((b + 1) / 15)) for b in range(15)]
    gaps = [abs(p[part].mean(dtype=float) - y[part].mean()) for part in inside]
    assert METRICS["ece"](pair) == pytest.approx(np.average(gaps, weights=[part.sum() for part in inside]), abs=1e-5)
    assert METRICS["mce"](pair) == pytest.approx(max(gaps), abs=1e-4)


def test_empty_masks_have_a_calibration():
    pair = _pair([0, 0], [0.2, 0.4])
    assert pair.empty == "both"
    assert METRICS["brier"](pair) == pytest.approx((0.04 + 0.16) / 2)


def test_ignored_pixels_are_left_out():
    kept = _pair([0, 1], [0.2, 0.6])
    for name in NAMES:
        assert METRICS[name](_pair([0, 1, 1], [0.2, 0.6, 0.0], [1, 1, 0])) == METRICS[name](kept), name
        assert math.isnan(METRICS[name](_pair([0], [0.2], [0]))), name


def test_a_pair_without_probabilities_is_an_error():
    pair = Pair(np.ones((2, 2), bool), np.ones((2, 2), bool))
    for name in NAMES:
        with pytest.raises(Missing, match="probabilities"):
            METRICS[name](pair)


@pytest.mark.parametrize("value", [math.nan, -0.1, 1.1, math.inf])
def test_a_probability_that_is_none_is_an_error(value):
    with pytest.raises(DataError, match="must be a number from 0 to 1"):
        _pair([0, 1], [0.5, value])


def test_what_averaging_rounds_beyond_one_is_one():
    assert METRICS["brier"](_pair([1], [1 + 1e-6])) == 0


def test_no_bins_are_an_error():
    with pytest.raises(SpecError, match="bins: 0"):
        METRICS["ece"](_pair([1], [1.0]), bins=0)
