"""What runs from a file gives the Keras model's logits, as exactly as its precision allows, or says why it cannot."""

import importlib.util
import json

import keras
import numpy as np
import pytest

from unetbench.benchmark.deploy.trained import recast
from unetbench.core.errors import ConversionError, Unavailable, Unfit
from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.runtimes import RUNTIMES
from unetbench.runtimes.conversion import Conversion
from unetbench.runtimes.file_runtime import FileRuntime, file_formats, file_runtime
from unetbench.runtimes.onnx_file import write_onnx
from unetbench.runtimes.same_labels import dice_of, labels_of

CLOSE = {"rtol": 1e-5, "atol": 1e-4}
"""Rounding of float32, for logits up to 15."""

SPACES = {2: (32, 48), 3: (8, 16, 16)}
REDUCED = ["litert_dynamic", "litert_float16", "litert_int8", "onnx_int8", "openvino_bfloat16", "openvino_int8"]
EXACT = ["litert", "onnx", "openvino"]


@pytest.fixture(scope="module", params=[2, 3], ids=["2D", "3D"])
def conversion(request, tmp_path_factory):
    """A small U-Net with weights that are not those of its start, and images to calibrate with."""
    return _conversion(request.param, tmp_path_factory.mktemp("converted"))


def _conversion(rank, folder, network=None):
    keras.utils.set_random_seed(0)
    if network is None:
        task = Task(rank, 2, ("a", "b", "c"), "exclusive")
        network = MODELS["unet"](task, width=8, depth=2, normalisation="batch")
        for weight in network.weights:
            weight.assign(weight + 0.05 * keras.random.normal(weight.shape))
    space = SPACES[rank]
    images = np.random.default_rng(0).standard_normal((8, *space, 2), np.float32)
    folder.mkdir(exist_ok=True)
    return Conversion(network, space, 1, folder, lambda: recast(network, "float32", sliced=True), images, "exclusive")


def _converted(conversion, name, **options):
    kind = file_runtime(name, options)
    kind.require(name, len(conversion.space))
    file = conversion.folder / f"{name}{kind.suffix}"
    facts = kind.convert(conversion, file)
    return file, facts, *_loaded(kind, file)


