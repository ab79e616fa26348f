"""A trial with weaker labels trains on them, is selected and scored on full masks, and says what they took."""

from dataclasses import replace

import numpy as np
import pytest

from unetbench.benchmark.predict.open_trial import open_trial
from unetbench.benchmark.predict.segment import segment
from unetbench.benchmark.records.store import Store
from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.run_trial import WorkerCache, run_trial
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.object_labels import ObjectLabels
from unetbench.datasets.source import Source

CELLS = {"count": 12, "size": [32, 32]}


@pytest.fixture
def context(tmp_path):
    return Context(Source(None, tmp_path / "cache"), tmp_path, tmp_path / "results", "test", weights=True)


def _trial(labels, loss="bce_dice") -> Trial:
    recipe = Recipe(patch=(32, 32), batch=4, epochs=2, steps=6, rate=0.01)
    model = Choice("unet", {"width": 4, "depth": 2})
    return Trial(Choice("cells", {**CELLS, "labels": labels}), {}, model, Choice(loss), recipe, 0)


@pytest.mark.parametrize("cache", ["memory", "disk"])
def test_training_cases_alone_are_degraded_and_what_was_drawn_is_counted(context, cache):
    opened = open_dataset(_trial({"points": 1}).dataset, {}, context)
    full = open_dataset(Choice("cells", CELLS), {}, context)
    folder = context.source.cache / "cases" if cache == "disk" else None
    for _ in range(2):  # from disk the second time
        counts, plain = ObjectLabels(), ObjectLabels()
        weak, whole = opened.held("train", folder, counts), full.held("train", folder, plain)
        objects = sum(len(np.unique(case.read().instances)) - 1 for case in full.split.cases("train"))
        assert counts.drawn["objects"] == objects
        assert counts.drawn["clicks"] == 2 * objects
        assert counts.drawn["pixels"] == sum(case.truth.size for case in whole)
        assert counts.drawn["known"] == sum(int((case.classes != 255).sum()) for case in weak)
        assert plain.drawn == {}
    for role in ("validation", "test"):
        pairs = zip(opened.split.cases(role), full.split.cases(role), strict=True)
        assert all(np.array_equal(opened.hold(one).classes, full.hold(other).truth) for one, other in pairs)


def test_a_case_on_disk_that_trained_with_weaker_labels_validates_with_its_full_mask(context):
    full = {case.name: case.read().truth for case in open_dataset(Choice("cells", CELLS), {}, context).dataset.cases}
    validated = set()
    for fold in range(3):
        opened = open_dataset(_trial({"points": 1}).dataset, {"folds": 3, "fold": fold}, context)
        for role in ("train", "validation"):
            held = opened.held(role, context.source.cache / "cases", ObjectLabels())
            for case, kept in zip(opened.split.cases(role), held, strict=True):
                assert np.array_equal(kept.classes, full[case.name]) == (role == "validation")
        validated |= {case.name for case in opened.split.cases("validation")}
    assert len(validated) > 4  # so that some were training cases of another fold


def test_numbers_of_objects_follow_an_image_that_is_resized(context):
    labels = {"points": 1, "radius": 0, "background": 0}
    dataset = Choice("cells", {**CELLS, "labels": labels, "preprocess": {"resize": [64, 64]}})
    opened = open_dataset(dataset, {}, context)
    for case in opened.split.cases("train"):
        held, objects = opened.hold(case), len(np.unique(case.read().instances)) - 1
        assert held.classes.shape == (64, 64, 1)
        assert (held.classes == 1).sum() == objects


@pytest.mark.parametrize("labels", [{"points": 1}, {"fraction": 0.5}])
def test_the_record_says_what_training_saw_and_what_chose(context, labels):
    trial = _trial(labels)
    record = run_trial(trial, context, WorkerCache(), lambda event: None)
    assert record.status == "done", record.reason
    told = record.data["annotation"]
    assert told["labels"] == labels
    assert told["validation"] == "full"
    assert told["minutes"] > 0
    assert (told["known"] < told["pixels"]) == ("points" in labels)
    assert record.data["train"] == (4 if "points" in labels else 2)
    assert all(row["tp"] + row["fp"] + row["fn"] + row["tn"] == 32 * 32 for row in record.scores)
    assert Record.from_json(record.to_json()).trial == trial
    file = Store.here(context.results, context.sweep).put(record)
    image = open_dataset(trial.dataset, {}, context).split.cases("test")[0].read().image
    assert segment(image, open_trial(file)).labels.shape == (32, 32)


