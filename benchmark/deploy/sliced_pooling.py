"""Pooling of volumes by strided slices, for where the operation itself is missing."""

from functools import reduce
from itertools import product
from typing import Any

import keras

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


@keras.saving.register_keras_serializable(package="unetbench")
class SlicedMaxPooling3D(keras.layers.MaxPooling3D):
    """The parent's function, to the bit: each place of the window is a strided slice, the largest of which is taken.

    TensorFlow 2.21 has the parent's operation in no float64, and LiteRT 2.3 converts it and cannot run it.
    """

    def call(self, inputs):
        """Return `(n, *pooled, c)`."""
        return reduce(ops.maximum, _slices(self, inputs, float("-inf")))


@keras.saving.register_keras_serializable(package="unetbench")
class SlicedAveragePooling3D(keras.layers.AveragePooling3D):
    """The parent's function, to rounding: the mean of the slices, of those inside the image where it is padded."""

    def call(self, inputs):
        """Return `(n, *pooled, c)`."""
        count = sum(_slices(self, ops.ones_like(inputs), 0.0)) if self.padding == "same" else len(_places(self))
        return sum(_slices(self, inputs, 0.0)) / count


def _places(layer: Any) -> list[tuple[int, ...]]:
    return list(product(*map(range, layer.pool_size)))


def _slices(layer: Any, inputs: Any, outside: float) -> list[Any]:
    """For each place of the window, what lies there, `(n, *pooled, c)`; outside: the value of padding."""
    made = layer.compute_output_shape(tuple(inputs.shape))[1:4]
    if layer.padding == "same":
        inputs = _padded(layer, inputs, made, outside)
    found = []
    for corner in _places(layer):
        spans = zip(corner, layer.strides, made, strict=True)
        place = tuple(slice(start, start + (count - 1) * step + 1, step) for start, step, count in spans)
        found.append(inputs[(slice(None), *place)])
    return found


def _padded(layer: Any, inputs: Any, made: Any, outside: float) -> Any:
    ends = [(count - 1) * step + pool for count, step, pool in zip(made, layer.strides, layer.pool_size, strict=True)]
    lack = [max(0, end - edge) for end, edge in zip(ends, inputs.shape[1:4], strict=True)]
    widths = [(0, 0), *((n // 2, n - n // 2) for n in lack), (0, 0)]
    return ops.pad(inputs, widths, constant_values=outside) if any(lack) else inputs
