"""How the layers of `models/parts` hand channels on; a recipe's own layers say `channelwise` (see `follow`)."""

import numpy as np

from ..anatomy.trace import Step
from ..parts import batch_norm, biased, depthwise, gates, group_norm, joined_channels
from ..parts.joined_conv import JoinedConv
from . import rules
from .channels import Channels, Ids


def _split_input_convolution(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    layer = step.operation
    found.weigh(layer.kernel, -2, np.concatenate(given))
    made = found.weigh(layer.kernel, -1, found.new(layer.filters), makes=True)
    if layer.bias is not None:
        found.weigh(layer.bias, -1, made)
    return [made]


def _split_input_depthwise(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    found.weigh(step.operation.kernel, -2, np.concatenate(given))
    return given


def _joined(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    """The up-convolution inside has as many channels as what it takes: each goes with one of those."""
    layer, (features, coarse) = step.operation, given
    found.weigh(layer.up_kernel, -1, coarse)
    found.weigh(layer.up_kernel, -2, coarse)
    found.weigh(layer.kernel, -2, np.concatenate([features, coarse]))
    made = found.weigh(layer.kernel, -1, found.new(layer.filters), makes=True)
    if layer.bias is not None:
        found.weigh(layer.bias, -1, made)
    return [made]


def _summary(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    """Mean and maximum of the channels that remain."""
    found.pooling.append((step.operation, given[0]))
    made = found.new(2)
    found.fix(made)
    return [made]


OWN_RULES: dict[type, rules.Rule] = {
    **dict.fromkeys((biased.Conv2D, biased.Conv3D), rules.convolution),
    **dict.fromkeys((biased.Conv2DTranspose, biased.Conv3DTranspose), rules.transposed),
    **dict.fromkeys((biased.DepthwiseConv2D, depthwise.DepthwiseConv3D), rules.depthwise),
    biased.Dense: rules.dense,
    batch_norm.BatchNorm: rules.normalisation,
    group_norm.GroupNorm: rules.group_normalisation,
    joined_channels.LazyConcatenate: rules.pass_on,
    joined_channels.SplitInputConv: _split_input_convolution,
    joined_channels.SplitInputDepthwiseConv2D: _split_input_depthwise,
    JoinedConv: _joined,
    gates.ChannelSummary: _summary,
}
"""The rule of each of our own layers that are not `channelwise`."""
