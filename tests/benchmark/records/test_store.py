"""Records are whole or not there, found by any sweep of the same machine, and never lost silently."""

import json
from dataclasses import replace

import pytest

from unetbench.benchmark.records.machine import digest, machine, name_of
from unetbench.benchmark.records.store import Store, read, records
from unetbench.core.errors import StoreError
from unetbench.core.recipe import Recipe
from unetbench.core.record import SCHEMA, Record
from unetbench.core.trial import Choice, Trial

TRIAL = Trial(Choice("cells"), {"digest": "x"}, Choice("unet"), Choice("dice"), Recipe(), 0)


def test_a_done_trial_is_settled_and_a_failed_one_is_tried_again(tmp_path):
    store = Store(tmp_path, "a", "desk")
    assert not store.settled([TRIAL])
    store.put(Record(TRIAL, "failed", "no luck"))
    assert not store.settled([TRIAL])
    store.put(Record(TRIAL, "unfit", "wrong rank"))
    assert store.settled([TRIAL])


def test_a_trial_done_for_another_sweep_is_taken_over(tmp_path):
    record = Record(TRIAL, "done")
    Store(tmp_path, "first", "desk").put(record)
    second = Store(tmp_path, "second", "desk")
    assert second.settled([TRIAL])
    assert not list(records(tmp_path / "second")), "asking writes nothing"
    second.copy_from_other_sweeps([TRIAL])
    assert list(records(tmp_path / "second")) == [record]


def test_a_record_of_another_backend_with_the_same_id_is_not_taken_and_not_lost(tmp_path):
    store = Store(tmp_path, "a", "desk")
    before = Record(TRIAL, "done", versions={"backend": "jax"})  # as ids were before they held the backend
    store.put(before)
    assert not store.settled([TRIAL])
    now = Record(TRIAL, "done", versions={"backend": "tensorflow"})
    store.put(now)
    assert store.settled([TRIAL]) == {TRIAL.id: now}
    assert sorted(file.name for file in store.records.iterdir()) == [f"{TRIAL.id}-jax.json", f"{TRIAL.id}.json"]
    assert read(store.records / f"{TRIAL.id}-jax.json") == before


def test_another_machine_measures_for_itself(tmp_path):
    Store(tmp_path, "a", "desk").put(Record(TRIAL, "done"))
    assert not Store(tmp_path, "a", "cluster").settled([TRIAL])


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
        store.settled([TRIAL])


@pytest.mark.parametrize("content", [b"", b'{\n"schema": 6,\n"id": "', b"\0" * 500, b"\xff\xfe"])
def test_a_run_sets_damaged_records_aside_and_a_new_one_takes_their_place(tmp_path, content):
    store = Store(tmp_path, "a", "desk")
    other = replace(TRIAL, seed=8)
    file, sound = store.put(Record(TRIAL, "failed")), store.put(Record(other, "done"))
    file.write_bytes(content)
    (line,) = store.check()
    assert line == f"{file}: not a record; it is {TRIAL.id}.damaged now, and its trial is run again"
    assert file.with_suffix(".damaged").read_bytes() == content
    assert store.settled([TRIAL, other]).keys() == {other.id}
    assert sound.exists()
    file.write_bytes(content)  # damaged after the run began
    assert store.put(Record(TRIAL, "done")) == file
    assert store.settled([TRIAL]).keys() == {TRIAL.id}


def test_a_record_of_a_later_version_is_not_taken_for_a_damaged_one(tmp_path):
    store = Store(tmp_path, "a", "desk")
    file = store.put(Record(TRIAL, "done"))
    file.write_text(file.read_text().replace(f'"schema": {SCHEMA}', f'"schema": {SCHEMA + 1}'))
    with pytest.raises(StoreError, match="is newer than"):
        store.check()
    assert file.exists()


def known(**changes):
    """A machine as records describe it since schema 3."""
    facts = {**machine(), "cpu": "AMD EPYC", "cores": 2, "gpu": "", "driver": "", "system": "Linux x86_64", **changes}
    facts["digest"] = digest(facts)
    return {**facts, "name": name_of(facts)}


FIRST = {"name": "amd-epyc-2-cores", "cpu": "AMD EPYC", "cores": 2, "gpu": "", "system": "Linux x86_64"}


def store_of(results, facts, sweep="a", name=""):
    return Store(results, sweep, name or facts["name"], facts)


def put_older(results, status="done", sweep="a", folder="amd-epyc-2-cores", **changes):
    """Write a record as versions before stepping and instruction sets were told wrote it."""
    text = Record(TRIAL, status, machine={**FIRST, **changes}).to_json()
    file = results / sweep / "records" / folder / f"{TRIAL.id}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text.replace(f'"schema": {SCHEMA}', '"schema": 1'))
    return file


def test_machines_that_share_a_name_of_processor_share_no_record(tmp_path):
    here, other = known(stepping="1"), known(stepping="2")
    store_of(tmp_path, other).put(Record(TRIAL, "done", machine=other))
    assert store_of(tmp_path, other).settled([TRIAL])
    assert not store_of(tmp_path, here).settled([TRIAL])
    assert not list(store_of(tmp_path, here).own_records())


