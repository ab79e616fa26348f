"""A search folder of somebody else is read, or refused in one line that names the file."""

import json

import pytest

from unetbench.benchmark.commands.status_tuning import tuning_state
from unetbench.benchmark.tune.oracle import Proposal
from unetbench.benchmark.tune.store import SearchStore
from unetbench.core.errors import StoreError


@pytest.fixture
def sweep(tmp_path, fake):
    """A sweep's folder with a search of two trials, of which the default is trained."""
    store = SearchStore(tmp_path, "desk")
    kept = store.search(fake.default().id)
    kept.begin(fake.default(), fake.tuning(trials=2), fake.space, dict)
    kept[1] = Proposal({"rate": 0.01}, "random")
    store.until[fake.default().id] = 9
    store.put(fake.outcome(fake.default(), 9).record)
    (tmp_path / "sweep.yaml").write_text("tune: {trials: 2}\n")
    return tmp_path


def _change(folder, pattern, change):
    (file,) = folder.glob(pattern)
    told = json.loads(file.read_text())
    change(told)
    file.write_text(json.dumps(told))


def test_a_whole_folder_is_read(sweep):
    (row,) = tuning_state(sweep)["desk"]
    assert (row["trials"], row["over"]) == (2, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda told: told.update(factor=1), "factor is 1, not a whole number from 2 on"),  # brackets without end
        (lambda told: told.update(engine="mine"), "engine is 'mine', not 'random' or 'bayesian'"),
        (lambda told: told["default"].update(backend="../elsewhere"), "backend is '../elsewhere', not 'tensorflow'"),
        (lambda told: told["space"][0].update(low=-1.0), r"space\[0\]: from -1.0 has no logarithm"),
        (lambda told: told["space"][1].update(low=9.0), r"space\[1\]: from 9.0 to 0.5 is empty"),
        (lambda told: told["space"][1].update(step=1e-9), r"space\[1\]: more than 1,000,000 steps"),
        (lambda told: told["space"][1].update(option="__class__"), r"space\[1\]: .*'__class__'"),
        (lambda told: told["space"][1].update(more=1), "more"),
        (lambda told: told.pop("stop_after"), "it has no 'stop_after'"),
    ],
)
def test_what_a_search_cannot_be_is_refused(sweep, change, message):
    _change(sweep, "tune/searches/desk/*/search.json", change)
    with pytest.raises(StoreError, match=rf"search\.json: is no search \(.*{message}.*; delete") as caught:
        tuning_state(sweep)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "change", "message"),
    [
        ("tune/searches/desk/*/0001.json", lambda told: told.update(values=[]), r"values is \[\], not a mapping"),
        ("tune/searches/desk/*/0001.json", lambda told: told["values"].update(mine=1), "'mine'"),
        ("tune/trials/desk/*.json", lambda told: told.update(until="9"), "until is '9', not a whole number"),
        (
            "tune/trials/desk/*.json",
            lambda told: told["record"]["history"][0].pop("train_s"),
            r"history\[0\] has no 'train_s'",
        ),
        (
            "tune/trials/desk/*.json",
            lambda told: told["record"]["selection"].update(cases=[{"case": "a", "group": "a", "dice": "good"}]),
            r"selection: cases\[0\]: dice is 'good'",
        ),
    ],
)
def test_what_a_proposal_or_an_outcome_cannot_be_is_refused(sweep, pattern, change, message):
    _change(sweep, pattern, change)
    with pytest.raises(StoreError, match=message) as caught:
        tuning_state(sweep)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["search.json", "0001.json"])
def test_lists_that_lie_too_deep_are_one_line(sweep, name):
    (file,) = sweep.glob(f"tune/searches/desk/*/{name}")
    file.write_text("[" * 100_000)
    with pytest.raises(StoreError, match=f"{name}: cannot be read: .*too deep"):
        tuning_state(sweep)


def test_a_budget_that_is_no_number_is_named(sweep):
    (sweep / "sweep.yaml").write_text("tune: {trials: many}\n")
    with pytest.raises(StoreError, match=r"sweep\.yaml: tune: trials is 'many', not a whole number"):
        tuning_state(sweep)
