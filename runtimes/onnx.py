"""ONNX Runtime on the CPU, on CUDA and through TensorRT."""

import shutil
from pathlib import Path
from typing import Any

from ..core.files import written_aside
from . import RUNTIMES
from .conversion import Conversion
from .file_runtime import FileRuntime
from .layer_errors import LayerOutputs
from .onnx_layers import outputs

PACKAGES = {"onnxruntime": "onnxruntime", "onnx": "onnx", "tf2onnx": "tf2onnx"}

SESSION = ("onnxruntime",)


@RUNTIMES.add
def onnx(*, dynamic: bool = False) -> FileRuntime:
    """ONNX Runtime in float32 on the CPU. dynamic: one file for every batch and size."""
    return FileRuntime(".onnx", "onnx", _dynamic if dynamic else closed, "onnx", PACKAGES, SESSION)


@RUNTIMES.add
def onnx_int8() -> FileRuntime:
    """ONNX Runtime in int8 on the CPU: Q/DQ pairs, images uint8, weights int8 with a scale a channel."""
    layers = LayerOutputs(prepared, outputs)
    return FileRuntime(".onnx", "onnx", _int8, "onnx", PACKAGES, SESSION, "int8", calibrated=True, layers=layers)


@RUNTIMES.add
def onnx_cuda() -> FileRuntime:
    """ONNX Runtime on an NVIDIA GPU through CUDA, in float32 or TensorFloat-32 as its driver sets it."""
    return _on("CUDAExecutionProvider")


@RUNTIMES.add
def onnx_tensorrt() -> FileRuntime:
    """ONNX Runtime on an NVIDIA GPU through TensorRT."""
    return _on("TensorrtExecutionProvider")


def _on(provider: str) -> FileRuntime:
    def device() -> str:
        import onnxruntime

        here = onnxruntime.get_available_providers()
        return "" if provider in here else f"{provider} is not in this ONNX Runtime: pip install onnxruntime-gpu"

    return FileRuntime(
        ".onnx", "onnx", closed, "onnx", PACKAGES, SESSION, options={"providers": [provider]}, device=device
    )


def closed(conversion: Conversion, file: Path) -> dict[str, Any]:
    """The network as it is, for one batch and size."""
    return _copied(conversion.onnx(), file)


def _dynamic(conversion: Conversion, file: Path) -> dict[str, Any]:
    return _copied(conversion.onnx(dynamic=True), file) | {"dynamic": True}


def _copied(made: Path, file: Path) -> dict[str, Any]:
    with written_aside(file) as aside:
        shutil.copyfile(made, aside)
    return {}


def _int8(conversion: Conversion, file: Path) -> dict[str, Any]:
    from onnxruntime.quantization import QuantType

    return _quantised(conversion, file, QuantType.QUInt8)  # on x86 three times as fast as QInt8


def symmetric(conversion: Conversion, file: Path) -> dict[str, Any]:
    """Q/DQ pairs as TensorRT takes them: int8 with a zero point of 0, and biases that stay float32."""
    from onnxruntime.quantization import QuantType

    return _quantised(conversion, file, QuantType.QInt8, ActivationSymmetric=True, QuantizeBias=False)


def _quantised(conversion: Conversion, file: Path, activations: Any, **options: bool) -> dict[str, Any]:
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    with written_aside(file) as aside:
        quantize_static(
            str(prepared(conversion)),
            str(aside),
            _calibration(conversion),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=activations,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options=options,
        )
    return {"calibration_images": sum(map(len, conversion.images()))}


def prepared(conversion: Conversion) -> Path:
    """The file in float32 from which ONNX Runtime quantises, normalisation merged into convolutions; made once."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    file = conversion.folder / "prepared.onnx"
    if not file.exists():
        with written_aside(file) as aside:
            quant_pre_process(str(conversion.onnx()), str(aside), skip_symbolic_shape=True)
    return file


def _calibration(conversion: Conversion) -> Any:
    """The calibration images as ONNX Runtime asks for them."""
    from onnxruntime.quantization import CalibrationDataReader

    class Images(CalibrationDataReader):
        def __init__(self) -> None:
            self.left = conversion.images()

        def get_next(self) -> Any:
            images = next(self.left, None)
            return None if images is None else {"images": images}

    return Images()
