"""The averaged teacher: its weights, its value by hand, and a training that goes on bit for bit."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from unetbench.benchmark.trial.compiled_model import CompiledModel
from unetbench.benchmark.trial.consistency import RAMP, AveragedTeacher
from unetbench.core.errors import SpecError
from unetbench.core.recipe import Augmentation, Recipe
from unetbench.core.task import Task
from unetbench.core.trial import Choice, Trial

CELL = Task(2, 1, ("cell",), ignore=255)
RECIPE = Recipe(patch=(16, 16), batch=2, epochs=5, consistency=1.0, teacher_decay=0.5)


def _network(weight: float) -> keras.Model:
    """One weight: the logit is so many times the pixel."""
    image = keras.Input((None, None, 1))
    layer = keras.layers.Conv2D(1, 1, use_bias=False, kernel_initializer=keras.initializers.Constant(weight))
    return keras.Model(image, layer(image))


def _weight(network: keras.Model) -> float:
    return float(keras.ops.convert_to_numpy(network.variables[0].value).item())


def _teacher(own: float, student: float, *, flips: bool = False, weight: float = 1.0, decay: float = 0.5):
    teacher = AveragedTeacher(_network(own), _network(student), CELL, weight=weight, decay=decay, flips=flips)
    teacher.network.variables[0].assign([[[[own]]]])
    return teacher


def test_it_follows_the_student_by_the_mean_of_its_weights():
    teacher = _teacher(0.0, 1.0)
    teacher.reset()
    assert _weight(teacher.network) == 1
    teacher.student.variables[0].assign([[[[2.0]]]])
    teacher.after_step(None)  # d = min(0.5, 1/10): 0.1 · 1 + 0.9 · 2
    assert _weight(teacher.network) == pytest.approx(1.9)
    for _ in range(9):
        teacher.after_step(None)
    before = _weight(teacher.network)
    teacher.student.variables[0].assign([[[[0.0]]]])
    teacher.after_step(None)  # after step 10 d = min(0.5, 11/20)
    assert _weight(teacher.network) == pytest.approx(before / 2)


def test_its_value_is_the_mean_square_between_probabilities():
    teacher = _teacher(np.log(3), 0.0, weight=2.0)
    teacher.begin_epoch(1.0)
    images = np.array([1.0, 0.0, -1.0, 1.0], np.float32).reshape(1, 1, 4, 1)
    logits = np.zeros((1, 1, 4, 1), np.float32)  # p = 1/2; q = 3/4, 1/2, 1/4, 3/4
    np.testing.assert_allclose(teacher(images, logits), 2 * 3 * 0.25**2 / 4, rtol=1e-6)


def test_the_mirrored_view_is_mirrored_back():
    images = np.random.default_rng(0).normal(size=(2, 3, 4, 1)).astype(np.float32)
    logits = np.zeros_like(images)
    plain, mirrored = _teacher(1.0, 0.0), _teacher(1.0, 0.0, flips=True)
    for teacher in (plain, mirrored):
        teacher.begin_epoch(1.0)
    np.testing.assert_allclose(plain(images, logits), mirrored(images, logits), rtol=1e-6)


def test_its_say_grows():
    teacher = _teacher(1.0, 0.0)
    says = []
    for share in (0.0, RAMP / 2, RAMP, 1.0):
        teacher.begin_epoch(share)
        says.append(float(keras.ops.convert_to_numpy(teacher.share.value)))
    np.testing.assert_allclose(says, [np.exp(-5), np.exp(-5 / 4), 1, 1], rtol=1e-5)


def _compiled(recipe=RECIPE):
    trial = Trial(Choice("cells"), {}, Choice("unet", {"width": 4, "depth": 1}), Choice("bce"), recipe, 3)
    return trial, CompiledModel(trial, CELL)


def _step(compiled: CompiledModel, seed: int) -> None:
    rng = np.random.default_rng(seed)
    images = rng.normal(size=(2, 16, 16, 1)).astype(np.float32)
    truths = np.where(rng.random(images.shape) < 0.9, 255, images > 0).astype(np.uint8)
    assert compiled.teacher is not None
    compiled.teacher.begin_epoch(1.0)
    compiled.model.train_on_batch(images, compiled.targets(images, truths))
    compiled.teacher.after_step(compiled.model)


def test_a_state_that_is_put_back_gives_the_same_bits_and_a_fresh_start_the_same_training():
    trial, compiled = _compiled()
    _step(compiled, 0)
    state = compiled.state()
    _step(compiled, 1)
    ends = compiled.state()
    compiled.restore(state)
    _step(compiled, 1)
    for one, other in zip(ends, compiled.state(), strict=True):
        np.testing.assert_array_equal(one, other)
    compiled.take(trial)
    _step(compiled, 0)
    for one, other in zip(state, compiled.state(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_pixels_without_a_label_teach_through_it():
    _, with_teacher = _compiled()
    _, without = _compiled(replace(RECIPE, consistency=0.0))
    assert without.teacher is None
    assert len(with_teacher.model.trainable_variables) == len(without.model.trainable_variables)
    images = np.random.default_rng(0).normal(size=(2, 16, 16, 1)).astype(np.float32)
    unknown = np.full(images.shape, 255, np.uint8)
    before = [np.array(weight.value) for weight in with_teacher.network.trainable_variables]
    with_teacher.teacher.network.variables[0].assign(with_teacher.teacher.network.variables[0].value + 0.5)
    with_teacher.teacher.begin_epoch(1.0)
    with_teacher.model.train_on_batch(images, with_teacher.targets(images, unknown))
    after = [np.array(weight.value) for weight in with_teacher.network.trainable_variables]
    assert any((one != other).any() for one, other in zip(before, after, strict=True))


def test_a_recipe_without_it_has_the_identity_of_before():
    assert "consistency" not in Recipe().canonical
    assert "teacher_decay" not in Recipe().canonical
    assert RECIPE.canonical != replace(RECIPE, teacher_decay=0.9).canonical
    with pytest.raises(SpecError, match=r"teacher_decay: 1\.0 is not in"):
        Recipe(teacher_decay=1.0)


def test_without_mirroring_in_training_the_teacher_sees_the_image_itself():
    _, compiled = _compiled(replace(RECIPE, augment=Augmentation.none()))
    assert compiled.teacher is not None and not compiled.teacher.flips
