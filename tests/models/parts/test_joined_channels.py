from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.models.anatomy.cost import cost
from unetbench.models.anatomy.receptive_field import receptive_field
from unetbench.models.anatomy.trace import trace
from unetbench.models.parts.blocks import double_conv, separable_conv
from unetbench.models.parts.layers import concatenate, conv, depthwise_conv, lazy_concatenate
from unetbench.models.parts.skeleton import assemble
from unetbench.models.parts.style import Style


def _image(*shape: int):
    return tf.random.stateless_normal(shape, (1, 2))


def _pair(rank: int, layers) -> list[keras.Model]:
    """Layers on two parts that lie beside each other, and on their concatenation, with the same weights."""
    models = []
    for join in (lazy_concatenate, concatenate):
        parts = [keras.Input((*[None] * rank, channels)) for channels in (3, 5)]
        models.append(keras.Model(parts, layers(join(*parts))))
    ours, theirs = models
    for weight in theirs.weights:
        weight.assign(tf.random.stateless_normal(weight.shape, (3, 4)))
    ours.set_weights(theirs.get_weights())
    return models


SPACE = {2: (6, 5), 3: (4, 6, 5)}

LAYERS = {
    "convolution": lambda x: conv(x, 4),
    "1×1": lambda x: conv(x, 4, 1, bias=False),
    "strided": lambda x: conv(x, 4, stride=2),
    "dilated": lambda x: conv(x, 4, dilation=2),
    "depthwise with bias": lambda x: conv(depthwise_conv(x, bias=True), 4, 1),
    "two convolutions": lambda x: double_conv(x, 4, Style("batch")),
    "separable": lambda x: separable_conv(x, 4, Style()),
}


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("name", LAYERS)
def test_it_equals_concatenation_and_convolution_with_all_gradients(name, rank):
    parts, results = [_image(2, *SPACE[rank], channels) for channels in (3, 5)], []
    for model in _pair(rank, LAYERS[name]):
        with tf.GradientTape() as tape:
            tape.watch(parts)
            made = model(parts, training=True)
            total = tf.reduce_sum(made * _image(*made.shape))
        gradients = tape.gradient(total, [*parts, *model.trainable_variables])
        results.append([made, model(parts), *gradients])
    for found, right in zip(*results, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", LAYERS)
def test_it_counts_products_and_sees_as_far_as_what_it_stands_for(name):
    def model(join) -> keras.Model:
        image = keras.Input((None, None, 2))
        return keras.Model(image, LAYERS[name](join(conv(image, 3), conv(image, 5, 5))))

    ours, theirs = model(lazy_concatenate), model(concatenate)
    spent, usual = cost(ours, (8, 8)), cost(theirs, (8, 8))
    assert replace(spent, moved_activations=0) == replace(usual, moved_activations=0)
    assert spent.moved_activations <= usual.moved_activations  # what is not copied is not moved
    assert receptive_field(trace(ours, (8, 8))) == receptive_field(trace(theirs, (8, 8)))


def test_it_starts_with_the_spread_of_what_it_stands_for():
    def model(join) -> keras.Model:
        parts = [keras.Input((None, None, 32)) for _ in range(2)]
        return keras.Model(parts, conv(depthwise_conv(join(*parts)), 64, 1))

    keras.utils.set_random_seed(0)
    ours, theirs = (model(join).get_weights() for join in (lazy_concatenate, concatenate))
    for found, right in zip(ours, theirs, strict=True):
        assert found.shape == right.shape
        assert np.std(found) == pytest.approx(np.std(right), rel=0.1)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_it_computes_in_the_precision_asked_for(dtype):
    parts = [_image(1, 6, 5, channels) for channels in (3, 5)]
    keras.config.set_dtype_policy(dtype)
    try:
        ours, theirs = _pair(2, lambda x: conv(depthwise_conv(x), 4, 1))
    finally:
        keras.config.set_dtype_policy("float32")
    found, right = ours(parts, training=True), theirs(parts)
    assert found.dtype == right.dtype == dtype.removeprefix("mixed_")
    np.testing.assert_allclose(tf.cast(found, "float32"), tf.cast(right, "float32"), rtol=0.1, atol=0.1)


def test_training_joins_no_channels_where_prediction_does():
    model = MODELS["unet_light"](Task(2, 3, ("cell",)), width=4, depth=1)

    def joins(training: bool) -> int:
        @tf.function
        def call(image):
            return model(image, training=training)

        traced = call.get_concrete_function(tf.TensorSpec((1, 8, 8, 3)))
        joints = (operation for operation in traced.graph.get_operations() if operation.type == "ConcatV2")
        return sum(joint.outputs[0].shape.rank == 4 for joint in joints)

    assert (joins(True), joins(False)) == (0, 1)


def test_a_block_of_ones_own_gets_a_tensor_unless_it_asks_for_parts():
    seen = []

    def block(x, filters: int, style: Style):
        seen.append(x)
        return double_conv(x, filters, style)

    for join in (concatenate, lazy_concatenate):
        assemble(Task(2, 1, ("cell",)), (4, 8), block=block, join=join)
    assert [isinstance(x, list) for x in seen] == [False] * 5 + [True]
