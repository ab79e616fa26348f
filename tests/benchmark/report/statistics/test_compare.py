import math

import numpy as np
import pytest

from unetbench.benchmark.report.statistics.compare import compare, holm, ranks
from unetbench.benchmark.report.statistics.intervals import estimate, interval
from unetbench.core.errors import DataError


def each_alone(count: int) -> np.ndarray:
    return np.array([f"g{index:02d}" for index in range(count)])


def test_mean_is_over_cases_first_and_then_over_seeds():
    # seed 0: (0.8 + 0.6) / 2 = 0.7; seed 1 has one defined case: 0.9; mean of 0.7 and 0.9 = 0.8, not (0.8+0.6+0.9)/3
    values = np.array([[0.8, 0.6], [0.9, np.nan]])
    found = estimate(values, each_alone(2))
    assert found.mean == pytest.approx(0.8)
    assert found.by_seed == pytest.approx((0.7, 0.9))
    # standard deviation of 0.7 and 0.9 with n - 1: sqrt(2 * 0.1²) = 0.1414
    assert found.spread == pytest.approx(math.sqrt(0.02))


def test_spread_of_one_seed_is_undefined():
    found = estimate(np.array([[0.8, 0.6]]), each_alone(2))
    assert math.isnan(found.spread)


def test_a_configuration_without_scores_has_no_mean_and_no_interval():
    found = estimate(np.full((1, 3), np.nan), each_alone(3))
    assert math.isnan(found.mean)
    assert math.isnan(found.low)
    assert found.by_seed == ()


def test_no_interval_from_five_groups_and_one_from_six():
    values = np.linspace(0.5, 0.9, 6)[None]
    assert math.isnan(interval(values[:, :5], each_alone(5))[0])
    low, high = interval(values, each_alone(6))
    assert low < values.mean() < high


def test_interval_of_one_seed_agrees_with_the_normal_one_for_many_cases():
    values = np.random.default_rng(1).normal(0.8, 0.1, (1, 400))
    low, high = interval(values, each_alone(400))
    half = 1.96 * values.std(ddof=1) / math.sqrt(400)
    assert low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_cases_of_a_group_count_once():
    """Copying every case ten times within its group adds no information and must not narrow the interval."""
    values = np.random.default_rng(2).normal(0.8, 0.1, (1, 30))
    alone = interval(values, each_alone(30))
    copied = interval(np.repeat(values, 10, axis=1), np.repeat(each_alone(30), 10))
    assert copied == pytest.approx(alone)
    as_if_independent = interval(np.repeat(values, 10, axis=1), each_alone(300))
    assert as_if_independent[1] - as_if_independent[0] < 0.5 * (alone[1] - alone[0])


def test_seeds_that_disagree_widen_the_interval():
    cases = np.random.default_rng(3).normal(0.8, 0.01, 50)
    agreeing = interval(np.stack([cases, cases, cases]), each_alone(50))
    disagreeing = interval(np.stack([cases - 0.1, cases, cases + 0.1]), each_alone(50))
    assert disagreeing[1] - disagreeing[0] > 10 * (agreeing[1] - agreeing[0])


def test_two_seeds_are_widened_by_students_t_of_one_degree_of_freedom():
    """Cases that do not differ leave the seeds: 0.80 ± 12.71 · 0.02 / sqrt(2) · sqrt(2) / 2, with sd 0.01414."""
    found = interval(np.array([[0.79] * 10, [0.81] * 10]), each_alone(10))
    half = 12.706 * math.sqrt(0.0002) / math.sqrt(2)
    assert found == pytest.approx((0.80 - half, 0.80 + half), rel=0.05)


def test_percentiles_are_expanded_for_few_groups():
    """Two scores in equal parts: of n = 6 draws the share of 0.9 is binomial, so that its percentiles are known.

    The level is Φ(-sqrt(6 / 5) · 2.571) = 0.0024 and P(none of 6) = 1 / 64 = 0.0156 is more: the interval is the whole
    range, where the plain 2.5th percentile, P(at most one) = 7 / 64, is one sixth of it.
    """
    assert interval(np.array([[0.3, 0.3, 0.3, 0.9, 0.9, 0.9]]), each_alone(6)) == pytest.approx((0.3, 0.9))


