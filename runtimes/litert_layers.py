"""Outputs of the convolutions of a .tflite file, beside those of the float32 file of the same network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .layer_errors import Output


def outputs(full: Path, file: Path, images: np.ndarray) -> Iterator[Output]:
    """The convolutions of both files that have one name, image by image; images (n, *space, c) float32.

    LiteRT's own kernels are run, without XNNPACK, which keeps no tensor between its operators: they round as the
    delegate does but for the last step of an int8 value.
    """
    exact, quantised = _Kept(full), _Kept(file)
    for image in images:
        exact.run(image[None])
        quantised.run(image[None])
        for names, index, tensor in quantised.convolutions():
            if tensor in exact.indices:
                yield names, exact.values(exact.indices[tensor]), quantised.values(index)


class _Kept:
    """An interpreter that keeps every tensor. indices: of the results of its operators, by name."""

    def __init__(self, file: Path) -> None:
        from ai_edge_litert.interpreter import OpResolverType

        self.interpreter = _interpreter(file, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
        self.interpreter.allocate_tensors()
        self.tensors = {tensor["index"]: tensor for tensor in self.interpreter.get_tensor_details()}
        self.operators = self.interpreter._get_ops_details()  # the only list of operators that the interpreter gives
        self.indices = {self.tensors[int(op["outputs"][0])]["name"]: int(op["outputs"][0]) for op in self.operators}

    def run(self, images: np.ndarray) -> None:
        entry = self.interpreter.get_input_details()[0]
        self.interpreter.set_tensor(entry["index"], images)
        self.interpreter.invoke()

    def values(self, index: int) -> np.ndarray:
        """A tensor in float32: (q - zero point) scale of an integer one."""
        found = self.interpreter.get_tensor(index)
        if found.dtype.kind == "f":
            return found
        scale, zero = self.tensors[index]["quantization"]
        return (found.astype(np.float32) - zero) * np.float32(scale)

    def convolutions(self) -> Iterator[tuple[list[str], int, str]]:
        """Names of each convolution, its result, and the name that the result has in a float32 file.

        The last one's result has its name only after it was dequantised.
        """
        last = {int(op["inputs"][0]): int(op["outputs"][0]) for op in self.operators if op["op_name"] == "DEQUANTIZE"}
        for op in self.operators:
            if "CONV" in op["op_name"]:
                index, weights = int(op["outputs"][0]), int(op["inputs"][1])
                names = [self.tensors[index]["name"], self.tensors[weights]["name"]]
                yield names, index, self.tensors[last.get(index, index)]["name"]


def _interpreter(file: Path, resolver: Any) -> Any:
    import warnings

    from ai_edge_litert.interpreter import Interpreter

    with warnings.catch_warnings():
        # Of the memory that it takes to keep every tensor, and that it is for debugging: it is what this is.
        warnings.filterwarnings("ignore", message=".*experimental_preserve_all_tensors")
        return Interpreter(
            model_path=str(file), experimental_preserve_all_tensors=True, experimental_op_resolver_type=resolver
        )
