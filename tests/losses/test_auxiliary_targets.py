"""Maps of the truth: values by hand, and losses that give the same with them as without."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from unetbench.core.errors import SpecError
from unetbench.core.task import Task
from unetbench.losses import LOSSES
from unetbench.losses.auxiliary_targets import append_targets, required_targets, select
from unetbench.losses.distance import FAR, gap, signed_distance

CELL = Task(2, 1, ("cell",))
THREE = Task(2, 1, ("background", "nucleus", "cytoplasm"), "exclusive", ignore=255)
PARTS = {"parts": [{"name": "dice"}, {"name": "border_weighted_ce"}, {"name": "dice_boundary"}, {"name": "hausdorff"}]}
NEEDY = [("boundary", {}), ("dice_boundary", {}), ("hausdorff", {}), ("dice_hausdorff", {})]
NEEDY += [("border_weighted_ce", {}), ("weighted_sum", PARTS), ("deep_supervision", {"loss": "boundary"})]


def _row(values) -> np.ndarray:
    return np.asarray(values, np.uint8)[None, None, :, None]


def _random(task: Task) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, max(2, task.outputs), (2, 12, 10, 1)).astype("uint8")
    return truth, rng.normal(size=(2, 12, 10, task.outputs)).astype("float32")


def test_the_boundary_runs_between_the_pixels():
    np.testing.assert_array_equal(signed_distance(_row([0, 0, 1, 1, 1]), CELL).ravel(), [1.5, 0.5, -0.5, -1.5, -2.5])


def test_a_class_that_is_absent_or_everywhere_has_no_boundary():
    for value in (0, 1):
        assert not signed_distance(_row([value] * 4), CELL).any()


def test_ignored_pixels_are_on_neither_side():
    task = Task(2, 1, ("cell",), ignore=255)
    # The nearest background of the last pixel is two away, beyond the ignored one.
    np.testing.assert_array_equal(signed_distance(_row([0, 255, 1]), task).ravel(), [1.5, 0, -1.5])


def test_distances_follow_the_spacing():
    task = Task(3, 1, ("cell",), spacing_mm=(2.0, 0.5, 0.5))
    truth = np.zeros((1, 2, 1, 3, 1), np.uint8)
    truth[0, 0, 0, 0] = 1
    # Sides 4, 1, 1: straight down 4, then √(16 + 1) and √(16 + 4); half a pixel less each.
    expected = [[-0.5, 0.5, 1.5], [3.5, 17**0.5 - 0.5, 20**0.5 - 0.5]]
    np.testing.assert_allclose(signed_distance(truth, task)[0, :, 0, :, 0], expected, rtol=1e-6)


def test_exclusive_classes_have_a_map_each():
    task = Task(2, 1, ("background", "a", "b"), "exclusive")
    np.testing.assert_array_equal(
        signed_distance(_row([0, 1, 2]), task)[0, 0], [[-0.5, 0.5, 1.5], [0.5, -0.5, 0.5], [1.5, 0.5, -0.5]]
    )


def test_the_gap_is_the_sum_of_the_distances_to_two_objects():
    np.testing.assert_array_equal(gap(_row([1, 0, 0, 1, 0]), CELL).ravel(), [FAR, 3, 3, FAR, 5])


def test_one_object_or_two_far_apart_have_no_gap():
    assert (gap(_row([1, 0, 0]), CELL) == FAR).all()
    assert (gap(_row([1, *[0] * 62, 1]), CELL) == FAR).all()


def test_objects_of_other_classes_are_neighbours_and_ignored_pixels_are_not_background():
    np.testing.assert_array_equal(gap(_row([1, 0, 255, 2]), THREE).ravel(), [FAR, 3, FAR, FAR])


@pytest.mark.parametrize("task", [CELL, THREE], ids=lambda task: task.kind)
@pytest.mark.parametrize(("name", "options"), NEEDY)
def test_maps_made_outside_the_step_give_the_same_as_inside(name, options, task):
    truth, logits = _random(task)
    names = required_targets(LOSSES[name], options)
    assert names
    full = append_targets(truth, task, names)
    assert full.dtype == np.float32
    assert full.shape[-1] > 1
    bare, given = (keras.ops.convert_to_numpy(LOSSES[name](t, logits, task, **options)) for t in (truth, full))
    np.testing.assert_allclose(given, bare, rtol=1e-6)


def test_most_losses_need_nothing_and_leave_the_truth_as_it_is():
    truth, _ = _random(CELL)
    assert required_targets(LOSSES["dice"], {"smooth": 2.0}) == required_targets(LOSSES["weighted_sum"], {}) == ()
    assert append_targets(truth, CELL, ()) is truth


def test_a_sum_needs_what_its_parts_need_once():
    assert required_targets(LOSSES["weighted_sum"], PARTS) == ("gap", "signed_distance", "progress")
    truth, _ = _random(CELL)
    names = required_targets(LOSSES["weighted_sum"], PARTS)
    own = keras.ops.convert_to_numpy(select(append_targets(truth, CELL, names), CELL, names, ("signed_distance",)))
    np.testing.assert_array_equal(own, append_targets(truth, CELL, ("signed_distance",)))


def test_the_schedule_comes_with_the_truth():
    truth, logits = _random(CELL)
    edge, region = (keras.ops.convert_to_numpy(LOSSES[name](truth, logits, CELL)) for name in ("boundary", "dice"))
    for progress, share in ((0.0, 0.01), (0.5, 0.5), (1.0, 0.99)):
        full = append_targets(truth, CELL, ("signed_distance", "progress"), progress)
        value = keras.ops.convert_to_numpy(LOSSES["dice_boundary"](full, logits, CELL))
        np.testing.assert_allclose(value, share * edge + (1 - share) * region, rtol=1e-5)


def test_truth_with_channels_of_another_loss_is_refused():
    truth, logits = _random(CELL)
    with pytest.raises(SpecError, match="truth has 3 channels; 1 alone or 2 with signed_distance"):
        LOSSES["boundary"](append_targets(truth, CELL, ("gap", "progress")), logits, CELL)


@pytest.mark.parametrize("task", [Task(3, 1, ("cell",)), THREE], ids=lambda task: task.kind)
@pytest.mark.parametrize("name", LOSSES)
def test_a_step_traced_for_any_size_gives_what_eager_arithmetic_gives(name, task):
    rng = np.random.default_rng(5)
    space = (2, *(8, 6, 4)[: task.rank])
    truth = rng.integers(0, max(2, task.outputs), (*space, 1)).astype("uint8")
    logits = rng.normal(size=(*space, task.outputs)).astype("float32")
    shape = (None,) * (task.rank + 1)
    signature = [tf.TensorSpec((*shape, 1), tf.uint8), tf.TensorSpec((*shape, task.outputs), tf.float32)]
    traced = tf.function(lambda t, x: LOSSES[name](t, x, task), input_signature=signature)
    np.testing.assert_allclose(traced(truth, logits).numpy(), LOSSES[name](truth, logits, task).numpy(), rtol=1e-5)