def test_an_interval_needs_more_than_one_group_of_weight():
    values = np.random.default_rng(7).random((1, 205))
    groups = np.concatenate([np.repeat("large", 200), each_alone(5)])
    assert math.isnan(interval(values, groups)[0])


def test_an_interval_ends_where_the_scores_range_does():
    values = np.array([[0.85] * 10, [0.95] * 10])
    assert estimate(values, each_alone(10)).high > 1
    assert estimate(values, each_alone(10), bounds=(0.0, 1.0)).high == 1.0
    assert (
        estimate(values, each_alone(10), bounds=(0.0, 0.5)).high == 0.95
    )  # a score outside the range says it is wider


@pytest.mark.parametrize(("groups", "seeds", "spread"), [(10, 1, 0.0), (10, 3, 0.05), (20, 2, 0.02)])
def test_intervals_hold_the_mean_as_often_as_they_say(groups, seeds, spread):
    """More than .90 of 300 skewed samples; a percentile bootstrap of groups and seeds holds .75 to .89 of such ones."""
    generator = np.random.default_rng(8)
    held = 0
    for _ in range(300):
        cases = generator.beta(8.5, 1.5, groups) + generator.normal(0, spread, (seeds, 1))
        low, high = interval(cases, each_alone(groups))
        held += low <= 0.85 <= high
    assert held / 300 > 0.90


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(4).random((3, 20))
    assert interval(values, each_alone(20)) == interval(values, each_alone(20))


def test_sign_flips_of_three_groups_are_counted_exactly():
    # differences 0.1, 0.2, 0.3; of the 8 sign choices |sum| >= 0.6 holds for +++ and --- only: p = 2 / 8
    first, second = np.array([[0.6, 0.7, 0.8]]), np.array([[0.5, 0.5, 0.5]])
    found = compare([first, second], each_alone(3))
    assert found.difference == pytest.approx([0.2])
    assert found.p == pytest.approx([0.25])
    assert found.smallest == 0.25


def test_a_group_is_flipped_as_one():
    # two groups, whatever the number of cases: p can be 2 / 4 at least
    first, second = np.full((1, 10), 0.9), np.full((1, 10), 0.1)
    found = compare([first, second], np.repeat(["a", "b"], 5))
    assert found.p == pytest.approx([0.5])
    assert found.groups.tolist() == [2]


def test_only_cases_that_both_have_are_compared():
    first = np.array([[0.9, 0.9, np.nan, 0.9]])
    second = np.array([[0.8, 0.6, 0.1, np.nan]])
    found = compare([first, second], each_alone(4))
    assert found.cases.tolist() == [2]
    assert found.difference == pytest.approx([0.2])  # (0.1 + 0.3) / 2


def test_configurations_without_a_common_case_are_not_tested():
    """The pairs (0, 2) and (1, 2) are tested, so Holm doubles the smaller p, and does not triple it."""
    cases = np.linspace(0.5, 0.9, 12)
    halves = [np.where(np.arange(12) < 6, cases, np.nan), np.where(np.arange(12) < 6, np.nan, cases)]
    found = compare([halves[0][None], halves[1][None], cases[None] - 0.1], each_alone(12))
    assert np.isnan(found.p).tolist() == np.isnan(found.adjusted).tolist() == [True, False, False]
    assert found.p[1:] == pytest.approx([2 / 2**6] * 2)  # all six differences have one sign
    assert found.adjusted[1:] == pytest.approx([4 / 2**6] * 2)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_score_is_refused_by_its_place(value):
    values = np.random.default_rng(9).random((2, 2, 30))
    values[1, 1, 4] = value
    with pytest.raises(DataError, match=f"configuration 1 of 2: its score of case 4 at seed 1 is {value}"):
        compare(values, each_alone(30))


def test_infinite_distances_have_an_infinite_mean_and_no_interval():
    found = estimate(np.array([[3.0, math.inf] * 5, [2.0] * 10]), each_alone(10))
    assert found.mean == math.inf
    assert math.isnan(found.spread)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_equal_configurations_have_p_of_one():
    values = np.random.default_rng(5).random((1, 20))
    assert compare([values, values], each_alone(20)).p.tolist() == [1.0]


