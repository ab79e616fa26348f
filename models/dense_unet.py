"""FC-DenseNet, the U-Net of densely connected blocks."""

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.layers import activate, concatenate, conv, max_pool, transposed_conv
from .parts.norm import normalise
from .parts.skeleton import image_input, logits, require_divisible
from .parts.style import Style


@MODELS.add
def dense_unet(
    task: Task,
    *,
    growth: int = 16,
    width: int = 48,
    layers: tuple[int, ...] = (4, 5, 7, 10, 12, 15),
    dropout: float = 0.2,
    normalisation: str = "batch",
) -> keras.Model:
    """FC-DenseNet103: a U-Net whose layers see all layers of their block (Jégou et al. 2017, arXiv:1611.09326).

    9,319,521 trainable parameters from 3 channels to 1 output (bfortuner/pytorch_tiramisu).
    growth: filters that each layer adds. width: filters of the first convolution. layers: of each level, finest first.
    Serves 2D and 3D. Edges are multiples of 2 to the number of levels less one.
    """
    if len(layers) < 2 or min(layers) < 1 or growth < 1 or width < 1:
        raise Unfit(f"dense_unet: layers {list(layers)}, growth {growth}, width {width}: two levels, all at least 1")
    style, stride = Style(normalisation, dropout=dropout), (2,) * task.rank
    image = image_input(task)
    x = conv(require_divisible(image, [stride] * (len(layers) - 1)), width)
    skips = []
    for count in layers[:-1]:
        skips.append(concatenate(x, *_grown(x, growth, count, style)))
        x = max_pool(_layer(skips[-1], skips[-1].shape[-1], style, kernel=1), stride)
    new = _grown(x, growth, layers[-1], style)
    for count in reversed(layers[:-1]):
        # Only what the last block added goes up: the rest would double at each level.
        raised = concatenate(*new) if len(new) > 1 else new[0]
        x = concatenate(transposed_conv(raised, raised.shape[-1], stride, kernel=3), skips.pop())
        new = _grown(x, growth, count, style)
    return keras.Model(image, logits(conv(concatenate(x, *new), task.outputs, 1)))


def _grown(x, growth: int, count: int, style: Style) -> list:
    """The outputs of the block's layers, each of which sees x and all before it."""
    made = []
    for _ in range(count):
        made.append(_layer(concatenate(x, *made) if made else x, growth, style))
    return made


def _layer(x, filters: int, style: Style, kernel: int = 3):
    x = conv(activate(normalise(x, style), style.activation), filters, kernel)
    return keras.layers.Dropout(style.dropout)(x) if style.dropout else x
