"""The U-Net and the UNet++ that MONAI calls basic."""

import keras

from ..core.task import Task
from . import MODELS
from .parts.layers import concatenate, conv, max_pool, transposed_conv
from .parts.norm import normalise
from .parts.skeleton import doubled_widths, finest_head, image_input, require_divisible
from .parts.style import Style

DEPTH = 4
SLOPE = 0.1
"""Of the leaky ReLU below zero."""


@MODELS.add
def basic_unet(task: Task, *, width: int = 32, normalisation: str = "instance", groups: int = 8) -> keras.Model:
    """U-Net with leaky ReLU, as MONAI's BasicUNet (Falk et al. 2019, doi:10.1038/s41592-018-0261-2).

    32, 32, 64, 128, 256 filters; 5,749,410 parameters from 1 channel to 2 outputs in 3D. Up-convolutions
    halve the width but for the last. Serves 2D and 3D. Edges are multiples of 16.
    """
    style, widths = Style(normalisation, groups=groups), _widths(width)
    image, x = _start(task)
    levels = [_twice(x, width, style)]
    for filters in widths[1:]:
        levels.append(_twice(max_pool(levels[-1]), filters, style))
    x = levels[-1]
    for level in reversed(range(DEPTH)):
        x = _joined(x, [levels[level]], widths[level], style, halve=level > 0)
    return keras.Model(image, finest_head([x], task.outputs, style))


@MODELS.add
def basic_unet_plus_plus(
    task: Task, *, width: int = 32, normalisation: str = "instance", groups: int = 8
) -> keras.Model:
    """UNet++ on the widths of BasicUNet, MONAI's BasicUNetPlusPlus (Zhou et al. 2018, arXiv:1807.10165).

    Node (i, j) takes every node (i, < j) and the up-convolved (i + 1, j - 1). Logits come from node (0, 4); 6,979,778
    parameters from 1 channel to 2 outputs in 3D, without the three heads that MONAI has for other nodes. Serves 2D and
    3D. Edges are multiples of 16.
    """
    style, widths = Style(normalisation, groups=groups), _widths(width)
    image, x = _start(task)
    nodes: list[list] = []
    for level, filters in enumerate(widths):
        nodes.append([_twice(max_pool(nodes[-1][0]) if nodes else x, filters, style)])
        for finer in reversed(range(level)):
            below = nodes[finer + 1][-1]
            nodes[finer].append(_joined(below, nodes[finer], widths[finer], style, halve=finer > 0))
    return keras.Model(image, finest_head([nodes[0][-1]], task.outputs, style))


def _widths(width: int) -> tuple[int, ...]:
    return (width, *doubled_widths(width, DEPTH - 1))


def _start(task: Task):
    image = image_input(task)
    return image, require_divisible(image, [(2,) * task.rank] * DEPTH)


def _twice(x, filters: int, style: Style):
    for _ in range(2):
        x = keras.layers.LeakyReLU(SLOPE)(normalise(conv(x, filters), style))
    return x


def _joined(x, features: list, filters: int, style: Style, *, halve: bool):
    raised = transposed_conv(x, x.shape[-1] // 2 if halve else x.shape[-1])
    return _twice(concatenate(*features, raised), filters, style)
