"""Dropout of whole blocks."""

from typing import Any

import keras

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


@keras.saving.register_keras_serializable(package="unetbench")
class DropBlock(keras.layers.Layer):
    """Zeros in blocks that are drawn for each channel while training (Ghiasi et al. 2018, arXiv:1810.12890).

    Block centres are drawn so that about `rate` of the pixels fall into a block; what remains is scaled to keep the sum
    of the mask. An image smaller than a block is left as it is.

    rate: share of pixels dropped. size: edge of a block, odd.
    """

    window_size = 1
    channelwise = True

    def __init__(self, rate: float, size: int = 7, **options) -> None:
        super().__init__(**options)
        self.rate, self.size = rate, size
        self.seeds = keras.random.SeedGenerator()

    def call(self, x, training=None):
        """Return x, with blocks of zeros while training."""
        if not training:
            return x
        shape = ops.shape(x)
        space = [ops.cast(edge, "float32") for edge in shape[1:-1]]
        chance = self.rate / self.size ** len(space)
        inside = 1.0
        for axis, edge in enumerate(space, 1):
            room = edge - (self.size - 1)
            chance = chance * edge / ops.maximum(room, 1.0)
            place = ops.arange(shape[axis])
            fits = (place >= self.size // 2) & (place < shape[axis] - self.size // 2)
            broadcast = [1] * len(shape)
            broadcast[axis] = -1
            inside = inside * ops.reshape(ops.cast(fits, "float32"), broadcast)
        centres = ops.cast(keras.random.uniform(shape, seed=self.seeds) < chance, "float32") * inside
        kept = 1 - ops.max_pool(centres, self.size, strides=1, padding="same", data_format="channels_last")
        scale = ops.cast(ops.size(kept), "float32") / ops.maximum(ops.sum(kept), 1.0)
        return x * ops.cast(kept * scale, x.dtype)

    def compute_output_shape(self, input_shape):
        """Same as the input."""
        return input_shape

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "rate": self.rate, "size": self.size}
