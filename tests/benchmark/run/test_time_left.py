"""Time left comes from the work of trials, corrected by what was seen, laid out over the workers."""

import pytest

from unetbench.benchmark.run.running import Running
from unetbench.benchmark.run.time_left import TimeLeft
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Trial


def _trial(seed, epochs):
    return Trial(Choice("cells"), {}, Choice("unet"), Choice("bce"), Recipe(epochs=epochs), seed)


A, B, C = _trial(0, 10), _trial(1, 40), _trial(2, 40)


def _under_way(trial, *, epoch, trained, seen, worker=1, resumed=0, first_s=None):
    """A trial whose training began and whose last epoch ended then; each took as long, or all but the first."""
    running = Running(trial, "", worker, "", begun=trained - 5)
    running.trained, running.seen, running.latest, running.phase = trained, seen, {"epoch": epoch}, "epoch"
    running.resumed, running.traced = resumed, trained + (first_s or (seen - trained) / (epoch - resumed))
    return running


def test_the_expected_seconds_are_told_before_anything_is_seen():
    left = TimeLeft([A, B], {A.id: 10.0, B.id: 100.0})
    assert left.seconds([], 0.0) == 110


def test_without_expectation_nothing_is_told_before_an_epoch_is_over():
    left = TimeLeft([A, B])
    left.start(A.id, 1)
    assert left.seconds([Running(A, "", 1, "", begun=0.0)], 3.0) is None


def test_expected_seconds_are_corrected_by_those_that_were_seen():
    left = TimeLeft([A, B], {A.id: 10.0, B.id: 100.0})
    left.start(A.id, 1)
    left.finish(A.id, 20.0, done=True)
    # A took twice as long as expected, so B will: 2 × 100, where the mean of the trials so far would say 20
    assert left.seconds([], 0.0) == 200


def test_without_expectation_an_epoch_counts_like_those_seen():
    left = TimeLeft([A, B])
    left.start(A.id, 1)
    left.finish(A.id, 20.0, done=True)
    assert left.seconds([], 0.0) == 80  # 20 s / 10 epochs × 40 epochs


def test_a_trial_of_which_nothing_is_known_counts_by_the_epochs_of_the_others():
    left = TimeLeft([A, B], {A.id: 10.0})
    assert left.seconds([], 0.0) == 50  # 10 + 40 epochs × 10 s / 10 epochs


def test_a_trial_under_way_goes_on_as_its_epochs_did():
    left = TimeLeft([B, C])
    left.start(B.id, 1)
    running = _under_way(B, epoch=10, trained=100.0, seen=130.0)
    # 3 s an epoch: 30 epochs of B and 40 of C
    assert left.seconds([running], 130.0) == pytest.approx(90 + 120)


def test_epochs_of_before_the_checkpoint_took_none_of_the_time():
    left = TimeLeft([B])
    left.start(B.id, 1)
    running = _under_way(B, epoch=30, trained=100.0, seen=130.0, resumed=20)
    assert left.seconds([running], 130.0) == pytest.approx(30)  # 10 epochs in 30 s, 10 left


def test_the_first_epoch_in_which_the_step_is_traced_does_not_count_for_those_to_come():
    left = TimeLeft([B, C])
    left.start(B.id, 1)
    running = _under_way(B, epoch=11, trained=100.0, seen=150.0, first_s=20.0)
    # 20 s, then 3 s an epoch: 29 epochs of B; of C, too, 20 s and 39 epochs
    assert left.seconds([running], 150.0) == pytest.approx(87 + 137)


def test_the_first_epoch_does_not_correct_what_is_expected():
    left = TimeLeft([B, C], {B.id: 200.0, C.id: 200.0})
    left.start(B.id, 1)
    running = _under_way(B, epoch=1, trained=5.0, seen=25.0)
    assert left.seconds([running], 25.0) == 200 - 25 + 200


def test_what_is_no_training_takes_the_share_that_it_took_of_finished_trials():
    left = TimeLeft([A, B, C])
    left.start(A.id, 1)
    left.finish(A.id, 30.0, done=True, training_s=20.0)  # 10 s besides 20
    left.start(B.id, 1)
    running = _under_way(B, epoch=10, trained=100.0, seen=130.0)
    # B: 120 s of training, 30 epochs of 3 s are left, and 60 s besides, 5 of which were before it began;
    # C, of as many epochs as B: 40 × (30 + 180) s / (10 + 40) epochs
    assert left.seconds([running], 130.0) == pytest.approx(90 + 55 + 168)
    running = _under_way(B, epoch=40, trained=100.0, seen=220.0)
    running.phase = "test"  # for 20 s
    assert left.seconds([running], 240.0) == pytest.approx(35 + 168)


def test_two_workers_share_what_is_to_come():
    left = TimeLeft([A, B, C])
    left.start(A.id, 1)
    left.start(B.id, 2)
    left.finish(A.id, 30.0, done=True)
    running = _under_way(B, epoch=10, trained=100.0, seen=130.0, worker=2)
    # B has 90 s left on one worker; C of 40 epochs goes to the idle one: (30 + 120) s / (10 + 40) epochs × 40
    assert left.seconds([running], 130.0) == pytest.approx(120)


def test_very_many_trials_are_divided_among_the_workers():
    trials = [_trial(seed, 10) for seed in range(2002)]
    left = TimeLeft(trials, {trial.id: 1.0 for trial in trials})
    left.start(trials[0].id, 1)
    left.start(trials[1].id, 2)
    left.finish(trials[0].id, 1.0, done=True)
    left.finish(trials[1].id, 1.0, done=True)
    assert left.seconds([], 0.0) == pytest.approx(1000)


def test_other_drivers_take_their_share():
    left = TimeLeft([A, _trial(3, 10), C])
    left.start(A.id, 1)
    left.finish(A.id, 20.0, done=True)
    left.finish(_trial(3, 10).id, None, done=True)
    assert left.seconds([], 0.0) == 40  # 2 s × 40 epochs, of which the other one does half


def test_trials_that_are_not_done_say_nothing_of_the_others():
    left = TimeLeft([A, B])
    left.start(A.id, 1)
    left.finish(A.id, 0.5, done=False)
    assert left.seconds([], 0.0) is None


def test_a_trial_that_was_stopped_comes_again():
    left = TimeLeft([A], {A.id: 10.0})
    left.start(A.id, 1)
    assert left.seconds([], 0.0) == 0
    left.give_back(A.id)
    assert left.seconds([], 0.0) == 10


def test_a_trial_whose_training_is_over_has_nothing_left():
    left = TimeLeft([B])
    left.start(B.id, 1)
    running = _under_way(B, epoch=20, trained=100.0, seen=160.0)
    running.phase = "test"  # it stopped early
    assert left.seconds([running], 170.0) == 0
