"""Layers that cannot be compared cost a row their names and nothing else."""

import pytest

from unetbench.benchmark.deploy.measure import Setting, measure
from unetbench.benchmark.deploy.untrained import UntrainedRecipe
from unetbench.benchmark.timing.options import LatencyOptions
from unetbench.core.registry import load_plugin
from unetbench.core.task import Task
from unetbench.core.trial import Choice

PLUGIN = """
from dataclasses import replace

from unetbench.core.errors import ConversionError
from unetbench.runtimes import RUNTIMES
from unetbench.runtimes.file_runtime import file_runtime
from unetbench.runtimes.layer_errors import LayerOutputs


def no_outputs(full, file, images):
    raise ConversionError("its tensors cannot be read")


@RUNTIMES.add
def onnx_unreadable():
    \"\"\"ONNX Runtime whose layers cannot be read.\"\"\"
    kind = file_runtime("onnx", {})
    return replace(kind, layers=LayerOutputs(lambda conversion: conversion.onnx(), no_outputs))
"""


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Rows of a small U-Net by runtime."""
    plugin = tmp_path_factory.mktemp("plugin") / "unreadable.py"
    plugin.write_text(PLUGIN, "utf-8")
    load_plugin(str(plugin))
    model = Choice("unet", {"width": 8, "depth": 1, "normalisation": "batch"})
    built = UntrainedRecipe.build(model, Task(2, 1, ("object",)), [str(plugin)])
    found = measure(
        built,
        [Choice("onnx_unreadable")],
        Setting(1, (16, 16)),
        LatencyOptions(samples=5, budget_s=0.1),
        agreement=False,
    )
    return {row["runtime"]: row for row in found}


def test_keras_has_no_layers_to_compare(rows):
    assert not {"layer_errors", "layer_errors_problem"} & set(rows["keras"])


def test_layers_that_cannot_be_read_are_a_note_and_the_row_is_done(rows):
    row = rows["onnx_unreadable"]
    assert row["status"] == "done"
    assert row["layer_errors_problem"] == "its tensors cannot be read"
    assert "layer_errors" not in row
    assert len(row["samples_s"]) == 5
