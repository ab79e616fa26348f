"""keras-tuner is asked with a seed and a direction of ours, and what it proposes is as the space has it."""

import pytest

from unetbench.benchmark.sweep.space import Dimension
from unetbench.benchmark.tune.oracle import Told, propose, versions

LOSSES = (
    Dimension("loss", "loss", values=("bce", {"name": "tversky", "alpha": 0.7})),
    Dimension("loss.tversky.beta", "loss option", "beta", "tversky", low=0.1, high=0.9),
    Dimension("batch", "recipe", "batch", low=2, high=8, integer=True),
    Dimension("patch", "recipe", "patch", values=([32, 32], [64, 64])),
    Dimension("weight_decay", "recipe", "weight_decay", low=0.0, high=0.1, step=0.02),
)


def _draw(space, number, seed=0):
    found = propose(space, seed, number, [], lambda values: True, by_model=False)
    assert found is not None
    return found.values


def test_draws_are_of_the_space_and_an_option_comes_with_its_loss_only():
    drawn = [_draw(LOSSES, number) for number in range(40)]
    assert {str(values["loss"]) for values in drawn} == {"bce", "{'name': 'tversky', 'alpha': 0.7}"}
    for values in drawn:
        assert ("loss.tversky.beta" in values) == (values["loss"] != "bce")
        assert all(dimension.holds(values[dimension.key]) for dimension in LOSSES if dimension.key in values)
        assert isinstance(values["batch"], int)
    assert {values["batch"] for values in drawn} == set(range(2, 9))
    assert {values["weight_decay"] for values in drawn} == {0.0, 0.02, 0.04, 0.06, 0.08, 0.1}


def test_numbers_have_four_digits(fake):
    rates = [_draw(fake.space, number)["rate"] for number in range(20)]
    assert rates == [float(f"{rate:.4g}") for rate in rates]


def test_a_range_in_the_logarithm_is_drawn_evenly_in_it(fake):
    rates = [_draw(fake.space, number)["rate"] for number in range(90)]
    decades = [sum(low <= rate < 10 * low for rate in rates) for low in (1e-4, 1e-3, 1e-2)]
    assert min(decades) > 15  # 30 each are expected; a draw even in the number itself would give one or none below 1e-3


def test_other_numbers_and_other_seeds_give_other_draws(fake):
    """Seeds of keras-tuner that differ by the number of parameters share all trials but one, and 0 means none."""
    draws = {seed: [str(_draw(fake.space, number, seed)) for number in range(1, 12)] for seed in (0, 1, 3, 4)}
    assert all(len(set(listed)) == 11 for listed in draws.values())
    assert len({draw for listed in draws.values() for draw in listed}) == 44
    assert draws[0] == [str(_draw(fake.space, number, 0)) for number in range(1, 12)]


@pytest.mark.parametrize("by_model", (False, True))
def test_what_is_not_new_is_refused_and_a_space_may_be_exhausted(fake, by_model):
    told = [Told({"rate": 0.01, "augment.shift": 0.1, "schedule": "cosine"}, 0.8)]
    assert propose(fake.space, 0, 1, told, lambda values: False, by_model=by_model) is None


def test_a_space_is_searched_whole_before_it_counts_as_exhausted():
    """Two hundred draws find the last setting of such a space in one of eight cases."""
    space = (
        Dimension("loss", "loss", values=("bce", "tversky")),
        Dimension("loss.tversky.beta", "loss option", "beta", "tversky", low=0.2, high=0.8, step=0.2),
        Dimension("batch", "recipe", "batch", low=1, high=100, integer=True),
        Dimension("schedule", "recipe", "schedule", values=("cosine", "constant")),
    )
    bce = {"loss": "bce", "batch": 100, "schedule": "cosine"}
    tversky = {"loss": "tversky", "loss.tversky.beta": 0.4, "batch": 57, "schedule": "constant"}
    for left in (bce, tversky):
        found = propose(space, 0, 999, [], lambda values, left=left: values == left, by_model=False)
        assert found is not None
        assert found.values == left


def test_settings_are_drawn_where_the_model_proposes_what_was_tried(fake):
    told = [Told({"rate": 0.01, "augment.shift": 0.1, "schedule": "cosine"}, 0.8)]
    proposed = propose(fake.space, 0, 1, told, lambda values: True, by_model=True)
    assert proposed.source == "model"
    other = propose(fake.space, 0, 1, told, lambda values: values != proposed.values, by_model=True)
    assert other.values != proposed.values
    refused = []

    def new(values):
        refused.append(values)
        return len(refused) > 3

    assert propose(fake.space, 0, 1, told, new, by_model=True).source == "random"


def test_the_model_asks_where_an_inactive_option_has_no_value():
    told = [
        Told({"loss": "bce", "batch": 4, "patch": [32, 32], "weight_decay": 0.02}, 0.6),
        Told({"loss": {"name": "tversky", "alpha": 0.7}, "loss.tversky.beta": 0.5, "batch": 8, "patch": [64, 64]}, 0.7),
    ]
    found = propose(LOSSES, 3, 2, told, lambda values: True, by_model=True)
    assert found.source == "model"
    assert ("loss.tversky.beta" in found.values) == (found.values["loss"] != "bce")


def test_versions_name_what_proposes():
    assert set(versions()) == {"keras-tuner", "scikit-learn"}
