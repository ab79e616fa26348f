"""The U-Nets that carry the plain name: six networks of 2 to 34 million parameters."""

from dataclasses import replace

import keras

from ..core.task import Task
from . import MODELS
from .parts.blocks import conv_unit, double_conv
from .parts.layers import conv, lazy_concatenate, nearest
from .parts.resampling import repeated_unit
from .parts.resampling import upsampling as way_up
from .parts.skeleton import assemble, doubled_widths, logits
from .parts.style import Style


@MODELS.add
def unet(
    task: Task,
    *,
    width: int = 64,
    depth: int = 4,
    normalisation: str = "none",
    activation: str = "relu",
    upsampling: str = "transposed",
    dropout: float = 0.0,
    groups: int = 8,
) -> keras.Model:
    """U-Net of 64 to 1024 filters with 2×2 up-convolutions, zero-padded (Ronneberger et al. 2015, arXiv:1505.04597).

    31,030,593 parameters from 1 channel to 1 output, 31,031,745 from 3 to 1. Edges are multiples of 2**depth.
    A convolution that a normalisation follows has no bias, for the normalisation takes it out again.
    """
    style = Style(normalisation, activation, bias=normalisation == "none", dropout=dropout, groups=groups)
    return assemble(task, doubled_widths(width, depth), style, up=way_up(upsampling), join=lazy_concatenate)


@MODELS.add
def unet_half(task: Task, *, depth: int = 4, normalisation: str = "none", dropout: float = 0.0) -> keras.Model:
    """U-Net of 32 to 512 filters, the baseline of UNet++ (Zhou et al. 2018, arXiv:1807.10165).

    7,759,521 parameters from 1 channel to 1 output.
    """
    return unet(task, width=32, depth=depth, normalisation=normalisation, dropout=dropout)


@MODELS.add
def unet_quarter(task: Task, *, depth: int = 4, normalisation: str = "none", dropout: float = 0.0) -> keras.Model:
    """U-Net of 16 to 256 filters, a quarter of the original widths (Ronneberger et al. 2015, arXiv:1505.04597).

    1,941,105 parameters from 3 channels to 1 output.
    """
    return unet(task, width=16, depth=depth, normalisation=normalisation, dropout=dropout)


@MODELS.add
def unet_wide(task: Task, *, depth: int = 4, normalisation: str = "none", dropout: float = 0.0) -> keras.Model:
    """U-Net of 35 to 560 filters, as large as UNet++, its control (Zhou et al. 2018, arXiv:1807.10165).

    9,282,246 parameters from 1 channel to 1 output (MrGiovanni/UNetPlusPlus).
    """
    return unet(task, width=35, depth=depth, normalisation=normalisation, dropout=dropout)


@MODELS.add
def unet_milesial(task: Task, *, width: int = 64, depth: int = 4, dropout: float = 0.0) -> keras.Model:
    """U-Net with batch normalisation as in milesial/Pytorch-UNet, the most used one (GitHub, 2017).

    31,037,698 trainable parameters from 3 channels to 2 outputs; no bias in the convolutions of the blocks.
    """
    return unet(task, width=width, depth=depth, normalisation="batch", dropout=dropout)


@MODELS.add
def unet_leejunhyun(
    task: Task, *, width: int = 64, depth: int = 4, normalisation: str = "batch", dropout: float = 0.0
) -> keras.Model:
    """U-Net with batch normalisation and nearest-neighbour up-sampling as in LeeJunHyun/Image_Segmentation (2018).

    34,527,041 trainable parameters from 3 channels to 1 output, the "34.5 M" of many papers. Every convolution has a
    bias; a 3×3 convolution with normalisation and ReLU follows each up-sampling. Edges are multiples of 2**depth.
    """
    return assemble(
        task,
        doubled_widths(width, depth),
        Style(normalisation, dropout=dropout),
        up=repeated_unit,
        join=lazy_concatenate,
    )


@MODELS.add
def unet_zhixuhao(task: Task, *, width: int = 64, depth: int = 4, dropout: float = 0.5) -> keras.Model:
    """U-Net without normalisation as in zhixuhao/unet, the most copied one in Keras (GitHub, 2017).

    31,031,685 parameters from 1 channel to 1 output. Up-sampling is nearest-neighbour with a 2×2 convolution and ReLU;
    dropout follows the two coarsest levels; before the logits comes a 3×3 convolution to two features an output, whose
    ReLUs can die at the start of training and leave a constant prediction. Edges are multiples of 2**depth.
    """
    widths, style = doubled_widths(width, depth), Style()

    def block(x, filters: int, style: Style):
        return double_conv(x, filters, replace(style, dropout=dropout if filters in widths[-2:] else 0.0))

    def up(x, filters: int, stride: tuple[int, ...], style: Style):
        return conv_unit(nearest(x, stride), filters, style, kernel=2)

    def head(levels, outputs: int, style: Style):
        return logits(conv(conv_unit(levels[0], 2 * outputs, style), outputs, 1))

    return assemble(
        task, widths, style, block=block, decoder_block=double_conv, up=up, join=lazy_concatenate, head=head
    )
