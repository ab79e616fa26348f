"""Batch renormalisation corrects a batch's statistics towards the running ones, within bounds."""

import keras
import numpy as np
import pytest

from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.models.parts.norm import EPSILON, MOMENTUM, norm_layer
from unetbench.models.parts.style import Style


@pytest.mark.parametrize("shape", [(4, 6, 5, 3), (2, 4, 3, 5, 3)])
def test_renorm_in_training_is_the_papers_formula_and_then_predicts_with_running_statistics(shape):
    layer = norm_layer(3, Style("renorm"))
    rng = np.random.default_rng(0)
    running_mean, running_sd = np.zeros(3), np.ones(3)
    for shift in (0.5, 1.0, 40.0):  # the last one meets the bounds
        x = (rng.standard_normal(shape) * 2 + shift).astype(np.float32)
        axes = tuple(range(x.ndim - 1))
        mean, sd = x.mean(axes), np.sqrt(x.var(axes) + EPSILON)
        r = np.clip(sd / running_sd, 1 / 3, 3)
        d = np.clip((mean - running_mean) / running_sd, -5, 5)
        np.testing.assert_allclose(layer(x, training=True), (x - mean) / sd * r + d, atol=2e-4)
        running_mean = MOMENTUM * running_mean + (1 - MOMENTUM) * mean
        running_sd = MOMENTUM * running_sd + (1 - MOMENTUM) * sd
    x = rng.standard_normal(shape).astype(np.float32)
    np.testing.assert_allclose(layer(x, training=False), (x - running_mean) / running_sd, atol=1e-3)


def test_a_renormalised_model_is_saved_and_loaded(tmp_path):
    model = MODELS["unet"](Task(2, 1, ("cell",)), width=4, depth=2, normalisation="renorm")
    x = np.random.default_rng(0).standard_normal((1, 16, 16, 1)).astype(np.float32)
    model(x, training=True)
    model.save(tmp_path / "renorm.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "renorm.keras")(x), model(x))
