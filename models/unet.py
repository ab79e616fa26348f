"""The U-Nets that carry the plain name, at three widths."""

import keras

from ..core.task import Task
from . import MODELS
from .resampling import upsampling as way_up
from .skeleton import assemble, doubling
from .style import Style


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
    return assemble(task, doubling(width, depth), style, up=way_up(upsampling))


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
def unet_milesial(task: Task, *, width: int = 64, depth: int = 4, dropout: float = 0.0) -> keras.Model:
    """U-Net with batch normalisation as in milesial/Pytorch-UNet, the most used one (GitHub, 2017).

    31,037,698 trainable parameters from 3 channels to 2 outputs; no bias in the convolutions of the blocks.
    """
    return unet(task, width=width, depth=depth, normalisation="batch", dropout=dropout)
