"""A search tries the default first and nothing twice, within its budget; resumed it does what it would have done."""

from dataclasses import replace

import numpy as np
import pytest

from unetbench.benchmark.sweep.space import Dimension
from unetbench.benchmark.tune.oracle import propose
from unetbench.benchmark.tune.search import FAILURES, AllFailed

ENGINES = ("random", "bayesian", "hyperband")


def _ran(fake, tuning, **further):
    player = fake.Player()
    return player.play(fake.search(tuning, **further)), player


@pytest.mark.parametrize("engine", ENGINES)
def test_the_default_is_the_first_trial_and_inside_the_budget(fake, engine):
    search, player = _ran(fake, fake.tuning(engine, trials=10))
    assert search.attempts[0].trial == fake.default()
    assert search.attempts[0].source == "default"
    assert len(search.attempts) == 10
    assert player.order[0].number == 0
    assert search.finished


@pytest.mark.parametrize("engine", ENGINES)
def test_no_settings_are_tried_twice(fake, engine):
    search, _ = _ran(fake, fake.tuning(engine, trials=20))
    assert len({attempt.trial.id for attempt in search.attempts}) == len(search.attempts) > 9


@pytest.mark.parametrize("engine", ("random", "bayesian"))
def test_a_space_of_few_settings_is_exhausted_and_each_was_tried_once(fake, engine):
    space = (Dimension("schedule", "recipe", "schedule", values=("plateau", "cosine", "constant")),)
    search, _ = _ran(fake, fake.tuning(engine, trials=9, space=space, initial=2))
    assert search.exhausted
    assert search.finished
    assert sorted(attempt.trial.recipe.schedule for attempt in search.attempts) == ["constant", "cosine", "plateau"]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_winner_has_the_highest_score_of_those_trained_to_the_end(fake, engine):
    search, _ = _ran(fake, fake.tuning(engine, trials=17))
    whole = [attempt for attempt in search.attempts if 9 in attempt.outcomes]
    assert search.winner().score == max(attempt.score for attempt in whole)
    assert fake.quality(search.winner().trial) > fake.quality(fake.default())


def test_bayesian_search_goes_to_high_scores_and_not_to_low_ones(fake):
    """keras-tuner takes a score for a loss where nobody says a direction."""
    search, _ = _ran(fake, fake.tuning("bayesian", trials=8), ask=propose)
    drawn = [fake.quality(attempt.trial) for attempt in search.attempts if attempt.source == "random"]
    chosen = [fake.quality(attempt.trial) for attempt in search.attempts if attempt.source == "model"]
    assert (len(drawn), len(chosen)) == (4, 3)  # five trials come before the model, the default is one of them
    assert np.mean(chosen) > np.mean(drawn)
    assert max(chosen) > max(drawn)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("broken_after", (1, 4, 8))
def test_a_search_that_was_broken_off_does_what_an_unbroken_one_does(fake, engine, broken_after):
    tuning = fake.tuning(engine, trials=12)
    whole, player = _ran(fake, tuning)
    kept, book = {}, {}
    fake.Player(book).play(fake.search(tuning, kept), most=broken_after)
    rest = fake.Player(book)
    resumed = rest.play(fake.search(tuning, kept))
    assert [attempt.values for attempt in resumed.attempts] == [attempt.values for attempt in whole.attempts]
    assert [attempt.outcomes.keys() for attempt in resumed.attempts] == [a.outcomes.keys() for a in whole.attempts]
    assert len(rest.order) == len(player.order) - broken_after
    assert resumed.winner().number == whole.winner().number


def test_a_broken_off_search_of_keras_tuners_model_proposes_the_same(fake):
    """Resumed by keras-tuner itself, Bayesian search goes another way."""
    tuning, kept, book = fake.tuning("bayesian", trials=5, initial=3), {}, {}
    whole, _ = _ran(fake, tuning, ask=propose)
    fake.Player(book).play(fake.search(tuning, kept, ask=propose), most=3)
    resumed = fake.Player(book).play(fake.search(tuning, kept, ask=propose))
    assert [attempt.values for attempt in resumed.attempts] == [attempt.values for attempt in whole.attempts]
    assert [attempt.source for attempt in resumed.attempts[3:]] == ["model"] * 2


@pytest.mark.parametrize("engine", ENGINES)
def test_the_order_in_which_trials_end_changes_nothing(fake, engine):
    tuning = fake.tuning(engine, trials=12)
    first, last = ({}, {}), ({}, {})
    fake.Player(first[1]).play(fake.search(tuning, first[0], width=2), take=0)
    fake.Player(last[1]).play(fake.search(tuning, last[0], width=2), take=5)
    assert first[0] == last[0]
    assert first[1].keys() == last[1].keys()


def test_a_larger_budget_later_is_the_whole_budget_and_goes_on(fake):
    kept, book = {}, {}
    fake.Player(book).play(fake.search(fake.tuning("bayesian", trials=8), kept))
    more = fake.Player(book)
    search = more.play(fake.search(fake.tuning("bayesian", trials=11), kept))
    assert len(search.attempts) == 11
    assert [stage.number for stage in more.order] == [8, 9, 10]
    fewer = fake.Player(book)
    assert len(fewer.play(fake.search(fake.tuning("bayesian", trials=6), kept)).attempts) == 6
    assert fewer.order == []


