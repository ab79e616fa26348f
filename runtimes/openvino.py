"""OpenVINO, read from ONNX, with the precision of its arithmetic always set."""

from pathlib import Path
from typing import Any

from . import RUNTIMES
from .conversion import Conversion
from .file_runtime import FileRuntime
from .layer_errors import LayerOutputs
from .onnx import PACKAGES as ONNX
from .openvino_layers import outputs

PACKAGES = {"openvino": "openvino", "onnx": ONNX["onnx"], "tf2onnx": ONNX["tf2onnx"]}

SESSION = ("openvino",)


@RUNTIMES.add
def openvino(*, dynamic: bool = False) -> FileRuntime:
    """OpenVINO in float32 on the CPU. dynamic: one file for every batch and size."""
    return FileRuntime(".xml", "openvino", _dynamic if dynamic else _closed, "openvino", PACKAGES, SESSION)


@RUNTIMES.add
def openvino_bfloat16() -> FileRuntime:
    """OpenVINO in bfloat16, which is what it takes by default where the processor has it; weights stay float32."""
    return FileRuntime(
        ".xml",
        "openvino",
        _closed,
        "openvino",
        PACKAGES,
        SESSION,
        "bfloat16",
        {"precision": "bf16"},
        lambda: _lacks("BF16"),
    )


@RUNTIMES.add
def openvino_float16() -> FileRuntime:
    """OpenVINO in float16, where the processor computes in it."""
    return FileRuntime(
        ".xml",
        "openvino",
        _closed,
        "openvino",
        PACKAGES,
        SESSION,
        "float16",
        {"precision": "f16"},
        lambda: _lacks("FP16"),
    )


@RUNTIMES.add
def openvino_int8() -> FileRuntime:
    """OpenVINO in int8 by NNCF, ranges taken from validation cases; what it leaves in float is computed in float32."""
    packages = {**PACKAGES, "nncf": "nncf"}
    layers = LayerOutputs(Conversion.onnx, outputs)
    return FileRuntime(".xml", "openvino", _int8, "openvino", packages, SESSION, "int8", calibrated=True, layers=layers)


def _lacks(capability: str) -> str:
    import openvino

    here = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "" if capability in here else f"this processor does not compute in {capability}"


def _closed(conversion: Conversion, file: Path) -> dict[str, Any]:
    return _saved(_read(conversion.onnx()), file)


def _dynamic(conversion: Conversion, file: Path) -> dict[str, Any]:
    return _saved(_read(conversion.onnx(dynamic=True)), file) | {"dynamic": True}


def _int8(conversion: Conversion, file: Path) -> dict[str, Any]:
    import nncf

    nncf.set_log_level(40)
    batches = list(conversion.images())
    made = nncf.quantize(
        _read(conversion.onnx()),
        nncf.Dataset(batches, lambda images: {"images": images}),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(batches),
        fast_bias_correction=True,
    )
    quantised, convolutions = _quantised(made)
    return _saved(made, file) | {
        "calibration_images": sum(map(len, batches)),
        "convolutions": convolutions,
        "quantised_convolutions": quantised,
    }


def _read(file: Path) -> Any:
    import openvino

    return openvino.Core().read_model(str(file))


def _saved(model: Any, file: Path) -> dict[str, Any]:
    """Write .bin and .xml. Weights stay float32, which `save_model` would make float16 without a word."""
    import openvino

    spare = file.with_name(f"{file.stem}.part.xml")
    openvino.save_model(model, str(spare), compress_to_fp16=False)
    spare.with_suffix(".bin").replace(file.with_suffix(".bin"))
    spare.replace(file)
    return {}


def _quantised(model: Any) -> tuple[int, int]:
    """How many convolutions take quantised images, and how many there are."""
    convolutions = [node for node in model.get_ops() if "Convolution" in node.get_type_name()]
    taken = [node for node in convolutions if _from_quantiser(node)]
    return len(taken), len(convolutions)


def _from_quantiser(node: Any) -> bool:
    return node.input_value(0).get_node().get_type_name() == "FakeQuantize"
