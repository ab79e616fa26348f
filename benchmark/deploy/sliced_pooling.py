"""Maximum pooling of volumes as a maximum of strided slices, for where the operation itself is missing."""

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
        made = self.compute_output_shape(tuple(inputs.shape))[1:4]
        padded = self._padded(inputs, made)
        found = None
        for corner in product(*map(range, self.pool_size)):
            spans = zip(corner, self.strides, made, strict=True)
            place = tuple(slice(start, start + (count - 1) * step + 1, step) for start, step, count in spans)
            part = padded[(slice(None), *place)]
            found = part if found is None else ops.maximum(found, part)
        return found

    def _padded(self, inputs, made):
        if self.padding == "valid":
            return inputs
        reach = [
            (count - 1) * step + pool for count, step, pool in zip(made, self.strides, self.pool_size, strict=True)
        ]
        lack = [max(0, end - edge) for end, edge in zip(reach, inputs.shape[1:4], strict=True)]
        if not any(lack):
            return inputs
        least = float("-inf")
        return ops.pad(inputs, [(0, 0), *((n // 2, n - n // 2) for n in lack), (0, 0)], constant_values=least)
