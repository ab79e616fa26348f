"""A trial of a search reads no test case, and goes on from rung to rung as if it had never stopped."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unetbench.benchmark.records.store import Store
from unetbench.benchmark.trial.context import Context
from unetbench.benchmark.trial.run_search import run_search_trial
from unetbench.benchmark.trial.run_trial import WorkerCache, run_trial
from unetbench.benchmark.trial.search_trial import SearchTrial
from unetbench.core.recipe import Recipe
from unetbench.core.registry import load_plugin
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.source import Source

PARTS = Path(__file__).parents[1]

RECIPE = Recipe(patch=(32, 32), batch=4, epochs=4, steps=12, schedule="cosine", rate=1e-1)
TRIAL = Trial(Choice("sealed"), {}, Choice("tiny"), Choice("bce_dice"), RECIPE, 5)


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    load_plugin(PARTS / "faulty_parts.py")
    load_plugin(PARTS / "sealed_data.py")
    folder = tmp_path_factory.mktemp("search")
    return Context(Source(None, folder / "cache"), folder, folder / "results", "tune", previews=0)


def _silent(event):
    pass


def _searched(trial, context, *epochs):
    for until in epochs:
        record = run_search_trial(SearchTrial(trial, until), context, WorkerCache(), _silent)
    return record


def _history(record):
    return [{name: value for name, value in row.items() if not name.endswith("_s")} for row in record.history]


@pytest.fixture(scope="module")
def whole(context):
    return _searched(TRIAL, replace(context, sweep="whole"), 4)


def test_a_search_needs_no_test_case_and_a_sweep_does(whole, context):
    assert whole.status == "done", whole.reason
    assert whole.scores == []
    assert run_trial(TRIAL, replace(context, sweep="sweep"), WorkerCache(), _silent).reason == (
        "no test case can be scored: a test case of sealed was read"
    )


def test_the_score_is_the_mean_over_whole_validation_cases(whole):
    cases = whole.selection["cases"]
    assert {row["case"].partition("_")[0] for row in cases} == {"nuclei"}
    assert whole.selection["dice"] == pytest.approx(np.mean([row["dice"] for row in cases]))
    assert len({row["group"] for row in cases}) == whole.data["validation_groups"]
    assert 0 < whole.selection["dice"] < 1


def test_rungs_end_as_a_training_without_them(whole, context):
    """Adam's moments, the place in the cosine, the draw of patches: rungs are one training, bit for bit."""
    record = _searched(TRIAL, context, 1, 3, 4)
    assert _history(record) == _history(whole)
    assert {k: v for k, v in record.selection.items() if k != "cases"} == {
        k: v for k, v in whole.selection.items() if k != "cases"
    }
    assert record.selection["cases"] == whole.selection["cases"]


def test_a_rung_leaves_the_checkpoint_that_the_next_one_goes_on_from(context):
    trial = replace(TRIAL, seed=6)
    first = _searched(trial, context, 2)
    assert [row["epoch"] for row in first.history] == [1, 2]
    assert Store.here(context.results, "tune").path("checkpoints", trial, ".npz").is_file()
    again = _searched(trial, context, 2)  # as after a kill between the checkpoint and the file of the outcome
    assert _history(again) == _history(first)


def test_a_search_trial_that_diverges_has_the_epochs_that_it_was_trained_for(context):
    trial = replace(TRIAL, recipe=replace(RECIPE, rate=1e30, optimizer="sgd", schedule="constant", warmup=1))
    record = _searched(trial, context, 4)
    assert record.status == "failed"
    assert len(record.history) < 4
