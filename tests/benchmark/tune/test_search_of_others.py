"""The folder of a search that somebody else made, or changed."""

import json
from dataclasses import replace

import pytest

from unetbench.benchmark.tune.oracle import Proposal
from unetbench.benchmark.tune.results import searches_of
from unetbench.benchmark.tune.store import SearchStore
from unetbench.core.errors import StoreError


def test_files_that_do_not_fit_each_other_are_one_line(tmp_path, fake):
    store = SearchStore(tmp_path, "desk")
    kept = store.search(fake.default().id)
    kept.begin(fake.default(), fake.tuning(trials=2, stop_after=(3,)), fake.space, dict)
    kept[1] = Proposal({"rate": 0.01, "augment.shift": 0.1, "schedule": "cosine"}, "random")
    first, second = fake.default(), replace(fake.default(), recipe=replace(fake.default().recipe, rate=0.01))
    second = replace(second, recipe=replace(second.recipe, schedule="cosine"))
    for outcome in (
        fake.outcome(first, 3, 0.7),
        fake.outcome(first, 9, 0.8),
        fake.outcome(second, 3, 0.6, cases=[0.6] * 5),
    ):
        store.until[outcome.record.trial.id] = outcome.until
        store.put(outcome.record)
    (tmp_path / "sweep.yaml").write_text("tune: {trials: 2}\n")
    with pytest.raises(StoreError, match=r"search\.json: is no search \(.*shape.*; delete") as caught:
        searches_of(tmp_path)
    assert "\n" not in str(caught.value)
    file = kept.folder / "search.json"
    told = json.loads(file.read_text())
    told["space"][0]["option"] = "mine"
    file.write_text(json.dumps(told))
    with pytest.raises(StoreError, match=r"search\.json: is no search \(.*'mine'.*; delete"):
        searches_of(tmp_path)
