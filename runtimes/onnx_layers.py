"""Outputs of the convolutions of a Q/DQ ONNX file, beside those of the float32 file it was made from."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .layer_errors import Output

DEQUANTISED = "_DequantizeLinear_Output"
"""What ONNX Runtime's quantiser adds to a tensor's name where it was quantised and dequantised."""


def outputs(full: Path, file: Path, images: np.ndarray) -> Iterator[Output]:
    """The convolutions of both files, image by image, behind the Q/DQ pair of their result where there is one.

    An activation that the quantiser took into that pair is part of both; images (n, *space, c) float32. The weights
    name a convolution first, for tf2onnx renames those that it merges a normalisation into (`Conv__61`).
    """
    import onnx

    exact, quantised = onnx.load(str(full)), onnx.load(str(file))
    made = {name for node in exact.graph.node for name in node.output}
    behind = {name for node in quantised.graph.node for name in node.output}
    found = [
        ([node.input[1], node.name], result, result + DEQUANTISED if result + DEQUANTISED in behind else result)
        for node in quantised.graph.node
        if node.op_type in ("Conv", "ConvTranspose")
        for result in node.output
        if result in made
    ]
    if not found:
        return
    run_exact = _session(exact, [result for _, result, _ in found])
    run_quantised = _session(quantised, [result for _, _, result in found])
    for image in images:
        for (names, *_), before, after in zip(found, run_exact(image[None]), run_quantised(image[None]), strict=True):
            yield names, before, after


def _session(model: Any, names: Sequence[str]) -> Any:
    """A call from images to the named tensors."""
    import onnx
    import onnxruntime

    given = {entry.name for entry in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in dict.fromkeys(names) if name not in given)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    entry = session.get_inputs()[0].name
    return lambda images: session.run(list(names), {entry: images})
