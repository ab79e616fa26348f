from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from unetbench.models.anatomy.cost import cost
from unetbench.models.anatomy.receptive_field import receptive_field
from unetbench.models.anatomy.trace import trace
from unetbench.models.parts.joined_conv import JoinedConv


def _image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def _layers_it_stands_for(joined: JoinedConv, rank: int) -> list[keras.layers.Layer]:
    up = {2: keras.layers.Conv2DTranspose, 3: keras.layers.Conv3DTranspose}[rank]
    conv = {2: keras.layers.Conv2D, 3: keras.layers.Conv3D}[rank]
    coarse = joined.up_kernel.shape[-1]
    return [
        up(coarse, joined.stride, strides=joined.stride, use_bias=False),
        keras.layers.Concatenate(),
        conv(joined.filters, 3, padding="same", use_bias=joined.use_bias),
    ]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("stride", "space"), [((2, 2), (3, 5)), ((2, 2, 2), (1, 2, 3)), ((1, 2, 2), (3, 2, 4)), ((3, 1, 2), (2, 4, 1))]
)
def test_it_equals_up_convolution_concatenation_and_convolution_with_all_gradients(stride, space, bias):
    fine = tuple(s * f for s, f in zip(space, stride, strict=True))
    features, coarse = tf.constant(_image(2, *fine, 3)), tf.constant(_image(2, *space, 5))
    joined = JoinedConv(4, stride, use_bias=bias)
    joined.build([features.shape, coarse.shape])
    if bias:
        joined.bias.assign([1.0, 2.0, 3.0, 4.0])
    up, join, conv = _layers_it_stands_for(joined, len(stride))
    up.build(coarse.shape)
    conv.build((None, *fine, 8))
    up.set_weights(joined.get_weights()[:1])
    conv.set_weights(joined.get_weights()[1:])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([features, coarse])
        ours, theirs = joined([features, coarse]), conv(join([features, up(coarse)]))
        weigh = tf.constant(_image(*theirs.shape))
        costs = [tf.reduce_sum(y * weigh) for y in (ours, theirs)]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert joined.compute_output_shape([features.shape, coarse.shape]) == theirs.shape
    gradients = tape.gradient(costs[0], [features, coarse, *joined.trainable_variables])
    expected = tape.gradient(costs[1], [features, coarse, *up.trainable_variables, *conv.trainable_variables])
    for found, right in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-4)


def test_it_counts_parameters_and_products_of_the_layers_and_sees_as_far():
    def model(merged: bool) -> keras.Model:
        image = keras.Input((None, None, None, 2))
        features, coarse = image, keras.layers.Conv3D(4, 2, strides=2)(image)
        joined = JoinedConv(3, (2, 2, 2))
        made = joined([features, coarse])
        if not merged:
            up, join, conv = _layers_it_stands_for(joined, 3)
            made = conv(join([features, up(coarse)]))
        return keras.Model(image, made)

    ours, theirs = model(True), model(False)
    spent, usual = cost(ours, (4, 6, 8)), cost(theirs, (4, 6, 8))
    assert replace(spent, moved_activations=0) == replace(usual, moved_activations=0)
    assert spent.moved_activations < usual.moved_activations  # nothing between the layers is moved
    assert receptive_field(trace(ours, (4, 6, 8))) == receptive_field(trace(theirs, (4, 6, 8)))


def test_it_starts_with_the_spread_of_the_layers():
    keras.utils.set_random_seed(0)
    joined = JoinedConv(64, (2, 2, 2))
    joined.build([(None, 8, 8, 8, 64), (None, 4, 4, 4, 64)])
    # U: variance 8 taps / (fan_out = 8 · 64); W: 2 / (27 · 128), as He et al. have it.
    assert np.std(joined.up_kernel) == pytest.approx(np.sqrt(1 / 64), rel=0.03)
    assert np.std(joined.kernel) == pytest.approx(np.sqrt(2 / (27 * 128)), rel=0.03)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_it_computes_in_the_precision_asked_for(dtype):
    features, coarse = _image(1, 4, 4, 4, 3), _image(1, 2, 2, 2, 5)
    exact, rounded = JoinedConv(4, (2, 2, 2)), JoinedConv(4, (2, 2, 2), dtype=dtype)
    expected = exact([features, coarse])
    rounded.build([features.shape, coarse.shape])
    rounded.set_weights(exact.get_weights())
    found = rounded([features, coarse])
    assert found.dtype == rounded.compute_dtype
    np.testing.assert_allclose(tf.cast(found, "float32"), expected, atol=0.1)