def test_noise_of_seeds_does_not_halve_the_smallest_p_that_four_groups_can_give():
    noise = np.random.default_rng(0).normal(0, 1e-3, (2, 3, 1))
    found = compare([np.full((3, 4), 0.9) + noise[0], np.full((3, 4), 0.5) + noise[1]], each_alone(4))
    assert found.p[0] == found.smallest == 0.125


def test_a_gap_that_the_seeds_could_have_made_is_not_significant():
    """All 30 cases agree on a gap of 0.02, but the seed means of either configuration spread by 0.02 themselves."""
    cases = np.linspace(0.7, 0.9, 30)
    shifts = np.array([[-0.02], [0.0], [0.02]])
    noisy = compare([cases + 0.02 + shifts, cases + shifts], each_alone(30))
    quiet = compare([cases + 0.02 + shifts / 100, cases + shifts / 100], each_alone(30))
    assert noisy.p[0] > 0.2
    assert quiet.p[0] < 0.001


def test_a_collapsed_configuration_does_not_hide_differences_between_the_others():
    cases, shifts = np.linspace(0.7, 0.9, 30), np.array([[-0.002], [0.0], [0.002]])
    fallen = np.stack([cases, cases, 0 * cases])
    three = [cases + 0.03 + shifts, cases + shifts, fallen]
    apart = compare(three, each_alone(30), stable=[True, True, False])
    together = compare(three, each_alone(30))
    assert apart.adjusted[0] < 0.01
    assert together.adjusted[0] > 0.05


def test_the_test_keeps_its_level_without_a_difference():
    """Of 300 pairs drawn without a difference about 5 % have p < 0.05; 10 % would be eight standard errors more."""
    generator = np.random.default_rng(6)
    p = [compare([*generator.normal(0.8, 0.1, (2, 1, 12))], each_alone(12), draws=4096).p[0] for _ in range(300)]
    assert 0.01 < np.mean(np.array(p) < 0.05) < 0.09


def test_holm_multiplies_sorted_p_and_stays_monotone():
    # sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1 = 0.04, 0.06, 0.06, 0.04 -> monotone 0.04, 0.06, 0.06, 0.06
    assert holm(np.array([0.03, 0.01, 0.04, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.6, 0.7])) == pytest.approx([1.0, 1.0])


def test_holm_agrees_with_statsmodels_and_leaves_out_what_is_no_test():
    """statsmodels 0.15.0: multipletests([.003, .02, .02, .4, .9], method="holm")."""
    found = holm(np.array([0.02, np.nan, 0.003, 0.9, 0.4, np.nan, 0.02]))
    assert found[[2, 0, 6, 4, 3]] == pytest.approx([0.015, 0.08, 0.08, 0.8, 0.9])
    assert np.isnan(found[[1, 5]]).all()


def test_configurations_that_differ_clearly_have_ranks_of_their_own():
    cases = np.linspace(0.5, 0.9, 12)
    found = compare([cases[None] + 0.1, cases[None], cases[None] - 0.1], each_alone(12))
    assert ranks(found, 3) == [(1, 1), (2, 2), (3, 3)]
    assert ranks(found, 3, higher=False) == [(3, 3), (2, 2), (1, 1)]


def test_configurations_that_do_not_differ_share_ranks():
    cases, wobble = np.linspace(0.5, 0.8, 12), np.tile([0.01, -0.01], 6)
    found = compare([cases[None] + 0.2, cases[None] + 0.2 + wobble, cases[None]], each_alone(12))
    assert ranks(found, 3) == [(1, 2), (1, 2), (3, 3)]


def test_a_configuration_between_two_that_differ_shares_a_rank_with_both():
    cases = np.full(12, 0.5)
    between = cases + np.tile([0.02, -0.02], 6)
    found = compare([cases[None] + 0.01, between[None], cases[None] - 0.005], each_alone(12))
    assert (found.adjusted < 0.05).tolist() == [False, True, False]
    assert ranks(found, 3) == [(1, 2), (1, 3), (2, 3)]


def test_nothing_is_ranked_when_the_groups_are_too_few_to_show_any_difference():
    values = [np.full((1, 5), level) for level in (0.9, 0.5)]
    assert ranks(compare(values, each_alone(5)), 2) is None  # the smallest p of five groups is 2 / 32 > 0.05
    values = [np.full((1, 6), level) for level in (0.9, 0.5)]
    assert ranks(compare(values, each_alone(6)), 2) == [(1, 1), (2, 2)]
