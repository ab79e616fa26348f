"""A part that does not do what parts of its kind must is told by name, with what came and what was possible."""

import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from unetbench.benchmark.trial.gradients import loss_gradient, weight_gradients
from unetbench.benchmark.trial.part_checks import check_loss, check_metric, check_network, check_runtime
from unetbench.core.errors import PartError
from unetbench.core.recipe import Recipe
from unetbench.core.task import Task
from unetbench.core.trial import Choice, Trial
from unetbench.losses import LOSSES
from unetbench.metrics import METRICS
from unetbench.models import MODELS
from unetbench.runtimes import RUNTIMES

BINARY = Task(2, 1, ("cell",), "binary", ignore=255)
THREE = Task(2, 1, ("background", "nucleus", "cytoplasm"), "exclusive", ignore=255)
TRIAL = Trial(Choice("cells"), {}, Choice("mine"), Choice("bce"), Recipe(patch=(16, 16)), 0)
REQUIRED = {"weighted_sum": {"parts": [{"name": "dice"}]}, "deep_supervision": {"loss": "dice"}}


def _bce(truth, logits):
    truth = keras.ops.cast(truth, "float32")
    return keras.ops.maximum(logits, 0) - logits * truth + keras.ops.log1p(keras.ops.exp(-keras.ops.abs(logits)))


def _seen(truth):
    return keras.ops.cast(keras.ops.cast(truth, "int32") != 255, "float32")


def _each(values):
    return keras.ops.mean(values, axis=(1, 2, 3))


def _sound(truth, logits, task):
    return _each(_bce(keras.ops.minimum(truth, 1), logits) * _seen(truth))


FAULTY_LOSSES = {
    "one number for all": (lambda t, z, task: keras.ops.mean(_sound(t, z, task)), "for 2 cases; one value a case"),
    "one value a pixel": (lambda t, z, task: _bce(t, z), "one value a case is possible, shape .2,.: take the mean"),
    "not finite": (lambda t, z, task: _sound(t, z, task) / 0.0, "finite values are possible"),
    "ignored pixels": (lambda t, z, task: _each(_bce(keras.ops.minimum(t, 1), z)), "whose truth is the ignored value"),
    "no gradient": (lambda t, z, task: _sound(t, keras.ops.stop_gradient(z), task), "zero everywhere"),
    "the wrong way round": (lambda t, z, task: _sound(t, -z, task), "one that is wrong .*the right one must cost less"),
    "channel lost": (lambda t, z, task: _each(_bce(t[..., 0], z) * _seen(t)), "InvalidArgumentError"),
    "leaving Python": (lambda t, z, task: sys.exit(3), "SystemExit: 3"),
    "pooled over the batch": (lambda t, z, task: _sound(t, z, task) * 0 + keras.ops.mean(_sound(t, z, task)), "batch"),
    "probabilities": (
        lambda t, z, task: _each(keras.losses.binary_crossentropy(keras.ops.minimum(t, 1), z)[..., None] * _seen(t)),
        "takes them for probabilities",
    ),
    "an error of its own": (lambda t, z, task: {}["missing"], "KeyError: 'missing'"),
}


@pytest.fixture
def loss(monkeypatch):
    """Register a function as a loss for the time of a test."""

    def register(function):
        monkeypatch.setitem(LOSSES._functions, "dice", function)
        return Choice("dice")

    return register


@pytest.mark.parametrize("fault", FAULTY_LOSSES)
def test_a_faulty_loss_is_named_with_what_came_and_what_is_possible(fault, loss):
    function, words = FAULTY_LOSSES[fault]
    with pytest.raises(PartError, match=f"^loss mine: .*{words}"):
        check_loss("loss mine", loss(function), BINARY, (16, 16))


def test_a_sound_loss_passes(loss):
    check_loss("loss mine", loss(_sound), BINARY, (16, 16))


def test_a_loss_that_takes_numbers_of_classes_for_planes_is_told(loss):
    """The truth (n, y, x, 1) is broadcast against three logits a pixel: Dice with the numbers 0, 1, 2 as a mask."""

    def dice(truth, logits, task):
        probability = keras.ops.softmax(logits)
        return 1 - 2 * _each(truth * probability) / (_each(truth) + _each(probability))

    with pytest.raises(PartError, match="the right one must cost less: truth is whole numbers"):
        check_loss("loss mine", loss(dice), replace(THREE, ignore=None), (16, 16))


@pytest.mark.parametrize("task", [BINARY, THREE, Task(3, 1, ("a", "b"), "multilabel", ignore=255)])
@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_of_ours_passes(name, task):
    check_loss(name, Choice(name, REQUIRED.get(name, {})), task, (16, 16, 8)[: task.rank])


def _convolution(channels, *, activation=None, strides=1, initializer="glorot_uniform"):
    return keras.layers.Conv2D(
        channels, 3, padding="same", activation=activation, strides=strides, kernel_initializer=initializer
    )


def _network(*layers):
    image = x = keras.Input((None, None, 1))
    for layer in layers:
        x = layer(x)
    return keras.Model(image, x)


