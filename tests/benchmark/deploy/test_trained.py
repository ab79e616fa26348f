"""Networks are read back, brought to another precision and told apart by their weights."""

import keras
import numpy as np
import pytest

from unetbench.benchmark.deploy.sliced_pooling import SlicedAveragePooling3D, SlicedMaxPooling3D
from unetbench.benchmark.deploy.trained import load_network, recast, weights_digest
from unetbench.core.errors import StoreError
from unetbench.core.task import Task
from unetbench.models import MODELS


@pytest.fixture
def policy():
    yield keras.mixed_precision.set_dtype_policy
    keras.mixed_precision.set_dtype_policy("float32")


def _precisions(network):
    """Of the layers that compute."""
    return {layer.compute_dtype for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("unet", {"width": 4, "depth": 2, "normalisation": "batch"}),
        ("unet", {"width": 4, "depth": 2, "normalisation": "group", "groups": 2}),
        ("attention_unet", {"width": 4, "depth": 2}),
        ("mednext", {"width": 4}),
    ],
    ids=["batch", "group", "attention", "mednext"],
)
@pytest.mark.parametrize("rank", [2, 3])
def test_in_float64_a_network_differs_from_float32_by_rounding_only_and_is_double_inside(name, options, rank):
    keras.utils.set_random_seed(0)
    network = MODELS[name](Task(rank, 1, ("object",)), **options)
    double = recast(network, "float64")
    images = np.random.default_rng(0).standard_normal((1, *(16,) * rank, 1))
    low = keras.ops.convert_to_numpy(network(images.astype(np.float32)))
    high = keras.ops.convert_to_numpy(double(images))
    assert _precisions(double) == {"float64"}
    assert high.dtype == np.float64
    assert 0 < np.abs(low - high).max() < 1e-4 * np.abs(high).max()
    # Twice the same to the last digits of a double: nothing on the way is rounded to float32.
    moved = keras.ops.convert_to_numpy(double(images + 1e-12))
    assert 0 < np.abs(moved - high).max() < 1e-9


def test_a_network_trained_in_bfloat16_is_taken_out_in_float32(tmp_path, policy):
    policy("mixed_bfloat16")
    network = MODELS["unet"](Task(2, 1, ("object",)), width=4, depth=2, normalisation="batch")
    network.save(tmp_path / "network.keras")
    found = load_network(tmp_path / "network.keras", "float32")
    assert _precisions(found) == {"float32"}
    for ours, theirs in zip(found.weights, network.weights, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("pool", "strides"), [((2, 2, 2), None), ((1, 2, 2), None), ((3, 3, 3), (2, 2, 2))])
def test_pooling_by_slices_is_pooling(padding, pool, strides):
    images = np.random.default_rng(0).standard_normal((2, 5, 8, 7, 3)).astype(np.float32)
    options = {"pool_size": pool, "strides": strides, "padding": padding}
    wanted = keras.layers.MaxPooling3D(**options)(images)
    found = SlicedMaxPooling3D(**options)(images)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), keras.ops.convert_to_numpy(wanted))
    mean, sliced = (kind(**options)(images) for kind in (keras.layers.AveragePooling3D, SlicedAveragePooling3D))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(sliced), keras.ops.convert_to_numpy(mean), atol=1e-6)


def test_the_digest_follows_every_weight():
    network = MODELS["unet"](Task(2, 1, ("object",)), width=4, depth=2)
    before = weights_digest(network)
    assert weights_digest(network) == before
    weight = network.weights[-1]
    weight.assign(weight + 1e-3)
    assert weights_digest(network) != before


def test_a_file_that_is_no_network_is_named(tmp_path):
    (tmp_path / "broken.keras").write_bytes(b"no archive")
    with pytest.raises(StoreError, match=r"broken\.keras: is no network that Keras can load"):
        load_network(tmp_path / "broken.keras")
