"""Outputs of the convolutions of a model that NNCF quantised, beside those of the float32 model it was made from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .layer_errors import Output


def outputs(full: Path, file: Path, images: np.ndarray) -> Iterator[Output]:
    """The convolutions of both models that have one friendly name, with their biases, image by image.

    What follows, activation and the quantiser of the next layer, is no part of it; images (n, *space, c) float32.
    """
    import openvino

    core = openvino.Core()
    exact, quantised = core.read_model(str(full)), core.read_model(str(file))
    before, after = _convolutions(exact), _convolutions(quantised)
    names = [name for name in after if name in before]
    weights = {name: node.input_value(1).get_node().get_friendly_name() for name, (node, _) in before.items()}
    if not names:
        return
    run_exact, run_quantised = (
        _compiled(core, model, [results[name][1] for name in names])
        for model, results in ((exact, before), (quantised, after))
    )
    for image in images:
        for name, left, right in zip(names, run_exact(image[None]), run_quantised(image[None]), strict=True):
            yield [weights[name], name], left, right


def _convolutions(model: Any) -> dict[str, tuple[Any, Any]]:
    """Convolutions and their results by friendly name, those of the addition of the bias where there is one."""
    found = {}
    for node in model.get_ordered_ops():
        if "Convolution" in node.get_type_name():
            takers = [target.get_node() for target in node.output(0).get_target_inputs()]
            end = next((taker for taker in takers if _adds_bias(taker)), node)
            found[end.get_friendly_name()] = node, end.output(0)
    return found


def _adds_bias(node: Any) -> bool:
    """Whether it adds a constant, and not another branch of the network."""
    entries = [node.input_value(index).get_node() for index in range(node.get_input_size())]
    return node.get_type_name() == "Add" and any(_is_constant(entry) for entry in entries)


def _is_constant(node: Any) -> bool:
    kind = node.get_type_name()
    if kind == "Constant":
        return True
    # The importer reshapes biases by shapes that it computes from the convolution's own result.
    return kind in ("Reshape", "Convert") and node.input_value(0).get_node().get_type_name() == "Constant"


def _compiled(core: Any, model: Any, results: list[Any]) -> Any:
    """A call from images to results, floats computed in float32."""
    first = len(model.outputs)
    model.add_outputs(results)
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()

    def run(images: np.ndarray) -> list[np.ndarray]:
        request.infer({0: images})
        return [request.get_output_tensor(first + index).data.copy() for index in range(len(results))]

    return run
