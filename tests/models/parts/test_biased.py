import keras
import numpy as np
import pytest
import tensorflow as tf

from unetbench.core.errors import Unfit
from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.models.parts import biased
from unetbench.models.parts.fit import divisor

LAYERS = {
    "Conv2D": ((2, 6, 5, 3), {"filters": 4, "kernel_size": 3, "padding": "same", "dilation_rate": 2}),
    "Conv3D": ((2, 4, 6, 5, 3), {"filters": 4, "kernel_size": (1, 3, 3), "strides": (1, 2, 2)}),
    "Conv2DTranspose": ((2, 6, 5, 3), {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}),
    "Conv3DTranspose": ((2, 2, 3, 5, 3), {"filters": 4, "kernel_size": (1, 2, 2), "strides": (1, 2, 2)}),
    "DepthwiseConv2D": ((2, 6, 5, 3), {"kernel_size": (3, 5), "padding": "same"}),
    "Dense": ((2, 6, 5, 3), {"units": 4}),
}

QUICK = ("unet", "unet_3d", "trans_unet", "mednext")


def _image(*shape: int):
    return tf.random.stateless_normal(shape, (1, 2))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_equals_that_of_keras_in_training_and_prediction_with_all_gradients(name, bias):
    shape, options = LAYERS[name]
    image, results = _image(*shape), []
    ours, theirs = (getattr(home, name)(**options, use_bias=bias) for home in (biased, keras.layers))
    for layer in (ours, theirs):
        layer.build(shape)
        layer.set_weights([np.linspace(-1, 1, w.size).reshape(w.shape) for w in layer.get_weights()])
        with tf.GradientTape() as tape:
            tape.watch(image)
            made = layer(image, training=True) if layer is ours else layer(image)
            cost = tf.reduce_sum(tf.square(made))
        results.append([made, layer(image), *tape.gradient(cost, [image, *layer.trainable_variables])])
    for found, right in zip(*results, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-5 * np.abs(right).max())
    assert ours.compute_output_shape(shape) == theirs.compute_output_shape(shape)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("shape", [(4, 128, 128, 8), (2, 16, 32, 32, 8), (4, 4096, 8), (4096, 8)])
@pytest.mark.parametrize("known", [True, False])
def test_the_gradient_of_a_bias_is_added_up_in_float32(shape, dtype, known):
    upstream = tf.cast(0.01 * (_image(*shape) + 1), dtype)
    bias = tf.zeros(8, dtype)

    @tf.function(input_signature=[tf.TensorSpec(shape if known else (*[None] * (len(shape) - 1), 8), dtype)])
    def gradient(upstream):
        with tf.GradientTape() as tape:
            tape.watch(bias)
            made = biased.add_bias(tf.zeros_like(upstream), bias, training=True)
        return tape.gradient(made, bias, output_gradients=upstream)

    exact = tf.cast(upstream, "float64").numpy().reshape(-1, 8).sum(0)
    # bfloat16 has 8 significant bits: the sum alone costs up to 2⁻⁹ rounded, 2⁻⁷ cut off, as seen without AVX-512.
    rounding = {"float32": 2e-6, "bfloat16": 2**-7, "float16": 2**-11}[dtype]
    np.testing.assert_allclose(tf.cast(gradient(upstream), "float64").numpy(), exact, rtol=rounding)


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n in QUICK else [pytest.mark.slow]) for n in MODELS])
def test_no_recipe_adds_up_the_gradient_of_a_bias_in_bfloat16(name, rank, reduced):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = reduced(name, Task(rank, 1, ("cell",)))
    except Unfit as error:
        pytest.skip(str(error))
    finally:
        keras.config.set_dtype_policy("float32")

    @tf.function
    def gradients(image):
        with tf.GradientTape() as tape:
            logits = model(image, training=True)
            cost = tf.reduce_mean(tf.square(logits[0] if isinstance(logits, list) else logits))
        return tape.gradient(cost, model.trainable_variables)

    traced = gradients.get_concrete_function(tf.TensorSpec((2, *(2 * edge for edge in divisor(model)), 1)))
    sums = [operation for operation in traced.graph.get_operations() if operation.type == "BiasAddGrad"]
    assert not [operation.name for operation in sums if operation.inputs[0].dtype == tf.bfloat16]


@pytest.mark.parametrize("name", QUICK)
def test_a_prediction_holds_no_gradient_of_ones_own(name, reduced):
    model = reduced(name, Task(2 if name == "trans_unet" else 3, 1, ("cell",)))
    size = (1, *(2 * edge for edge in divisor(model)), 1)

    def wrapped(training: bool) -> bool:
        traced = tf.function(lambda image: model(image, training=training))
        operations = traced.get_concrete_function(tf.TensorSpec(size)).graph.get_operations()
        return any(operation.type == "IdentityN" for operation in operations)

    assert (wrapped(True), wrapped(False)) == (True, False)
