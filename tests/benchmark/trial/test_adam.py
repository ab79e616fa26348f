"""The fused update gives the weights that Keras' own gives."""

import keras
import numpy as np
import pytest

from unetbench.benchmark.trial.adam import Adam, AdamW

TWINS = {Adam: keras.optimizers.Adam, AdamW: keras.optimizers.AdamW}

# 1 - 0.999 is 4.7e-5 more in float32, in which the operation computes it, than in Python, where Keras does.
CLOSE = {"rtol": 2e-4, "atol": 1e-6}


def _trained(optimizer, steps=6):
    """Weights and moments after some steps on a loss whose gradients differ in size by orders of magnitude."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
    model.compile(optimizer, "mse", jit_compile=False)
    draw = np.random.default_rng(0)
    images = draw.normal(size=(steps, 16, 4)) * 10.0 ** draw.integers(-3, 3, (steps, 1, 1))
    losses = [model.train_on_batch(x, x.sum(1, keepdims=True)) for x in images.astype("float32")]
    assert np.isfinite(losses).all()
    return [np.asarray(value) for value in [*model.get_weights(), *(v.numpy() for v in optimizer.variables)]]


@pytest.mark.parametrize("kind", TWINS)
@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1}, {"global_clipnorm": 1.0}, {"beta_1": 0.5}])
def test_weights_and_moments_are_those_of_keras(kind, options):
    ours, theirs = (_trained(make(0.01, **options)) for make in (kind, TWINS[kind]))
    assert len(ours) == len(theirs)
    for own, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(own, other, **CLOSE)


def test_the_first_step_moves_a_weight_by_the_rate_against_its_gradient():
    weight = keras.Variable([1.0, 1.0])
    optimizer = Adam(0.25)
    optimizer.apply([keras.ops.convert_to_tensor([4.0, -0.5])], [weight])
    # m / (1 - b1) is the gradient, v / (1 - b2) its square: 1 - 0.25 * 4 / 4 and 1 + 0.25 * 0.5 / 0.5.
    np.testing.assert_allclose(weight.numpy(), [0.75, 1.25], **CLOSE)


def test_scaled_gradients_of_float16_are_unscaled_first():
    ours, theirs = (
        _trained(keras.optimizers.LossScaleOptimizer(make(0.01), initial_scale=8.0))
        for make in (Adam, keras.optimizers.Adam)
    )
    for own, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(own, other, **CLOSE)


def test_a_rate_that_changes_between_steps_takes_effect_without_a_new_trace():
    ours, theirs = (make(keras.optimizers.schedules.CosineDecay(0.1, 4)) for make in (Adam, keras.optimizers.Adam))
    for own, other in zip(_trained(ours), _trained(theirs), strict=True):
        np.testing.assert_allclose(own, other, **CLOSE)
