"""Importance is the share of a forest's variance: of an additive function it is that of its terms."""

import math

import numpy as np
import pytest

from unetbench.benchmark.sweep.space import Dimension
from unetbench.benchmark.tune.attempt import Attempt
from unetbench.benchmark.tune.importance import importance, place

SPACE = (
    Dimension("rate", "recipe", "rate", low=1e-4, high=1e-1, log=True),
    Dimension("schedule", "recipe", "schedule", values=("plateau", "cosine")),
    Dimension("augment.shift", "augment", "shift", low=0.0, high=1.0),
)


def _attempts(fake, score, count=120, **outcome):
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        values = {
            "rate": float(10 ** rng.uniform(-4, -1)),
            "schedule": ("plateau", "cosine")[int(rng.integers(2))],
            "augment.shift": float(rng.uniform()),
        }
        trial = fake.default(rate=values["rate"])
        attempt = Attempt(number, trial, values, "random")
        attempt.outcomes[9] = fake.outcome(trial, 9, score(values), **outcome)
        made.append(attempt)
    return made


def test_a_value_has_its_place_between_0_and_1():
    assert place(SPACE[0], 1e-4) == 0.0
    assert place(SPACE[0], 1e-2) == pytest.approx(2 / 3)
    assert place(SPACE[1], "cosine") == 0.75
    assert place(SPACE[2], 0.2) == pytest.approx(0.2)
    assert place(SPACE[2], None) == 0.5


def test_shares_of_an_additive_function_are_those_of_its_terms(fake):
    # variances over the space: of 0.4 u, u uniform, 0.16 / 12; of a choice of 0 and 0.1, 0.01 / 4: shares 0.842, 0.158
    def score(values):
        return 0.1 + 0.4 * (math.log10(values["rate"]) + 4) / 3 + 0.1 * (values["schedule"] == "cosine")

    found = importance(_attempts(fake, score), SPACE)
    assert found.shares["rate"] == pytest.approx(0.842, abs=0.06)
    assert found.shares["schedule"] == pytest.approx(0.158, abs=0.06)
    assert found.shares["augment.shift"] < 0.02
    assert found.explained > 0.9
    assert found.warning == ""


def test_few_trials_and_noise_are_called_uncertain(fake):
    rng = np.random.default_rng(1)
    few = importance(_attempts(fake, lambda values: 0.5 + values["augment.shift"] / 9, count=12), SPACE)
    assert few.warning.startswith("uncertain: 12 trials for 3 hyper-parameters")
    noise = importance(_attempts(fake, lambda values: float(rng.uniform())), SPACE)
    assert noise.warning == "uncertain: the forest does not predict trials that it has not seen"


def test_nothing_is_said_where_nothing_varies(fake):
    for attempts in (_attempts(fake, lambda values: 0.5), _attempts(fake, lambda values: 0.5, count=2)):
        assert all(map(math.isnan, importance(attempts, SPACE).shares.values()))


def test_trials_that_failed_are_left_out(fake):
    good = _attempts(fake, lambda values: values["augment.shift"] / 2)
    bad = _attempts(fake, lambda values: 0.0, count=9, status="failed")
    assert importance([*good, *bad], SPACE) == importance(good, SPACE)


def test_of_rungs_the_one_with_most_trials_is_taken(fake):
    attempts = _attempts(fake, lambda values: values["augment.shift"] / 2, count=30)
    for attempt in attempts[:5]:
        attempt.outcomes[27] = fake.outcome(attempt.trial, 27, 0.1)
    found = importance(attempts, SPACE)
    assert (found.until, found.trials) == (9, 30)
