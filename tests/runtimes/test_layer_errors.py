"""The layers of a quantised file that are furthest from float32 are found, and named as Keras names them."""

import keras
import numpy as np
import pytest

from unetbench.benchmark.deploy.trained import recast
from unetbench.core.errors import ConversionError
from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.runtimes.conversion import Conversion
from unetbench.runtimes.file_runtime import file_runtime
from unetbench.runtimes.layer_errors import layer_errors, layer_names

QUANTISED = ["litert_dynamic", "litert_int8", "onnx_int8", "openvino_int8"]
SPACE = (16, 24)


def test_the_error_is_the_root_of_noise_over_signal_of_all_images_the_largest_first():
    given = [
        (["f_1/a_1/convolution"], np.array([3.0, 4.0]), np.array([3.0, 3.0])),
        (["f_1/b_1/convolution"], np.array([1.0, 1.0]), np.array([2.0, 1.0])),
        (["f_1/a_1/convolution"], np.array([0.0, 5.0]), np.array([0.0, 7.0])),
    ]
    # a: sqrt((1 + 4) / (25 + 25)); b: sqrt(1 / 2)
    found = layer_errors(iter(given), ["a", "b"])
    assert list(found) == ["b", "a"]
    assert found == pytest.approx({"a": np.sqrt(0.1), "b": np.sqrt(0.5)})


def test_a_layer_without_signal_has_no_share_and_one_that_is_not_finite_is_the_worst():
    given = [
        (["f_1/a_1/conv"], np.zeros(2), np.ones(2)),
        (["f_1/b_1/conv"], np.ones(2), np.ones(2)),
        (["f_1/c_1/conv"], np.ones(2), np.array([1.0, np.nan])),
    ]
    assert layer_errors(iter(given), "abc") == {"c": np.inf, "b": 0.0}


def test_files_without_a_common_convolution_are_refused():
    with pytest.raises(ConversionError, match="no convolution of the quantised file is found in the float32 one"):
        layer_errors(iter(()), ["a"])


def test_numbers_that_tensorflow_adds_to_scopes_are_taken_off_where_all_have_them():
    layers = ["conv2d", "conv2d_1", "conv2d_2", "block", "inner"]
    numbered = ["f_1/conv2d_1/convolution", "f_1/conv2d_1_2/BiasAdd;f_1/conv2d_1_2/conv", "f_1/block_1/inner_1/conv"]
    assert list(layer_names(numbered, layers).values()) == ["conv2d", "conv2d_1", "inner"]
    plain = ["f/conv2d/convolution", "f/conv2d_1/convolution"]
    assert list(layer_names(plain, layers).values()) == ["conv2d", "conv2d_1"]
    strange = ["f_1/unheard_3/of/convolution", *numbered]
    assert list(layer_names(strange, layers).values()) == ["unheard_3/of", "conv2d", "conv2d_1", "inner"]


def test_of_what_was_merged_the_convolution_gives_the_name():
    merged = ["f_1/relu_1/Relu;f_1/norm_1/FusedBatchNormV3;f_1/conv_1/convolution1"]
    assert list(layer_errors(iter([(merged, np.ones(1), np.ones(1))]), ["relu", "norm", "conv"])) == ["conv"]


def _conversion(network, space, folder):
    images = np.random.default_rng(0).standard_normal((8, *space, network.inputs[0].shape[-1]), np.float32)
    return Conversion(network, space, 1, folder, lambda: recast(network, "float32", sliced=True), images)


def _errors(conversion, name):
    kind = file_runtime(name, {})
    file = conversion.folder / f"{name}{kind.suffix}"
    kind.convert(conversion, file)
    names = [layer.name for layer in conversion.model._flatten_layers(include_self=False)]
    return layer_errors(kind.layers.outputs(kind.layers.full(conversion), file, conversion.calibration[:3]), names)


def _with_a_ruined_layer():
    """Three convolutions, the second of which is added to the first and has one huge weight a channel.

    These weights meet a channel that is always 0, so that they change nothing in float32, and make steps of int8 in
    which all others round to 0: its own error is 1, and a small one in what it is added to.
    """
    images = keras.Input((*SPACE, 2))
    first = keras.layers.Conv2D(16, 3, padding="same", activation="relu", name="first")
    ruined = keras.layers.Conv2D(16, 3, padding="same", name="ruined")
    last = keras.layers.Conv2D(3, 1, name="last")
    start = first(images)
    network = keras.Model(images, last(start + ruined(start)))
    kernel, bias = (np.array(weight) for weight in first.get_weights())
    kernel[..., 0], bias[0] = 0.0, -1.0
    first.set_weights([kernel, bias])
    kernel = np.random.default_rng(0).uniform(-0.01, 0.01, (3, 3, 16, 16))
    kernel[1, 1, 0] = 1000.0
    ruined.set_weights([kernel, np.zeros(16)])
    return network


@pytest.mark.parametrize("name", QUANTISED)
def test_a_layer_whose_range_an_outlier_ruined_is_named_first(name, tmp_path):
    keras.utils.set_random_seed(0)
    found = _errors(_conversion(_with_a_ruined_layer(), SPACE, tmp_path), name)
    assert set(found) <= {"first", "ruined", "last"}
    assert next(iter(found)) == "ruined"
    assert found["ruined"] == pytest.approx(1.0, abs=0.05)
    assert found["last"] < 0.3


@pytest.mark.parametrize("name", QUANTISED)
def test_every_convolution_of_a_unet_is_compared_under_its_keras_name(name, tmp_path):
    keras.utils.set_random_seed(0)
    network = MODELS["unet"](Task(2, 2, ("a", "b", "c"), "exclusive"), width=8, depth=2, normalisation="batch")
    found = _errors(_conversion(network, SPACE, tmp_path), name)
    convolutions = {layer.name for layer in network.layers if "conv" in layer.name}
    assert set(found) == convolutions
    assert all(error < 0.3 for error in found.values())
    assert max(found.values()) > 1e-3


@pytest.mark.parametrize("normalisation", ["instance", "batch"])  # tf2onnx renames convolutions that it merges into
@pytest.mark.parametrize("name", ["onnx_int8", "openvino_int8"])
def test_volumes_are_compared_too(name, normalisation, tmp_path):
    keras.utils.set_random_seed(0)
    network = MODELS["unet"](Task(3, 1, ("a",), "binary"), width=4, depth=1, normalisation=normalisation)
    found = _errors(_conversion(network, (8, 8, 8), tmp_path), name)
    assert set(found) == {layer.name for layer in network.layers if "conv" in layer.name}
    assert all(error < 0.3 for error in found.values())


def test_the_error_in_decibels_is_the_ratio_of_onnx_runtimes_own_debugger():
    debug = pytest.importorskip("onnxruntime.quantization.qdq_loss_debug", reason="ONNX Runtime is not installed")
    rng = np.random.default_rng(0)
    full = [rng.standard_normal((1, 4, 6, 3)).astype(np.float32) for _ in range(2)]
    quantised = [values + 0.1 * rng.standard_normal(values.shape).astype(np.float32) for values in full]
    error = layer_errors(((["f/a/conv"], x, q) for x, q in zip(full, quantised, strict=True)), ["a"])["a"]
    ratio = debug.compute_signal_to_quantization_noice_ratio(full, quantised)
    assert -20 * np.log10(error) == pytest.approx(ratio, abs=1e-3)
