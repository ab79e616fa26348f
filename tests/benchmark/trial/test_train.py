"""Selection is made on validation and frozen before a test image is read; a broken-off training goes on bit for bit."""

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from unetbench.benchmark.trial import run_trial as attempts
from unetbench.benchmark.trial import train as training
from unetbench.benchmark.trial.compiled_model import CompiledModel
from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.run_trial import WorkerCache, run_trial
from unetbench.benchmark.trial.validate import Validation, ValidationCases
from unetbench.core.errors import DataError, Diverged
from unetbench.core.recipe import Recipe
from unetbench.core.registry import load_plugin
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.patches import PatchSampler
from unetbench.datasets.source import Source

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"

RECIPE = Recipe(patch=(32, 32), batch=4, epochs=4, steps=3, validation="full")
TRIAL = Trial(Choice("cells", {"count": 12, "size": [64, 64]}), {}, Choice("tiny"), Choice("bce_dice"), RECIPE, 5)


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    load_plugin(FAULTY)
    folder = tmp_path_factory.mktemp("train")
    return Context(Source(None, folder / "cache"), folder, folder / "results", "test")


@pytest.fixture
def parts(context):
    opened = open_dataset(TRIAL.dataset, {}, context)
    prepared = {role: [opened.prepare(case) for case in opened.split.cases(role)] for role in ("train", "validation")}
    names = [case.name for case in opened.split.cases("train")]

    def sampler(seed=5):
        return PatchSampler(prepared["train"], names, (32, 32), 4, steps=3, seed=seed)

    return opened.task, sampler, ValidationCases.of(prepared["validation"], RECIPE, 12, None)


def _silent(event):
    pass


def test_a_training_broken_off_goes_on_bit_for_bit(parts, tmp_path, monkeypatch):
    task, sampler, cases = parts
    monkeypatch.setattr(training, "SAVE_EVERY_S", 0.0)
    whole = CompiledModel(TRIAL, task)
    selection, history = training.train(whole, sampler(), cases, RECIPE, on_progress=_silent)

    def break_off(event):
        if event.get("phase") == "epoch" and event["epoch"] == 3:
            raise KeyboardInterrupt

    checkpoint = tmp_path / "checkpoint.npz"
    with pytest.raises(KeyboardInterrupt):
        training.train(
            CompiledModel(TRIAL, task), sampler(), cases, RECIPE, on_progress=break_off, checkpoint=checkpoint
        )
    resumed = CompiledModel(TRIAL, task)
    selection_2, history_2 = training.train(
        resumed, sampler(), cases, RECIPE, on_progress=_silent, checkpoint=checkpoint
    )
    assert selection_2 == selection
    assert [row["loss"] for row in history_2] == [row["loss"] for row in history]
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_best_epoch_on_validation_is_kept(parts):
    task, sampler, cases = parts
    graph = CompiledModel(TRIAL, task)
    selection, history = training.train(graph, sampler(), cases, RECIPE, on_progress=_silent)
    scores = [row["val_dice"] for row in history]
    assert selection.epoch == max(history, key=lambda row: (row["val_dice"], -row["val_loss"]))["epoch"]
    found = training.validate(graph.forward, graph.loss, [(cases.tiles, cases.tiles.truths)], task, batch=4)
    assert found.dice == pytest.approx(max(scores))


def test_early_stopping_and_the_plateau_follow_the_recipe(parts):
    task, sampler, cases = parts
    recipe = replace(RECIPE, epochs=20, rate=1e-12, patience=2, factor=0.5, stop_patience=5)
    _, history = training.train(
        CompiledModel(replace(TRIAL, recipe=recipe), task), sampler(), cases, recipe, on_progress=_silent
    )
    best = int(max(history, key=lambda row: (row["val_dice"], -row["val_loss"]))["epoch"])
    assert len(history) == best + 5
    assert [row["rate"] for row in history[best:]] == [1e-12, 1e-12, 5e-13, 5e-13, 2.5e-13]


def test_warm_up_and_cosine_rates(parts):
    task, sampler, cases = parts
    recipe = replace(RECIPE, epochs=4, warmup=2, schedule="cosine", rate=0.03)
    _, history = training.train(
        CompiledModel(replace(TRIAL, recipe=recipe), task), sampler(), cases, recipe, on_progress=_silent
    )
    # warm-up 0.03 × 1/3 and 2/3; then 0.03 × (1 + cos 0)/2 and 0.03 × (1 + cos(π/2))/2
    assert [row["rate"] for row in history] == pytest.approx([0.01, 0.02, 0.03, 0.015])