@pytest.mark.parametrize("sweep", ["a", "another"])
def test_a_sweep_begun_before_stepping_was_told_goes_on(tmp_path, sweep):
    file = put_older(tmp_path, sweep=sweep)
    store = store_of(tmp_path, known())
    assert store.settled([TRIAL])
    store.copy_from_other_sweeps([TRIAL])
    kept = tmp_path / "a" / "records" / "amd-epyc-2-cores" / file.name
    assert list(store.folder.glob("records/*/*.json")) == [kept], "it stays what it is, and is there once"
    assert json.loads(kept.read_text())["schema"] == 1


@pytest.mark.parametrize(
    "changes", [{"cpu": "AMD EPYC 9R14"}, {"cores": 4}, {"gpu": "L4"}, {"system": "Linux aarch64"}]
)
def test_an_older_record_of_hardware_that_cannot_be_this_is_left_alone(tmp_path, changes):
    file = put_older(tmp_path, **changes)
    store = store_of(tmp_path, known())
    assert not store.settled([TRIAL])
    store.put(Record(TRIAL, "done", machine=known()))
    assert file.exists()


def test_an_older_failed_record_is_replaced_by_the_new_one(tmp_path):
    file = put_older(tmp_path, "failed")
    store = store_of(tmp_path, known())
    assert not store.settled([TRIAL])
    assert [found for found, _ in store.own_records()] == [file]
    store.put(Record(TRIAL, "done", machine=known()))
    assert [record.status for record in records(store.folder)] == ["done"]


def test_a_settled_record_elsewhere_counts_beside_a_failed_one_here(tmp_path):
    put_older(tmp_path, "failed")
    store_of(tmp_path, known(), "another").put(Record(TRIAL, "done", machine=known()))
    assert store_of(tmp_path, known()).settled([TRIAL])


def test_two_machines_under_one_name_of_the_users_are_refused_with_both_named(tmp_path):
    first, second = known(stepping="family 25 model 17"), known(stepping="family 25 model 1")
    store_of(tmp_path, first, name="lab").put(Record(TRIAL, "done", machine=first))
    store_of(tmp_path, first, name="lab").check()
    store = store_of(tmp_path, second, name="lab")
    for act in (store.check, lambda: store.find(TRIAL)):
        with pytest.raises(StoreError, match="lab: holds records of other hardware") as error:
            act()
        for word in ("model 17)", "model 1)", "UNETBENCH_MACHINE", second["name"]):
            assert word in str(error.value)
        assert "\n" not in str(error.value)


def test_a_record_of_another_sweep_made_by_other_hardware_of_the_same_name_is_not_taken(tmp_path):
    first, second = known(stepping="1"), known(stepping="2")
    store_of(tmp_path, first, "another", name="lab").put(Record(TRIAL, "done", machine=first))
    assert not store_of(tmp_path, second, name="lab").settled([TRIAL])


def test_an_older_record_under_a_name_of_the_users_still_counts(tmp_path):
    put_older(tmp_path, folder="lab", name="lab")
    store = store_of(tmp_path, known(), name="lab")
    store.check()
    assert store.settled([TRIAL])
    assert not store_of(tmp_path, known(), name="other").settled([TRIAL])


def test_the_store_of_this_machine_knows_its_hardware(tmp_path):
    store = Store.here(tmp_path, "a")
    file = store.put(Record(TRIAL, "done", machine=machine()))
    assert file.parent.name == machine()["name"]
    assert Store.here(tmp_path, "b").settled([TRIAL])
    assert read(file).schema == SCHEMA


def test_what_killed_processes_left_is_looked_for_once_and_again_when_one_was_killed(tmp_path):
    store = Store(tmp_path, "a", "desk")
    (tmp_path / "a/weights/desk").mkdir(parents=True)
    left = [tmp_path / f"a/weights/desk/.{process}.part.{TRIAL.id}.keras" for process in ("1f", "2f")]
    left[0].touch()
    store.tidy(Record(TRIAL, "done"))
    assert not left[0].exists()
    left[1].touch()
    store.tidy(Record(TRIAL, "done"))
    assert left[1].exists()
    store.suspect()
    store.tidy(Record(TRIAL, "done"))
    assert not left[1].exists()


def test_records_are_found_by_one_look_at_the_folders(tmp_path):
    here, beside = Store(tmp_path, "a", "desk"), Store(tmp_path, "b", "desk")
    trials = [replace(TRIAL, seed=seed) for seed in range(3)]
    here.put(Record(trials[0], "failed", history=[{"epoch": 1}]))
    beside.put(Record(trials[1], "done", history=[{"epoch": 1}]))
    assert here.own_ids() == {trials[0].id}
    assert here.found(trials) == {trial.id: here.find(trial) for trial in trials[:2]}
    short = here.found(trials, rows=False)
    assert [record.history for record in short.values()] == [[], []]
    assert [record.status for record in short.values()] == ["failed", "done"]
    assert list(here.settled(trials)) == [trials[1].id]
