"""A trial of stored weights: what it is made of, what it refuses, and that no test case has a say in it."""

from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import pytest

from unetbench.benchmark.predict.open_trial import open_trial
from unetbench.benchmark.records.store import Store
from unetbench.benchmark.sweep.ensembles import derived
from unetbench.benchmark.trial.assemble import assemble_trial
from unetbench.benchmark.trial.averaging import Averaging
from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.members import require_alike
from unetbench.benchmark.trial.run_trial import WorkerCache, run_trial, train_trial
from unetbench.core.errors import SpecError
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.registry import load_plugin
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.source import Source

UNET = Choice("unet", {"width": 4, "depth": 1, "normalisation": "batch"})
KEPT = (Averaging("ema", 0.5, (UNET.canonical,)), Averaging("swa", 0.5, (UNET.canonical,)))
KEPT += (Averaging("snapshots", 0.0, (UNET.canonical,)),)
RECIPE = Recipe(patch=(32, 32), batch=4, epochs=4, steps=3, rate=0.01, schedule="cosine", cycles=2, stop_patience=0)


def _silent(event):
    pass


def _context(folder, **options):
    shared = {"weights": True, "previews": 0, "averagings": KEPT}
    return Context(Source(None, folder / "cache"), folder, folder / "results", "test", **{**shared, **options})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A context and the records of a U-Net that was trained in it from two seeds."""
    context = _context(tmp_path_factory.mktemp("ensembles"))
    dataset = Choice("cells", {"count": 12, "size": [32, 32]})
    digest = open_dataset(dataset, {}, context).split.digest
    first = Trial(dataset, {"digest": digest}, UNET, Choice("bce_dice"), RECIPE, 0)
    cache, store, records = WorkerCache(), Store.here(context.results, context.sweep), []
    for seed in (0, 1):
        record = run_trial(replace(first, seed=seed), context, cache, _silent)
        assert record.status == "done", record.reason
        store.put(record)
        records.append(record)
    return context, records


def _run(context, trial):
    record = run_trial(trial, context, WorkerCache(), _silent)
    Store.here(context.results, context.sweep).put(record)
    return record


def _network(context, trial):
    return keras.saving.load_model(Store.here(context.results, context.sweep).weights_of(trial.id), compile=False)


def _images():
    return np.random.default_rng(0).normal(size=(2, 32, 32, 1)).astype("float32")


def _sigmoid(z):
    return 1 / (1 + np.exp(-np.asarray(z, float)))


def test_an_ensemble_of_seeds_is_scored_and_kept_as_one_network(trained):
    context, parents = trained
    trial = derived([one.trial for one in parents], "ensemble", {"over": ["seeds"]})
    record = _run(context, trial)
    assert record.status == "done", record.reason
    assert {row["case"] for row in record.scores} == {row["case"] for row in parents[0].scores}
    assert record.model["total"] == 2 * parents[0].model["total"]
    assert record.model["macs"] == 2 * parents[0].model["macs"]
    assert record.history == []
    members = record.selection["members"]
    assert [row["trial"] for row in members] == [one.trial.id for one in parents]
    assert [row["weight"] for row in members] == [0.5, 0.5]
    for row, parent in zip(members, parents, strict=True):
        assert row["dice"] == pytest.approx(parent.selection["score"])  # of the same cases, with the weights selected
    best = max(members, key=lambda row: row["dice"])
    assert record.selection["best"] == best["trial"]
    said = [_sigmoid(_network(context, one.trial)(_images())) for one in parents]
    assert _sigmoid(_network(context, trial)(_images())) == pytest.approx((said[0] + said[1]) / 2, abs=1e-6)


def test_a_trained_ensemble_predicts_like_any_other_trial(trained):
    context, parents = trained
    trial = derived([one.trial for one in parents], "ensemble", {"over": ["seeds"], "mean": "logits"})
    assert _run(context, trial).status == "done"
    folder = context.results / context.sweep / "records"
    segmenter = open_trial(next(folder.glob(f"*/{trial.id}.json")))
    said = [np.array(_network(context, one.trial)(_images()), float) for one in parents]
    assert segmenter.forward(_images()) == pytest.approx((said[0] + said[1]) / 2, abs=1e-5)
    assert not segmenter.mirror


def test_greedy_leaves_members_out_and_says_what_it_took(trained):
    context, parents = trained
    trial = derived([one.trial for one in parents], "ensemble", {"over": ["seeds"], "choose": "greedy", "most": 1})
    record = _run(context, trial)
    assert record.status == "done", record.reason
    weights = {row["trial"]: row["weight"] for row in record.selection["members"]}
    assert sorted(weights.values()) == [0.0, 1.0]
    assert record.model["total"] == parents[0].model["total"]
    taken = max(weights, key=weights.__getitem__)
    assert taken == record.selection["best"]
    assert {row["trial"] for row in record.selection["rounds"]} == {taken}


def test_averaged_weights_are_the_mean_of_those_after_the_last_epochs(trained):
    context, parents = trained
    trial = derived([parents[0].trial], "averaged", {"by": "swa", "begin": 0.5})
    record = _run(context, trial)
    assert record.status == "done", record.reason
    assert record.model["averaged"] == 2  # of 4 epochs, behind half of them
    assert record.model["statistics_batches"] == RECIPE.steps
    snapshots = derived([parents[0].trial], "snapshots", {"last": 2})
    assert _run(context, snapshots).status == "done"
    held = _network(context, snapshots)
    # The cycles end after epochs 2 and 4; swa averages epochs 3 and 4. So the last snapshot is one of two in the mean.
    last = held.get_layer("member_2").trainable_weights
    mean = _network(context, trial).trainable_weights
    with np.load(Store.here(context.results, context.sweep).averages_of(parents[0].trial.id)) as kept:
        count = len(held.get_layer("member_2").variables)
        for name, wanted in (("snapshot 2", last), ("swa 0.5", mean)):
            arrays = [kept[f"averages_{name}_{k}"] for k in range(count)]
            shapes = {array.shape for array in arrays}
            assert all(tuple(weight.shape) in shapes for weight in wanted)
            assert np.concatenate([np.ravel(w) for w in wanted]).sum() != 0
    assert not np.allclose(np.array(last[0]), np.array(mean[0]))


def test_a_member_that_failed_or_is_missing_fails_the_ensemble_in_one_line(trained):
    context, parents = trained
    stranger = replace(parents[1].trial, seed=7)
    record = run_trial(derived([parents[0].trial, stranger], "ensemble", {}), context, WorkerCache(), _silent)
    assert record.status == "failed"
    assert record.reason.startswith(f"member {UNET.label} · bce_dice · seed 7 ({stranger.id}) has no record in ")
    assert not record.traceback
    Store.here(context.results, context.sweep).put(Record(stranger, "failed", "loss is nan at step 3"))
    record = run_trial(derived([parents[0].trial, stranger], "ensemble", {}), context, WorkerCache(), _silent)
    assert record.reason.endswith(f"seed 7 ({stranger.id}) is failed: loss is nan at step 3")


def test_weights_that_no_training_kept_are_one_line(trained):
    context, parents = trained
    record = run_trial(
        derived([parents[0].trial], "averaged", {"by": "ema", "decay": 0.25}), context, WorkerCache(), _silent
    )
    assert record.status == "failed"
    assert "kept no ema 0.25" in record.reason
    assert "--retrain-incomplete" in record.reason


def test_a_member_that_saw_a_test_case_of_another_is_refused(trained):
    context, parents = trained
    opened = open_dataset(parents[0].trial.dataset, {}, context)
    tested = [case.name for case in opened.split.cases("test")]
    for seed in range(1, 20):  # until a split has other test cases
        other = open_dataset(parents[0].trial.dataset, {"seed": seed}, context)
        seen = [name for name in tested if other.split.roles[name] in ("train", "validation")]
        if seen:
            break
    member = replace(parents[1].trial, split={"seed": seed, "digest": other.split.digest})
    with pytest.raises(SpecError) as error:
        require_alike(parents[0].trial, member, parents[1].task, opened, context)
    assert f"saw {seen[0]}" in str(error.value)
    assert "which are test cases here; combine trials of one split" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_member_of_another_task_data_set_or_prediction_is_refused(trained):
    context, parents = trained
    trial, task = parents[0].trial, parents[0].task
    opened = open_dataset(trial.dataset, trial.split, context)

    def refused(match, member=trial, **changes):
        with pytest.raises(SpecError, match=match):
            require_alike(trial, member, {**task, **changes}, opened, context)

    require_alike(trial, parents[1].trial, parents[1].task, opened, context)
    refused("of another task, with classes .*'vessel'.* combine trials of one task", classes=["vessel"])
    refused("with channels 3 where the others have 1", channels=3)
    refused("of the data set cells", replace(trial, dataset=Choice("cells", {"count": 99})))
    refused(r"recipe.patch \(64, 64\)", replace(trial, recipe=replace(RECIPE, patch=(64, 64))))


def test_nothing_of_a_test_case_is_read_before_the_choice_is_frozen(tmp_path):
    load_plugin(Path(__file__).parents[1] / "sealed_data.py")  # its test cases raise an error when they are read
    context = _context(tmp_path)
    dataset = Choice("sealed")
    digest = open_dataset(dataset, {}, context).split.digest
    model = Choice("unet", {"width": 4, "depth": 1})
    recipe = replace(RECIPE, epochs=1, cycles=1, threshold="tuned")
    first = Trial(dataset, {"digest": digest}, model, Choice("bce_dice"), recipe, 0)
    store, cache = Store.here(context.results, context.sweep), WorkerCache()
    for seed in (0, 1):
        fields = {}
        made = train_trial(replace(first, seed=seed), context, cache, _silent, fields)
        made.compiled.network.save(store.path("weights", made.trial, ".keras"))
        store.put(Record(made.trial, "done", versions={"backend": keras.backend.backend()}, **fields))
    members = [replace(first, seed=seed) for seed in (0, 1)]
    for options in ({"choose": "greedy"}, {"copies": "mirror", "mean": "logits"}):
        fields = {}
        made = assemble_trial(derived(members, "ensemble", options), context, WorkerCache(), _silent, fields)
        assert asdict(made.selection)["monitor"] == "dice"
        assert 0.1 <= made.selection.threshold <= 0.9
        assert "scores" not in fields
    record = run_trial(derived(members, "ensemble", {}), context, WorkerCache(), _silent)
    assert record.reason.startswith("no test case can be scored: ")  # what is read last of all