def test_validation_without_foreground_cannot_choose_by_dice(parts):
    task, sampler, cases = parts
    empty = replace(cases, tiles=replace(cases.tiles, truths=np.zeros_like(cases.tiles.truths)))
    with pytest.raises(DataError, match="no case has a foreground pixel.* set recipe.monitor: loss"):
        training.train(CompiledModel(TRIAL, task), sampler(), empty, RECIPE, on_progress=_silent)
    by_loss = replace(RECIPE, monitor="loss", epochs=1)
    selection, _ = training.train(CompiledModel(TRIAL, task), sampler(), empty, by_loss, on_progress=_silent)
    assert selection.monitor == "loss"
    assert selection.score > 0


def test_no_test_image_is_read_before_the_selection_is_frozen(context, monkeypatch):
    opened = open_dataset(TRIAL.dataset, {}, context)
    trial = replace(TRIAL, split={"digest": opened.split.digest})
    log = []

    def spied(choice, split, context):
        found = open_dataset(choice, split, context)
        roles = found.split.roles

        def spy(case):
            return replace(case, read=lambda: log.append(roles[case.name]) or case.read())

        cases = tuple(spy(case) for case in found.dataset.cases)
        return replace(found, split=replace(found.split, dataset=replace(found.dataset, cases=cases)))

    monkeypatch.setattr(attempts, "open_dataset", spied)
    freeze = training.train
    monkeypatch.setattr(attempts, "train", lambda *a, **k: (freeze(*a, **k), log.append("frozen"))[0])
    cache = WorkerCache()
    for _ in range(2):
        assert run_trial(trial, context, cache, _silent).status == "done"
    first, second = " ".join(log).split("frozen", 1)
    assert "test" not in first
    assert set(second.split("frozen")[0].split()) == {"test"}
    assert set(second.split("frozen")[1].split()) == {"test"}


def test_mixed_precision_trains_in_float32_weights(parts):
    task, sampler, cases = parts
    recipe = replace(RECIPE, precision="mixed_bfloat16", epochs=1)
    try:
        graph = CompiledModel(replace(TRIAL, recipe=recipe), task)
        training.train(graph, sampler(), cases, recipe, on_progress=_silent)
        assert {str(weight.dtype) for weight in graph.model.trainable_weights} == {"float32"}
        assert graph.forward(cases.tiles.images[:1]).dtype == np.float32
    finally:
        keras.mixed_precision.set_dtype_policy("float32")


@pytest.mark.parametrize("loss", ["bce_dice", "deep_supervision"])
def test_a_model_of_several_outputs_learns_from_all_and_predicts_with_the_first(parts, loss):
    task, sampler, cases = parts
    trial = replace(TRIAL, model=Choice("two_heads"), loss=Choice(loss))
    graph = CompiledModel(trial, task)
    before = [np.asarray(weight) for weight in graph.model.trainable_weights]
    _, history = training.train(graph, sampler(), cases, replace(RECIPE, epochs=1), on_progress=_silent)
    assert np.isfinite(history[0]["loss"])
    assert graph.forward(cases.tiles.images[:1]).shape == (1, 32, 32, 1)
    for old, new in zip(before, graph.model.trainable_weights, strict=True):
        assert np.any(old != np.asarray(new)), new.path


def test_a_sum_of_losses_leaves_the_mean_of_each_term_in_the_history(parts):
    task, sampler, cases = parts
    graph = CompiledModel(replace(TRIAL, loss=Choice("bce_dice")), task)
    _, history = training.train(graph, sampler(), cases, replace(RECIPE, epochs=2), on_progress=_silent)
    for row in history:
        assert row["loss"] == pytest.approx(0.5 * row["loss: ce"] + 0.5 * row["loss: dice"], rel=1e-4)


def test_a_loss_that_is_not_finite_names_step_terms_and_cases(parts):
    task, sampler, cases = parts
    several = Choice("weighted_sum", {"parts": [{"name": "dice"}, {"name": "turns_nan"}]})
    with pytest.raises(
        Diverged, match=r"loss is nan, dice 0\.\d+, turns_nan nan at step 1 \(epoch 1\); the batch holds \w+"
    ):
        training.train(CompiledModel(replace(TRIAL, loss=several), task), sampler(), cases, RECIPE, on_progress=_silent)


LARGE = replace(RECIPE, patch=(16, 16), epochs=5, steps=2, validation="sampled")


