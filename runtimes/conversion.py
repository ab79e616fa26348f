"""A trained network on its way into a file: frozen TensorFlow functions and the ONNX file that formats share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import ConversionError, one_line
from ..core.task import Kind


@dataclass
class Conversion:
    """A network, and what its files are made for.

    model: a Keras model of float32 on the TensorFlow backend. sliced: makes the same without pooling of
    volumes, which LiteRT cannot run. space: edges of the images, which the file takes and no others unless it is
    dynamic. batch: images a call. calibration: prepared images (m, *space, c) float32 of validation cases, from which
    ranges of quantised values are taken, or None. kind: of the task, how logits become labels. folder: where files that
    several formats share are kept.
    """

    model: Any
    space: tuple[int, ...]
    batch: int
    folder: Path
    sliced: Callable[[], Any]
    calibration: np.ndarray | None = None
    kind: Kind = "binary"

    @property
    def channels(self) -> int:
        """Of the images."""
        return int(self.model.inputs[0].shape[-1])

    def images(self) -> Iterator[np.ndarray]:
        """The calibration images in batches of the file's. Raises ConversionError when there are none."""
        if self.calibration is None or len(self.calibration) < self.batch:
            raise ConversionError("quantisation takes its ranges from validation cases, and none were given")
        for start in range(0, len(self.calibration) - self.batch + 1, self.batch):
            yield self.calibration[start : start + self.batch]

    def function(self, *, dynamic: bool = False, sliced: bool = False) -> Any:
        """The forward pass to the first output's logits as a traced tf.function; dynamic: of any batch and size."""
        import tensorflow

        edges = (None,) * (len(self.space) + 1) if dynamic else (self.batch, *self.space)
        model = self.sliced() if sliced else self.model
        signature = [tensorflow.TensorSpec((*edges, self.channels), "float32", name="images")]

        @tensorflow.function(input_signature=signature, jit_compile=False)
        def logits(images: Any) -> Any:
            made = model(images, training=False)
            return tensorflow.identity(made[0] if isinstance(made, list | tuple) else made, name="logits")

        return logits

    @cached_property
    def frozen(self) -> Any:
        """The closed function with its weights as constants, without pooling of volumes.

        Without this TensorFlow's LiteRT converter leaves the weights of a Keras 3 model out and says nothing: the file
        is 30 kB and its output NaN (TensorFlow 2.21).
        """
        from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

        # Held by a name until its variables are constants: TensorFlow's graph knows them by weak references only.
        function = self.function(sliced=len(self.space) == 3)
        return convert_variables_to_constants_v2(function.get_concrete_function())

    def onnx(self, *, dynamic: bool = False) -> Path:
        """The network as an ONNX file, made once. Raises ConversionError naming operators that it cannot hold."""
        from .onnx_file import write_onnx

        file = self.folder / ("dynamic.onnx" if dynamic else "closed.onnx")
        if not file.exists():
            try:
                write_onnx(self.function(dynamic=dynamic), file)
            except ConversionError:
                raise
            except Exception as error:  # whatever the converter raises is told as its fault
                raise ConversionError(f"tf2onnx: {one_line(error)}") from error
        return file
