"""Records are whole or not there, found by any sweep of the same machine, and never lost silently."""

import pytest

from unetbench.benchmark.records.store import Store, records
from unetbench.core.errors import StoreError
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial

TRIAL = Trial(Choice("cells"), {"digest": "x"}, Choice("unet"), Choice("dice"), Recipe(), 0)


def test_a_done_trial_is_settled_and_a_failed_one_is_tried_again(tmp_path):
    store = Store(tmp_path, "a", "desk")
    assert not store.is_complete(TRIAL)
    store.put(Record(TRIAL, "failed", "no luck"))
    assert not store.is_complete(TRIAL)
    store.put(Record(TRIAL, "unfit", "wrong rank"))
    assert store.is_complete(TRIAL)


def test_a_trial_done_for_another_sweep_is_taken_over(tmp_path):
    record = Record(TRIAL, "done")
    Store(tmp_path, "first", "desk").put(record)
    second = Store(tmp_path, "second", "desk")
    assert second.is_complete(TRIAL)
    assert not list(records(tmp_path / "second")), "asking writes nothing"
    second.copy_from_other_sweep(TRIAL)
    assert list(records(tmp_path / "second")) == [record]


def test_another_machine_measures_for_itself(tmp_path):
    Store(tmp_path, "a", "desk").put(Record(TRIAL, "done"))
    assert not Store(tmp_path, "a", "cluster").is_complete(TRIAL)


def test_no_half_written_file_stays(tmp_path):
    store = Store(tmp_path, "a", "desk")
    store.put(Record(TRIAL, "done"))
    assert [file.name for file in store.records.iterdir()] == [f"{TRIAL.id}.json"]


def test_a_record_can_be_read_by_whom_the_umask_allows(tmp_path):
    file = Store(tmp_path, "a", "desk").put(Record(TRIAL, "done"))
    plain = tmp_path / "plain"
    plain.write_text("")
    assert file.stat().st_mode == plain.stat().st_mode


def test_a_record_that_cannot_be_written_is_kept_elsewhere_and_named(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "a").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="kept as .*unetbench-rescued") as error:
        Store(tmp_path, "a", "desk").put(Record(TRIAL, "done"))
    kept = tmp_path / "unetbench-rescued" / "desk" / f"{TRIAL.id}.json"
    assert str(kept) in str(error.value)
    assert Record.from_json(kept.read_text()).status == "done"


def test_a_damaged_record_is_named(tmp_path):
    store = Store(tmp_path, "a", "desk")
    file = store.put(Record(TRIAL, "done"))
    file.write_text(file.read_text()[:50])
    with pytest.raises(StoreError, match=f"{TRIAL.id}.json: not a record"):
        store.is_complete(TRIAL)
