"""A .keras file names layers and holds numbers; Keras is given no other."""

import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from unetbench.benchmark.trial.saved_file import MEMBERS, require_plain
from unetbench.benchmark.trial.saved_network import put_weights, saved_network
from unetbench.core.errors import StoreError
from unetbench.core.task import Task
from unetbench.models import MODELS

TASK = Task(2, 1, ("cell",))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The members of the file of a small network."""
    file = tmp_path_factory.mktemp("saved") / "a.keras"
    MODELS["unet"](TASK, width=2, depth=1).save(file)
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def write(tmp_path, saved):
    """Write the file with some members changed; config: changes the configuration."""

    def written(config=None, **changed):
        members = {**saved, **changed}
        if config is not None:
            told = json.loads(saved["config.json"])
            config(told)
            members["config.json"] = json.dumps(told).encode()
        with zipfile.ZipFile(tmp_path / "b.keras", "w") as archive:
            for name, content in members.items():
                if content is not None:
                    archive.writestr(name, content)
        return tmp_path / "b.keras"

    return written


def _first_layer(told):
    return next(layer for layer in told["config"]["layers"] if layer["class_name"] == "Conv2D")


def test_a_network_of_the_registry_is_read(write):
    found = saved_network(write())
    assert found.count_params() == MODELS["unet"](TASK, width=2, depth=1).count_params()


@pytest.mark.parametrize(
    "name", [name for name in ("unet", "nnunet", "swin_unet", "sa_unet", "unext") if name in MODELS]
)
def test_every_kind_of_layer_of_ours_is_plain(tmp_path, name):
    network = MODELS[name](TASK)
    network.save(tmp_path / "a.keras")
    require_plain(tmp_path / "a.keras")


@pytest.mark.parametrize(
    ("module", "name", "registered"),
    [
        ("keras.layers", "Lambda", None),
        ("keras.layers", "TFSMLayer", None),
        ("keras.layers", "StringLookup", None),
        ("keras.utils", "get_file", None),
        ("keras.config", "enable_unsafe_deserialization", None),
        ("keras", "Loader", None),
        ("os", "system", None),
        ("unetbench.core.files", "write", None),
        (None, "Mine", "mine>Mine"),
    ],
)
def test_an_object_that_no_network_is_made_of_is_refused_before_keras_sees_it(
    write, monkeypatch, module, name, registered
):
    monkeypatch.setattr(keras.saving, "load_model", lambda *_, **__: pytest.fail("Keras was given it"))

    def named(told):
        _first_layer(told).update({"module": module, "class_name": name, "registered_name": registered})

    with pytest.raises(
        StoreError, match=rf"b\.keras: is no network that Keras can load .*names {module}\.{name}, which"
    ):
        saved_network(write(named))


def test_a_function_is_known_by_its_own_name(write):
    def named(told):
        activation = {"module": "os", "class_name": "function", "config": "getcwd", "registered_name": "getcwd"}
        _first_layer(told)["config"]["activation"] = activation

    with pytest.raises(StoreError, match=r"it names os\.getcwd, which no network is made of"):
        saved_network(write(named))


def test_a_layer_of_ones_own_is_read_once_it_is_registered(tmp_path):
    class Mine(keras.layers.Conv2D):
        """A convolution by another name."""

    image = keras.Input((None, None, 1))
    network = keras.Model(image, Mine(1, 3)(image))
    network.save(tmp_path / "a.keras")
    with pytest.raises(StoreError, match=r"it names .*Mine, which no .*; one of your own needs --plugin"):
        saved_network(tmp_path / "a.keras")
    keras.saving.register_keras_serializable("unetbench_test")(Mine)
    network.save(tmp_path / "a.keras")
    found = saved_network(tmp_path / "a.keras")
    np.testing.assert_array_equal(found.layers[-1].get_weights()[0], network.layers[-1].get_weights()[0])


def test_a_network_whose_weights_are_not_all_in_the_file_is_refused(write, saved):
    with h5py.File(io.BytesIO(saved[MEMBERS[2]])) as whole:
        less = _weights(lambda file: [whole.copy(whole[name], file, name) for name in whole if name != "layers"])
    with pytest.raises(StoreError, match=r"b\.keras: is no network that Keras can load"):
        saved_network(write(**{MEMBERS[2]: less}))


def test_a_layer_of_more_filters_than_there_are_weights_is_refused(write):
    def large(told):
        _first_layer(told)["config"]["filters"] = 10**9

    with pytest.raises(StoreError, match=r"it has a layer of 1000000000 filters and \d+ weights in all"):
        saved_network(write(large))


def test_other_members_are_refused(write):
    with pytest.raises(StoreError, match=r"it holds assets/a\.txt, config\.json, .*, not config\.json, metadata\.json"):
        saved_network(write(**{"assets/a.txt": b"hello"}))
    with pytest.raises(StoreError, match=r"it holds config\.json, metadata\.json, not"):
        saved_network(write(**{MEMBERS[2]: None}))


def _weights(make):
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        make(file)
    return held.getvalue()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda file: file.update({"a": h5py.ExternalLink("b.h5", "/b")}), "its weights have a link, 'a'"),
        (lambda file: file.update({"a": h5py.SoftLink("/b")}), "its weights have a link, 'a'"),
        (
            lambda file: file.create_dataset("a", (10**6, 10**6), "f4", chunks=(1000, 1000)),
            "the numbers of 'a' are not in its weights",
        ),
        (
            lambda file: file.create_dataset("a", (3,), "f4", external=[("b.bin", 0, 12)]),
            "the numbers of 'a' are not in its weights",
        ),
        (lambda file: file.create_dataset("a", data=["text"]), "'a' of its weights holds no numbers"),
        (lambda file: file.create_group("a").update({"b": file["/"]}), "the group 'b' of its weights is there twice"),
    ],
)
def test_weights_that_are_elsewhere_or_no_numbers_are_refused(write, make, message):
    with pytest.raises(StoreError, match=message):
        saved_network(write(**{MEMBERS[2]: _weights(make)}))


def test_a_changed_byte_of_the_weights_is_found_by_its_checksum(write):
    file = write()
    content = bytearray(file.read_bytes())
    content[content.find(b"\x89HDF") + 500] ^= 1
    file.write_bytes(content)
    with pytest.raises(StoreError, match="Bad CRC-32"):
        saved_network(file)


def test_weights_are_put_into_a_network_only_from_such_a_file(write):
    network = MODELS["unet"](TASK, width=2, depth=1)
    put_weights(network, write(), "unet")
    for found, kept in zip(network.get_weights(), saved_network(write()).get_weights(), strict=True):
        np.testing.assert_array_equal(found, kept)
    link = _weights(lambda file: file.update({"a": h5py.ExternalLink("b.h5", "/b")}))
    with pytest.raises(StoreError, match=r"b\.keras: cannot be loaded into unet: .*its weights have a link"):
        put_weights(network, write(**{MEMBERS[2]: link}), "unet")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"])
def test_what_is_no_such_file_is_one_line(tmp_path, content):
    (tmp_path / "a.keras").write_bytes(content)
    with pytest.raises(StoreError, match=r"a\.keras: is no network that Keras can load") as caught:
        saved_network(tmp_path / "a.keras")
    assert "\n" not in str(caught.value)
