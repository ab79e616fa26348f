"""The Keras runtime gives the model's own logits, for every size with one trace, and follows further training."""

import sys

import keras
import numpy as np
import pytest

from unetbench.runtimes import RUNTIMES
from unetbench.runtimes.keras import prefers_pairs


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 2))
    return keras.Model(image, keras.layers.Conv2D(3, 3, padding="same")(image))


def test_logits_are_the_models_own_at_every_size(model):
    call = RUNTIMES["keras"](model)
    for shape in ((1, 8, 8, 2), (3, 5, 12, 2)):
        images = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        found = call(images)
        assert isinstance(found, np.ndarray)
        np.testing.assert_allclose(found, keras.ops.convert_to_numpy(model(images, training=False)), atol=1e-5)


def test_new_weights_are_seen_without_a_new_trace(model):
    call = RUNTIMES["keras"](model)
    images = np.ones((1, 4, 4, 2), np.float32)
    call(images)
    for weight in model.weights:
        weight.assign(np.zeros(weight.shape))
    assert not call(images).any()


@pytest.mark.parametrize(
    ("instructions", "onednn", "pairs"),
    [
        (("sse4.1", "avx", "fma", "avx2"), True, True),
        (("sse4.1", "avx", "fma", "avx2"), False, False),
        (("sse4.1", "avx", "fma", "avx2", "avx_vnni"), True, True),
        (("sse4.1", "avx", "fma", "avx2", "avx512", "avx512_vnni"), True, False),
        (("sse4.1", "avx"), True, False),
        (("neon", "dotprod"), True, False),
        ((), False, False),
    ],
)
def test_single_images_go_in_pairs_where_one_alone_misses_the_fast_kernels(instructions, onednn, pairs, monkeypatch):
    own = sys.modules["unetbench.runtimes.keras"]
    monkeypatch.setattr(own, "usable", lambda: instructions)
    monkeypatch.setattr(own.onednn, "in_use", lambda: onednn)
    assert prefers_pairs() is pairs


def test_a_pair_gives_the_single_images_logits(model, monkeypatch):
    monkeypatch.setattr(sys.modules["unetbench.runtimes.keras"], "prefers_pairs", lambda: True)
    call = RUNTIMES["keras"](model)
    images = np.random.default_rng(0).standard_normal((1, 8, 8, 2)).astype(np.float32)
    found = call(images)
    assert found.shape == (1, 8, 8, 3)
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(model(images, training=False)), atol=1e-5)
