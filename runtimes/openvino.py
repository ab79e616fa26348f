"""OpenVINO, read from ONNX, with the precision of its arithmetic always set."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import ConversionError
from . import RUNTIMES
from .conversion import Conversion
from .file_runtime import FileRuntime
from .layer_errors import LayerOutputs
from .onnx import PACKAGES as ONNX
from .openvino_layers import outputs
from .same_labels import dice_of, labels_of

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
def openvino_int8(*, max_drop: float | None = None) -> FileRuntime:
    """OpenVINO in int8 by NNCF, ranges taken from validation cases; what it leaves in float is computed in float32.

    max_drop: the layers that cost most are put back into float32, one after the other, until the Dice of the labels
    with those of float32, on the same validation windows, is at least 1 - max_drop. It takes minutes.
    """
    packages = {**PACKAGES, "nncf": "nncf"}
    convert = _int8 if max_drop is None else partial(_controlled, max_drop=max_drop)
    layers = LayerOutputs(Conversion.onnx, outputs)
    return FileRuntime(
        ".xml", "openvino", convert, "openvino", packages, SESSION, "int8", calibrated=True, layers=layers
    )


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
    model, dataset = _read(conversion.onnx()), _dataset(batches)
    made = nncf.quantize(model, dataset, preset=nncf.QuantizationPreset.MIXED, **_thorough(batches))
    return _saved(made, file) | _facts(made, batches)


def _controlled(conversion: Conversion, file: Path, *, max_drop: float) -> dict[str, Any]:
    """As `_int8`, and layers put back. NNCF compiles what it tries as OpenVINO does unless told, so with bfloat16."""
    import nncf

    if not 0 < max_drop < 1:
        raise ConversionError(f"max_drop is {max_drop}; it is a part of the Dice, above 0 and below 1")
    nncf.set_log_level(40)
    batches = list(conversion.images())
    model = _read(conversion.onnx())
    float32 = _compiled(model)
    wanted = [labels_of(float32(images)[0], conversion.kind) for images in batches]
    numbered = nncf.Dataset(list(enumerate(batches)), lambda item: {"images": item[1]})

    def dice(compiled: Any, items: Iterable[tuple[int, np.ndarray]]) -> tuple[float, list[float]]:
        found = [dice_of(labels_of(compiled(images)[0], conversion.kind), wanted[k]) for k, images in items]
        return sum(found) / len(found), found

    made = nncf.quantize_with_accuracy_control(
        model,
        _dataset(batches),
        numbered,
        dice,
        max_drop=max_drop,
        drop_type=nncf.DropType.ABSOLUTE,
        preset=nncf.QuantizationPreset.MIXED,
        **_thorough(batches),
    )
    kept, _ = dice(_compiled(made), enumerate(batches))
    return _saved(made, file) | _facts(made, batches) | {"dice_with_float32": kept}


def _dataset(batches: list[np.ndarray]) -> Any:
    import nncf

    return nncf.Dataset(batches, lambda images: {"images": images})


def _thorough(batches: list[np.ndarray]) -> dict[str, Any]:
    return {"subset_size": len(batches), "fast_bias_correction": True}


def _facts(made: Any, batches: list[np.ndarray]) -> dict[str, Any]:
    quantised, convolutions = _quantised(made)
    return {
        "calibration_images": sum(map(len, batches)),
        "convolutions": convolutions,
        "quantised_convolutions": quantised,
    }


def _compiled(model: Any) -> Any:
    import openvino

    return openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


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
