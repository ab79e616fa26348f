"""Backends, devices and precisions of a sweep file multiply its trials."""

from pathlib import Path

import pytest

from unetbench.benchmark.sweep import file as sweep
from unetbench.benchmark.sweep.plan import trials
from unetbench.benchmark.trial.context import Context
from unetbench.core.errors import SpecError
from unetbench.datasets.source import Source

TEXT = """
datasets: [{name: cells, count: 12, size: [64, 64]}]
models: [unet_quarter]
losses: [bce]
"""


def _read(tmp_path, more="", *overrides):
    file = tmp_path / "axes.yaml"
    file.write_text(TEXT + more)
    return sweep.read(file, overrides)


def _settings(tmp_path, more):
    found = _read(tmp_path, more)
    context = Context(Source(None, tmp_path / "cache"), Path(), tmp_path, "axes", gpus=found.hardware.gpus)
    return [
        (entry.trial.backend, entry.trial.device, entry.trial.recipe.precision, entry.trial.seed)
        for entry in trials(found, context)
    ]


def test_every_combination_is_a_trial_seeds_innermost(tmp_path):
    more = "seeds: 2\nbackends: [tensorflow, jax]\ndevices: [cpu, gpu:0]\nprecisions: [float32, mixed_bfloat16]\n"
    found = _settings(tmp_path, more)
    assert len(found) == len(set(found)) == 16
    assert found[:3] == [
        ("tensorflow", "cpu", "float32", 0),
        ("tensorflow", "cpu", "float32", 1),
        ("tensorflow", "cpu", "mixed_bfloat16", 0),
    ]


def test_a_sweep_that_says_nothing_has_the_trials_it_always_had(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert _settings(tmp_path, "recipe: {precision: mixed_bfloat16}") == [("tensorflow", "", "mixed_bfloat16", 0)]


def test_the_backend_of_the_environment_makes_trials_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert _settings(tmp_path, "") == [("jax", "", "float32", 0)]


def test_numbered_gpus_share_the_trials_of_one_device(tmp_path):
    hardware = _read(tmp_path, "devices: [gpu:0, gpu:2, cpu]").hardware
    assert (hardware.devices, hardware.gpus) == (("gpu", "cpu"), (0, 2))
    assert _read(tmp_path, "devices: [gpu]").hardware.gpus == ()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("devices: [tpu]", "axes.yaml: devices[0]: 'tpu' is no device; there are cpu, gpu, gpu:0, gpu:1 …"),
        ("devices: [gpu:x]", "axes.yaml: devices[0]: 'gpu:x' is no device"),
        ("devices: [cpu, cpu]", "axes.yaml: devices[1]: cpu is there twice"),
        ("devices: [gpu, gpu:1]", "axes.yaml: devices: gpu is all GPUs, gpu, gpu:1 names some beside; leave one out"),
        ("backends: [magnet]", "axes.yaml: backends[0]: input should be 'tensorflow', 'jax' or 'torch', came 'magnet'"),
        ("precisions: [float64]", "axes.yaml: precisions[0]: input should be 'float32', 'mixed_bfloat16' or"),
        (
            "precisions: [float32]\nrecipe: {precision: float32}",
            "axes.yaml: recipe.precision stands beside precisions; leave one of them out",
        ),
    ],
)
def test_what_cannot_be_is_one_line_that_names_the_place(tmp_path, more, expected):
    with pytest.raises(SpecError) as told:
        _read(tmp_path, more)
    assert str(told.value).startswith(expected)
    assert "\n" not in str(told.value)


def test_a_data_set_s_own_precision_beside_the_axis_is_named(tmp_path):
    entry = "{name: cells, recipe: {precision: float32}}"
    with pytest.raises(SpecError, match=r"datasets\[0\].recipe.precision stands beside precisions"):
        _read(tmp_path, "precisions: [mixed_bfloat16]", f"datasets=[{entry}]")