def _strided():
    """A network of stride 16 that does not say so: it takes its patches, and no window that is half a patch longer."""
    image = keras.Input((None, None, 1))
    coarse = keras.layers.UpSampling2D(16)(keras.layers.MaxPool2D(16)(image))
    return keras.Model(image, _convolution(3)(coarse))


class _Subclass(keras.Model):
    def call(self, images):
        return images


def _frozen(network):
    network.trainable = False
    return network


def _named_outputs():
    image = keras.Input((None, None, 1))
    return keras.Model(image, {"logits": _convolution(3)(image)})


FAULTY_NETWORKS = {
    "a class of its own": (_Subclass, r"outputs are not known; keras\.Model\(inputs, outputs\) is possible"),
    "no model": (lambda: _convolution(3), "gives Conv2D; a keras.Model is possible"),
    "a channel too many": (lambda: _network(_convolution(4)), r"an output of shape \(\?, \?, \?, 4\); .* 3\) is"),
    "half the size": (lambda: _network(_convolution(3, strides=2)), r"\(1, 8, 8, 3\) for an image of \(16, 16\)"),
    "probabilities": (lambda: _network(_convolution(3, activation="softmax")), "probabilities; return logits"),
    "not finite": (lambda: _network(_convolution(3), keras.layers.Rescaling(float("nan"))), "not finite"),
    "dead": (lambda: _network(_convolution(3), keras.layers.Rescaling(0.0)), "zero everywhere, so nothing can be"),
    "frozen": (lambda: _frozen(_network(_convolution(3))), "no weight that is trained"),
    "a dict": (lambda: _named_outputs(), "gives a dict; a tensor or a list of them is possible"),
    "an unsaid stride": (_strided, r"\(1, 16, 16, 3\) for an image of \(16, 24\)"),
}


@pytest.mark.parametrize("fault", FAULTY_NETWORKS)
def test_a_faulty_model_is_named_with_what_came_and_what_is_possible(fault):
    make, words = FAULTY_NETWORKS[fault]
    with pytest.raises(PartError, match=f"^model mine: .*{words}"):
        check_network("model mine", make(), TRIAL, THREE, gradients=True)


def test_a_model_of_one_image_size_passes():
    image = keras.Input((16, 16, 1))
    network = keras.Model(image, _convolution(3)(image))
    check_network("model mine", network, TRIAL, THREE, gradients=True)


def test_a_model_whose_logits_begin_at_zero_passes():
    check_network("model mine", _network(_convolution(3, initializer="zeros")), TRIAL, THREE, gradients=True)


def test_looking_at_the_gradients_leaves_the_moving_statistics_as_they_are():
    network = _network(keras.layers.BatchNormalization(), _convolution(3))
    before = [np.array(variable) for variable in network.variables]
    found = weight_gradients(network, np.random.default_rng(0).standard_normal((2, 8, 8, 1)).astype("float32"))
    assert [gradient.shape for gradient in found] == [variable.shape for variable in network.trainable_variables]
    for variable, value in zip(network.variables, before, strict=True):
        np.testing.assert_array_equal(np.array(variable), value)


def test_the_gradient_of_a_loss_by_the_logits_is_that_of_the_sum_over_cases():
    logits = np.array([[1.0, -2.0], [0.5, 3.0]], np.float32)
    found = loss_gradient(lambda truth, z: keras.ops.sum(truth * z**2, axis=1), np.ones((2, 2), np.float32), logits)
    np.testing.assert_allclose(found, 2 * logits)


FAULTY_METRICS = {
    "several numbers": (lambda pair: np.array([1.0, 2.0]), r"gives ndarray of shape \(2,\); one number or NaN"),
    "no number": (lambda pair: None, "TypeError"),
    "text": (lambda pair: "0.5", "gives str; one number or NaN"),
    "an error on an empty mask": (lambda pair: pair.tp // (pair.tp + pair.fn), "ZeroDivisionError"),
}


@pytest.mark.parametrize("fault", FAULTY_METRICS)
def test_a_faulty_metric_is_named_with_what_came_and_what_is_possible(fault):
    metric, words = FAULTY_METRICS[fault]
    with pytest.raises(PartError, match=f"^metric mine: .*{words}"):
        check_metric("metric mine", metric, 2)


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("name", METRICS)
def test_every_metric_of_ours_passes(name, rank):
    check_metric(name, METRICS[name], rank)


def test_a_runtime_must_give_logits_of_every_class_at_every_pixel(monkeypatch):
    check_runtime("runtime keras", Choice("keras"), THREE)
    monkeypatch.setitem(RUNTIMES._functions, "keras", lambda model: lambda images: images)
    with pytest.raises(
        PartError, match=r"^runtime mine: gives ndarray of shape \(2, 16, 24, 1\); finite logits of shape"
    ):
        check_runtime("runtime mine", Choice("keras"), THREE)


@pytest.mark.parametrize("name", ["unet_light", "unet_plus_plus", "attention_unet"])
def test_models_of_ours_pass(name):
    network = MODELS[name](THREE, **({"width": 4} if "width" in MODELS.part(name).options else {}))
    check_network(name, network, replace(TRIAL, recipe=Recipe(patch=(32, 32))), THREE, gradients=True)
