import math

import numpy as np
import pytest
from scipy.stats import friedmanchisquare

from unetbench.benchmark.report.statistics.friedman import mean_ranks

THREE = np.array([[0.9, 0.8, 0.7], [0.8, 0.7, 0.6], [0.7, 0.5, 0.6]])


def test_mean_ranks_and_p_of_a_small_table():
    # Ranks 1 2 3, 1 2 3, 1 3 2: sums 3, 7, 8; χ² = 2 (9 + 1 + 4) / (3 · 2) = 4.667. Of the 6² ways to arrange the
    # second and third data set against the first, 7 give as much or more (tables: p = 0.194 for n = k = 3).
    found = mean_ranks(THREE, higher=True)
    assert found is not None
    assert found.ranks == pytest.approx([1, 7 / 3, 8 / 3]) and found.statistic == pytest.approx(14 / 3)
    assert found.p == pytest.approx(7 / 36, abs=0.01)
    assert found.difference == pytest.approx(2.343 * math.sqrt(3 * 4 / (6 * 3)), abs=1e-3)  # Demšar's table: q is 2.343


def test_ranks_turn_round_where_lower_is_better():
    higher, lower = mean_ranks(THREE, higher=True), mean_ranks(THREE, higher=False)
    assert higher is not None and lower is not None
    assert lower.ranks == pytest.approx(4 - higher.ranks) and lower.p == pytest.approx(higher.p, abs=0.01)


def test_statistic_and_p_are_those_of_scipy_on_many_data_sets_with_ties():
    values = np.random.default_rng(0).normal(size=(60, 4)).round(1) + np.arange(4) / 10
    found = mean_ranks(values, higher=True)
    expected = friedmanchisquare(*values.T)
    assert found is not None and found.statistic == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue, abs=0.01)


def test_two_data_sets_one_method_and_all_ties_have_no_ranks():
    assert mean_ranks(THREE[:2], higher=True) is None
    assert mean_ranks(THREE[:, :1], higher=True) is None
    assert mean_ranks(np.ones((3, 3)), higher=True) is None
