"""Progress of searches: trials by their number in their search, a total that grows, and the time left by the budget."""

import pytest

from unetbench.benchmark.run.listener import Listener
from unetbench.benchmark.tune.progress import RetrainProgress, SearchProgress


class Heard(Listener):
    name = "what was heard"

    def __init__(self):
        self.told = []

    def start(self, state, running):
        self.told.append(("start", running.name, state.total))

    def finish(self, state, record, name, running):
        self.told.append(("finish", name, state.over))


def _begun(fake, tuning, book, **further):
    """A search and its progress, as a runner begins them, and the stages that are to be trained."""
    search = fake.search(tuning)
    progress = SearchProgress({search.key: "cells · unet · bce"}, **further)
    progress.searches = [search]
    stages = search.advance(lambda *key: book.get(key))
    for stage in stages:
        progress.expect(search, stage)
    trials = [stage.trial for stage in stages]
    progress.begin(trials, trials)
    return search, progress, stages


def _finish(fake, progress, stage, book):
    outcome = fake.outcome(stage.trial, stage.until)
    book[stage.trial.id, stage.until] = outcome
    progress.start(stage.trial)
    progress.finish(outcome.record)


def test_lines_name_the_trial_its_epoch_and_its_validation_score_and_the_total_grows(fake, capsys):
    book = {}
    search, progress, stages = _begun(fake, fake.tuning("random", trials=2, stop_after=(3,)), book)
    _finish(fake, progress, stages[0], book)
    (later,) = search.advance(lambda *key: book.get(key))
    progress.expect(search, later)
    progress.start(later.trial)
    failed = fake.outcome(later.trial, later.until, status="failed", reason="loss is nan")
    progress.finish(failed.record)
    progress.end()
    score = book[stages[0].trial.id, 3].score
    assert capsys.readouterr().err.splitlines() == [
        f"[1/1] cells · unet · bce · trial 0 until epoch 3: done, validation Dice {score:.3f}, 0 s",
        "[2/2] cells · unet · bce · trial 0: failed, loss is nan, 0 s",
        "2 trials: 1 done, 1 failed; 0 s",
    ]


def test_a_search_that_goes_on_begins_with_what_is_settled(fake, capsys):
    book = {}
    tuning = fake.tuning("random", trials=8)
    fake.Player(book).play(fake.search(tuning), most=3)
    _, progress, stages = _begun(fake, tuning, book)
    assert [stage.number for stage in stages] == [3, 4, 5, 6, 7]
    assert (progress.state.settled, progress.state.over, progress.state.total) == (3, 3, 8)
    assert capsys.readouterr().err == "3 of 8 trials are settled already\n"


@pytest.mark.parametrize("before", (0, 4))
def test_the_time_left_is_that_of_the_whole_budget(fake, before):
    book = {}
    tuning = fake.tuning("bayesian", trials=10)
    fake.Player(book).play(fake.search(tuning), most=before)
    search, progress, stages = _begun(fake, tuning, book, quiet=True)
    assert progress.state.left_s is None
    progress.state.began -= 30.0
    _finish(fake, progress, stages[0], book)
    search.advance(lambda *key: book.get(key))
    # one trial took 30 s, and so will each of the rest, of which only those before the model is asked are known yet
    assert progress.state.left_s == pytest.approx(30.0 * (9 - before), rel=0.05)


def test_the_total_is_the_budget_where_each_trial_is_looked_at_once(fake):
    book = {}
    search, progress, stages = _begun(fake, fake.tuning("bayesian", trials=10), book, quiet=True)
    assert (len(stages), progress.state.total) == (5, 10)
    for stage in stages:
        _finish(fake, progress, stage, book)
    search.exhausted = True  # say that the space holds no more
    assert search.advance(lambda *key: book.get(key)) == []
    progress.end()
    assert progress.state.total == 5


def test_after_the_search_lines_say_which_trial_is_the_default_and_which_the_tuned_one(fake, capsys):
    trials = [fake.default(), fake.default(rate=0.1)]  # settings are in no trial's name
    called = {
        trials[0].id: "cells · unet · bce · default · seed 1",
        trials[1].id: "cells · unet · bce · tuned · seed 1",
    }
    progress = RetrainProgress(called)
    progress.begin(trials, trials)
    for trial in trials:
        progress.start(trial)
        progress.finish(fake.outcome(trial, 9, status="failed", reason="loss is nan").record)
    assert capsys.readouterr().err.splitlines() == [
        f"[{count}/2] {called[trial.id]}: failed, loss is nan, 0 s" for count, trial in enumerate(trials, 1)
    ]


def test_logs_hear_of_every_stage(fake):
    heard, book = Heard(), {}
    _, progress, stages = _begun(fake, fake.tuning("hyperband", trials=10), book, quiet=True, logs=[heard])
    _finish(fake, progress, stages[1], book)
    name = "cells · unet · bce · trial 1 until epoch 1"
    assert heard.told == [("start", name, 10), ("finish", name, 1)]
