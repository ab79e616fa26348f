"""A worker's place is made of environment variables; what a machine lacks is told before a worker is begun."""

import pytest

from unetbench.benchmark.records.gpus import Gpu
from unetbench.benchmark.trial import places
from unetbench.benchmark.trial.places import Place, lacking, slots
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Trial


def _trial(backend="tensorflow", device=""):
    return Trial(Choice("cells"), {}, Choice("unet"), Choice("bce"), Recipe(), 0, backend=backend, device=device)


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(places, "visible_gpus", lambda: (Gpu("GPU-aa", "NVIDIA H100"), Gpu("GPU-bb", "NVIDIA H100")))
    monkeypatch.setattr(places, "machine", lambda: {"gpu": "NVIDIA H100"})


def test_a_place_takes_the_trials_of_its_backend_and_device_only():
    place = Place("jax", "gpu", 1)
    assert place.takes(_trial("jax", "gpu"))
    assert not place.takes(_trial("jax", "cpu"))
    assert not place.takes(_trial("tensorflow", "gpu"))


def test_a_gpu_of_a_number_is_the_only_one_that_its_worker_sees(two_gpus):
    found = Place("torch", "gpu", 1).environment()
    assert found["CUDA_VISIBLE_DEVICES"] == "GPU-bb"
    assert found["KERAS_BACKEND"] == "torch"
    assert found["JAX_PLATFORMS"] is None  # a user's `cpu` must not make the GPU's trial one of the processor


def test_a_place_on_the_processor_hides_every_gpu():
    found = Place("tensorflow", "cpu").environment()
    assert found["CUDA_VISIBLE_DEVICES"] == "-1"
    assert found["JAX_PLATFORMS"] == found["KERAS_TORCH_DEVICE"] == "cpu"
    assert Place("jax").environment() == {"KERAS_BACKEND": "jax"}  # the backend takes what it takes by itself


def test_tensorflow_trains_with_onednn_where_it_would_leave_it_off(monkeypatch):
    monkeypatch.setattr("unetbench.core.onednn.turned_on", lambda: {"TF_ENABLE_ONEDNN_OPTS": "1"})
    assert Place("tensorflow").environment()["TF_ENABLE_ONEDNN_OPTS"] == "1"
    assert "TF_ENABLE_ONEDNN_OPTS" not in Place("jax").environment()


def test_trials_on_gpus_run_one_each_and_others_as_many_as_there_are_workers(two_gpus):
    assert slots("gpu", (), 4) == [0, 1]
    assert slots("gpu", (1,), 4) == [1]
    assert slots("cpu", (0, 1), 3) == [None] * 3
    assert slots("", (), 1) == [None]


def test_a_backend_that_is_not_installed_names_its_extra(monkeypatch):
    monkeypatch.setattr(places, "installed", {"tensorflow"}.__contains__)
    assert lacking(_trial(), ()) == ""
    assert lacking(_trial("torch"), ()) == "backend torch: not installed here; pip install 'unetbench[torch]'"
    assert lacking(_trial("openvino"), ()).startswith("backend openvino: cannot train; there are tensorflow, jax")


def test_a_gpu_that_is_not_there_is_told_with_those_that_are(two_gpus):
    there = "gpu:0 (NVIDIA H100), gpu:1 (NVIDIA H100)"
    assert lacking(_trial(device="gpu"), (0, 2)) == f"device gpu:2: there is none of that number; there are {there}"
    assert lacking(_trial(device="gpu"), (0, 1)) == ""
    assert lacking(_trial(device="cpu"), (7,)) == ""


def test_a_machine_without_a_gpu_says_so(monkeypatch):
    monkeypatch.setattr(places, "visible_gpus", lambda: ())
    monkeypatch.setattr(places, "none_here", lambda system: True)
    assert (
        lacking(_trial(device="gpu"), (0,)) == "device gpu:0: this machine has no GPU that programs see; there is cpu"
    )


def test_gpus_of_two_models_are_not_mixed_under_one_machine(two_gpus, monkeypatch):
    monkeypatch.setattr(places, "visible_gpus", lambda: (Gpu("GPU-aa", "NVIDIA H100"), Gpu("GPU-cc", "NVIDIA T4")))
    assert lacking(_trial(device="gpu"), (0,)) == ""
    assert lacking(_trial(device="gpu"), ()).startswith("device gpu:1: is NVIDIA T4, and this machine's records are of")