@pytest.fixture
def sampled(context):
    """A training of 8 patches an epoch: one of the 16 tiles of each of its 4 validation cases is looked at."""
    opened = open_dataset(TRIAL.dataset, {}, context)
    prepared = {role: [opened.prepare(case) for case in opened.split.cases(role)] for role in ("train", "validation")}
    names = [case.name for case in opened.split.cases("train")]

    def start(recipe=LARGE):
        sampler = PatchSampler(prepared["train"], names, (16, 16), 4, steps=2, seed=5)
        return sampler, ValidationCases.of(prepared["validation"], recipe, len(sampler) * 4, None)

    return opened.task, start, replace(TRIAL, recipe=LARGE)


def test_epochs_are_compared_on_a_part_and_the_best_three_on_whole_cases(sampled):
    task, start, trial = sampled
    sampler, cases = start()
    assert cases.sampled
    assert len(cases.tiles.images) == 4
    assert sum(len(tiles.images) for tiles in cases.whole()) == 64
    graph = CompiledModel(trial, task)
    selection, history = training.train(graph, sampler, cases, LARGE, on_progress=_silent)
    assert len(selection.candidates) == 3
    after = sorted((row["val_dice"] for row in history), reverse=True)[:3]
    assert [row["score"] for row in selection.candidates] == after
    assert selection.score == max(row["whole"] for row in selection.candidates)
    # The weights that are left in the model are those of the selected epoch: they give its score of whole cases.
    whole = [(tiles, tiles.truths) for tiles in cases.whole()]
    assert training.validate(graph.forward, graph.loss, whole, task, batch=4).dice == selection.score


def test_whole_validation_scores_all_tiles_after_each_epoch(sampled):
    task, start, trial = sampled
    full = replace(LARGE, validation="full")
    sampler, cases = start(full)
    assert not cases.sampled
    assert len(cases.tiles.images) == 64
    selection, history = training.train(CompiledModel(trial, task), sampler, cases, full, on_progress=_silent)
    assert selection.candidates == []
    assert selection.score == max(row["val_dice"] for row in history)


def test_a_sampled_training_broken_off_goes_on_bit_for_bit(sampled, tmp_path, monkeypatch):
    task, start, trial = sampled
    monkeypatch.setattr(training, "SAVE_EVERY_S", 0.0)
    whole = CompiledModel(trial, task)
    selection, history = training.train(whole, *start(), LARGE, on_progress=_silent)

    def break_off(event):
        if event.get("phase") == "epoch" and event["epoch"] == 5:
            raise KeyboardInterrupt

    checkpoint = tmp_path / "c.npz"
    with pytest.raises(KeyboardInterrupt):
        training.train(CompiledModel(trial, task), *start(), LARGE, on_progress=break_off, checkpoint=checkpoint)
    resumed = CompiledModel(trial, task)
    again, history_again = training.train(resumed, *start(), LARGE, on_progress=_silent, checkpoint=checkpoint)
    assert again == selection
    assert [row["val_dice"] for row in history_again] == [row["val_dice"] for row in history]
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_checkpoint_of_a_time_when_one_epoch_was_kept_goes_on(parts, tmp_path, monkeypatch):
    task, sampler, cases = parts
    monkeypatch.setattr(training, "SAVE_EVERY_S", 0.0)
    selection, _ = training.train(CompiledModel(TRIAL, task), sampler(), cases, RECIPE, on_progress=_silent)

    def break_off(event):
        if event.get("phase") == "epoch" and event["epoch"] == 3:
            raise KeyboardInterrupt

    checkpoint = tmp_path / "c.npz"
    with pytest.raises(KeyboardInterrupt):
        training.train(
            CompiledModel(TRIAL, task), sampler(), cases, RECIPE, on_progress=break_off, checkpoint=checkpoint
        )
    with np.load(checkpoint) as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    fields = json.loads(str(kept["progress"]))
    ((epoch, score, _),) = fields["best"]
    kept["progress"] = np.array(json.dumps({**fields, "best": score, "best_epoch": epoch}))
    np.savez(checkpoint, **kept)
    resumed = CompiledModel(TRIAL, task)
    again, _ = training.train(resumed, sampler(), cases, RECIPE, on_progress=_silent, checkpoint=checkpoint)
    assert again == selection


def test_no_finite_score_after_any_epoch_is_a_failure(parts, monkeypatch):
    task, sampler, cases = parts
    nothing = Validation(float("nan"), float("nan"))
    monkeypatch.setattr(training, "validate", lambda *a, **k: nothing)
    with pytest.raises(Diverged, match="loss was not finite after any epoch"):
        training.train(
            CompiledModel(TRIAL, task), sampler(), cases, replace(RECIPE, monitor="loss"), on_progress=_silent
        )