def _loaded(kind, file):
    spec = importlib.util.spec_from_file_location("session", kind.script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load(file, threads=1, **kind.options)


def _skip_where_missing(name, rank):
    try:
        file_runtime(name, {}).require(name, rank)
    except (Unavailable, Unfit) as error:
        pytest.skip(str(error))


def _logits(conversion, images):
    return keras.ops.convert_to_numpy(conversion.model(images, training=False))


def _images(conversion, count=1):
    shape = (count, *conversion.space, conversion.channels)
    return np.random.default_rng(1).standard_normal(shape, np.float32)


@pytest.mark.parametrize("name", EXACT)
def test_a_float32_file_gives_the_logits_of_keras(conversion, name):
    _, _, run, session = _converted(conversion, name)
    images = _images(conversion)
    np.testing.assert_allclose(run(images), _logits(conversion, images), **CLOSE)
    json.dumps(session)


@pytest.mark.parametrize("name", REDUCED)
def test_a_file_of_reduced_precision_comes_near_them_and_is_not_them(conversion, name):
    _skip_where_missing(name, len(conversion.space))
    _, _, run, _ = _converted(conversion, name)
    images = _images(conversion)
    wanted, found = _logits(conversion, images), run(images)
    error = np.sqrt(np.mean((found - wanted) ** 2) / np.mean(wanted**2))
    assert 1e-6 < error < 0.1


@pytest.mark.parametrize("name", ["litert_dynamic", "litert_int8"])
def test_in_3d_litert_has_no_kernels_of_int8_and_that_is_said(name):
    with pytest.raises(Unfit, match="has no kernels for 3D; litert and litert_float16 do"):
        file_runtime(name, {}).require(name, 3)


def test_litert_computes_in_int8_what_is_called_int8_and_in_float_what_is_not(tmp_path):
    conversion = _conversion(2, tmp_path)
    kernels = {name: _converted(conversion, name)[3]["convolutions"] for name in ("litert", "litert_int8")}
    assert set(kernels["litert"]) == {"float32"}
    assert set(kernels["litert_int8"]) == {"int8"}
    assert "int8 weights" in _converted(conversion, "litert_dynamic")[3]["convolutions"]


def test_with_a_closed_signature_one_delegate_of_litert_takes_every_operator_in_2d(tmp_path):
    session = _converted(_conversion(2, tmp_path), "litert")[3]
    assert session["delegates"] == 1
    assert session["delegated"] == session["operators"]


def test_the_weights_of_a_keras_3_model_are_in_the_litert_file(tmp_path):
    """TensorFlow 2.21 leaves them out of a function that is not frozen: a file of a few kB whose output is NaN."""
    conversion = _conversion(2, tmp_path)
    file = _converted(conversion, "litert")[0]
    assert file.stat().st_size > 4 * sum(np.prod(weight.shape) for weight in conversion.model.trainable_weights)


def test_openvino_computes_in_the_precision_asked_for_and_keeps_weights_in_float32(tmp_path):
    """Left alone it computes in bfloat16 where the processor has it, and saves weights as float16."""
    conversion = _conversion(2, tmp_path)
    file, _, _, session = _converted(conversion, "openvino")
    assert session["precision"] == "f32"
    assert set(session["kernels"]) == {"f32"}
    weights = sum(np.prod(weight.shape) for weight in conversion.model.trainable_weights)
    assert file.with_suffix(".bin").stat().st_size > 3.9 * weights


def test_openvino_int8_says_how_many_convolutions_were_quantised(tmp_path):
    facts = _converted(_conversion(2, tmp_path), "openvino_int8")[1]
    assert 0 < facts["quantised_convolutions"] <= facts["convolutions"]


def test_openvino_puts_layers_back_into_float32_until_the_labels_are_those_of_float32(tmp_path):
    plain = _converted(_conversion(2, tmp_path / "plain"), "openvino_int8")[1]
    conversion = _conversion(2, tmp_path / "controlled")
    _, facts, run, _ = _converted(conversion, "openvino_int8", max_drop=0.005)
    assert facts["dice_with_float32"] >= 0.995
    assert 0 < facts["quantised_convolutions"] < plain["quantised_convolutions"]
    logits = np.concatenate([run(image) for image in conversion.images()])
    labels = [labels_of(made, "exclusive") for made in (logits, _logits(conversion, conversion.calibration))]
    assert dice_of(*labels) == pytest.approx(facts["dice_with_float32"], abs=1e-3)


def test_a_drop_that_is_no_part_of_the_dice_is_refused(tmp_path):
    with pytest.raises(ConversionError, match="max_drop is 5; it is a part of the Dice, above 0 and below 1"):
        _converted(_conversion(2, tmp_path), "openvino_int8", max_drop=5)


def test_images_beyond_the_batch_of_a_litert_file_go_one_after_the_other(tmp_path):
    conversion = _conversion(2, tmp_path)
    run, images = _converted(conversion, "litert")[2], _images(conversion, 3)
    np.testing.assert_allclose(run(images), _logits(conversion, images), **CLOSE)


def test_an_image_of_another_size_than_the_files_is_refused(tmp_path):
    run = _converted(_conversion(2, tmp_path), "litert")[2]
    with pytest.raises(ValueError, match=r"images of shape \(1, 16, 16, 2\) came"):
        run(np.zeros((1, 16, 16, 2), np.float32))


@pytest.mark.parametrize("name", ["onnx", "openvino"])
def test_a_dynamic_file_takes_every_size_and_batch(tmp_path, name):
    conversion = _conversion(2, tmp_path)
    run = _converted(conversion, name, dynamic=True)[2]
    for shape in ((1, 32, 48, 2), (2, 64, 16, 2)):
        images = np.random.default_rng(2).standard_normal(shape, np.float32)
        np.testing.assert_allclose(run(images), _logits(conversion, images), **CLOSE)


def test_the_first_of_several_outputs_is_what_a_file_gives(tmp_path):
    task = Task(2, 2, ("object",))
    network = MODELS["unet_plus_plus"](task, width=4, depth=2, deep_supervision=True)
    assert len(network.outputs) > 1
    conversion = _conversion(2, tmp_path, network)
    images = _images(conversion)
    wanted = keras.ops.convert_to_numpy(network(images, training=False)[0])
    np.testing.assert_allclose(_converted(conversion, "onnx")[2](images), wanted, **CLOSE)


@pytest.mark.parametrize("name", EXACT)
def test_exact_gelu_reaches_every_format(tmp_path, name):
    """tf2onnx 1.17 lacks Erfc, of which TensorFlow makes GELU, and writes a file that does not load."""
    image = keras.Input((32, 48, 2))
    network = keras.Model(image, keras.layers.Conv2D(1, 1)(keras.ops.gelu(image * 3.0, approximate=False)))
    conversion = _conversion(2, tmp_path, network)
    images = _images(conversion)
    np.testing.assert_allclose(_converted(conversion, name)[2](images), _logits(conversion, images), **CLOSE)


def test_an_operator_that_onnx_lacks_is_named_with_its_layer(tmp_path):
    import tensorflow

    class Betainc(keras.layers.Layer):
        def call(self, x):
            return tensorflow.math.betainc(x + 1.0, x + 2.0, tensorflow.sigmoid(x))

    image = keras.Input((8, 8, 1))
    network = keras.Model(image, Betainc(name="strange")(image))
    spec = [tensorflow.TensorSpec((1, 8, 8, 1), "float32")]
    function = tensorflow.function(lambda images: network(images), input_signature=spec)
    with pytest.raises(ConversionError, match="ONNX has no operator Betainc, which layer strange"):
        write_onnx(function, tmp_path / "strange.onnx")
    assert not (tmp_path / "strange.onnx").exists()


def test_quantisation_without_images_says_where_they_come_from(tmp_path):
    conversion = _conversion(2, tmp_path)
    conversion.calibration = None
    with pytest.raises(ConversionError, match="takes its ranges from validation cases"):
        file_runtime("litert_int8", {}).convert(conversion, tmp_path / "file.tflite")


def test_a_runtime_that_is_not_installed_names_the_extra():
    kind = FileRuntime(".x", "onnx", lambda *_: {}, "onnx", {"no_such_module": "no-such-package"}, ())
    with pytest.raises(Unavailable, match=r"runtime x: no-such-package not installed: pip install 'unetbench\[onnx\]'"):
        kind.require("x", 2)


def test_a_device_that_is_missing_is_said():
    kind = FileRuntime(".x", "onnx", lambda *_: {}, "onnx", {}, (), device=lambda: "there is no such device")
    with pytest.raises(Unavailable, match="runtime x: there is no such device"):
        kind.require("x", 2)


@pytest.mark.parametrize("name", ["jax", "torch"])
def test_a_backend_that_keras_does_not_run_on_is_not_taken_for_it(conversion, name):
    if keras.backend.backend() == name:
        pytest.skip("it is the backend here")
    with pytest.raises(Unavailable, match=f"set KERAS_BACKEND={name}"):
        RUNTIMES[name](conversion.model)


@pytest.mark.parametrize("name", ["keras_predict", "keras_xla"])
def test_other_ways_of_keras_give_the_same_logits(conversion, name):
    images = _images(conversion)
    np.testing.assert_allclose(RUNTIMES[name](conversion.model)(images), _logits(conversion, images), **CLOSE)


def test_an_execution_provider_that_is_missing_is_an_error_and_no_fall_back_to_the_cpu(tmp_path):
    """ONNX Runtime itself goes on with the CPU and warns."""
    conversion = _conversion(2, tmp_path)
    file = _converted(conversion, "onnx")[0]
    kind = file_runtime("onnx_cuda", {})
    if not kind.missing():
        pytest.skip("there is a GPU here")
    with pytest.raises(RuntimeError, match="CUDAExecutionProvider is not in this ONNX Runtime"):
        _loaded(kind, file)


def test_formats_with_a_file_are_listed():
    assert {*EXACT, *REDUCED} <= set(file_formats())
    assert not {"keras", "keras_predict", "keras_xla", "jax", "torch"} & set(file_formats())
