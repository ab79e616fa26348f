import numpy as np
import pytest
from scipy.stats import t as student

from unetbench.benchmark.report.statistics.compare import compare
from unetbench.benchmark.report.statistics.sign_flips import counted, rare


def shares(pairs: int, groups: int, shift: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 0.02, (pairs, groups)) / groups


def test_rare_differences_have_the_p_of_all_flips():
    """All 2^14 flips of 60 pairs, of p from 2^-13 to 0.5, beside the tilted ones; 500 draws leave some 5 %."""
    found = shares(60, 14, 0.02)
    still, one = np.zeros(60), np.ones(60)
    reached, total = counted(found, still, one, 2**14, np.random.default_rng(0))
    ratio = rare(found, still, one, np.random.default_rng(1)) / (reached / total)
    assert np.median(ratio) == pytest.approx(1, abs=0.05)
    assert np.abs(np.log(ratio)).max() < 0.4


def test_a_difference_of_one_sign_in_all_groups_has_the_smallest_p():
    """2 / 2^24 by hand, where 20,000 plain draws would meet none of the two flips."""
    found = np.full((1, 24), 0.01)
    p = rare(found, np.zeros(1), np.ones(1), np.random.default_rng(2))
    assert p == pytest.approx([2.0**-23], rel=0.02)


def test_noise_without_flips_gives_students_p():
    """One group: the flip is d or -d. p = (P(|d + s t| >= d) + P(|-d + s t| >= d)) / 2, by symmetry either of both."""
    p = rare(np.array([[0.3]]), np.array([0.05]), np.array([3.0]), np.random.default_rng(3))
    by_hand = student.sf(0, 3) + student.cdf(-0.6 / 0.05, 3)
    assert p == pytest.approx([by_hand], rel=0.1)


@pytest.mark.parametrize("freedom", [1.0, 3.0, 40.0])
def test_rare_differences_with_noise_have_the_p_of_plain_draws(freedom):
    found = shares(10, 12, 0.012, seed=4)
    noise, kinds = np.full(10, 0.003), np.full(10, freedom)
    reached, total = counted(found, noise, kinds, 40 * 2**12, np.random.default_rng(5))
    p = rare(found, noise, kinds, np.random.default_rng(6))
    seen = reached >= 400
    assert seen.sum() >= 5
    assert p[seen] == pytest.approx(reached[seen] / total, rel=0.25)


def test_p_of_many_configurations_agree_with_those_of_many_draws():
    """24 configurations are 276 pairs, more than plain draws are made for."""
    generator = np.random.default_rng(7)
    cases = generator.normal(0.8, 0.05, 18)
    values = [cases + level + generator.normal(0, 0.02, (2, 18)) for level in np.linspace(0, 0.06, 24)]
    groups = np.arange(18)
    found, drawn = compare(values, groups), compare(values, groups, draws=400_000)
    assert len(found.pairs) > 200
    some = drawn.p > 1e-3
    assert some.sum() > 50
    assert found.p[some] == pytest.approx(drawn.p[some], rel=0.4)
    assert ((found.adjusted < 0.05) == (drawn.adjusted < 0.05)).mean() > 0.97
    assert found.smallest < 0.05 / len(found.pairs)


def test_p_of_many_configurations_are_the_same_each_time():
    values = [np.random.default_rng(k).random((1, 16)) for k in range(22)]
    assert (compare(values, np.arange(16)).p == compare(values, np.arange(16)).p).all()


@pytest.mark.slow
def test_false_positives_of_a_family_of_many_pairs_stay_below_five_percent():
    """40 tables of 22 equal configurations: 5 % would be 2, and more than 6 has a probability of 0.3 % then."""
    generator = np.random.default_rng(8)
    wrong = 0
    for _ in range(40):
        cases = generator.beta(8, 2, 20)
        values = [cases + generator.normal(0, 0.05, (1, 20)) for _ in range(22)]
        wrong += bool((compare(values, np.arange(20), seed=int(generator.integers(1 << 30))).adjusted < 0.05).any())
    assert wrong <= 6
