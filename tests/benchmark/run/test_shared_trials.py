"""What a driver makes of the trials that others have."""

from dataclasses import replace

import pytest

from unetbench.benchmark.records.claims import Claims
from unetbench.benchmark.records.store import Store
from unetbench.benchmark.run.shared import Shared
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial

TRIAL = Trial(Choice("cells"), {"digest": "d"}, Choice("unet"), Choice("dice"), Recipe((64, 64)), 0)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path, "sweep", "desk")


def _driver(store, known=None):
    shared = Shared(store, Claims.of(store))
    shared.begin({TRIAL.id: known} if known else {})
    return shared


def _look(shared):
    return _look_for(shared, ())


def _look_for(shared, queued):
    shared._next = 0.0
    return shared.look(queued)


def test_a_trial_that_another_has_is_free_again_when_it_is_given_back(store):
    one, other = _driver(store), _driver(store)
    assert one.is_mine(TRIAL)
    assert not other.is_mine(TRIAL)
    assert _look(other) == ([], [])
    one.claims.drop(TRIAL.id)
    assert _look(other) == ([], [TRIAL])
    assert not other.elsewhere


@pytest.mark.parametrize("status", ["done", "failed"])
def test_what_another_has_made_is_told_once_and_not_run(store, status):
    one, other = _driver(store), _driver(store)
    assert one.is_mine(TRIAL)
    assert not other.is_mine(TRIAL)
    record = Record(TRIAL, status, finished="2026-01-01")
    store.put(record)
    one.claims.drop(TRIAL.id)
    assert _look(other) == ([record], [])
    assert _look(other) == ([], [])


def test_a_record_that_was_written_before_the_claim_is_found(store):
    late = _driver(store)
    record = Record(TRIAL, "done", finished="2026-01-01")
    store.put(record)
    assert not late.is_mine(TRIAL)
    assert _look(late) == ([record], [])
    assert late.claims.take(TRIAL.id)


def test_what_failed_before_is_run_again_also_when_its_record_is_gone(store):
    failed = Record(TRIAL, "failed", finished="2026-01-01")
    file = store.put(failed)
    assert _driver(store, failed).is_mine(TRIAL)
    file.unlink()
    for claims in (store.folder / "claims/desk").iterdir():
        claims.unlink()
    assert _driver(store, failed).is_mine(TRIAL)


def test_who_does_not_wait_makes_sure_that_the_others_live(store):
    one, other = _driver(store), _driver(store)
    assert one.is_mine(TRIAL)
    assert not other.is_mine(TRIAL)
    other._seen[TRIAL.id] -= 100
    assert not other.in_doubt()
    other._seen[TRIAL.id] += 200
    assert other.in_doubt()


def test_a_settled_trial_leaves_no_checkpoint_and_nothing_half_written(store):
    for kind, name in (("checkpoints", "{}.npz"), ("checkpoints", ".1f.part.{}.npz"), ("weights", ".1f.part.{}.keras")):
        store.path(kind, TRIAL, "").with_name(name.format(TRIAL.id)).touch()
    kept = store.path("weights", TRIAL, ".keras")
    kept.touch()
    store.tidy(Record(replace(TRIAL, seed=1), "done"))
    store.tidy(Record(TRIAL, "failed"))
    assert len(list(store.folder.glob("*/*/*"))) == 2
    store.tidy(Record(TRIAL, "done"))
    assert list(store.folder.glob("*/*/*")) == [kept]


def test_what_another_has_made_of_what_is_still_to_come_is_told_without_a_claim(store):
    failed = replace(TRIAL, seed=1)
    old = Record(failed, "failed", finished="2026-01-01")
    store.put(old)
    late = _driver(store)
    late.begin({failed.id: old})
    assert _look_for(late, {TRIAL.id, failed.id}) == ([], [])
    record = Record(TRIAL, "done", finished="2026-01-02")
    store.put(record)
    assert _look_for(late, {failed.id}) == ([], [])
    assert _look_for(late, {TRIAL.id, failed.id}) == ([record], [])
    assert _look_for(late, {TRIAL.id, failed.id}) == ([], [])
