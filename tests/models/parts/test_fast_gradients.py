"""Convolutions whose gradients are computed in another way: equal to the plain operation."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from unetbench.core import processor
from unetbench.core.task import Task
from unetbench.models.parts import biased, joined_channels, tiled_conv
from unetbench.models.parts.cpu import limited_to_avx2
from unetbench.models.parts.tiled_conv import tiled_conv2d, tiles_pay
from unetbench.models.parts.up_conv import up_conv2d


def _draw(*shape: int, seed: int = 0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape).astype("float32"))


def _trained(convolve, x, kernel, upstream):
    """Output and gradients in a traced step, as float32."""

    @tf.function
    def step(x, kernel):
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            made = convolve(x, kernel)
        return made, *tape.gradient(made, [x, kernel], output_gradients=upstream)

    return [tf.cast(result, "float32").numpy() for result in step(x, kernel)]


def _compare(found, right, tolerance):
    for mine, plain in zip(found, right, strict=True):
        np.testing.assert_allclose(mine, plain, rtol=tolerance, atol=tolerance * np.abs(plain).max())


@pytest.mark.parametrize("taps", [(3, 3), (5, 3), (1, 7)])
@pytest.mark.parametrize("space", [(32, 48), (33, 17), (7, 5), (16, 1)])
def test_a_tiled_convolution_equals_the_plain_one_with_all_gradients(space, taps):
    x, kernel, upstream = _draw(2, *space, 3), _draw(*taps, 3, 4, seed=1), _draw(2, *space, 4, seed=2)
    right = _trained(lambda x, kernel: tf.nn.conv2d(x, kernel, 1, "SAME"), x, kernel, upstream)
    _compare(_trained(tiled_conv2d, x, kernel, upstream), right, 1e-5)


def test_a_tiled_convolution_takes_batches_of_any_length():
    upstream, kernel = _draw(3, 17, 20, 4, seed=2), _draw(3, 3, 3, 4, seed=1)

    @tf.function(input_signature=[tf.TensorSpec((None, 17, 20, 3))])
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            made = tiled_conv2d(x, kernel)
        return tape.gradient(made, kernel, output_gradients=upstream)

    x = _draw(3, 17, 20, 3)
    right = _trained(lambda x, kernel: tf.nn.conv2d(x, kernel, 1, "SAME"), x, kernel, upstream)[-1]
    np.testing.assert_allclose(gradient(x), right, rtol=1e-5, atol=1e-5 * np.abs(right).max())


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 2**-7), ("float16", 2**-10)])
@pytest.mark.parametrize("stride", [(2, 2), (3, 1)])
@pytest.mark.parametrize("known", [True, False])
def test_an_up_convolution_equals_the_plain_one_with_all_gradients(stride, dtype, tolerance, known):
    shape, size = (2, 7, 5, 6), (2, 7 * stride[0], 5 * stride[1], 4)
    drawn = _draw(*shape), _draw(*stride, 4, 6, seed=1), _draw(*size, seed=2)
    x, kernel, upstream = (tf.cast(tensor, dtype) for tensor in drawn)

    @tf.function(input_signature=[tf.TensorSpec(shape if known else (None, None, None, 6), dtype)])
    def gradients(x):
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            made = up_conv2d(x, kernel)
        return made, *tape.gradient(made, [x, kernel], output_gradients=upstream)

    found = [tf.cast(result, "float32").numpy() for result in gradients(x)]
    exact = (tf.cast(tensor, "float32") for tensor in (x, kernel, upstream))
    plain = _trained(lambda x, kernel: tf.nn.conv2d_transpose(x, kernel, size, stride), *exact)
    _compare(found, plain, tolerance)


@pytest.mark.parametrize(
    ("instructions", "limit", "narrow"),
    [
        (("avx2",), "", True),
        (("avx2", "avx_vnni"), "", True),
        (("avx2", "avx512", "avx512_bf16"), "", False),
        (("avx2", "avx512"), "AVX2", True),
        (("avx2", "avx512"), "AVX512_CORE", False),
        (("avx",), "", False),
        (("neon",), "", False),
        ((), "", False),
    ],
)
def test_the_vectors_of_a_cpu_are_those_it_has_and_may_use(instructions, limit, narrow, monkeypatch):
    monkeypatch.setattr(processor, "processor", lambda: processor.Processor("", "", instructions))
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert limited_to_avx2.__wrapped__() is narrow


@pytest.mark.parametrize(
    ("shape", "kernel", "dtype", "pays"),
    [
        ((None, 256, 256, 32), (3, 3, 32, 32), "float32", True),
        ((4, 64, 64, 128), (3, 3, 128, 128), "float32", True),
        ((4, 32, 32, 256), (3, 3, 256, 256), "float32", False),  # 2¹⁹ values
        ((4, 256, 256, 32), (3, 3, 32, 1), "float32", False),
        ((4, 256, 256, 32), (1, 1, 32, 32), "float32", False),
        ((4, 256, 256, 32), (2, 2, 32, 32), "float32", False),
        ((4, 256, 256, 32), (3, 3, 32, 32), "bfloat16", False),
        ((4, None, None, 32), (3, 3, 32, 32), "float32", False),
        ((4, 16, 64, 64, 32), (3, 3, 3, 32, 32), "float32", False),
    ],
)
def test_tiles_pay_for_large_images_of_float32_and_avx2_only(shape, kernel, dtype, pays, monkeypatch):
    monkeypatch.setattr(tiled_conv, "on_cpu", lambda: True)
    monkeypatch.setattr(tiled_conv, "limited_to_avx2", lambda: True)
    x, kernel = keras.KerasTensor(shape, dtype), keras.KerasTensor(kernel)
    assert tiles_pay(x, kernel) is pays
    monkeypatch.setattr(tiled_conv, "limited_to_avx2", lambda: False)
    assert not tiles_pay(x, kernel)


def test_a_unet_learns_the_same_with_tiles_as_without(reduced, monkeypatch):
    model, image = reduced("unet", Task(2, 3, ("cell",))), _draw(1, 48, 32, 3)

    def gradients():
        step = tf.function(lambda: _gradients(model, image))
        return step(), {operation.type for operation in step.get_concrete_function().graph.get_operations()}

    plain, without = gradients()
    for module in (biased, joined_channels):
        monkeypatch.setattr(module, "tiles_pay", lambda x, kernel: kernel.shape[0] == 3)
    tiled, types = gradients()
    assert ("GatherV2" in types, "GatherV2" in without) == (True, False)
    for mine, right in zip(tiled, plain, strict=True):
        np.testing.assert_allclose(mine, right, rtol=1e-4, atol=1e-4 * np.abs(right).max())


def _gradients(model, image):
    with tf.GradientTape() as tape:
        cost = tf.reduce_sum(tf.square(model(image, training=True)))
    return tape.gradient(cost, model.trainable_variables)


@pytest.mark.parametrize(
    "options", [{"strides": 2}, {"dilation_rate": 2}, {"groups": 2}, {"padding": "valid"}, {"kernel_size": 2}]
)
def test_only_plain_convolutions_are_tiled(options, monkeypatch):
    def refuse(x, kernel):
        raise AssertionError

    monkeypatch.setattr(biased, "tiles_pay", lambda x, kernel: kernel.shape[0] % 2)
    monkeypatch.setattr(biased, "tiled_conv2d", refuse)
    layer = biased.Conv2D(**{"filters": 4, "kernel_size": 3, "padding": "same", **options})
    layer(_draw(1, 8, 8, 4), training=True)


@pytest.mark.parametrize("options", [{"kernel_size": 3}, {"strides": 1}, {"output_padding": 1, "kernel_size": 3}])
def test_an_up_convolution_of_another_kind_is_keras_own(options, monkeypatch):
    monkeypatch.setattr(biased, "up_conv2d", None)
    layer = biased.Conv2DTranspose(**{"filters": 4, "kernel_size": 2, "strides": 2, "padding": "same", **options})
    layer(_draw(1, 8, 8, 4), training=True)


@pytest.mark.parametrize("traced", [True, False])
@pytest.mark.parametrize("name", ["Conv2D", "Conv2DTranspose"])
def test_a_layer_hands_its_weights_their_gradients(name, traced, monkeypatch):
    monkeypatch.setattr(biased, "tiles_pay", lambda x, kernel: True)
    options = {"Conv2D": (3, 1), "Conv2DTranspose": (2, 2)}[name]
    results, image = [], _draw(2, 6, 5, 3)
    for home in (biased, keras.layers):
        layer = getattr(home, name)(4, *options, padding="same")
        layer.build(image.shape)
        layer.set_weights([np.linspace(-1, 1, w.size).reshape(w.shape) for w in layer.get_weights()])

        def learn(layer=layer, given={"training": True} if home is biased else {}):
            with tf.GradientTape() as tape:
                cost = tf.reduce_sum(tf.square(layer(image, **given)))
            return tape.gradient(cost, layer.trainable_variables)

        results.append((tf.function(learn) if traced else learn)())
    for mine, right in zip(*results, strict=True):
        np.testing.assert_allclose(mine, right, rtol=1e-5, atol=1e-5 * np.abs(right).max())
