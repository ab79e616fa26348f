"""Hyperband: rungs go on from where they stopped, and one that fails costs its own place only."""

from collections import Counter


def _rungs(order):
    """How many trials were trained until each epoch."""
    return dict(sorted(Counter(stage.until for stage in order).items()))


def test_one_iteration_trains_the_brackets_of_the_formula(fake):
    # R = 9, eta = 3: brackets of 9, 5 and 3 trials, the default being one of the last
    player = fake.Player()
    search = player.play(fake.search(fake.tuning("hyperband", trials=17)))
    assert len(search.attempts) == 9 + 5 + 3
    assert _rungs(player.order) == {1: 9, 3: 3 + 5, 9: 1 + 1 + 3}
    # 9·1 + 3·2 + 1·6 and 5·3 + 1·6 and 3·9
    assert search.epochs == 21 + 21 + 27


def test_the_best_of_a_rung_go_on_and_the_others_end(fake):
    search = fake.Player().play(fake.search(fake.tuning("hyperband", trials=10)))
    bracket = [attempt for attempt in search.attempts if attempt.number]
    ranked = sorted(bracket, key=lambda attempt: -fake.quality(attempt.trial))
    assert {attempt.number for attempt in bracket if 3 in attempt.outcomes} == {a.number for a in ranked[:3]}
    assert [attempt.number for attempt in bracket if 9 in attempt.outcomes] == [ranked[0].number]
    assert ranked[-1].stopped == "not among the best 3 of 9 after epoch 1"


def test_trials_that_fail_leave_their_places_to_others(fake):
    """keras-tuner trains none of 27 to the end where one has failed."""

    def outcome(trial, until):
        fails = trial.recipe.schedule == "plateau" and trial.recipe.rate != 1e-3
        return fake.outcome(trial, until, status="failed", reason="diverged") if fails else fake.outcome(trial, until)

    player = fake.Player(outcome=outcome)
    search = player.play(fake.search(fake.tuning("hyperband", trials=17)))
    failed = [attempt for attempt in search.attempts if attempt.failed]
    assert failed
    assert all(len(attempt.outcomes) == 1 for attempt in failed)
    rungs = _rungs(player.order)
    assert (rungs[1], rungs[9]) == (9, 5)
    assert sum(3 in attempt.outcomes and 1 in attempt.outcomes for attempt in search.attempts) == 3


def test_a_bracket_that_does_not_fit_is_passed_over_for_a_smaller_one(fake):
    search = fake.Player().play(fake.search(fake.tuning("hyperband", trials=13)))
    # the default and 9; of the three places left the bracket of 5 takes none, the one of 3 has two beside the default
    assert len(search.attempts) == 12


def test_a_budget_of_epochs_holds_for_those_really_trained(fake):
    search = fake.Player().play(fake.search(fake.tuning("hyperband", epochs=60)))
    # the default 9, then 21 and 21: the last two full trials of 9 epochs each would make 69
    assert search.epochs == 9 + 21 + 21
    again = fake.Player().play(fake.search(fake.tuning("hyperband", epochs=140)))
    assert 69 + 21 <= again.epochs <= 140
    assert len({attempt.trial.id for attempt in again.attempts}) == len(again.attempts)


def test_iterations_follow_one_another_until_the_budget_ends(fake):
    search = fake.Player().play(fake.search(fake.tuning("hyperband", seconds=1000)))
    assert search.seconds >= 1000
    assert len(search.attempts) > 17


def test_a_rung_is_decided_when_all_its_trials_have_ended(fake):
    search, book = fake.search(fake.tuning("hyperband", trials=10)), {}
    stages = search.advance(lambda *key: book.get(key))
    assert [(stage.number, stage.until) for stage in stages] == [(0, 9), *((k, 1) for k in range(1, 10))]
    for stage in stages[:-1]:
        book[stage.trial.id, stage.until] = fake.outcome(stage.trial, stage.until)
    assert search.advance(lambda *key: book.get(key)) == stages[-1:]
    book[stages[-1].trial.id, 1] = fake.outcome(stages[-1].trial, 1)
    assert [stage.until for stage in search.advance(lambda *key: book.get(key))] == [3, 3, 3]


def test_a_trial_that_early_stopping_has_ended_goes_on_in_name_only(fake):
    player = fake.Player(outcome=lambda trial, until: fake.outcome(trial, until, trained=min(until, 2)))
    search = player.play(fake.search(fake.tuning("hyperband", trials=10)))
    assert search.finished
    assert search.winner().epochs == 2
