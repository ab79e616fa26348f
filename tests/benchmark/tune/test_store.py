"""A search's files are its own: no sweep takes them for records, and a folder of another space is refused."""

import json

import pytest

from unetbench.benchmark.records.store import Store
from unetbench.benchmark.sweep.space import Dimension
from unetbench.benchmark.tune.oracle import Proposal
from unetbench.benchmark.tune.outcome import Outcome
from unetbench.benchmark.tune.store import SearchStore
from unetbench.core.errors import SpecError, StoreError
from unetbench.core.record import Record


@pytest.fixture
def store(tmp_path):
    return SearchStore(tmp_path / "results" / "mine", "desk")


def _put(store, outcome):
    store.until[outcome.record.trial.id] = outcome.until
    return store.put(outcome.record)


def test_an_outcome_comes_back_as_it_was_written(store, fake):
    outcome = fake.outcome(fake.default(), 3, 0.7, cases=[0.6, float("nan"), 0.8])
    _put(store, outcome)
    found = store.outcome(fake.default().id, 3)
    assert (found.until, found.score, found.epochs, found.seconds) == (3, 0.7, 3, 30.0)
    dice, groups = found.cases()
    assert [str(value) for value in dice] == ["0.6", "nan", "0.8"]
    assert list(groups) == ["g0", "g1", "g2"]
    assert store.outcome(fake.default().id, 9) is None


def test_rungs_of_one_trial_are_files_of_their_own(store, fake):
    for until in (1, 3, 9):
        _put(store, fake.outcome(fake.default(), until))
    assert [store.outcome(fake.default().id, until).epochs for until in (1, 3, 9)] == [1, 3, 9]


def test_no_sweep_finds_a_trial_of_a_search(store, fake):
    file = _put(store, fake.outcome(fake.default(), 9))
    beside = Store(store.results.parent, "mine", "desk")
    assert beside.find(fake.default()) is None
    assert Store(store.results.parent, "other", "desk").find(fake.default()) is None
    with pytest.raises(StoreError, match="not a record"):
        Record.from_json(file.read_text(), str(file))


