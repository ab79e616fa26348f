"""LiteRT (formerly TensorFlow Lite): closed signatures, so that XNNPACK takes every operator."""

from pathlib import Path
from typing import Any

from ..core.errors import ConversionError, one_line
from ..core.files import write
from . import RUNTIMES
from .conversion import Conversion
from .file_runtime import FileRuntime
from .layer_errors import LayerOutputs
from .litert_layers import outputs

PACKAGES = {"ai_edge_litert": "ai-edge-litert"}

SESSION = ("ai_edge_litert",)


@RUNTIMES.add
def litert() -> FileRuntime:
    """LiteRT in float32, one file a batch and size."""
    return FileRuntime(".tflite", "litert", _float32, "litert", PACKAGES, SESSION)


@RUNTIMES.add
def litert_float16() -> FileRuntime:
    """LiteRT with weights of float16, computed in float32: half the file."""
    return FileRuntime(".tflite", "litert", _float16, "litert", PACKAGES, SESSION, "float16 weights")


@RUNTIMES.add
def litert_dynamic() -> FileRuntime:
    """LiteRT with weights of int8 and images quantised call by call (dynamic range): a quarter of the file. 2D only.

    In 3D there are no kernels of int8: the file would be as large, and off.
    """
    layers = LayerOutputs(_full, outputs)
    return FileRuntime(
        ".tflite",
        "litert",
        _dynamic,
        "litert",
        PACKAGES,
        SESSION,
        "int8 weights",
        ranks=(2,),
        layers=layers,
    )


@RUNTIMES.add
def litert_int8() -> FileRuntime:
    """LiteRT in int8 throughout, ranges taken from validation cases; input and logits are float32. 2D only.

    Ranges are global minima and maxima, of which an empty image in front takes nothing away.
    """
    layers = LayerOutputs(_full, outputs)
    return FileRuntime(
        ".tflite",
        "litert",
        _int8,
        "litert",
        PACKAGES,
        SESSION,
        "int8",
        ranks=(2,),
        calibrated=True,
        layers=layers,
    )


def _float32(conversion: Conversion, file: Path) -> dict[str, Any]:
    return _written(_converter(conversion), file)


def _full(conversion: Conversion) -> Path:
    """The file in float32, made once."""
    file = conversion.folder / "closed.tflite"
    if not file.exists():
        _float32(conversion, file)
    return file


def _float16(conversion: Conversion, file: Path) -> dict[str, Any]:
    import tensorflow

    converter = _converter(conversion)
    converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tensorflow.float16]
    return _written(converter, file)


def _dynamic(conversion: Conversion, file: Path) -> dict[str, Any]:
    import tensorflow

    converter = _converter(conversion)
    converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    return _written(converter, file)


def _int8(conversion: Conversion, file: Path) -> dict[str, Any]:
    import tensorflow

    converter = _converter(conversion)
    converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([images] for images in conversion.images())
    converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return _written(converter, file) | {"calibration_images": sum(map(len, conversion.images()))}


def _converter(conversion: Conversion) -> Any:
    import tensorflow

    return tensorflow.lite.TFLiteConverter.from_concrete_functions([conversion.frozen])


def _written(converter: Any, file: Path) -> dict[str, Any]:
    """Convert and write; raises ConversionError with the first line of what the converter says."""
    import warnings

    try:
        with warnings.catch_warnings():
            # Of quantised inputs: they are float32 here.
            warnings.filterwarnings("ignore", message="Statistics for quantized inputs were expected")
            content = converter.convert()
    except ConversionError:
        raise
    except Exception as error:  # the converter's own types are not public
        raise ConversionError(f"LiteRT's converter: {one_line(error)}") from error
    write(file, content)
    return {}
