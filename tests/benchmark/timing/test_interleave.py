"""Candidates are timed in turns, warm, and a machine that changes its pace is noticed."""

import itertools

import pytest

from unetbench.benchmark.timing.interleave import interleave, reference_s, spread, warm_up


def _constant(seconds, log=None, name=""):
    def take(count):
        if log is not None:
            log.append((name, count))
        return [seconds] * count

    return take


def test_warm_up_ends_when_two_windows_of_calls_have_one_median():
    taken, steady = warm_up(_constant(0.01), budget_s=10)
    assert steady
    assert len(taken) == 8  # two windows of four


def test_warm_up_goes_on_while_calls_get_faster():
    slow_start = itertools.chain([1.0, 0.8, 0.6, 0.4, 0.3, 0.2], itertools.repeat(0.1))
    taken, steady = warm_up(lambda count: list(itertools.islice(slow_start, count)), budget_s=100)
    assert steady
    assert taken[-4:] == [0.1] * 4
    assert len(taken) > 8


def test_warm_up_stops_at_its_budget_and_says_that_it_is_not_steady():
    growing = itertools.count(1)
    taken, steady = warm_up(lambda count: [float(next(growing)) for _ in range(count)], budget_s=20)
    assert not steady
    assert sum(taken) >= 20


def test_every_candidate_is_timed_in_every_round():
    log = []
    candidates = {name: _constant(0.001, log, name) for name in "abc"}
    found, reference = interleave(candidates, samples=50, budget_s=1, rounds=5)
    assert all(timing.rounds == [10] * 5 for timing in found.values())
    assert all(len(timing.samples_s) == 50 for timing in found.values())
    rounds = [name for name, count in log if count == 10]
    assert [sorted(rounds[k : k + 3]) for k in range(0, 15, 3)] == [["a", "b", "c"]] * 5
    assert len(reference) == 6


def test_the_order_within_a_round_is_drawn_anew():
    log = []
    interleave({name: _constant(0.001, log, name) for name in "abcd"}, samples=20, budget_s=1, rounds=5)
    rounds = [name for name, count in log if count == 4]
    assert len({tuple(rounds[k : k + 4]) for k in range(0, 20, 4)}) > 1


def test_a_slow_candidate_is_called_within_the_budget_but_once_a_round_at_least():
    found, _ = interleave({"slow": _constant(2.0), "fast": _constant(0.01)}, samples=100, budget_s=4, rounds=5)
    assert found["slow"].rounds == [1] * 5
    assert found["fast"].rounds == [20] * 5


def test_the_spread_is_of_the_range_over_the_median():
    assert spread([1.0, 1.2, 1.1]) == pytest.approx(0.2 / 1.1)


def test_the_reference_takes_a_time_that_can_be_read():
    assert 1e-5 < reference_s(2) < 10
