"""nnU-Net's networks, planned from patch and spacing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.centred import centred_conv
from .parts.layers import add, concatenate, conv, rank, transposed_conv
from .parts.norm import normalise
from .parts.resampling import LinearUpsampling
from .parts.skeleton import Slot, doubled_widths, image_input, logits, require_divisible
from .parts.style import Style

PATCH = {2: (512, 512), 3: (128, 128, 128)}
"""Patch that is planned for when none is given, by rank."""
WIDEST = {2: 512, 3: 320}
"""Filters beyond which no level grows, by rank."""
SHORTEST = 4
"""Edge in pixels below which no axis is halved."""
BLOCKS = (1, 3, 4, 6)
"""Residual blocks of the finest levels; the others have as many as the last of these."""
SLOPE = 0.01
"""Of the leaky ReLU below zero."""


@dataclass(frozen=True)
class Plan:
    """Strides of the steps down, and the kernel of every level, fine to coarse."""

    strides: tuple[tuple[int, ...], ...]
    kernels: tuple[tuple[int, ...], ...]


def plan(patch: Sequence[int], spacing_mm: Sequence[float], depth: int = 0) -> Plan:
    """Return the topology that nnU-Net plans for a patch of that spacing (Isensee et al. 2021).

    Each step halves the axes whose spacing is within twice the smallest and whose edge would stay at 4 pixels or more;
    the last axis alone is halved only from 12 pixels on. A kernel is 3 along an axis from the level on where its
    spacing is within twice the smallest, 1 before; the coarsest level has 3 along all. depth: largest number of steps,
    0 for as many as the patch allows. Raises Unfit when the patch allows none.
    """
    size, spacing, kernel = list(patch), list(spacing_mm), [1] * len(patch)
    strides: list[tuple[int, ...]] = []
    kernels: list[tuple[int, ...]] = []
    while axes := _halved(size, spacing) if not depth or len(strides) < depth else []:
        kernel = [3 if k == 3 or s / min(spacing) < 2 else 1 for k, s in zip(kernel, spacing, strict=True)]
        strides.append(tuple(2 if axis in axes else 1 for axis in range(len(size))))
        kernels.append(tuple(kernel))
        size = [math.ceil(edge / stride) for edge, stride in zip(size, strides[-1], strict=True)]
        spacing = [edge * stride for edge, stride in zip(spacing, strides[-1], strict=True)]
    if not strides:
        raise Unfit(
            f"nnunet: a patch of {'×'.join(map(str, patch))} cannot be halved; each edge must stay at {SHORTEST}"
        )
    return Plan(tuple(strides), (*kernels, (3,) * len(size)))


@MODELS.add
def nnunet(
    task: Task, *, width: int = 32, depth: int = 0, patch: tuple[int, ...] = (), deep_supervision: bool = False
) -> keras.Model:
    """nnU-Net's plain network, planned from patch and spacing (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z).

    31,195,594 parameters from 1 channel to 2 outputs for a patch of 128³ with the heads of deep supervision, as in
    dynamic-network-architectures. Strided convolutions, instance normalisation, leaky ReLU; the width doubles up to 320
    in 3D and 512 in 2D. patch: the training patch, by default 128³ or 512²; the spacing is the task's, else isotropic.
    depth: largest number of halvings, 0 for as many as the patch allows. deep_supervision: also the logits of the
    coarser levels, interpolated to the image's size. Serves 2D and 3D. Raises Unfit for a patch too small or of another
    rank.
    """
    return _network(task, width, _planned(task, patch, depth), _stacked, deep=deep_supervision)


@MODELS.add
def nnunet_residual(
    task: Task, *, width: int = 32, depth: int = 0, patch: tuple[int, ...] = (), deep_supervision: bool = False
) -> keras.Model:
    """nnU-Net's residual-encoder network, planned alike (Isensee et al. 2024, arXiv:2404.09556).

    The encoder has 1, 3, 4, 6, 6 … residual blocks, the decoder one convolution a level; 102,349,770 parameters where
    nnunet has 31,195,594. Options as in nnunet. Serves 2D and 3D. Raises Unfit for a patch too small or of another
    rank.
    """
    return _network(task, width, _planned(task, patch, depth), _residuals, deep=deep_supervision, stem=True)


def _planned(task: Task, patch: Sequence[int], depth: int) -> Plan:
    if not isinstance(depth, int) or depth < 0:
        raise Unfit(
            f"nnunet: depth is {depth!r}; it is the largest number of halvings, or 0 for all that the patch allows"
        )
    patch = tuple(patch) or PATCH[task.rank]
    if len(patch) != task.rank or not all(isinstance(edge, int) and edge > 0 for edge in patch):
        raise Unfit(f"nnunet: patch {list(patch)} has not one whole edge for each axis; the task has rank {task.rank}")
    return plan(patch, task.spacing_mm or (1.0,) * task.rank, depth)


def _network(task: Task, width: int, planned: Plan, stage: Slot, *, deep: bool, stem: bool = False) -> keras.Model:
    style, strides = Style("instance"), planned.strides
    widths = tuple(min(filters, WIDEST[task.rank]) for filters in doubled_widths(width, len(strides)))
    image = image_input(task)
    x = require_divisible(image, strides)
    x = _unit(x, widths[0], planned.kernels[0], 1, style) if stem else x
    levels = []
    steps = zip(widths, planned.kernels, ((1,) * task.rank, *strides), strict=True)
    for level, (filters, kernel, stride) in enumerate(steps):
        x = stage(x, filters, kernel, stride, style, level=level)
        levels.append(x)
    heads = []
    for level in reversed(range(len(strides))):
        x = concatenate(transposed_conv(x, widths[level], strides[level]), levels[level])
        for _ in range(1 if stem else 2):
            x = _unit(x, widths[level], planned.kernels[level], 1, style)
        if deep and level:
            factor = tuple(math.prod(axis) for axis in zip(*strides[:level], strict=True))
            heads.insert(0, LinearUpsampling(factor)(conv(x, task.outputs, 1)))
    heads.insert(0, conv(x, task.outputs, 1))
    outputs = [logits(head, f"logits_{k}") for k, head in enumerate(heads, 1)] if deep else logits(heads[0])
    return keras.Model(image, outputs)


def _stacked(x, filters: int, kernel, stride, style: Style, *, level: int):
    return _unit(_unit(x, filters, kernel, stride, style), filters, kernel, 1, style)


def _residuals(x, filters: int, kernel, stride, style: Style, *, level: int):
    for block in range(BLOCKS[min(level, len(BLOCKS) - 1)]):
        x = _residual(x, filters, kernel, (1,) * rank(x) if block else stride, style)
    return x


def _residual(x, filters: int, kernel, stride, style: Style):
    shortcut = x
    if max(stride) > 1:
        pool = {2: keras.layers.AveragePooling2D, 3: keras.layers.AveragePooling3D}[rank(x)]
        shortcut = pool(stride)(x)
    if x.shape[-1] != filters:
        shortcut = normalise(conv(shortcut, filters, 1, bias=False), style)
    x = _unit(x, filters, kernel, stride, style)
    x = normalise(centred_conv(x, filters, 1, kernel=kernel), style)
    return keras.layers.LeakyReLU(SLOPE)(add(x, shortcut))


def _unit(x, filters: int, kernel, stride, style: Style):
    return keras.layers.LeakyReLU(SLOPE)(normalise(centred_conv(x, filters, stride, kernel=kernel), style))


def _halved(size: Sequence[int], spacing: Sequence[float]) -> list[int]:
    axes = [axis for axis, edge in enumerate(size) if edge >= 2 * SHORTEST]
    axes = [axis for axis in axes if spacing[axis] < 2 * min(spacing[other] for other in axes)]
    return [] if len(axes) == 1 and size[axes[0]] < 3 * SHORTEST else axes
