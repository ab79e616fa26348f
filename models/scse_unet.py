"""U-Net with squeeze-and-excitation after every block."""

from functools import partial

import keras

from ..core.errors import Unfit, unknown
from ..core.task import Task
from . import MODELS
from .parts.gates import concurrent_excite, spatial_excite, squeeze_excite
from .parts.layers import conv
from .parts.norm import normalise
from .parts.resampling import upsampling as way_up
from .parts.skeleton import assemble, doubled_widths
from .parts.style import Style

SLOPE = 0.01
"""Of the leaky ReLU below zero."""


@MODELS.add
def scse_unet(
    task: Task,
    *,
    width: int = 32,
    depth: int = 4,
    gate: str = "scse",
    ratio: int = 2,
    upsampling: str = "transposed",
    normalisation: str = "batch",
) -> keras.Model:
    """U-Net with squeeze and excitation over channels and space after every block (Roy et al. 2018, arXiv:1803.02579).

    From 1 channel to 1 output 8,205,322 trainable parameters in 2D and 23,021,130 in 3D (HiLab-git/PyMIC with
    its up-sampling TransConv). gate: scse, the larger of both gated features; cse, over channels only (Hu et al.
    2018, arXiv:1709.01507); sse, over space only. ratio: channels of the gate over channels for each of its hidden
    ones. Serves 2D and 3D. Edges are multiples of 2**depth. Raises Unfit for an unknown gate and an impossible ratio.
    """
    if not isinstance(ratio, int) or ratio < 1:
        raise Unfit(f"ratio is {ratio!r}; it is the number of channels for each hidden one, at least 1")
    gates = {
        "scse": partial(concurrent_excite, ratio=ratio),
        "cse": partial(squeeze_excite, ratio=ratio, bias=True),
        "sse": spatial_excite,
    }
    if gate not in gates:
        raise Unfit(unknown("scse_unet: gate", str(gate), gates))

    def block(x, filters: int, style: Style):
        for _ in range(2):
            x = keras.layers.LeakyReLU(SLOPE)(normalise(conv(x, filters), style))
        return gates[gate](x)

    return assemble(task, doubled_widths(width, depth), Style(normalisation), block=block, up=way_up(upsampling))
