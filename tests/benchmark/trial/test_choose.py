"""Members are chosen greedily by the Dice of validation tiles, with hand numbers."""

import numpy as np
import pytest

from unetbench.benchmark.trial.choose import greedy, votes
from unetbench.benchmark.trial.validate import Tiles
from unetbench.core.errors import DataError
from unetbench.core.task import Task

TASK = Task(rank=2, channels=1, classes=("nucleus",), kind="binary")


def _tiles(truth):
    truth = np.array(truth, np.uint8).reshape(1, 1, -1, 1)
    return Tiles(np.zeros(truth.shape, np.float32), truth, np.ones(truth.shape[:-1], bool), np.zeros(1, int))


def _said(*values):
    return np.array(values, np.float32).reshape(1, 1, -1, 1)


def _chosen(candidates, truth=(1, 1, 1, 0), **options):
    return greedy(candidates, lambda: [_tiles(truth)], TASK, **{"threshold": 0.5, "rounds": 3, **options})


def test_each_round_adds_what_helps_most_and_the_best_round_counts():
    # Truth 1 1 1 0. a says 1 1 0 0: Dice 2·2 / (2 + 3) = 0.8. b says 0 0 1 0: 2·1 / (1 + 3) = 0.5. c says all: 6 / 7.
    a, b, c = _said(0.9, 0.9, 0.2, 0.1), _said(0.2, 0.2, 0.9, 0.1), _said(0.6, 0.6, 0.6, 0.6)
    # Round 1 takes c, 6 / 7 = 0.857. Round 2: c + a is 0.75 0.75 0.4 0.35 -> 0.8; c + b is 0.4 0.4 0.75 0.35 -> 0.5;
    # c + c stays 0.857, the best. Round 3: 2c + a is 0.7 0.7 0.467 0.433 -> 0.8, 2c + c 0.857.
    found = _chosen([a, b, c])
    assert [k for k, _ in found.rounds] == [2, 2, 2]
    assert found.rounds[0][1] == pytest.approx(6 / 7)
    assert found.counts == (0, 0, 1)  # of equal rounds the earliest
    # Without c: round 1 takes a, 0.8; a + b is 0.55 0.55 0.55 0.1 -> 1.
    both = _chosen([a, b])
    assert both.rounds[1] == (1, pytest.approx(1.0))
    assert both.counts == (1, 1)


def test_a_candidate_taken_twice_weighs_twice():
    # a alone: 1 1 1 1 -> 6 / 7. Round 2, a + b: 0.5, 0.5, 0.5, 0.45 -> 1 at 0.5 already; its weight is 1 to 1.
    # With b of 0.0 the mean needs a twice: (0.6 + 0.6 + 0.3) / 3 = 0.5, the last (0.7 + 0.7 + 0.0) / 3 = 0.467.
    a, b = _said(0.6, 0.6, 0.6, 0.7), _said(0.3, 0.3, 0.3, 0.0)
    found = _chosen([a, b])
    assert found.counts == (2, 1)
    assert [k for k, _ in found.rounds] == [0, 0, 1]


def test_most_bounds_the_number_of_different_members():
    a, b = _said(0.9, 0.9, 0.2, 0.1), _said(0.2, 0.2, 0.9, 0.1)
    assert _chosen([a, b], most=1).counts == (1, 0)


def test_equal_candidates_are_taken_in_their_order():
    a = _said(0.9, 0.9, 0.9, 0.1)
    assert _chosen([a, a.copy()]).counts == (1, 0)


def test_without_foreground_nothing_can_be_chosen():
    with pytest.raises(DataError, match="no case has a foreground pixel"):
        _chosen([_said(0.1, 0.1, 0.1, 0.1)], truth=(0, 0, 0, 0))


def test_votes_are_probabilities_or_logits_as_asked():
    logits = np.log([[9.0], [1.0]]).astype(np.float32).reshape(1, 1, 2, 1)
    tiles = _tiles((1, 0))
    read = {
        mean: votes(lambda images: logits, [tiles], TASK, mean=mean, batch=4) for mean in ("probabilities", "logits")
    }
    assert read["probabilities"].ravel() == pytest.approx([0.9, 0.5])
    np.testing.assert_array_equal(read["logits"], logits)
