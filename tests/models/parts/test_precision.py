"""Normalisations and means of large images beside their formulas in double precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from unetbench.models.parts.global_mean import GlobalMean
from unetbench.models.parts.norm import EPSILON, norm_layer, standardise
from unetbench.models.parts.pixel_sums import pixel_mean, pixel_moments, pixel_sum
from unetbench.models.parts.style import NORMALISATIONS, Style

SPACES = ((1024, 1024), (128, 128, 128))
CHANNELS = 4
FUSED = {"batch": 5e-3, "renorm": 5e-3}
"""TensorFlow and Keras add all pixels of a batch to one float32: five thousandths of a standard deviation."""


def _image(space: tuple[int, ...]) -> np.ndarray:
    """Noise around 3, as an image without normalisation is."""
    return np.random.default_rng(0).standard_normal((1, *space, CHANNELS), np.float32) + np.float32(3)


def _normalised(x: np.ndarray, upstream: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """The formula of group normalisation without gamma and beta, and its gradient, in double precision."""
    shape = (*x.shape[:-1], groups, -1)
    x, upstream = (array.astype(float).reshape(shape) for array in (x, upstream))
    axes = (*range(1, x.ndim - 2), x.ndim - 1)
    inverse = 1 / np.sqrt(x.var(axes, keepdims=True) + EPSILON)
    z = (x - x.mean(axes, keepdims=True)) * inverse
    products = (upstream * z).mean(axes, keepdims=True)
    gradient = inverse * (upstream - upstream.mean(axes, keepdims=True) - z * products)
    return z.reshape(*shape[:-2], CHANNELS), gradient.reshape(*shape[:-2], CHANNELS)


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize("normalisation", [name for name in NORMALISATIONS if name != "none"])
def test_a_normalisation_of_a_large_image_is_exact_to_five_digits(normalisation, space):
    # A hundred-thousandth of a standard deviation, in the image and in its slope, but for those named in FUSED.
    x = _image(space)
    if normalisation == "renorm":
        x = x - 3  # where the running statistics begin, within the bounds of the correction
    upstream = np.random.default_rng(1).standard_normal(x.shape, np.float32)
    image = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(image)
        found = norm_layer(CHANNELS, Style(normalisation, groups=2))(image, training=True)
    expected, slope = _normalised(x, upstream, 2 if normalisation == "group" else CHANNELS)
    if normalisation == "renorm":  # r = sd and d = mean of the batch, as constants, give back what came
        expected, slope = x, slope * x.std(tuple(range(x.ndim - 1)))
    tolerance = FUSED.get(normalisation, 1e-5)
    np.testing.assert_allclose(found, expected, atol=tolerance)
    np.testing.assert_allclose(tape.gradient(found, image, upstream), slope, atol=tolerance)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_standardising_a_large_image_and_predicting_are_as_exact(space):
    x = _image(space)
    expected, _ = _normalised(x, x, CHANNELS)
    np.testing.assert_allclose(standardise(keras.ops.convert_to_tensor(x)), expected, atol=1e-5)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_global_average_pooling_of_a_large_image_is_exact_to_six_digits(space):
    x = _image(space)
    expected = x.mean(tuple(range(1, x.ndim - 1)), keepdims=True, dtype=float)
    np.testing.assert_allclose(GlobalMean()(x), expected, rtol=1e-6)


@pytest.mark.parametrize("space", [(5, 7), (3, 4, 6)], ids=str)
def test_sums_means_and_variances_are_over_space_only(space):
    x = np.random.default_rng(2).standard_normal((2, *space, 3)).astype(np.float32)
    axes = tuple(range(1, x.ndim - 1))
    np.testing.assert_allclose(pixel_sum(x), x.sum(axes, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(pixel_mean(x), x.mean(axes, keepdims=True), atol=1e-6)
    mean, variance = pixel_moments(x)
    np.testing.assert_allclose(mean, x.mean(axes, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(variance, x.var(axes, keepdims=True), atol=1e-6)
