"""Validation scores by hand."""

import numpy as np
import pytest

from unetbench.benchmark.trial.validate import Tiles, ValidationCases, best_threshold, labels, validate
from unetbench.core.recipe import Recipe
from unetbench.core.task import Task
from unetbench.datasets.case import Sample
from unetbench.datasets.prepare import Prepared
from unetbench.losses.auxiliary_targets import append_targets

BINARY = Task(2, 1, ("cell",))


def _tiles(truths, cases, counted=None):
    truths = np.asarray(truths, np.uint8)[..., None]
    counted = np.ones(truths.shape[:-1], bool) if counted is None else np.asarray(counted)
    return Tiles(truths.astype(np.float32), truths, counted, np.asarray(cases))


def _loss(truth, logits):
    return np.full(len(logits), 2.0, np.float32)


def test_counts_are_summed_over_the_tiles_of_a_case():
    # case 0: tiles [1 1], [1 0], all predicted 1: tp 3, fp 1 -> 6/7; case 1: [0 1], tp 1, fp 1 -> 2/3
    tiles = _tiles([[[1, 1]], [[1, 0]], [[0, 1]]], [0, 0, 1])
    found = validate(lambda images: np.ones_like(images), _loss, [(tiles, tiles.truths)], BINARY, batch=2)
    assert found.dice == pytest.approx((6 / 7 + 2 / 3) / 2)
    assert found.loss == 2.0


def test_a_pixel_that_is_not_counted_does_not_count():
    tiles = _tiles([[[1, 0]]], [0], [[[True, False]]])
    assert validate(lambda images: np.ones_like(images), _loss, [(tiles, tiles.truths)], BINARY, batch=1).dice == 1.0


def test_an_ignored_pixel_does_not_count():
    tiles = _tiles([[[1, 255]]], [0])
    task = Task(2, 1, ("cell",), ignore=255)
    assert validate(lambda images: np.ones_like(images), _loss, [(tiles, tiles.truths)], task, batch=1).dice == 1.0


def test_a_case_empty_on_both_sides_is_left_out():
    tiles = _tiles([[[0, 0]], [[1, 0]]], [0, 1])
    found = validate(lambda images: np.where(images > 0, 1.0, -1.0), _loss, [(tiles, tiles.truths)], BINARY, batch=1)
    assert found.dice == 1.0


def test_exclusive_classes_are_scored_without_the_background():
    task = Task(2, 1, ("background", "a", "b"), "exclusive")
    tiles = _tiles([[[0, 1, 2, 2]]], [0])
    guess = np.eye(3)[[0, 1, 1, 2]][None, None]
    # a: tp 1, fp 1 -> 2/3; b: tp 1, fn 1 -> 2/3
    assert validate(lambda images: guess, _loss, [(tiles, tiles.truths)], task, batch=1).dice == pytest.approx(2 / 3)


def test_the_best_threshold_is_the_one_of_the_highest_dice():
    tiles = _tiles([[[1, 1, 0, 0]]], [0])
    logits = np.log(np.array([0.9, 0.4, 0.3, 0.1]) / (1 - np.array([0.9, 0.4, 0.3, 0.1])))[None, None, :, None]
    threshold, dice = best_threshold(lambda images: logits, [tiles], BINARY, batch=1)
    assert (threshold, dice) == (0.4, 1.0)  # 0.35 would do too, but 0.4 is nearer to 0.5


def test_labels_from_logits():
    assert labels(np.array([[[-0.1], [0.0]]]), BINARY, 0.5).ravel().tolist() == [0, 1]
    task = Task(2, 1, ("a", "b"), "multilabel")
    assert labels(np.array([[[-2.0, 3.0]]]), task, 0.5).ravel().tolist() == [0, 1]


@pytest.mark.parametrize("validation", ["full", "sampled"])
def test_tiles_and_targets_kept_on_disk_are_those_of_memory(tmp_path, validation):
    prepared = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        image = rng.normal(size=(20, 33, 2)).astype(np.float32)
        truth = (rng.random((20, 33, 1)) < 0.2).astype(np.uint8)
        prepared.append(Prepared(image, truth, Sample(image, truth), (20, 33)))
    recipe = Recipe(patch=(8, 8), validation=validation)
    memory, disk = (ValidationCases.of(prepared, recipe, 40, None, scratch) for scratch in (None, tmp_path / "scratch"))
    assert len(memory.tiles.images) == {"full": 3 * 3 * 5, "sampled": 10}[validation]

    def targets(images, truths):
        return append_targets(truths, BINARY, ("signed_distance",))

    pairs = [
        (getattr(memory.tiles, name), getattr(disk.tiles, name)) for name in ("images", "truths", "counted", "cases")
    ]
    for one, other in [*pairs, (memory.targets(targets), disk.targets(targets))]:
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
