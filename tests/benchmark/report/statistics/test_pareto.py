import math

import numpy as np

from unetbench.benchmark.report.statistics.pareto import counted_dice, pareto


def test_pareto_front_by_hand():
    # (1, .5) is cheapest; (2, .8) better; (3, .7) is beaten by it; (2, .6) too; (4, .9) is best
    assert pareto(np.array([0.5, 0.8, 0.7, 0.6, 0.9]), np.array([1, 2, 3, 2, 4])) == [0, 1, 4]


def test_a_second_cost_keeps_what_the_first_alone_would_beat():
    # The second is worse and slower than the first, and smaller; the third is worse, slower and no smaller than it.
    dice, seconds, size = np.array([0.9, 0.8, 0.7]), np.array([1.0, 2.0, 3.0]), np.array([5.0, 4.0, 4.0])
    assert pareto(dice, seconds, size) == [0, 1]


def test_equal_points_are_both_on_the_front():
    assert pareto(np.array([0.5, 0.5]), np.array([1.0, 1.0])) == [0, 1]


def test_the_fifth_decimal_of_dice_counts_nowhere():
    assert counted_dice(0.800041) == counted_dice(0.799999) == 0.8
    assert pareto(np.array([0.799999, 0.800041]), np.array([1.0, 2.0])) == [0]
    assert math.isnan(counted_dice(math.nan))


def test_a_front_of_nothing_is_empty():
    assert pareto(np.array([]), np.array([])) == []
