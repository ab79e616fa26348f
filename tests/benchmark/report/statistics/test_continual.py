"""Readings of accuracy matrices against hand arithmetic, and their intervals against those of plain means."""

import numpy as np
import pytest

from unetbench.benchmark.report.statistics.continual import BOUNDS, Run, estimates, readings
from unetbench.benchmark.report.statistics.intervals import interval

MATRIX = np.array([[0.8, 0.3, 0.2], [0.6, 0.9, 0.4], [0.5, 0.7, 0.6]])
ALONE = np.array([0.8, 0.85, 0.75])


def test_readings_of_a_matrix_by_hand():
    found = {name: float(value) for name, value in readings(MATRIX, ALONE).items()}
    assert found == pytest.approx(
        {
            "final": 0.6,  # (0.5 + 0.7 + 0.6) / 3
            "forgetting": 0.25,  # (0.8 - 0.5 + 0.9 - 0.7) / 2
            "plasticity": 2.3 / 3,  # (0.8 + 0.9 + 0.6) / 3
            "backward": -0.25,  # (0.5 - 0.8 + 0.7 - 0.9) / 2
            "forward": -0.05,  # (0.9 - 0.85 + 0.6 - 0.75) / 2
            "unseen": 0.3,  # (0.3 + 0.2 + 0.4) / 3
        }
    )


def test_forgetting_is_of_the_best_stage_before_the_last_and_not_of_the_one_that_learnt_the_batch():
    # Batch 2 is better before it arrives (0.9) than when it does (0.5): 0.9 - 0.4 and 0.8 - 0.7, so 0.3; backward
    # transfer compares with 0.5: 0.4 - 0.5 and 0.7 - 0.8, so -0.1.
    matrix = np.array([[0.8, 0.9, 0.1], [0.8, 0.5, 0.1], [0.7, 0.4, 0.6]])
    found = readings(matrix, ALONE)
    assert float(found["forgetting"]) == pytest.approx(0.3)
    assert float(found["backward"]) == pytest.approx(-0.1)


def test_a_model_that_gets_better_at_earlier_batches_forgets_a_negative_amount():
    matrix = np.array([[0.5, 0.1], [0.7, 0.6]])
    found = readings(matrix, ALONE[:2])
    assert float(found["forgetting"]) == pytest.approx(-0.2)
    assert float(found["backward"]) == pytest.approx(0.2)


def test_joint_training_has_a_final_dice_and_nothing_else():
    found = readings(np.array([[0.5, 0.7, 0.9]]), np.full(3, np.nan))
    assert float(found.pop("final")) == pytest.approx(0.7)
    assert all(np.isnan(value) for value in found.values())


def _run(rng, shift=0.0, order=(0, 1, 2), per=12):
    """A run whose cases scatter about `MATRIX`, of `per` cases a batch; the first batch has twice as many."""
    batch = np.repeat([0, 1, 2], [2 * per, per, per])
    place = np.array([order.index(b) for b in range(3)])[batch]
    noise = rng.normal(0, 0.02, (4, len(batch)))
    dice = MATRIX[:, place] + noise[:3] + shift
    return Run(dice, place, ALONE[place] + noise[3]), np.arange(len(batch)).astype(str)


def test_batches_weigh_the_same_however_many_cases_they_have():
    run, _ = _run(np.random.default_rng(0))
    by_batch = [run.dice[2][run.place == j].mean() for j in range(3)]
    assert float(readings(run.matrix, run.alone_by_batch)["final"]) == pytest.approx(np.mean(by_batch))


def test_orders_are_put_together_by_place():
    rng = np.random.default_rng(1)
    runs = [_run(rng, order=order)[0] for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1))]
    found = estimates(runs, _run(rng)[1])
    assert found["backward"].mean == pytest.approx(-0.25, abs=0.02)
    assert len(found["backward"].by_seed) == 3
    assert found["backward"].low < -0.25 < found["backward"].high


def test_undefined_cases_do_not_count():
    run, groups = _run(np.random.default_rng(2))
    dice = run.dice.copy()
    dice[:, 0] = np.nan
    fewer = Run(dice, run.place, run.alone)
    kept = Run(run.dice[:, 1:], run.place[1:], run.alone[1:])
    assert fewer.matrix == pytest.approx(kept.matrix)
    assert not np.isnan(estimates([fewer], groups)["final"].low)


def test_with_one_batch_of_cases_the_interval_of_the_final_dice_is_that_of_a_mean():
    rng = np.random.default_rng(3)
    values, groups = rng.uniform(0.4, 0.9, (1, 40)), np.repeat(np.arange(20), 2).astype(str)
    run = Run(values, np.zeros(40, int), np.full(40, np.nan))
    found = estimates([run], groups)["final"]
    assert (found.low, found.high) == pytest.approx(interval(values, groups), abs=0.012)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng, hits, trials = np.random.default_rng(4), dict.fromkeys(BOUNDS, 0), 120
    truth = {name: float(value) for name, value in readings(MATRIX, ALONE).items()}
    for _ in range(trials):
        run, groups = _run(rng, per=8)
        for name, found in estimates([run], groups, draws=500).items():
            hits[name] += found.low <= truth[name] <= found.high
    for name, count in hits.items():
        assert count / trials > 0.88, name


def test_few_groups_have_no_interval():
    run, groups = _run(np.random.default_rng(5))
    one = np.where(run.place == 1, "the same", groups)
    assert np.isnan(estimates([run], one)["final"].low)
    assert not np.isnan(estimates([run], groups)["final"].low)
