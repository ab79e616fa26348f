"""TensorRT on an NVIDIA GPU, its engine built from ONNX where it runs."""

from . import RUNTIMES
from .file_runtime import FileRuntime
from .layer_errors import LayerOutputs
from .onnx import PACKAGES as ONNX
from .onnx import closed, prepared, symmetric
from .onnx_layers import outputs

PACKAGES = {"tensorrt": "tensorrt", "cuda": "cuda-python", "onnx": ONNX["onnx"], "tf2onnx": ONNX["tf2onnx"]}

SESSION = ("tensorrt", "cuda")


@RUNTIMES.add
def tensorrt() -> FileRuntime:
    """TensorRT in float32 on an NVIDIA GPU, without TensorFloat-32; the engine is built at every start."""
    return FileRuntime(".onnx", "tensorrt_engine", closed, "tensorrt", PACKAGES, SESSION, device=_lacks)


@RUNTIMES.add
def tensorrt_int8() -> FileRuntime:
    """TensorRT in int8 on an NVIDIA GPU from Q/DQ pairs around zero, the only ones it takes; biases stay float32."""
    packages = {**PACKAGES, "onnxruntime": ONNX["onnxruntime"]}
    layers = LayerOutputs(prepared, outputs)
    return FileRuntime(
        ".onnx",
        "tensorrt_engine",
        symmetric,
        "tensorrt",
        packages,
        SESSION,
        "int8",
        device=_lacks,
        calibrated=True,
        layers=layers,
    )


def _lacks() -> str:
    from cuda.bindings import runtime  # pyright: ignore[reportMissingImports]

    status, count = runtime.cudaGetDeviceCount()
    return "" if not int(status) and count else "there is no NVIDIA GPU here"