def test_what_was_proposed_is_taken_as_it_was_kept(fake):
    """Another version of a library may propose otherwise; what is on disk holds."""
    tuning = fake.tuning("bayesian", trials=8)
    kept = {}
    whole = fake.Player().play(fake.search(tuning, kept))
    asked = []

    def ask(*words, **more):
        asked.append(words)

    again = fake.Player().play(fake.search(tuning, kept, ask=ask))
    assert [attempt.values for attempt in again.attempts] == [attempt.values for attempt in whole.attempts]
    assert asked == []


def test_a_budget_of_seconds_counts_those_of_training(fake):
    search, _ = _ran(fake, fake.tuning("random", seconds=400))
    # 90 s a trial: after four trials 360 s are used, and the fifth, begun below 400, is the last
    assert len(search.attempts) == 5
    assert search.seconds == 450


def test_a_budget_of_epochs_is_never_exceeded(fake):
    search, _ = _ran(fake, fake.tuning("random", epochs=50))
    assert (len(search.attempts), search.epochs) == (5, 45)


def test_epochs_that_early_stopping_saves_are_spent_on_further_trials(fake):
    player = fake.Player(outcome=lambda trial, until: fake.outcome(trial, until, trained=5))
    search = player.play(fake.search(fake.tuning("random", epochs=50)))
    # eight trials of five epochs leave 10, enough for a ninth of nine at most; its five leave 5, too few
    assert (len(search.attempts), search.epochs) == (9, 45)


def test_a_trial_that_fails_is_told_as_the_worst_and_the_search_goes_on(fake):
    def outcome(trial, until):
        fails = trial.recipe.rate > 1e-2
        return (
            fake.outcome(trial, until, status="failed", reason="loss is nan") if fails else fake.outcome(trial, until)
        )

    search = fake.Player(outcome=outcome).play(fake.search(fake.tuning("bayesian", trials=12)))
    failed = [attempt for attempt in search.attempts if attempt.failed]
    assert len(search.attempts) == 12
    assert failed
    assert {attempt.score for attempt in failed} == {0.0}
    assert [entry.score for entry in search.told()] == [attempt.score for attempt in search.attempts]
    assert not search.winner().failed


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("status", ("failed", "unfit", "timed_out"))
def test_where_all_trials_fail_there_is_no_best_one(fake, engine, status):
    player = fake.Player(outcome=lambda trial, until: fake.outcome(trial, until, status=status, reason="no memory"))
    search = player.play(fake.search(fake.tuning(engine, trials=40)))
    with pytest.raises(
        AllFailed, match=r"^all \d+ trials of the search failed, so none is the best; the first: no mem"
    ):
        search.winner()
    assert len(search.attempts) == FAILURES  # the rest of the budget is not spent on it


def test_a_score_that_is_undefined_is_no_score(fake):
    def outcome(trial, until):
        made = fake.outcome(trial, until)
        return replace(made, record=replace(made.record, selection={"epoch": 1, "dice": None, "cases": []}))

    search = fake.Player(outcome=outcome).play(fake.search(fake.tuning("random", trials=3)))
    with pytest.raises(AllFailed, match="no validation case has a defined Dice"):
        search.winner()


def test_a_default_outside_the_space_is_tried_and_not_told(fake):
    default = fake.default(rate=0.9)
    player = fake.Player()
    search = player.play(fake.search(fake.tuning("bayesian", trials=6), default=default, ask=propose))
    assert search.attempts[0].values["rate"] == 0.9
    assert search.attempts[5].source == "model"


def test_independent_trials_may_all_begin_at_once_and_dependent_ones_one_by_one(fake):
    def begun(tuning, **further):
        return [stage.number for stage in fake.search(tuning, **further).advance(lambda *_: None)]

    assert begun(fake.tuning("random", trials=8)) == list(range(8))
    assert begun(fake.tuning("bayesian", trials=8)) == list(range(5))
    assert begun(fake.tuning("random", seconds=100), width=2) == [0, 1]
    assert begun(fake.tuning("random", trials=8, stop_after=(3,)), width=2) == [0]


def _with_cases(fake):
    """Two thirds of the trials lose to the others on every case."""

    def outcome(trial, until):
        score = 0.5 + 0.03 * until + (0.0 if trial.recipe.augment.shift > 0.15 else 0.1)
        return fake.outcome(trial, until, score, cases=[score - 0.01 * k for k in range(8)])

    return outcome


def test_a_paired_test_stops_what_is_worse_on_the_same_cases_at_the_same_epoch(fake):
    player = fake.Player(outcome=_with_cases(fake))
    search = player.play(fake.search(fake.tuning("random", trials=10, stop_after=(3, 6))))
    stopped = [attempt for attempt in search.attempts if attempt.stopped]
    assert {attempt.number for attempt in stopped} == {
        attempt.number for attempt in search.attempts if attempt.trial.recipe.augment.shift > 0.15
    }
    assert 0 < len(stopped) < 10
    # eight groups, all worse: p = 2 / 2^8
    assert all(
        a.stopped.startswith("after epoch 3 worse than trial 0 was then: Dice lower by 0.100, p 0.00781")
        for a in stopped
    )
    assert {attempt.epochs for attempt in stopped} == {3}
    assert search.epochs == 3 * len(stopped) + 9 * (10 - len(stopped))
    assert not search.winner().stopped


def test_an_attempt_is_trained_in_rungs_that_add_up(fake):
    search, player = _ran(fake, fake.tuning("random", trials=2, stop_after=(3, 6)))
    assert [(stage.number, stage.until) for stage in player.order][:3] == [(0, 3), (0, 6), (0, 9)]
    assert search.attempts[0].epochs == 9
    assert search.attempts[0].seconds == 90
