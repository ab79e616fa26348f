"""A trial that comes from another one starts from its weights or learns from it, and says what became of them."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from unetbench.benchmark.records.store import Store
from unetbench.benchmark.trial import train as training
from unetbench.benchmark.trial.compiled_model import CompiledModel
from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.origin import origin_of, pruning_of
from unetbench.benchmark.trial.run_trial import WorkerCache, run_trial
from unetbench.benchmark.trial.training_set import training_set
from unetbench.core.errors import StoreError, Unfit
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.registry import load_plugin
from unetbench.core.trial import Choice, Derivation, Trial
from unetbench.datasets.source import Source
from unetbench.models.lighter.magnitude import kernels, sparsities, total

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"
RECIPE = Recipe(patch=(32, 32), batch=4, epochs=2, steps=3, validation="full", warmup=1)
UNET = Choice("unet", {"width": 8, "depth": 1})


def _silent(event):
    pass


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A context and the record of a U-Net that was trained in it, kept with its weights."""
    load_plugin(FAULTY)
    folder = tmp_path_factory.mktemp("origin")
    context = Context(Source(None, folder / "cache"), folder, folder / "results", "test", weights=True, previews=0)
    dataset = Choice("cells", {"count": 12, "size": [64, 64]})
    digest = open_dataset(dataset, {}, context).split.digest
    record = run_trial(
        Trial(dataset, {"digest": digest}, UNET, Choice("bce_dice"), RECIPE, 5), context, WorkerCache(), _silent
    )
    assert record.status == "done", record.reason
    Store.here(context.results, context.sweep).put(record)
    return context, record


def _child(parent: Trial, step: str, model: Choice | None = None, **options) -> Trial:
    chosen = options if step == "distil" else {"epochs": 4, "rate": 1e-3, **options}
    return replace(parent, model=model or parent.model, derivation=Derivation(step, parent.id, parent.model, chosen))


def test_a_magnitude_pruning_ends_with_the_sparsity_asked_for_in_record_and_weights(trained):
    context, parent = trained
    trial = _child(parent.trial, "magnitude", sparsity=0.75, ranking="global")
    record = run_trial(trial, context, WorkerCache(), _silent)
    assert record.status == "done", record.reason
    sparsity = record.model["sparsity"]
    size = sum(row["size"] for row in sparsity["layers"])
    assert sum(row["zeros"] for row in sparsity["layers"]) == int(0.75 * size)
    assert sparsity["total"] == pytest.approx(0.75, abs=1 / size)
    assert record.model["parent"] == parent.trial.id
    assert record.model["total"] == parent.model["total"]
    assert record.model["compressed_bytes"] < 0.6 * record.model["weights_bytes"]
    assert record.model["initial_weights"] == f"trial {parent.trial.id}"
    assert [row["epoch"] for row in record.history] == [1, 2, 3, 4]
    assert record.selection["epoch"] >= 3  # from three quarters of the steps on, all the zeros are there
    assert {row["rate"] for row in record.history} == {1e-3}  # and no warm-up
    kept = keras.saving.load_model(Store.here(context.results, context.sweep).weights_of(trial.id))
    assert total(sparsities(kept)) == sparsity["total"]
    assert len({(row["case"], row["class"]) for row in record.scores}) == len(parent.scores)


def test_a_channel_pruning_makes_the_network_smaller_and_keeps_what_it_learnt(trained):
    context, parent = trained
    trial = _child(parent.trial, "channels", share=0.5)
    record = run_trial(trial, context, WorkerCache(), _silent)
    assert record.status == "done", record.reason
    assert record.model["total"] < 0.3 * parent.model["total"]
    assert record.model["macs"] < 0.3 * parent.model["macs"]
    assert record.model["channels"]["after"] <= 0.55 * record.model["channels"]["before"]
    store = Store.here(context.results, context.sweep)
    kept = keras.saving.load_model(store.weights_of(trial.id))
    assert kept.count_params() == record.model["total"]
    filters = np.array(keras.saving.load_model(store.weights_of(parent.trial.id)).layers[2].kernel)
    origin = origin_of(trial, store)
    assert origin is not None
    begun = CompiledModel(trial, open_dataset(trial.dataset, trial.split, context).task, origin).network
    remaining = np.array(begun.layers[2].kernel)
    norms = np.abs(filters).sum((0, 1, 2))
    assert remaining.shape[-1] == 4
    assert all(any(np.array_equal(remaining[..., k], filters[..., j]) for j in range(8)) for k in range(4))
    assert norms.size == 8