@pytest.mark.parametrize("text", ("", "[1]", "{}", '{"kind": "record"}', '{"kind": "trial of a search", "schema": 1}'))
def test_a_damaged_file_is_named_in_one_line_with_the_mend(store, fake, text):
    file = _put(store, fake.outcome(fake.default(), 9))
    file.write_text(text)
    with pytest.raises(
        StoreError, match=f"{file.name}: is no trial of a search .*; delete it to have the trial run"
    ) as e:
        store.outcome(fake.default().id, 9)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    "changes",
    (
        {"until": -1},
        {"record": []},
        {"record": {"history": [{"epoch": 1, "train_s": "long", "validate_s": 1.0}]}},
        {"record": {"selection": {"dice": 0.5, "cases": [{"case": "a", "dice": 0.5}]}}},
        {"record": {"selection": {"dice": "high", "cases": []}}},
        {"more": "[" * 100_000},
    ),
)
def test_a_file_that_holds_something_else_is_refused_in_one_line(store, fake, changes):
    file = _put(store, fake.outcome(fake.default(), 9))
    fields = json.loads(file.read_text())
    if isinstance(changes.get("record"), dict):
        changes = {"record": {**fields["record"], **changes["record"]}}
    text = json.dumps({**fields, **changes})
    file.write_text(text.replace(f'"{"[" * 100_000}"', "[" * 100_000))
    with pytest.raises(StoreError, match="delete (it|the file) to have the trial run") as error:
        store.outcome(fake.default().id, 9)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("row", "message"),
    (
        ({"step": 1e-9, "log": False}, "step 1e-09 does not belong to the range"),
        ({"low": 0.5}, "from 0.5 to 0.1 is no range"),
        ({"low": 0.0}, "from 0 to 0.1 is no range"),  # in the logarithm
        ({"kind": "metric"}, "kind is 'metric', not 'recipe' or"),
        ({"values": 3}, "values is 3, not a list"),
    ),
)
def test_a_search_of_an_impossible_space_is_refused_in_one_line(store, fake, row, message):
    default, tuning = fake.default(), fake.tuning("random", trials=9)
    store.search("abc").begin(default, tuning, fake.space, dict)
    (file,) = store.folder.glob("searches/*/abc/search.json")
    fields = json.loads(file.read_text())
    fields["space"][0] |= row
    file.write_text(json.dumps(fields))
    with pytest.raises(StoreError, match=message) as error:
        store.search("abc").about()
    assert str(error.value).endswith(f"delete {file.parent}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ("", "[]", '{"values": 1, "source": "random", "bracket": -1}', '{"values": {}}'))
def test_a_damaged_proposal_is_named_with_the_mend(store, text):
    store.search("abc")[1] = Proposal({"rate": 0.1}, "random")
    (file,) = store.folder.glob("searches/*/abc/0001.json")
    file.write_text(text)
    with pytest.raises(StoreError, match=f"0001.json: is no part of a search .*; delete {file.parent}$"):
        len(store.search("abc"))


def test_a_file_of_a_later_version_is_not_read(store, fake):
    file = _put(store, fake.outcome(fake.default(), 9))
    file.write_text(json.dumps({**json.loads(file.read_text()), "schema": 99}))
    with pytest.raises(StoreError, match="schema 99 is newer than 1; update unetbench"):
        store.outcome(fake.default().id, 9)


def test_what_failed_is_settled_for_the_search_went_on_from_it(store, fake):
    outcome = fake.outcome(fake.default(), 9, status="failed", reason="no memory")
    _put(store, outcome)
    assert store.settled([fake.default()]) == {fake.default().id: outcome.record}


def test_checkpoints_stay_until_they_are_forgotten(store, fake):
    trial = fake.default()
    file = store.path("checkpoints", trial, ".npz")
    file.touch()
    _put(store, fake.outcome(trial, 9))
    store.tidy(fake.outcome(trial, 9).record)
    assert file.exists()
    store.forget(trial.id)
    assert not file.exists()


def test_proposals_are_read_again_up_to_the_first_gap(store):
    kept = store.search("abc")
    for number in (1, 2, 4):
        kept[number] = Proposal({"rate": 0.1 * number}, "random", number)
    assert dict(store.search("abc")) == {number: kept[number] for number in (1, 2)}


def test_a_search_of_another_space_or_engine_is_refused_in_its_folder(store, fake):
    default, tuning = fake.default(), fake.tuning("random", trials=9)
    store.search("abc").begin(default, tuning, fake.space, dict)
    store.search("abc").begin(default, fake.tuning("random", trials=30), fake.space, lambda: {"keras-tuner": "2"})
    wider = (Dimension("rate", "recipe", "rate", low=1e-5, high=1e-1, log=True), *fake.space[1:])
    for other, space, message in (
        (tuning, wider, "another space: rate 0.0001 to 0.1, log, now 1e-05 to 0.1, log; give the sweep another name"),
        (tuning, fake.space[:2], "another space: schedule plateau, cosine, constant, now not searched"),
        (fake.tuning("bayesian", trials=9), fake.space, "another engine: random, now bayesian"),
        (fake.tuning("random", trials=9, seed=1), fake.space, "another seed of the engine: 0, now 1"),
        (fake.tuning("random", trials=9, stop_after=(3,)), fake.space, r"another rule for stopping: \[\], now \[3\]"),
    ):
        with pytest.raises(SpecError, match=message) as error:
            store.search("abc").begin(default, replace_space(other, space), space, dict)
        assert "\n" not in str(error.value)


def replace_space(tuning, space):
    return type(tuning)(**{**vars(tuning), "space": space})


def test_an_outcome_without_history_has_the_seconds_that_it_took(fake):
    times = {"started": "2026-01-02T03:04:05+00:00", "finished": "2026-01-02T03:04:17+00:00"}
    record = Record(fake.default(), "failed", "no memory", **times)
    assert Outcome(9, record).seconds == 12.0
    assert Outcome(9, Record(fake.default(), "failed", "killed")).seconds == 0.0
