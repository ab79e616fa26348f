"""What an encoder of keras.applications begins with: a file, or random weights where the network does not answer."""

import hashlib

import h5py
import keras
import numpy as np
import pytest

from unetbench.core.errors import FallbackWarning, Unfit
from unetbench.core.task import Task
from unetbench.models import MODELS

COLOUR = Task(2, 3, ("cell",))
GREY = Task(2, 1, ("cell",))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A file of a mobilenet's weights without its top, and those of its first convolution."""
    file = tmp_path_factory.mktemp("weights") / "mobilenet.weights.h5"
    network = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(None, None, 3))
    network.save_weights(file)
    return file, network.get_layer("conv1").kernel.numpy()


@pytest.fixture
def unanswered(monkeypatch, tmp_path):
    """Every address is behind a proxy that refuses, and nothing was fetched before."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))


def _first_kernel(model):
    return model.get_layer("encoder").get_layer("conv1").kernel.numpy()


@pytest.mark.parametrize("task", [COLOUR, GREY], ids=["colour", "grey"])
def test_a_file_gives_its_weights_and_its_name_and_digest_are_stated(saved, task):
    file, kernel = saved
    model = MODELS["encoder_unet"](task, encoder="mobilenet", weights=str(file))
    np.testing.assert_array_equal(_first_kernel(model), kernel)
    assert model.initial_weights == f"{file}, SHA-256 {hashlib.sha256(file.read_bytes()).hexdigest()}"
    assert model.missing_weights == ""
    assert model(np.zeros((1, 32, 32, task.channels), "float32")).shape == (1, 32, 32, 1)


def test_imagenet_that_cannot_be_fetched_starts_at_random_with_a_warning_and_says_so(unanswered):
    with pytest.warns(FallbackWarning, match="imagenet of MobileNet could not be fetched: URL fetch failure") as told:
        model = MODELS["encoder_unet"](GREY, encoder="mobilenet", weights="imagenet")
    assert str(told[0].message).endswith("; the encoder starts at random")
    assert "\n" not in str(told[0].message)
    assert model.initial_weights == "random"
    assert "could not be fetched" in model.missing_weights
    # The network is the one that would have had the weights: a grey image is shown three times.
    assert _first_kernel(model).shape == (3, 3, 3, 32)


WRONG = [
    ({"encoder": "mobilenet_v2"}, "do not fit MobileNetV2: .*; give a file saved from keras.applications.MobileNetV2"),
    ({"weights": "nowhere.h5"}, "weights 'nowhere.h5' is no file; give the path of one, `imagenet`, or null"),
    ({"weights_sha256": "0123"}, "the file has changed"),
    ({"weights": 3}, "weights 3 is no file"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_a_file_that_is_missing_or_of_another_network_is_an_error_that_names_it(saved, options, message):
    with pytest.raises(Unfit, match=message) as error:
        MODELS["encoder_unet"](COLOUR, **{"encoder": "mobilenet", "weights": str(saved[0]), **options})
    assert str(options.get("weights", saved[0])) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_holds_no_weights_is_an_error_that_names_it(tmp_path):
    file = tmp_path / "empty.weights.h5"
    file.write_bytes(b"")
    with pytest.raises(Unfit, match="empty.weights.h5' do not fit MobileNet"):
        MODELS["encoder_unet"](COLOUR, encoder="mobilenet", weights=str(file))


def test_weights_of_colour_images_are_refused_for_two_channels(saved):
    with pytest.raises(Unfit, match="the task has 2 channels"):
        MODELS["encoder_unet"](Task(2, 2, ("cell",)), encoder="mobilenet", weights=str(saved[0]))


def test_weights_that_lead_to_another_file_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.weights.h5", "w") as made:
        made["layers"] = h5py.ExternalLink("other.h5", "/layers")
    with pytest.raises(Unfit, match=r"a\.weights\.h5' do not fit MobileNet: its weights have a link, 'layers'"):
        MODELS["encoder_unet"](COLOUR, encoder="mobilenet", weights=str(tmp_path / "a.weights.h5"))
