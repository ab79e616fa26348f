import numpy as np
import pytest

from unetbench.benchmark.report.statistics.schemes import agreement, mean_ranks, ranking


def of(*rows: list[float]) -> list[np.ndarray]:
    return [np.array([row]) for row in rows]


def test_both_schemes_may_disagree():
    """The first wins four cases of five by little and loses one by much: mean ranks 1.2 and 1.8, means 2 and 1."""
    values = of([0.81, 0.81, 0.81, 0.81, 0.1], [0.8, 0.8, 0.8, 0.8, 0.9])
    found = ranking(values, np.arange(5), [True, True])
    assert found.of_means.tolist() == [2, 1]
    assert found.of_cases == pytest.approx([1.2, 1.8])
    assert found.tau == pytest.approx(-1)
    assert np.isnan(found.low).all()  # five groups


def test_a_case_that_is_undefined_somewhere_is_in_no_mean_rank_and_counted():
    values = of([0.9, 0.2, np.nan, 0.9], [0.8, 0.8, 0.8, 0.8])
    found = ranking(values, np.arange(4), [True, True])
    assert (found.cases, found.left_out) == (3, 1)
    assert found.of_cases == pytest.approx([4 / 3, 5 / 3])


def test_a_configuration_without_all_cases_has_no_rank():
    found = ranking(of([0.9, np.nan], [0.8, 0.8], [0.7, 0.7]), np.arange(2), [False, True, True])
    assert np.isnan(found.of_means).tolist() == [True, False, False]
    assert found.of_means[1:].tolist() == [1, 2]


def test_differences_in_the_tenth_digit_are_ties():
    assert mean_ranks(np.array([[0.5, 0.5 + 4e-11], [0.3, 0.2]])) == pytest.approx([1.25, 1.75])


def test_ranks_that_other_cases_would_change_have_wide_intervals():
    generator = np.random.default_rng(0)
    cases = generator.normal(0.8, 0.05, 40)
    close = [cases[None] + generator.normal(0, 0.03, (1, 40)) for _ in range(4)]
    found = ranking([cases[None] + 0.5, *close], np.arange(40), [True] * 5)
    assert (found.low[0], found.high[0]) == (1, 1)
    assert (found.high[1:] - found.low[1:]).min() >= 1
    assert 0 < found.stability < 1


def test_ranks_do_not_depend_on_the_order_of_rows():
    values = [np.random.default_rng(k).random((2, 12)) for k in range(5)]
    found, turned = (ranking(own, np.arange(12), [True] * 5) for own in (values, values[::-1]))
    for name in ("of_means", "of_cases", "low", "high"):
        assert getattr(found, name).tolist() == getattr(turned, name)[::-1].tolist()
    assert found.stability == pytest.approx(turned.stability)


@pytest.mark.parametrize("rows", [[[np.nan, np.nan], [0.1, 0.2]], [[0.1, 0.2]]])
def test_nothing_to_rank_is_nan(rows):
    found = ranking(of(*rows), np.arange(2), [True] * len(rows))
    assert np.isnan(found.of_cases).all()
    assert np.isnan(found.tau)


def test_kendalls_tau_by_hand():
    """Of six pairs of 1, 2, 3, 4 and 1, 3, 2, 4 one is turned: (5 - 1) / 6."""
    assert agreement(np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4])) == pytest.approx(4 / 6)
    assert np.isnan(agreement(np.array([1.0, 1]), np.array([1.0, 2])))
