"""Every registered model: builds for every kind of task, trains every weight, saves, and takes other sizes."""

import keras
import numpy as np
import pytest

from unetbench.core.errors import Unfit
from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.models.parts.fit import divisor, require
from unetbench.runtimes import RUNTIMES

QUICK = ("unet", "unet_3d", "unet_light", "attention_unet", "ege_unet")
"""Recipes whose whole contract is tested at once; of the others the whole is marked slow."""

TASKS = {
    "binary": lambda rank: Task(rank, 1, ("cell",)),
    "exclusive": lambda rank: Task(rank, 3, ("background", "nucleus", "cytoplasm"), "exclusive"),
    "two channels": lambda rank: Task(rank, 2, ("membrane", "nucleus"), "multilabel"),
}


def _image(model: keras.Model, channels: int, times: int = 2, cases: int = 2) -> np.ndarray:
    size = tuple(d * times for d in divisor(model))
    return np.random.default_rng(0).normal(size=(cases, *size, channels)).astype("float32")


def _case(name: str, rank: int):
    return pytest.param((name, rank), id=f"{name}-{rank}d", marks=[] if name in QUICK else [pytest.mark.slow])


@pytest.fixture(params=[_case(name, rank) for name in MODELS for rank in (2, 3)], scope="module")
def built(request, reduced):
    name, rank = request.param
    try:
        return {kind: (make(rank), reduced(name, make(rank))) for kind, make in TASKS.items()}
    except Unfit as error:
        assert f"the task has rank {rank}" in str(error)
        pytest.skip(str(error))


def _first(outputs):
    return outputs[0] if isinstance(outputs, list) else outputs


def _ranked(build):
    """Build for the first rank that the recipe serves."""
    try:
        return build(2)
    except Unfit as error:
        assert "the task has rank 2" in str(error)
        return build(3)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_builds_and_states_logits_of_the_images_size(name, reduced):
    model = _ranked(lambda rank: reduced(name, TASKS["exclusive"](rank)))
    assert model.input.shape == (None,) * (len(model.input.shape) - 1) + (3,)
    assert model.output.shape == (None,) * (len(model.input.shape) - 1) + (3,)
    assert model.output.dtype == "float32"


@pytest.mark.parametrize("kind", TASKS)
def test_every_model_gives_float32_logits_of_the_images_size(built, kind):
    task, model = built[kind]
    image = _image(model, task.channels)
    logits = model(image)
    assert logits.shape == (*image.shape[:-1], task.outputs)
    assert logits.dtype == "float32"
    assert model.output.shape == (None,) * (task.rank + 1) + (task.outputs,)


def test_every_weight_gets_a_finite_gradient_that_is_not_zero_everywhere(built):
    import tensorflow as tf

    task, model = built["exclusive"]
    image = _image(model, task.channels, times=4)
    with tf.GradientTape() as tape:
        logits = model(image, training=True)
        loss = tf.reduce_mean(tf.square(logits - tf.random.stateless_normal(logits.shape, (1, 2))))
    for weight, gradient in zip(model.trainable_weights, tape.gradient(loss, model.trainable_weights), strict=True):
        assert np.isfinite(gradient.numpy()).all(), weight.path
        assert np.any(gradient.numpy()), weight.path


def test_every_model_saves_and_loads_bit_identically(built, tmp_path):
    task, model = built["binary"]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for ours, theirs in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    image = _image(model, task.channels)
    np.testing.assert_array_equal(model(image).numpy(), loaded(image).numpy())
    assert divisor(loaded) == divisor(model)


def test_every_model_takes_another_size(built):
    task, model = built["binary"]
    size = tuple(d * (axis + 1) for axis, d in enumerate(divisor(model)))
    image = np.zeros((1, *size, task.channels), "float32")
    assert model(image).shape == (1, *size, 1)


def test_every_model_refuses_a_size_that_does_not_divide(built):
    task, model = built["binary"]
    size = tuple(d + 1 for d in divisor(model))
    with pytest.raises(Unfit, match="multiples of") as error:
        model(np.zeros((1, *size, task.channels), "float32"))
    assert "\n" not in str(error.value)
    with pytest.raises(Unfit, match="patch"):
        require(model, size)


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n in QUICK else [pytest.mark.slow]) for n in MODELS])
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_every_model_gives_float32_logits_under_mixed_precision(name, precision, reduced):
    keras.config.set_dtype_policy(precision)
    try:
        model = _ranked(lambda rank: reduced(name, TASKS["binary"](rank)))
    finally:
        keras.config.set_dtype_policy("float32")
    logits = model(_image(model, 1))
    assert logits.dtype == "float32"
    assert np.isfinite(logits.numpy()).all()
    assert any(layer.compute_dtype == precision.removeprefix("mixed_") for layer in model.layers)
    assert all(weight.dtype == "float32" for weight in model.weights)


@pytest.mark.parametrize("name", MODELS)
def test_no_convolution_is_one_whose_gradient_writes_past_its_memory(name, reduced):
    model = _ranked(lambda rank: reduced(name, TASKS["binary"](rank)))
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Conv3D) and max(layer.strides) > 1:
            # See layers.every. Those of keras.applications have whole blocks of 16 channels, which are safe.
            whole = name == "encoder_unet" and layer.kernel.shape[-2] % 16 == 0
            assert max(layer.kernel_size) > 1 or whole, layer.path


def test_one_trace_for_images_of_unknown_size_gives_the_same_logits(built):
    _, model = built["binary"]
    call = RUNTIMES["keras"](model)
    for times in (2, 3):  # of one token Keras warns that its softmax is always 1
        image = _image(model, 1, times)
        expected = keras.ops.convert_to_numpy(_first(model(image, training=False)))
        np.testing.assert_allclose(call(image), expected, rtol=1e-4, atol=1e-4 * max(1, np.abs(expected).max()))