def test_a_pruning_broken_off_goes_on_bit_for_bit(trained, tmp_path, monkeypatch):
    context, parent = trained
    trial = _child(parent.trial, "magnitude", sparsity=0.8)
    monkeypatch.setattr(training, "SAVE_EVERY_S", 0.0)
    opened = open_dataset(trial.dataset, trial.split, context)
    held = [[opened.hold(case) for case in opened.split.cases(role)] for role in ("train", "validation")]

    def run(on_progress=_silent, checkpoint=None):
        compiled = CompiledModel(trial, opened.task, origin_of(trial, Store.here(context.results, context.sweep)))
        sampler, cases = training_set(trial, opened, *held, None)
        selection, _ = training.train(
            compiled,
            sampler,
            cases,
            trial.training,
            on_progress=on_progress,
            checkpoint=checkpoint,
            pruning=pruning_of(trial),
        )
        return selection, compiled

    def break_off(event):
        if event.get("phase") == "epoch" and event["epoch"] == 3:
            raise KeyboardInterrupt

    whole = run()
    with pytest.raises(KeyboardInterrupt):
        run(break_off, tmp_path / "checkpoint.npz")
    resumed = run(checkpoint=tmp_path / "checkpoint.npz")
    assert resumed[0] == whole[0]
    for one, other in zip(whole[1].get_weights(), resumed[1].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("student", "outputs"), [("tiny", 1), ("two_heads", 2)])
def test_a_student_learns_the_weighted_sum_of_its_loss_and_of_what_the_teacher_says(trained, student, outputs):
    context, parent = trained
    trial = _child(parent.trial, "distil", Choice(student), weight=0.25, temperature=2.0)
    origin = origin_of(trial, Store.here(context.results, context.sweep))
    assert origin is not None
    compiled = CompiledModel(trial, open_dataset(trial.dataset, trial.split, context).task, origin)
    rng = np.random.default_rng(0)
    images = rng.normal(size=(3, 32, 32, 1)).astype("float32")
    truth = rng.integers(0, 2, (3, 32, 32, 1)).astype("float32")
    made = compiled.network(images, training=False)
    logits = np.array(made[0] if outputs > 1 else made, "float64") / 2
    teacher = np.array(origin.network(images, training=False), "float64") / 2
    p, q = 1 / (1 + np.exp(-teacher)), 1 / (1 + np.exp(-logits))
    apart = 4 * (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).mean()  # T² = 4
    task_loss = np.array(compiled.model.objective(truth, made)).mean()
    learnt = float(compiled.model.compute_loss(images, truth, made))
    assert apart > 1e-4
    assert learnt == pytest.approx(0.75 * task_loss + 0.25 * apart, rel=1e-4)
    assert len(compiled.model.weights) == len(compiled.network.weights)  # the teacher is no part of the student


def test_a_teacher_stays_as_it_was_while_its_student_learns(trained):
    context, parent = trained
    trial = _child(parent.trial, "distil", Choice("tiny"), weight=0.5, temperature=2.0)
    cache = WorkerCache()
    record = run_trial(trial, context, cache, _silent)
    assert record.status == "done", record.reason
    assert len(record.history) == 2  # a student trains as the recipe says
    origin = origin_of(trial, Store.here(context.results, context.sweep))
    assert origin is not None
    assert cache.compiled is not None
    assert cache.compiled.origin is not None
    for one, other in zip(cache.compiled.origin.network.weights, origin.network.weights, strict=True):
        np.testing.assert_array_equal(np.array(one), np.array(other))
    alone = run_trial(replace(trial, derivation=None), context, WorkerCache(), _silent)
    assert alone.history[0]["loss"] != record.history[0]["loss"]


def test_a_parent_that_is_not_done_is_the_reason_of_its_child(trained, tmp_path):
    _, parent = trained
    store = Store.here(tmp_path, "other")
    trial = _child(parent.trial, "channels", share=0.5)
    with pytest.raises(
        StoreError, match=r"parent unet\(width=8, depth=1\) \(\w{16}\) has no record in .*; run its sweep"
    ):
        origin_of(trial, store)
    store.put(replace(parent, status="failed", reason="the disk is full"))
    with pytest.raises(StoreError, match="parent .* is failed: the disk is full"):
        origin_of(trial, store)
    store.put(replace(parent, status="unfit", reason="rank"))
    with pytest.raises(Unfit, match="parent .* is unfit: rank"):
        origin_of(trial, store)
    store.put(parent)
    with pytest.raises(StoreError, match=r"is done, but .* has no \w{16}.keras; `unetbench run --retrain-incomplete`"):
        origin_of(trial, store)
    store.path("weights", parent.trial, ".keras").write_bytes(b"no archive")
    with pytest.raises(StoreError, match="is no network that Keras can load .*; delete it and train anew"):
        origin_of(trial, store)


def test_a_child_of_a_failed_parent_becomes_a_failed_record(trained):
    context, parent = trained
    other = replace(parent.trial, seed=6)
    Store.here(context.results, context.sweep).put(Record(other, "failed", "no luck"))
    record = run_trial(_child(other, "magnitude", sparsity=0.5), context, WorkerCache(), _silent)
    assert (record.status, record.traceback) == ("failed", "")
    assert "is failed: no luck" in record.reason


def test_zeros_survive_into_the_kernels_only(trained):
    context, parent = trained
    trial = _child(parent.trial, "magnitude", sparsity=0.9)
    record = run_trial(trial, context, WorkerCache(), _silent)
    kept = keras.saving.load_model(Store.here(context.results, context.sweep).weights_of(trial.id))
    assert [row["zeros"] for row in record.model["sparsity"]["layers"]] == [
        int(0.9 * np.prod(weight.shape) + 1e-9) for weight in kernels(kept)
    ]