def test_another_loss_on_the_same_network_gives_the_bits_of_a_fresh_start(context):
    opened = open_dataset(TRIAL.dataset, {}, context)
    plain = replace(TRIAL, split={"digest": opened.split.digest}, loss=Choice("bce"))
    several = replace(plain, loss=Choice("bce_dice"), seed=6)
    cache = WorkerCache()
    shared = [run_trial(trial, context, cache, _silent) for trial in (plain, several, plain)]
    fresh = [run_trial(trial, context, WorkerCache(), _silent) for trial in (plain, several)]
    for one, other in zip(shared, [*fresh, fresh[0]], strict=True):
        assert one.status == "done", one.reason
        assert [row["loss"] for row in one.history] == [row["loss"] for row in other.history]
        assert one.scores == other.scores
    assert "loss: ce" in shared[1].history[0]
    assert "loss: ce" not in shared[2].history[0]


def _damage(file, how):
    content = file.read_bytes()
    if how == "half":
        file.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        file.write_bytes(b"")
    elif how == "text":
        file.write_text("not a checkpoint")
    else:
        with np.load(file) as arrays:
            kept = {name: arrays[name] for name in arrays.files}
        kept["state_0"] = kept["state_0"][..., :1]
        np.savez(file, **kept)


@pytest.mark.parametrize("how", ["half", "empty", "text", "another model"])
def test_a_damaged_checkpoint_is_set_aside_and_training_begins_anew(parts, tmp_path, monkeypatch, how):
    task, sampler, cases = parts
    monkeypatch.setattr(training, "SAVE_EVERY_S", 0.0)
    recipe = replace(RECIPE, epochs=2)
    trial, checkpoint = replace(TRIAL, recipe=recipe), tmp_path / "checkpoint.npz"
    first, history = training.train(
        CompiledModel(trial, task), sampler(), cases, recipe, on_progress=_silent, checkpoint=checkpoint
    )
    _damage(checkpoint, how)
    told = []
    again, history_again = training.train(
        CompiledModel(trial, task), sampler(), cases, recipe, on_progress=told.append, checkpoint=checkpoint
    )
    assert again == first
    assert [row["loss"] for row in history_again] == [row["loss"] for row in history]
    (warning,) = [event["text"] for event in told if event.get("phase") == "warning"]
    assert "checkpoint.damaged.npz now, and training begins anew" in warning
    assert (tmp_path / "checkpoint.damaged.npz").exists()


def _validation(dice, loss):
    return Validation(loss, dice)


def _trained_while_validation_says(parts, monkeypatch, scores, **options):
    """A training whose validation says these (dice, loss), epoch after epoch; the model is not trained."""
    task, sampler, cases = parts
    recipe = replace(RECIPE, rate=1e-12, epochs=len(scores), **options)
    said = iter(scores)
    monkeypatch.setattr(training, "validate", lambda *_, **__: _validation(*next(said)))
    compiled = CompiledModel(replace(TRIAL, recipe=recipe), task)
    return training.train(compiled, sampler(), cases, recipe, on_progress=_silent)


def test_of_equal_scores_the_lower_loss_is_selected(parts, monkeypatch):
    selection, _ = _trained_while_validation_says(parts, monkeypatch, [(0.0, 3.0), (0.0, 1.0), (0.0, 2.0), (0.0, 1.0)])
    assert (selection.epoch, selection.score) == (2, 0.0)
    selection, _ = _trained_while_validation_says(parts, monkeypatch, [(0.0, 1.0), (0.1, 9.0), (0.1, np.nan)])
    assert selection.epoch == 2


def test_a_dice_that_stays_is_no_standstill_while_the_loss_falls(parts, monkeypatch):
    falling = [(0.0, 5.0 - k) for k in range(4)]
    _, history = _trained_while_validation_says(
        parts, monkeypatch, [*falling, (0.0, 2.0), (0.0, 2.0), (0.5, 0.0)], patience=1, stop_patience=2
    )
    assert len(history) == 6  # two epochs after the loss stopped falling
    assert len({row["rate"] for row in history[:5]}) == 1


@pytest.mark.parametrize("monitor", ["dice", "loss"])
def test_no_finite_score_is_a_failure_with_its_reason(parts, monkeypatch, monitor):
    with pytest.raises(Diverged, match=f"{monitor} was not finite after any epoch"):
        _trained_while_validation_says(parts, monkeypatch, [(np.nan, np.nan)] * 2, monitor=monitor)
