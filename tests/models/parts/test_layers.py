import keras
import numpy as np
import pytest
import tensorflow as tf

from unetbench.models.parts.batch_norm import BatchNorm
from unetbench.models.parts.depthwise import DepthwiseConv3D
from unetbench.models.parts.global_mean import GlobalMean
from unetbench.models.parts.group_norm import GroupNorm
from unetbench.models.parts.layers import depthwise_conv, transposed_conv
from unetbench.models.parts.resampling import LinearUpsampling


def _image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("depth", [1, 2, 7])
def test_depthwise_3d_equals_a_grouped_convolution(kernel, depth):
    layer, image = DepthwiseConv3D(kernel, use_bias=True), _image(2, depth, 6, 5, 4)
    layer.build(image.shape)
    layer.bias.assign([1.0, 2.0, 3.0, 4.0])
    grouped = keras.ops.conv(image, keras.ops.transpose(layer.kernel, (0, 1, 2, 4, 3)), padding="same")
    np.testing.assert_allclose(layer(image), grouped + layer.bias, atol=2e-6)


@pytest.mark.parametrize("groups", [1, 4, 16])
@pytest.mark.parametrize("shape", [(2, 7, 9, 16), (2, 3, 4, 5, 16)])
def test_group_norm_equals_that_of_keras(groups, shape):
    image = 3 * _image(*shape) + 20
    ours, theirs = GroupNorm(groups), keras.layers.GroupNormalization(groups)
    for layer in (ours, theirs):
        layer.build(shape)
        layer.gamma.assign(np.linspace(0.5, 2, 16))
        layer.beta.assign(np.linspace(-1, 1, 16))
    np.testing.assert_allclose(ours(image), theirs(image), atol=2e-5)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False, "scale": False}])
@pytest.mark.parametrize("groups", [1, 4, 16])
@pytest.mark.parametrize("shape", [(2, 7, 9, 16), (2, 3, 4, 5, 16)])
def test_group_norm_learns_as_that_of_keras_does(shape, groups, options, known):
    image, weights, results = tf.constant(3 * _image(*shape) + 20), tf.constant(_image(*shape)[::-1]), []
    for make in (GroupNorm, keras.layers.GroupNormalization):
        layer = make(groups, **options)
        layer.build(shape)
        layer.set_weights([np.linspace(0.5, 2, 16) * (-1) ** k for k in range(len(layer.weights))])

        @tf.function(input_signature=[tf.TensorSpec(shape if known else (*[None] * (len(shape) - 1), 16))])
        def learn(image, layer=layer):
            with tf.GradientTape() as tape:
                tape.watch(image)
                made = layer(image, training=True) if isinstance(layer, GroupNorm) else layer(image)
                cost = tf.reduce_sum(tf.square(made) * weights)
            return made, tape.gradient(cost, [image, *layer.trainable_weights])

        made, gradients = learn(image)
        results.append([made, *gradients])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=5e-5 * np.abs(theirs).max())


