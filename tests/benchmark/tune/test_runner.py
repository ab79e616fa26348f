"""Searches go to the workers of a sweep: what is handed to them, and what is left on disk meanwhile."""

from dataclasses import replace

import pytest

from unetbench.benchmark.trial.context import Context
from unetbench.benchmark.trial.micro_batches import Again
from unetbench.benchmark.trial.search_trial import SearchTrial
from unetbench.benchmark.tune.progress import SearchProgress
from unetbench.benchmark.tune.runner import SearchRunner
from unetbench.benchmark.tune.store import SearchStore
from unetbench.core.trial import Choice
from unetbench.datasets.source import Source


@pytest.fixture
def begun(fake, tmp_path):
    """A runner of two searches, one of which looks at its trials after three epochs, and what it first wants."""
    sweep = tmp_path / "mine"
    store = SearchStore(sweep, "desk")
    searches = [
        fake.search(fake.tuning("random", trials=2, stop_after=(3,))),
        fake.search(fake.tuning("random", trials=2), default=replace(fake.default(), model=Choice("attention_unet"))),
    ]
    called = {search.key: f"search {number}" for number, search in enumerate(searches)}
    context = Context(Source(None, tmp_path, download=False), tmp_path, sweep, "tune")
    runner = SearchRunner(context, searches, store, progress=SearchProgress(called, quiet=True))
    return runner, store, runner._begun()


def _put(fake, runner, store, trial):
    outcome = fake.outcome(trial, store.until[trial.id])
    store.put(outcome.record)
    return runner.following(outcome.record)


def test_a_trial_is_sent_with_the_epoch_that_it_is_trained_to_and_in_parts_where_it_did_not_fit(begun):
    runner, _, (first, *others) = begun
    assert len(others) == 2
    assert runner.order(first, None) == SearchTrial(first, 3)
    assert runner.order(first, Again(first, 2, "no room")) == SearchTrial(first, 3, parts=2)
    assert runner.order(others[0], None) == SearchTrial(others[0], 9)


def test_what_follows_is_what_is_not_under_way_already(begun, fake):
    runner, store, (first, *others) = begun
    assert runner._begun() == []
    assert _put(fake, runner, store, first) == [first]  # from epoch 3 to 9
    assert runner.order(first, None) == SearchTrial(first, 9)
    (second,) = _put(fake, runner, store, first)
    assert second not in (first, *others)


def test_a_checkpoint_is_kept_between_rungs_and_removed_at_the_end(begun, fake):
    runner, store, (first, *_) = begun
    file = store.path("checkpoints", first, ".npz")
    file.touch()
    _put(fake, runner, store, first)
    assert file.exists()
    _put(fake, runner, store, first)
    assert not file.exists()


def test_a_record_that_another_driver_made_is_found_at_its_epoch_only(begun, fake):
    runner, store, (first, *_) = begun
    store.put(fake.outcome(first, 3).record)
    assert store.own_ids() == {first.id}
    assert store.find(first) is not None
    store.until[first.id] = 9
    assert store.own_ids() == set()
    assert store.find(first) is None
    assert runner.store.found([first]) == {}
