"""The smallest weights go, as many as were asked for, and stay away while the rest learns."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from unetbench.core.task import Task
from unetbench.models.lighter.magnitude import GradualPruning, Magnitude, kernels, masks, scheduled, sparsities, total

layers = keras.layers


def _two_kernels():
    image = keras.Input((None, None, 1))
    model = keras.Model(image, layers.Conv2D(1, 1, use_bias=True)(layers.Conv2D(4, 1)(image)))
    first, second = kernels(model)
    first.assign(np.array([0.1, -0.2, 3.0, 4.0]).reshape(first.shape))
    second.assign(np.array([-5.0, 6.0, 0.3, 8.0]).reshape(second.shape))
    return model


def test_each_layer_loses_its_share_or_the_smallest_go_wherever_they_are():
    # |w| = 0.1 0.2 3 4 and 5 6 0.3 8: of each half, or of all the four smallest 0.1 0.2 0.3 3
    by_layer = [mask.ravel().tolist() for mask in masks(_two_kernels(), 0.5, "layer")]
    assert by_layer == [[False, False, True, True], [False, True, False, True]]
    over_all = [mask.ravel().tolist() for mask in masks(_two_kernels(), 0.5, "global")]
    assert over_all == [[False, False, False, True], [True, True, False, True]]


def test_of_equal_weights_exactly_as_many_go_as_were_asked_for():
    model = _two_kernels()
    for weight in kernels(model):
        weight.assign(np.ones(weight.shape))
    assert [int((~mask).sum()) for mask in masks(model, 0.5)] == [2, 2]
    assert [int((~mask).sum()) for mask in masks(model, 0.6, "global")] == [4, 0]  # floor(0.6 · 8)
    assert all(mask.all() for mask in masks(model, 0.0))


def test_the_schedule_is_the_cubic_of_zhu_and_gupta():
    # 0.8 (1 - (1 - t / 75)³): at t = 25 1 - (2/3)³ = 19/27 of it, from 75 on all of it
    assert scheduled(0.8, 0, 100) == 0
    assert scheduled(0.8, 25, 100) == pytest.approx(0.8 * 19 / 27)
    assert scheduled(0.8, 75, 100) == scheduled(0.8, 100, 100) == 0.8


def test_kernels_are_pruned_and_offsets_factors_maps_and_tables_are_not(reduced):
    for name in ("unet_light", "swin_unet", "attention_unet_monai"):
        model = reduced(name, Task(2, 1, ("cell",)))
        chosen = {weight.name for weight in kernels(model)}
        assert chosen <= {"kernel", "triple", "out"}
        left = [weight for weight in model.trainable_weights if weight.name not in chosen]
        assert sum(np.prod(weight.shape) for weight in left) < 0.5 * model.count_params()


def _trained(steps: int):
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 1))
    x = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(image))
    model = keras.Model(image, layers.Conv2D(1, 1)(layers.ReLU()(x)))
    model.compile("adam", "mse")
    pruning, found = GradualPruning(model, Magnitude(0.75, "global"), steps), []

    class Prune(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            pruning.after_step(batch + 1)
            found.append(total(sparsities(model)))

    rng = np.random.default_rng(0)
    images = rng.normal(size=(steps, 8, 8, 1))
    model.fit(images, images**2, batch_size=1, callbacks=[Prune()], shuffle=False, verbose=0)
    return model, found, pruning


def test_sparsity_rises_to_what_was_asked_for_and_stays_there_while_the_rest_learns():
    model, found, pruning = _trained(40)
    assert found == sorted(found)
    assert 0 < found[2] < 0.4
    assert found[29:] == [60 / 80] * 11  # 72 + 8 weights, floor(0.75 · 80) of them zero from step 30 on
    assert not pruning.reached(29)
    assert pruning.reached(30)
    zeros = [np.array(weight) == 0 for weight in kernels(model)]
    before = [np.array(weight) for weight in kernels(model)]
    images = np.random.default_rng(1).normal(size=(4, 8, 8, 1))
    for step in range(4):
        model.train_on_batch(images, images)
        pruning.after_step(36 + step)
    for weight, zero, old in zip(kernels(model), zeros, before, strict=True):
        np.testing.assert_array_equal(np.array(weight) == 0, zero)
        assert np.any(np.array(weight) != old)


def test_a_training_that_goes_on_holds_the_zeros_that_it_finds():
    model, _, _ = _trained(40)
    zeros = [np.array(weight) == 0 for weight in kernels(model)]
    again = GradualPruning(model, Magnitude(0.75, "global"), 40, begun=True)
    images = np.random.default_rng(1).normal(size=(4, 8, 8, 1))
    model.train_on_batch(images, images)
    again.after_step(39)
    for weight, zero in zip(kernels(model), zeros, strict=True):
        np.testing.assert_array_equal(np.array(weight) == 0, zero)


@pytest.mark.slow
def test_zeros_are_held_on_jax_too():
    pytest.importorskip("jax")
    code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
import keras; assert keras.backend.backend() == "jax"
import test_magnitude
_, found, _ = test_magnitude._trained(40)
print(found[2] < 0.4, found[29:] == [60 / 80] * 11)
"""
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.split() == ["True", "True"], done.stderr[-2000:]