@pytest.mark.parametrize("groups", [4, 16])
def test_the_gradient_of_group_norm_is_exact_far_from_zero(groups):
    # Mean 1,000 and spread 1: in float32 the image itself is rounded to 6e-5.
    image, weights = _image(2, 16, 16, 16) + 1000, _image(2, 16, 16, 16)[::-1]
    layer = GroupNorm(groups)
    gradients = []
    for dtype in ("float32", "float64"):
        given = tf.constant(image, dtype)
        with tf.GradientTape() as tape:
            tape.watch(given)
            if dtype == "float32":
                made = layer(given, training=True)
            else:
                grouped = tf.reshape(given, (2, 256, groups, 16 // groups))
                mean, variance = tf.nn.moments(grouped, (1, 3), keepdims=True)
                made = tf.reshape((grouped - mean) / tf.sqrt(variance + layer.epsilon), given.shape)
            cost = tf.reduce_sum(tf.square(made) * tf.constant(weights, dtype))
        gradients.append(tape.gradient(cost, given).numpy())
    np.testing.assert_allclose(*gradients, atol=2e-3 * np.abs(gradients[1]).max())


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("shape", [(2, 7, 9, 6), (2, 3, 4, 5, 6)])
def test_batch_norm_equals_that_of_keras_with_its_gradients_and_running_statistics(shape, dtype):
    image, weights = tf.constant(3 * _image(*shape) + 5), tf.constant(_image(*shape)[::-1])
    results = []
    for make in (BatchNorm, keras.layers.BatchNormalization):
        layer = make(momentum=0.9, epsilon=1e-5, dtype=dtype)
        layer.build(shape)
        layer.gamma.assign(np.linspace(0.5, 2, 6))
        layer.beta.assign(np.linspace(-1, 1, 6))
        with tf.GradientTape() as tape:
            tape.watch(image)
            trained = tf.cast(layer(image, training=True), "float32")
            cost = tf.reduce_sum(trained * weights)
        gradients = tape.gradient(cost, [image, *layer.trainable_weights])
        predicted = tf.cast(layer(image, training=False), "float32")
        results.append([trained, predicted, layer.moving_mean, layer.moving_variance, *gradients])
    tolerance = {"float32": 1e-5, "mixed_bfloat16": 3e-2, "mixed_float16": 4e-3}[dtype]
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=tolerance, atol=5 * tolerance)


def test_group_norm_of_hand_checked_values():
    # One group of two channels over two pixels: 1, 3, 5, 7 have mean 4 and variance (9 + 1 + 1 + 9) / 4 = 5.
    image = np.array([[[[1.0, 3.0], [5.0, 7.0]]]], "float32")
    expected = (image - 4) / np.sqrt(5)
    np.testing.assert_allclose(GroupNorm(1, epsilon=1e-12)(image), expected, rtol=1e-6)


def test_group_norm_keeps_float32_statistics_under_bfloat16():
    image = _image(1, 64, 64, 8) + 100
    exact = GroupNorm(2)(image).numpy()
    rounded = GroupNorm(2, dtype="mixed_bfloat16")(keras.ops.cast(image, "bfloat16"))
    assert rounded.dtype == "bfloat16"
    # bfloat16 holds 100 + x to 0.5; nothing beyond that rounding of the input may be lost.
    assert np.abs(keras.ops.convert_to_numpy(keras.ops.cast(rounded, "float32")) - exact).max() < 0.3


def test_linear_upsampling_of_hand_checked_values():
    # Half-pixel centres: 0 | 0.75·0 + 0.25·4 | 0.25·0 + 0.75·4 | 4.
    row = np.array([0.0, 4.0], "float32").reshape(1, 1, 2, 1)
    np.testing.assert_allclose(LinearUpsampling((1, 2))(row)[0, 0, :, 0], [0, 1, 3, 4])


def test_linear_upsampling_in_3d_is_that_along_each_axis_in_turn():
    image = _image(2, 3, 4, 5, 2)
    result = LinearUpsampling((2, 3, 1))(image).numpy()
    assert result.shape == (2, 6, 12, 5, 2)
    line = LinearUpsampling((1, 2))(image.transpose(0, 2, 1, 3, 4).reshape(8, 1, 3, 10)).numpy()
    line = line.reshape(2, 4, 6, 5, 2).transpose(0, 2, 1, 3, 4)
    plane = LinearUpsampling((3, 1))(line.reshape(12, 4, 5, 2)).numpy().reshape(2, 6, 12, 5, 2)
    np.testing.assert_allclose(result, plane, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("shape", [(2, 7, 9, 6), (2, 3, 4, 5, 6)])
def test_global_mean_equals_global_average_pooling_of_keras(shape, dtype):
    theirs = {4: keras.layers.GlobalAveragePooling2D, 5: keras.layers.GlobalAveragePooling3D}[len(shape)]
    ours, expected = GlobalMean(dtype=dtype)(_image(*shape)), theirs(keepdims=True, dtype=dtype)(_image(*shape))
    assert (ours.dtype, ours.shape) == (expected.dtype, expected.shape)
    assert GlobalMean().compute_output_shape((None,) * (len(shape) - 1) + (6,)) == (None, *ours.shape[1:])
    tolerance = {"float32": 1e-6, "mixed_bfloat16": 4e-3, "mixed_float16": 5e-4}[dtype]  # one unit in the last place
    np.testing.assert_allclose(tf.cast(ours, "float32"), tf.cast(expected, "float32"), rtol=tolerance, atol=1e-7)


@pytest.mark.parametrize("layer", [LinearUpsampling((2, 2, 2)), DepthwiseConv3D(3)])
def test_own_layers_state_the_shape_they_make_at_unknown_sizes(layer):
    symbolic = layer.compute_output_shape((None, None, None, None, 2))
    concrete = layer.compute_output_shape((1, 2, 3, 4, 2))
    assert symbolic == (None, None, None, None, 2)
    assert layer(_image(1, 2, 3, 4, 2)).shape == concrete


@pytest.mark.parametrize("space", [(32, 32), (16, 16, 16)])
@pytest.mark.parametrize("apply", [depthwise_conv, lambda x: transposed_conv(x, 64)])
def test_linear_layers_start_with_the_variance_that_came_in(apply, space):
    keras.utils.set_random_seed(0)
    image = keras.Input((*space, 64))
    model = keras.Model(image, apply(image))
    spread = float(np.std(model(_image(2, *space, 64))))
    assert 0.8 < spread < 1.2
