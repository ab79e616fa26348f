"""EGE-UNet: products with learned maps along the axes, skips that aggregate groups of channels."""

from typing import Any

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.fit import require_rank
from .parts.layers import activate, add, concatenate, conv, flat_depthwise_conv, max_pool
from .parts.norm import normalise
from .parts.resampling import LinearUpsampling, resize
from .parts.skeleton import image_input, logits, require_divisible
from .parts.style import Style

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

RATES = (1, 2, 5, 7)
"""Dilations of the four groups of a skip."""


@MODELS.add
def ege_unet(
    task: Task, *, widths: tuple[int, ...] = (8, 16, 24, 32, 48, 64), deep_supervision: bool = False
) -> keras.Model:
    """EGE-UNet: products with axial maps, skips by groups, 53 thousand parameters (Ruan et al. 2023, arXiv:2307.08473).

    53,374 trainable parameters from 3 channels to 1 output, with or without deep supervision (JCruan519/EGE-UNet),
    since the side logits also enter the skips. widths: filters of six levels, multiples of 4.
    deep_supervision: also the logits of the five sides, interpolated to the image's size, finest first.
    Interpolation keeps pixel centres, where the reference aligns corners. Rank 2. Edges are multiples of 32.
    Raises Unfit for other widths.
    """
    require_rank(task, 2, "ege_unet")
    require_quarters(widths, "ege_unet")
    style = Style("group", "gelu", groups=4)
    image = image_input(task)
    encoded = descend(image, widths, style, coarse=_hadamard)
    x = bridge = activate(_hadamard(encoded[-1], widths[5]), "gelu")
    sides = []
    for level in (4, 3, 2, 1, 0):
        steps = 1 if level < 4 else 0
        x = _hadamard(x, widths[level]) if level > 1 else conv(x, widths[level])
        x = activate(_enlarged(normalise(x, style), steps), "gelu")
        side = conv(x, task.outputs, 1)
        bridge = _aggregated(_enlarged(conv(bridge, widths[level], 1), steps), encoded[level], side)
        x = add(x, bridge)
        sides.insert(0, _enlarged(side, level + 1))
    final = _enlarged(conv(x, task.outputs, 1), 1)
    if not deep_supervision:
        return keras.Model(image, logits(final))
    return keras.Model(image, [logits(head, f"logits_{k}") for k, head in enumerate([final, *sides], 1)])


def require_quarters(widths: tuple[int, ...], name: str) -> None:
    """Raise Unfit unless there are six widths that four divides."""
    if len(widths) != 6 or any(width < 4 or width % 4 for width in widths):
        raise Unfit(f"{name}: widths {list(widths)} must be six multiples of 4, for channels are taken in quarters")


def descend(image, widths: tuple[int, ...], style: Style, *, coarse) -> list:
    """Five pooled levels, finest first; from the fourth on `coarse(x, filters)` stands for the 3×3 convolution."""
    levels, x = [], require_divisible(image, [(2, 2)] * 5)
    for level, filters in enumerate(widths[:5]):
        x = coarse(x, filters) if level > 2 else conv(x, filters)
        x = activate(max_pool(normalise(x, style)), style.activation)
        levels.append(x)
    return levels


def _hadamard(x, filters: int):
    """Quarters of the channels times learned maps of both axes, of rows, of columns; the last one convolved."""
    both, rows, columns, rest = ops.split(_layer_norm(x), 4, axis=-1)
    width = rest.shape[-1]
    parts = []
    for quarter, size, taps in ((both, (8, 8), (3, 3)), (rows, (8, 1), (3, 1)), (columns, (1, 8), (1, 3))):
        learned = activate(flat_depthwise_conv(LearnedMap(size)(quarter), taps, bias=True), "gelu")
        parts.append(quarter * conv(learned, width, 1))
    parts.append(flat_depthwise_conv(activate(conv(rest, width, 1), "gelu"), bias=True))
    x = flat_depthwise_conv(_layer_norm(concatenate(*parts)), bias=True)
    return conv(activate(x, "gelu"), filters, 1)


def _aggregated(coarse, fine, side):
    """Quarters of both tensors, joined by the side logits, each through a depthwise convolution of its own dilation."""
    quarters = zip(ops.split(coarse, 4, axis=-1), ops.split(fine, 4, axis=-1), RATES, strict=True)
    groups = [
        flat_depthwise_conv(_layer_norm(concatenate(above, here, side)), bias=True, dilation=rate)
        for above, here, rate in quarters
    ]
    return conv(_layer_norm(concatenate(*groups)), fine.shape[-1], 1)


def _layer_norm(x):
    return keras.layers.LayerNormalization(epsilon=1e-6)(x)


def _enlarged(x, steps: int):
    return LinearUpsampling((2**steps, 2**steps))(x) if steps else x


@keras.saving.register_keras_serializable(package="unetbench")
class LearnedMap(keras.layers.Layer):
    """A learned map of a fixed size, interpolated to the size of the image that came: `(1, height, width, c)`.

    size: rows and columns of the map; along an axis where it has 1 it is not enlarged but left to broadcasting.
    """

    window_size = 1
    channelwise = True

    def __init__(self, size: tuple[int, int], **options) -> None:
        super().__init__(**options)
        self.size = tuple(size)

    def build(self, input_shape):
        """Make the weights, all ones."""
        self.map = self.add_weight(shape=(1, *self.size, input_shape[-1]), initializer="ones", name="map")

    def call(self, x):
        """Return the map; of x only the size counts."""
        shape = ops.shape(x)
        space = tuple(edge if size > 1 else 1 for edge, size in zip(shape[1:3], self.size, strict=True))
        enlarged = resize(ops.convert_to_tensor(self.map), *space)
        return ops.cast(enlarged, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        """One case, at the image's size."""
        space = (edge if size > 1 else 1 for edge, size in zip(input_shape[1:3], self.size, strict=True))
        return (1, *space, input_shape[-1])

    def macs(self, input_shape) -> int:
        """None: interpolation is not counted."""
        return 0

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "size": self.size}
