import math

import numpy as np
import pytest

from unetbench.benchmark.report.statistics.components import (
    NOTHING,
    Components,
    Nested,
    Trainings,
    components,
    nested,
    pooled,
    trainings,
    typical,
)


def scores(generator, *, groups, size, seeds, shift=0.0, gap=(0.0, 0.0), rest=(0.0, 0.0)):
    """Scores (seeds, cases) of one configuration less what all have in common, from standard deviations."""

    def drawn(deviations, rows):
        of_groups = np.repeat(generator.normal(0, deviations[0], (rows, groups)), size, axis=1)
        return of_groups + generator.normal(0, deviations[1], (rows, groups * size))

    return 0.8 + drawn(gap, 1) + drawn(rest, seeds) + generator.normal(0, shift, (seeds, 1))


def test_variances_between_and_within_two_groups_by_hand():
    # means 2 and 6, overall 4: within (1 + 1 + 1 + 1) / (4 - 2) = 2; around 2 · 4 + 2 · 4 = 16
    # between = (16 - 1 · 2) / (4 - (4 + 4) / 4) = 7
    found = nested(np.array([[1.0, 3.0, 5.0, 7.0]]), np.array(["a", "a", "b", "b"]))
    assert found == Nested(7.0, 2.0)


def test_groups_that_differ_less_than_their_cases_have_no_variance_of_their_own():
    found = nested(np.array([[1.0, 7.0, 3.0, 5.0]]), np.array(["a", "a", "b", "b"]))
    assert found.between == 0
    assert found.within == pytest.approx(np.var([1, 7, 3, 5], ddof=1))


def test_with_one_case_a_group_all_is_between_groups():
    assert nested(np.array([[1.0, 2.0, 3.0]]), np.array(["a", "b", "c"])) == Nested(1.0, 0.0)


def test_components_of_a_large_sample_are_those_it_was_drawn_with():
    generator = np.random.default_rng(1)
    options = {"groups": 400, "size": 4, "seeds": 6, "gap": (0.02, 0.03), "rest": (0.01, 0.04)}
    groups = np.repeat(np.arange(400), 4).astype(str)
    first, second = scores(generator, **options), scores(generator, **options)
    found = components(first, second, groups)
    assert found is not None
    assert found.gap.between == pytest.approx(2 * 0.02**2, rel=0.25)
    assert found.gap.within == pytest.approx(2 * 0.03**2, rel=0.15)
    assert found.first.residual.between == pytest.approx(0.01**2, rel=0.35)
    assert found.first.residual.within == pytest.approx(0.04**2, rel=0.1)
    assert found.many == 400
    # what is seen of the difference: the gap, and of either training a sixth of its residual
    total = 2 * 0.02**2 + 2 * 0.03**2 + 2 * (0.01**2 + 0.04**2) / 6
    assert found.observed.between + found.observed.within == pytest.approx(total, rel=0.15)


def test_the_variance_of_seeds_is_without_what_their_cases_explain():
    generator = np.random.default_rng(2)
    found = [
        trainings(
            scores(generator, groups=30, size=1, seeds=4, shift=0.02, rest=(0.0, 0.05)), np.arange(30).astype(str)
        )
        for _ in range(200)
    ]
    assert pooled(found).shift == pytest.approx(0.02**2, rel=0.15)
    assert pooled(found).seeds == 4


def test_a_design_effect_by_hand():
    """Groups of 3 cases whose intraclass correlation is 0.5: 1 + (3 - 1) 0.5."""
    once = Trainings(1, 0.0, NOTHING)
    found = Components(6, 2, 2.0, 0.0, Nested(1.0, 1.0), once, once, (1.0, 1.0), 0.5)
    assert found.design_effect == pytest.approx(2.0)


def test_a_pair_without_two_groups_in_common_has_no_components():
    first, second = np.array([[0.5, 0.6, np.nan]]), np.array([[np.nan, 0.7, 0.8]])
    assert components(first, second, np.array(["a", "b", "c"])) is None


def test_one_seed_says_nothing_of_seeds():
    found = trainings(np.array([[0.5, 0.6, 0.7]]), np.array(["a", "b", "c"]))
    assert (found.seeds, found.shift) == (1, 0.0)


def test_the_typical_pair_has_the_median_of_each_number():
    generator = np.random.default_rng(3)
    groups = np.arange(20).astype(str)
    pairs = [components(*generator.normal(0.8, spread, (2, 1, 20)), groups) for spread in (0.01, 0.02, 0.3)]
    found = typical([pair for pair in pairs if pair is not None])
    assert found.gap.between == sorted(pair.gap.between for pair in pairs if pair is not None)[1]
    assert not math.isnan(found.correlation)
