import numpy as np
import pytest
from scipy.stats import pearsonr, t, ttest_1samp

from unetbench.benchmark.report.statistics.compare import compare
from unetbench.benchmark.report.statistics.pairs import MARGIN, beside


def both(first: np.ndarray, second: np.ndarray, groups: np.ndarray | None = None):
    values = [np.atleast_2d(first), np.atleast_2d(second)]
    groups = np.arange(values[0].shape[1]) if groups is None else groups
    compared = compare(values, groups)
    return compared, beside(values, groups, compared)


def test_one_case_a_group_and_one_seed_is_the_paired_t_test():
    """Interval and equivalence as scipy's ttest_1samp of the differences gives them."""
    generator = np.random.default_rng(0)
    first = generator.beta(8, 2, 30)
    second = first - 0.004 + generator.normal(0, 0.015, 30)
    compared, found = both(first, second)
    gaps = first - second
    low, high = ttest_1samp(gaps, 0).confidence_interval()
    assert (found.low[0], found.high[0]) == pytest.approx((low, high))
    sides = [ttest_1samp(gaps, MARGIN, alternative="less"), ttest_1samp(gaps, -MARGIN, alternative="greater")]
    assert found.equivalent[0] == pytest.approx(max(side.pvalue for side in sides))
    assert found.effect[0] == pytest.approx(gaps.mean() / gaps.std(ddof=1))
    assert found.correlation[0] == pytest.approx(pearsonr(first, second).statistic)
    assert found.improvement[0] == pytest.approx((gaps > 0).mean())
    # under a flat prior the posterior of the mean difference is Student's t around it
    assert found.not_worse[0] == pytest.approx(t.cdf(-gaps.mean() / (gaps.std(ddof=1) / np.sqrt(30)), 29))
    assert compared.freedom[0] == pytest.approx(29)


def test_identical_configurations_are_equivalent():
    values = np.random.default_rng(1).random(20)
    compared, found = both(values, values)
    assert compared.p[0] == 1
    assert found.verdict(compared, 0) == "equivalent"
    assert found.improvement[0] == found.not_worse[0] == 0.5
    assert found.effect[0] == 0
    assert found.correlation[0] == pytest.approx(1)


def test_a_small_difference_that_is_sure_is_told_and_within_the_margin():
    cases = np.linspace(0.6, 0.9, 20)
    compared, found = both(cases + 0.003 + np.tile([0.0005, -0.0005], 10), cases)
    assert found.verdict(compared, 0) == "differs, within the margin"
    assert not found.within_seeds[0]


def test_a_constant_difference_is_sure_and_has_no_effect_size():
    cases = np.random.default_rng(5).beta(8, 2, 60)
    _, found = both(cases + 0.02, cases)
    assert np.isnan(found.effect[0])
    assert found.not_worse[0] == 0
    assert found.equivalent[0] == pytest.approx(1)


def test_a_margin_below_the_spread_of_seeds_is_marked():
    cases, shifts = np.linspace(0.6, 0.9, 20), np.array([[-0.02], [0.02]])
    compared, found = both(cases + 0.01 + shifts, cases + shifts)
    assert found.within_seeds[0]
    assert found.verdict(compared, 0) == "open"


def test_copies_within_groups_make_nothing_surer():
    generator = np.random.default_rng(2)
    first = generator.beta(8, 2, 15)
    second = first - 0.01 + generator.normal(0, 0.03, 15)
    once = both(first, second)[1]
    often = both(np.repeat(first, 8), np.repeat(second, 8), np.repeat(np.arange(15), 8))[1]
    assert often.high[0] - often.low[0] == pytest.approx(once.high[0] - once.low[0])
    assert often.not_worse[0] == pytest.approx(once.not_worse[0], abs=0.02)


def test_turning_the_pair_round_turns_everything_round():
    generator = np.random.default_rng(3)
    first, second = generator.beta(8, 2, (2, 18))
    one, other = both(first, second)[1], both(second, first)[1]
    assert (one.low[0], one.high[0]) == pytest.approx((-other.high[0], -other.low[0]))
    assert one.effect[0] == pytest.approx(-other.effect[0])
    assert one.improvement[0] == pytest.approx(1 - other.improvement[0])
    assert one.not_worse[0] == pytest.approx(1 - other.not_worse[0])
    assert one.equivalent[0] == pytest.approx(other.equivalent[0])


@pytest.mark.parametrize("groups", [1, 5])
def test_too_few_groups_say_nothing(groups):
    generator = np.random.default_rng(4)
    compared, found = both(*generator.random((2, 10)), np.arange(10) % groups)
    assert np.isnan(found.low[0])
    assert np.isnan(found.equivalent[0])
    assert np.isnan(found.not_worse[0])
    assert found.verdict(compared, 0) == "open"


def test_a_pair_without_a_common_case_has_nothing_beside_it():
    nothing = np.full(10, np.nan)
    first = np.where(np.arange(10) < 5, 0.5, nothing)
    second = np.where(np.arange(10) < 5, nothing, 0.5)
    _, found = both(first, second)
    for name in ("low", "high", "effect", "improvement", "equivalent", "correlation", "not_worse"):
        assert np.isnan(getattr(found, name)[0]), name
