"""An export folder that cannot be opened says what to do."""

import sys
from dataclasses import asdict

import pytest

from unetbench.benchmark.deploy.export import Plan, begin, finish
from unetbench.benchmark.predict.open_export import open_export
from unetbench.core.errors import ConversionError, Unavailable
from unetbench.core.task import Task
from unetbench.datasets.prepare import Preprocess
from unetbench.datasets.readers import Reading
from unetbench.runtimes.file_runtime import file_runtime

TASK = Task(2, 1, ("cell",))


def _folder(folder, runtime):
    kind = file_runtime(runtime, {})
    plan = Plan(TASK, TASK, Preprocess(), (32, 32), 0.5, 0.5, False, True, asdict(Reading()), trial={"model": "unet"})
    begin(folder, kind).write_bytes(b"no network")
    finish(folder, plan, runtime, kind, {"network": "abc"})
    return folder


@pytest.mark.parametrize(
    ("runtime", "module", "extra"),
    [
        ("onnx_int8", "onnxruntime", "onnx"),
        ("openvino", "openvino", "openvino"),
        ("litert", "ai_edge_litert", "litert"),
        ("tensorrt", "tensorrt", "tensorrt"),
    ],
)
def test_a_runtime_that_is_not_installed_is_named_with_its_extra(tmp_path, monkeypatch, runtime, module, extra):
    loaded = [name for name in sys.modules if name.startswith(f"{module}.")]
    for name in (module, *loaded):
        monkeypatch.setitem(sys.modules, name, None)  # an import of it fails as if it were not installed
    with pytest.raises(
        Unavailable, match=rf"{module}(\.\w+)? is not installed: pip install 'unetbench\[{extra}\]', or its"
    ):
        open_export(_folder(tmp_path, runtime))


def test_a_file_that_its_runtime_does_not_load_is_named(tmp_path):
    with pytest.raises(ConversionError, match=r"network\.onnx: cannot be loaded: "):
        open_export(_folder(tmp_path, "onnx"))
