import math

import numpy as np
import pytest

from unetbench.benchmark.report.statistics.centre import median_estimate, trimmed_estimate


def alone(count: int) -> np.ndarray:
    return np.arange(count)


def test_the_interquartile_mean_takes_half_of_the_cases():
    """Of 1 … 8: mean of 3, 4, 5, 6. Of five, a quarter is 1.25 cases: (0.75 · 2 + 3 + 0.75 · 9) / 2.5 = 4.5."""
    assert trimmed_estimate(np.array([[8.0, 7, 6, 5, 4, 3, 2, 1]]), alone(8)).mean == pytest.approx(4.5)
    assert trimmed_estimate(np.array([[1.0, 2, 3, 9, 50]]), alone(5)).mean == pytest.approx(4.5)


def test_one_failed_case_moves_the_mean_and_not_the_other_two():
    values = np.full((1, 20), 0.9)
    values[0, 3] = 0.0
    assert median_estimate(values, alone(20)).mean == pytest.approx(0.9)
    assert trimmed_estimate(values, alone(20)).mean == pytest.approx(0.9)


def test_the_interval_of_a_median_is_that_of_its_order_statistics():
    """Of 20 cases the binomial interval of 95.9 % is from the 6th to the 15th."""
    found = median_estimate(np.arange(1.0, 21)[None], alone(20))
    assert found.mean == 10.5
    assert 5 <= found.low <= 6.5
    assert 14.5 <= found.high <= 16


@pytest.mark.parametrize("estimate", [median_estimate, trimmed_estimate])
def test_copies_of_cases_within_a_group_add_nothing(estimate):
    values = np.random.default_rng(0).beta(8, 2, (1, 30))
    one = estimate(values, alone(30))
    many = estimate(np.repeat(values, 6, axis=1), np.repeat(alone(30), 6))
    assert many.high - many.low == pytest.approx(one.high - one.low, rel=0.25)


@pytest.mark.parametrize("estimate", [median_estimate, trimmed_estimate])
def test_no_interval_from_one_group_from_nothing_and_from_what_is_infinite(estimate):
    assert math.isnan(estimate(np.full((2, 4), np.nan), alone(4)).mean)
    assert math.isnan(estimate(np.random.default_rng(1).random((1, 9)), np.zeros(9)).low)
    found = estimate(np.array([[math.inf, *np.linspace(1, 2, 11)]]), alone(12))
    assert math.isnan(found.low)
    assert math.isnan(found.spread)


@pytest.mark.parametrize(("estimate", "true"), [(median_estimate, 0.8734), (trimmed_estimate, 0.8697)])
def test_intervals_hold_what_they_estimate(estimate, true):
    """Beta(8.5, 1.5): 300 samples of 25 cases; .95 has a standard error of .013."""
    generator = np.random.default_rng(2)
    held = 0
    for _ in range(300):
        found = estimate(generator.beta(8.5, 1.5, (1, 25)), alone(25), draws=400)
        held += found.low <= true <= found.high
    assert 0.90 < held / 300 <= 1


def test_the_same_seed_gives_the_same_bits():
    values = np.random.default_rng(3).random((3, 12))
    assert median_estimate(values, alone(12)) == median_estimate(values, alone(12))
    assert trimmed_estimate(values, alone(12)) == trimmed_estimate(values, alone(12))


@pytest.mark.parametrize("estimate", [median_estimate, trimmed_estimate])
def test_an_interval_over_seeds_that_scatter_ends_where_the_score_ends(estimate):
    values = np.linspace(0.2, 0.6, 12) + np.array([[-0.2], [0.0], [0.4]])
    free, bounded = (estimate(values, alone(12), **own) for own in ({}, {"bounds": (0.0, 1.0)}))
    assert free.low < 0
    assert free.high > 1
    assert (bounded.low, bounded.high) == (0.0, 1.0)
