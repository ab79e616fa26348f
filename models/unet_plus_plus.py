"""UNet++, the nested U-Net."""

import keras

from ..core.task import Task
from . import MODELS
from .parts.blocks import double_conv
from .parts.layers import concatenate, conv, max_pool
from .parts.resampling import upsampling as way_up
from .parts.skeleton import doubled_widths, image_input, logits, require_divisible
from .parts.style import Style


@MODELS.add
def unet_plus_plus(
    task: Task,
    *,
    width: int = 32,
    depth: int = 4,
    deep_supervision: bool = False,
    normalisation: str = "none",
    upsampling: str = "transposed",
    dropout: float = 0.0,
) -> keras.Model:
    """UNet++, whose skips are dense chains of blocks fed from below (Zhou et al. 2018, arXiv:1807.10165).

    Node (i, j) takes all nodes (i, 0 … j - 1) and node (i + 1, j - 1) raised. 9,041,601 parameters from 1 channel to 1
    output, 9,041,700 with deep supervision (MrGiovanni/UNetPlusPlus, Keras).
    deep_supervision: logits of all nodes of the finest level, the last node's first, instead of those of the last one.
    Serves 2D and 3D. Edges are multiples of 2**depth.
    """
    widths, up = doubled_widths(width, depth), way_up(upsampling)
    style = Style(normalisation, bias=normalisation == "none", dropout=dropout)
    stride = (2,) * task.rank
    image = image_input(task)
    column = [double_conv(require_divisible(image, [stride] * depth), widths[0], style)]
    for filters in widths[1:]:
        column.append(double_conv(max_pool(column[-1], stride), filters, style))
    rows = [[node] for node in column]
    for j in range(1, depth + 1):
        for i in range(depth + 1 - j):
            raised = up(rows[i + 1][j - 1], widths[i], stride, style)
            rows[i].append(double_conv(concatenate(raised, *rows[i]), widths[i], style))
    heads = [conv(node, task.outputs, 1) for node in reversed(rows[0][1:])]
    if not deep_supervision:
        return keras.Model(image, logits(heads[0]))
    return keras.Model(image, [logits(head, f"logits_{k}") for k, head in enumerate(heads, 1)])
