"""Only the measured call lies between two readings, and the budget ends the sampling."""

import numpy as np

from unetbench.benchmark.timing.latency import time_calls


def _counting():
    calls = []

    def call(images):
        calls.append(images)
        return images

    return call, calls


def test_warm_up_calls_are_made_and_not_counted():
    call, calls = _counting()
    samples = time_calls(call, np.zeros(1), warmup=3, samples=5, budget_s=60)
    assert (len(samples), len(calls)) == (5, 8)
    assert min(samples) > 0


def test_a_spent_budget_still_leaves_two_samples():
    call, _ = _counting()
    assert len(time_calls(call, np.zeros(1), warmup=1, samples=100, budget_s=1e-9)) == 2