def test_a_network_of_full_masks_is_not_taken_for_one_of_weaker_labels(context):
    full = Trial(Choice("cells", CELLS), {}, _trial({}).model, Choice("bce_dice"), _trial({}).recipe, 0)
    cache = WorkerCache()
    first = run_trial(_trial({"points": 1}), context, WorkerCache(), lambda event: None)
    run_trial(full, context, cache, lambda event: None)
    again = run_trial(_trial({"points": 1}), context, cache, lambda event: None)
    assert [row["dice"] for row in first.scores] == [row["dice"] for row in again.scores]
    assert first.history[-1]["loss"] == again.history[-1]["loss"]


@pytest.mark.parametrize("cache", ["memory", "disk"])
def test_cases_left_open_stay_with_nothing_known_and_cost_nothing(context, cache):
    labels = {"fraction": 0.5, "rest": "open"}
    opened = open_dataset(Choice("cells", {**CELLS, "labels": labels}), {}, context)
    left = open_dataset(Choice("cells", {**CELLS, "labels": {"fraction": 0.5}}), {}, context)
    counts, plain = ObjectLabels(), ObjectLabels()
    folder = context.source.cache / "cases" if cache == "disk" else None
    held = opened.held("train", folder, counts)
    left.held("train", None, plain)
    whole = {case.name for case in left.split.cases("train")}
    for case, kept in zip(opened.split.cases("train"), held, strict=True):
        known = (kept.classes != 255).any()
        assert known == (case.name in whole)
    assert len(held) == 2 * len(whole)
    assert counts.drawn["outlines"] == plain.drawn["outlines"] > 0
    assert counts.drawn["known"] == counts.drawn["pixels"] / 2


def test_open_cases_teach_by_a_teacher_of_averaged_weights(context):
    trial = _trial({"fraction": 0.5, "rest": "open"}, "bce")
    trial = replace(trial, recipe=replace(trial.recipe, consistency=1.0))
    plain = replace(trial, recipe=replace(trial.recipe, consistency=0.0))
    records = [run_trial(one, context, WorkerCache(), lambda event: None) for one in (trial, plain)]
    assert [record.status for record in records] == ["done", "done"]
    assert records[0].history[-1]["loss"] != records[1].history[-1]["loss"]


MARKED = [
    ({"boxes": "ignore"}, "box_prior", ("ce", "tightness", "size")),
    ({"boxes": "ignore"}, "boxinst", ("ce", "projection", "pairwise")),
    ({"points": 1}, "localisation", ("ce", "image")),  # whether there are blobs to split is chance
    ({"scribbles": 1}, "ce_pairwise", ("ce", "pairwise")),
]


@pytest.mark.parametrize(("labels", "loss", "terms"), MARKED)
def test_losses_on_weak_labels_see_objects_boxes_and_images(context, labels, loss, terms):
    """Their terms are 0 without the marks and images that the input pipeline hands over."""
    record = run_trial(_trial(labels, loss), context, WorkerCache(), lambda event: None)
    assert record.status == "done", record.reason
    for term in terms:
        assert any(row[f"loss: {term}"] != 0 for row in record.history), term


def test_marks_kept_on_disk_train_as_those_in_memory(context):
    trial = _trial({"boxes": "ignore"}, "box_prior")
    losses = [
        [row["loss"] for row in run_trial(trial, kept, WorkerCache(), lambda event: None).history]
        for kept in (context, replace(context, cache="disk"))
    ]
    assert losses[0] == losses[1]


def test_labels_that_the_loss_cannot_read_are_unfit_in_one_line(context):
    record = run_trial(_trial({"points": 1}, "box_prior"), context, WorkerCache(), lambda event: None)
    assert record.status == "unfit"
    assert record.reason.endswith("the training labels are points")
