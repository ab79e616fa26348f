"""Layers that cannot be compared cost a row their names and nothing else."""

from unetbench.benchmark.deploy.candidate import Converters
from unetbench.benchmark.deploy.measure import worst_layers
from unetbench.benchmark.deploy.untrained import UntrainedRecipe
from unetbench.core.registry import load_plugin
from unetbench.core.task import Task
from unetbench.core.trial import Choice
from unetbench.models import MODELS
from unetbench.runtimes.file_runtime import file_runtime

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


def test_layers_that_cannot_be_read_are_a_note_and_no_error(tmp_path):
    plugin = tmp_path / "unreadable.py"
    plugin.write_text(PLUGIN, "utf-8")
    load_plugin(str(plugin))
    task, model = Task(2, 1, ("object",)), Choice("unet", {"width": 8, "depth": 1})
    built = UntrainedRecipe(model, task, tmp_path, (str(plugin),))
    MODELS[model.name](task, **model.options).save(built.weights)
    plan, windows = built.plan((16, 16)), built.windows("test", (16, 16), 1)
    with Converters(built.weights, built.exports, built.plugins) as converters:
        assert worst_layers(converters, Choice("onnx"), plan, windows) == {}
        unreadable = Choice("onnx_unreadable")
        kind = file_runtime(unreadable.name, {})
        assert kind is not None
        converters.convert(unreadable, kind, plan)
        found = worst_layers(converters, unreadable, plan, windows)
    assert found == {"layer_errors_problem": "its tensors cannot be read"}
