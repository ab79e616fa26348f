"""A traced TensorFlow function as an ONNX file that holds only operators of ONNX."""

import logging
from pathlib import Path
from typing import Any

from ..core.errors import ConversionError
from ..core.files import written_aside
from .tf2onnx_memory import weights_once

OPSET = 17
"""Version of ONNX's operators: the newest that ONNX Runtime, OpenVINO and TensorRT 10 all read whole."""


def write_onnx(function: Any, file: Path) -> None:
    """Convert a tf.function with an input signature, check the result, and write it aside and renamed.

    tf2onnx goes on over what it cannot convert and writes a file that does not load: operators that ONNX does not know
    raise ConversionError with the layer's name. Erfc, of which exact GELU is made and which tf2onnx lacks, becomes
    1 - Erf.
    """
    import onnx
    import tf2onnx

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    with weights_once():
        made, _ = tf2onnx.convert.from_function(
            function,
            input_signature=function.input_signature,
            opset=OPSET,
            custom_op_handlers={"Erfc": (_complement, [])},
        )
    _check(made)
    with written_aside(file) as aside:
        onnx.save(made, str(aside))


def _complement(context: Any, node: Any, name: str, arguments: Any) -> Any:
    """Erfc(x) = 1 - Erf(x)."""
    import numpy as np

    error = context.make_node("Erf", [node.input[0]], shapes=[context.get_shape(node.output[0])])
    context.copy_dtype(node.output[0], error.output[0])
    one = context.make_const(f"{name}_one", np.array(1.0, np.float32))
    shapes, types = [context.get_shape(node.output[0])], [context.get_dtype(node.output[0])]
    context.remove_node(node.name)
    return context.make_node(
        "Sub", [one.output[0], error.output[0]], name=name, outputs=node.output, shapes=shapes, dtypes=types
    )


def _check(made: Any) -> None:
    import onnx

    for node in made.graph.node:
        if node.domain in ("", "ai.onnx") and not onnx.defs.has(node.op_type, made.opset_import[0].version, ""):
            raise ConversionError(f"ONNX has no operator {node.op_type}, which {_layer(node.name)} needs")
    try:
        onnx.checker.check_model(made)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise ConversionError(f"the ONNX file is not valid: {str(error).splitlines()[0]}") from error


def _layer(name: str) -> str:
    """The layer of an operator's name: `functional_1/gelu_1/Erfc` is of `gelu_1`."""
    parts = name.split("/")
    return f"layer {parts[-2]}" if len(parts) > 1 else f"node {name}"
