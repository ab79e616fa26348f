"""Layers that mirror and turn an image, for networks that average over its copies."""

from itertools import combinations
from typing import Any

import keras

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

Orientation = tuple[tuple[int, ...], int]
"""Spatial axes that are mirrored, counted from 0, and then quarter turns of the plane of the first two."""


@keras.saving.register_keras_serializable(package="unetbench")
class Oriented(keras.layers.Layer):
    """Mirror images `(n, *space, c)` along axes, then turn their first two axes by quarters; or take that back.

    axes: spatial ones, counted from 0. turns: quarters from the first axis to the second, as `numpy.rot90` has them.
    back: undo instead what the same layer without it does.
    """

    channelwise = True
    window_size = 1

    def __init__(self, axes: tuple[int, ...], turns: int = 0, *, back: bool = False, **options) -> None:
        super().__init__(**options)
        self.axes, self.turns, self.back = tuple(axes), turns % 4, back

    def call(self, x):
        """Return the images in the other orientation."""
        if self.back:
            return _mirrored(_turned(x, -self.turns % 4), self.axes)
        return _turned(_mirrored(x, self.axes), self.turns)

    def compute_output_shape(self, input_shape):
        """The first two edges change places in an odd number of turns."""
        batch, rows, columns, *rest = input_shape
        return (batch, columns, rows, *rest) if self.turns % 2 else tuple(input_shape)

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "axes": self.axes, "turns": self.turns, "back": self.back}


def orientations(copies: str, rank: int) -> list[Orientation]:
    """The copies of an image, itself first: `mirror` along every set of axes, `turns` the eight of a square, "" one."""
    if not copies:
        return [((), 0)]
    if copies == "turns":
        return [(axes, turns) for axes in ((), (0,)) for turns in range(4)]
    return [(axes, 0) for count in range(rank + 1) for axes in combinations(range(rank), count)]


def _mirrored(x, axes: tuple[int, ...]):
    return ops.flip(x, [axis + 1 for axis in axes]) if axes else x


def _turned(x, turns: int):
    """As `numpy.rot90(x, turns, (1, 2))`, of transpositions and flips alone, which every exporter knows."""
    if turns == 0:
        return x
    if turns == 2:
        return ops.flip(x, [1, 2])
    swapped = (0, 2, 1, *range(3, len(x.shape)))
    return ops.flip(ops.transpose(x, swapped), 1) if turns == 1 else ops.transpose(ops.flip(x, 1), swapped)
