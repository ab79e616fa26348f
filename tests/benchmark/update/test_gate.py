"""The gate: whether a new model is not worse than an old one on the frozen test cases, beyond doubt."""

import math

import numpy as np
import pytest
from scipy import stats

from unetbench.benchmark.update.gate import Verdict, both, checked_margin, checked_measure, difference, judged
from unetbench.core.errors import SpecError
from unetbench.core.measure import measure

DICE = measure("dice")


def _rows(values, *, groups=None, metric="dice", empty="none", **facts):
    """A row a case, of groups of their own unless these are named."""
    groups = groups or [f"g{k}" for k in range(len(values))]
    return [
        {"case": f"c{k}", "group": groups[k], "class": "nucleus", "empty": empty, metric: value, **facts}
        for k, value in enumerate(values)
    ]


def _names(count):
    return {f"c{k}" for k in range(count)}


def test_a_gain_is_the_mean_paired_difference_by_hand():
    old, new = [0.8, 0.7, 0.9, 0.6, 0.8, 0.7, 0.9, 0.6], [0.81, 0.7, 0.9, 0.62, 0.8, 0.71, 0.88, 0.6]
    found = difference(_rows(old), _rows(new), _names(8), DICE)
    # (0.01 + 0 + 0 + 0.02 + 0 + 0.01 - 0.02 + 0) / 8 = 0.02 / 8
    assert found.gain == pytest.approx(0.0025)
    assert (found.cases, found.groups) == (8, 8)
    assert (found.old, found.new) == (pytest.approx(0.75), pytest.approx(0.7525))
    assert found.low < found.gain < found.high


def test_the_interval_is_about_that_of_students_t():
    rng = np.random.default_rng(0)
    old = rng.uniform(0.6, 0.9, 40)
    gains = rng.normal(0.0, 0.02, 40)
    found = difference(_rows(list(old)), _rows(list(old + gains)), _names(40), DICE)
    low, high = stats.t.interval(0.95, 39, gains.mean(), stats.sem(gains))
    assert (found.low, found.high) == (pytest.approx(low, abs=7e-4), pytest.approx(high, abs=7e-4))


@pytest.mark.parametrize(
    ("shift", "margin", "replaces", "told"),
    [
        (0.02, 0.01, True, "not worse than the old model by 0.01 or more: +0.0200"),
        (-0.005, 0.01, True, "not worse than the old model by 0.01 or more: -0.0050"),
        (-0.008, 0.01, False, "may be worse than the old model by 0.01 or more: -0.0080"),
        (-0.05, 0.01, False, "worse than the old model by more than 0.01: -0.0500"),
        (-0.05, 0.1, True, "not worse than the old model by 0.1 or more"),
        (0.001, 0.0, False, "may be worse than the old model by 0 or more: +0.0010"),
        (0.02, 0.0, True, "not worse than the old model by 0 or more: +0.0200"),
        (0.0, 0.01, True, "not worse than the old model by 0.01 or more: +0.0000"),
    ],
)
def test_a_new_model_passes_where_the_whole_interval_lies_above_minus_the_margin(shift, margin, replaces, told):
    """Twelve groups with differences of shift ± 0.006 in turn: the half width of the interval is about 0.004."""
    old = [0.7] * 12
    new = [0.7 + shift + (0.006 if k % 2 else -0.006) for k in range(12)]
    found = difference(_rows(old), _rows(new), _names(12), DICE)
    assert found.high - found.gain == pytest.approx(0.004, abs=7e-4)
    verdict = judged(found, margin)
    assert (verdict.replaces, verdict.reason.startswith(told)) == (replaces, True), verdict


def test_the_same_model_passes_but_not_with_a_margin_of_0():
    found = difference(_rows([0.7] * 8), _rows([0.7] * 8), _names(8), DICE)
    assert judged(found, 0.01).replaces
    assert not judged(found, 0.0).replaces


def test_cases_of_one_group_count_as_one():
    groups = [f"plate{k // 4}" for k in range(20)]
    found = difference(_rows([0.7] * 20, groups=groups), _rows([0.9] * 20, groups=groups), _names(20), DICE)
    assert (found.cases, found.groups) == (20, 5)
    verdict = judged(found, 0.01)
    assert not verdict.replaces
    assert verdict.reason == "not enough to tell: 20 frozen test cases of 5 groups, fewer than 6"


def test_a_false_alarm_on_a_case_without_objects_counts():
    """Old: both masks empty, which is right, the best value 1; new: an object that is not there, the worst, 0."""
    right = _rows([None] * 6, empty="both")
    alarm = _rows([0.0] * 6, empty="truth")
    found = difference(right, alarm, _names(6), DICE)
    assert (found.old, found.new, found.gain) == (1.0, 0.0, -1.0)
    assert not judged(found, 0.01).replaces


def test_of_a_distance_a_gain_is_less_of_it():
    reading = measure("hd95_pooled_px")
    old, new = (_rows([value] * 6, metric=reading.name, diagonal=90.0) for value in (5.0, 3.0))
    found = difference(old, new, _names(6), reading)
    assert found.gain == 2.0
    lost = _rows([None] * 6, metric=reading.name, empty="prediction", diagonal=90.0)
    assert difference(old, lost, _names(6), reading).gain == -85.0


def test_a_case_that_one_model_has_no_score_for_stops_the_gate():
    found = difference(_rows([0.7] * 8), _rows([0.9] * 7), _names(8), DICE)
    assert found.missing == ("c7",)
    assert judged(found, 0.01).reason == "1 frozen test case cannot be compared (c7)"
    two = [*_rows([0.9] * 8), {**_rows([0.9])[0], "class": "cytoplasm"}]
    assert difference(_rows([0.7] * 8), two, _names(8), DICE).missing == ("c0",)  # a class that only one has


def test_cases_that_are_not_of_the_frozen_set_are_left_out():
    found = difference(_rows([0.7] * 8), _rows([0.7] * 6 + [0.1, 0.1]), _names(6), DICE)
    assert (found.cases, found.gain) == (6, 0.0)
    assert math.isnan(difference([], [], _names(6), DICE).gain)
    assert not judged(difference([], [], _names(6), DICE), 0.01).replaces


def test_only_shares_have_a_usual_margin():
    assert checked_margin(None, DICE) == 0.01
    assert checked_margin(0.5, measure("hd95_pooled")) == 0.5
    with pytest.raises(SpecError, match=r"--margin: say how much worse in mm HD95 \(pooled\) \[mm\] may be"):
        checked_margin(None, measure("hd95_pooled"))
    with pytest.raises(SpecError, match="--margin -0.1: is no number from 0 on"):
        checked_margin(-0.1, DICE)
    with pytest.raises(SpecError, match="--margin nan: is no number from 0 on"):
        checked_margin(math.nan, DICE)


def test_a_measure_that_no_case_has_is_told_with_those_that_there_are():
    with pytest.raises(SpecError, match="--metric hd95: no measure of the test cases; there are dice"):
        checked_measure("hd95", _rows([0.7]))
    assert checked_measure("dice", _rows([0.7])) == DICE


def test_a_model_that_is_compared_twice_passes_both_or_tells_the_first_that_it_does_not():
    yes, no, other = Verdict(True, "a"), Verdict(False, "b"), Verdict(False, "c")
    assert both(yes, Verdict(True, "d")) == Verdict(True, "a; d")
    assert both(yes, no) == both(no, other) == both(no, yes) == no
