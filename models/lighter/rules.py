"""How each layer and operation hands channels on, by its exact type: a subclass may do anything else with them."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras.src.ops import numpy as operations

from ...core.errors import Unfit
from ..anatomy.trace import Step
from .channels import Channels, Ids

Rule = Callable[[Channels, Step, list[Ids]], list[Ids]]

ELEMENTWISE = (
    *("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "silu", "hard_silu", "gelu", "mish", "softplus"),
    *("sigmoid", "hard_sigmoid", "log_sigmoid", "tanh", "hard_tanh", "tanh_shrink", "softsign", "squareplus"),
    *("exponential", "soft_shrink", "hard_shrink"),
)
"""Activations that look at each value alone; softmax, say, does not."""


def refusal(step: Step, why: str) -> Unfit:
    """The error of a layer through which channels cannot be followed."""
    kind = type(step.operation)
    name = getattr(kind, "__qualname__", kind.__name__)
    return Unfit(f"channel pruning: cannot follow channels through layer {step.operation.name!r} ({name}): {why}")


def convolution(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    """A kernel `(…, c / groups, filters)`. Groups of several channels lose the same places, groups of one go whole."""
    layer, (ids,) = step.operation, given
    _channels_last(step)
    _no_mixing(step)
    filters, groups = layer.filters, layer.groups
    made = _made(found, layer.kernel, -1, filters)
    if groups == 1:
        found.weigh(layer.kernel, -2, ids)
    elif groups == len(ids):
        found.tie(np.repeat(ids, filters // groups), made)
    else:
        found.tie_rows(ids.reshape(groups, -1).T)
        found.tie_rows(made.reshape(groups, -1).T)
        found.weigh(layer.kernel, -2, ids[: len(ids) // groups])
    return [_biased(found, layer, made)]


def transposed(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    """A kernel `(…, filters, c)`."""
    layer, (ids,) = step.operation, given
    _channels_last(step)
    _no_mixing(step)
    found.weigh(layer.kernel, -1, ids)
    return [_biased(found, layer, _made(found, layer.kernel, -2, layer.filters))]


def depthwise(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    """A kernel `(…, c, multiplier)`: the channels that come out of one go with it."""
    layer, (ids,) = step.operation, given
    _channels_last(step)
    _no_mixing(step)
    found.weigh(layer.kernel, -2, ids, makes=False)
    return [_biased(found, layer, np.repeat(ids, layer.kernel.shape[-1]))]


def _separable(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    layer, (ids,) = step.operation, given
    _channels_last(step)
    _no_mixing(step)
    found.weigh(layer.depthwise_kernel, -2, ids)
    found.weigh(layer.pointwise_kernel, -2, np.repeat(ids, layer.depth_multiplier))
    return [_biased(found, layer, _made(found, layer.pointwise_kernel, -1, layer.filters))]


def dense(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    """A kernel `(c, units)`."""
    layer, (ids,) = step.operation, given
    _no_mixing(step)
    found.weigh(layer.kernel, -2, ids)
    return [_biased(found, layer, _made(found, layer.kernel, -1, layer.units))]


def normalisation(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    """One value a channel in every weight, statistics of each channel alone."""
    _last_axis(step)
    return channelwise(found, step, given)


def group_normalisation(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    """Groups go whole, so that the statistics of the others stay; one group has those of what remains."""
    layer, (ids,) = step.operation, given
    _last_axis(step)
    if layer.groups == 1:
        found.pooling.append((layer, ids))
    elif layer.groups < len(ids):
        found.tie_rows(ids.reshape(layer.groups, -1))
    return channelwise(found, step, given)


def _layer_normalisation(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    """Statistics of a pixel over the channels that remain."""
    _last_axis(step)
    found.pooling.append((step.operation, given[0]))
    return channelwise(found, step, given)


def _prelu(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    if step.operation.alpha.shape[-1] == 1 < len(given[0]):
        return given
    return channelwise(found, step, given)


def _activation(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    _no_mixing(step)
    return given


def _fixed(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    """What the layer holds of each channel is in its configuration: they stay."""
    found.fix(given[0])
    return given


def _reshape(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    before, after = step.inputs[0].shape, step.outputs[0].shape
    if before[-1] != after[-1]:
        raise refusal(step, "it moves channels to another axis")
    return given


def _concatenate(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    if step.operation.axis % len(step.outputs[0].shape) != len(step.outputs[0].shape) - 1:
        return _merge(found, step, given)
    return [np.concatenate(given)]


def _merge(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    """Channels one by one; a single one that meets several is not tied to them. Those that meet constants stay."""
    widest = max(given, key=len)
    if any(np.size(value) > 1 for value in step.arguments if not isinstance(value, keras.KerasTensor | list | tuple)):
        found.fix(widest)
    for ids in given:
        if ids is not widest and len(ids) == len(widest):
            found.tie(widest, ids)
        elif len(ids) == 1 < len(widest):
            found.fix(ids)
    return [widest]


def _split(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    if step.operation.axis % len(step.inputs[0].shape) != len(step.inputs[0].shape) - 1:
        return [given[0]] * len(step.outputs)
    return np.split(given[0], np.cumsum([tensor.shape[-1] for tensor in step.outputs[:-1]]))


def _item(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    """What is cut out of channels is told by places, which must not move."""
    key, rank = step.arguments[1], len(step.inputs[0].shape)
    keys: list[Any] = list(key) if isinstance(key, tuple | list) else [key]
    reaches = Ellipsis in keys or len(keys) == rank
    if any(entry is None for entry in keys) or len(step.outputs[0].shape) != rank:
        raise refusal(step, "it changes the number of axes")
    if not reaches or keys[-1] in (slice(None), Ellipsis):
        return given
    found.fix(given[0])
    return [given[0][keys[-1]]]


def pass_on(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    """Each channel on its own."""
    if getattr(step.operation, "data_format", "channels_last") == "channels_first":
        raise refusal(step, "its channels come first")
    return given


def channelwise(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    """Each channel on its own, with weights whose last axis runs over channels."""
    for variable in step.operation.weights:
        if len(variable.shape) == 0 or variable.shape[-1] != len(given[0]):
            raise refusal(step, f"its weight {variable.name} does not run over channels")
        found.weigh(variable, -1, given[0])
    return given


def _made(found: Channels, kernel: Any, axis: int, count: int) -> Ids:
    return found.weigh(kernel, axis, found.new(count), makes=True)


def _biased(found: Channels, layer: Any, ids: Ids) -> Ids:
    if getattr(layer, "bias", None) is not None:
        found.weigh(layer.bias, -1, ids)
    return ids


def _channels_last(step: Step) -> None:
    if getattr(step.operation, "data_format", "channels_last") != "channels_last":
        raise refusal(step, "its channels come first")


def _last_axis(step: Step) -> None:
    axis, rank = step.operation.axis, len(step.inputs[0].shape)
    axes = list(axis) if isinstance(axis, list | tuple) else [axis]
    if [entry % rank for entry in axes] != [rank - 1]:
        raise refusal(step, "it normalises along other axes than the last")


def _no_mixing(step: Step) -> None:
    """Raise Unfit for an activation that looks at several channels at once."""
    activation = getattr(step.operation, "activation", None)
    name = getattr(activation, "__name__", type(activation).__name__)
    if activation is not None and name not in ELEMENTWISE:
        raise refusal(step, f"the activation {name} may look at several channels at once")


_LAYERS = keras.layers

RULES: dict[type, Rule] = {
    **dict.fromkeys((_LAYERS.Conv1D, _LAYERS.Conv2D, _LAYERS.Conv3D), convolution),
    **dict.fromkeys((_LAYERS.Conv1DTranspose, _LAYERS.Conv2DTranspose, _LAYERS.Conv3DTranspose), transposed),
    **dict.fromkeys((_LAYERS.DepthwiseConv1D, _LAYERS.DepthwiseConv2D), depthwise),
    **dict.fromkeys((_LAYERS.SeparableConv1D, _LAYERS.SeparableConv2D), _separable),
    _LAYERS.Dense: dense,
    _LAYERS.BatchNormalization: normalisation,
    _LAYERS.GroupNormalization: group_normalisation,
    _LAYERS.LayerNormalization: _layer_normalisation,
    _LAYERS.PReLU: _prelu,
    _LAYERS.Activation: _activation,
    **dict.fromkeys((_LAYERS.Rescaling, _LAYERS.Normalization), _fixed),
    _LAYERS.Reshape: _reshape,
    _LAYERS.Concatenate: _concatenate,
    **dict.fromkeys((_LAYERS.Add, _LAYERS.Subtract, _LAYERS.Multiply, _LAYERS.Average), _merge),
    **dict.fromkeys((_LAYERS.Maximum, _LAYERS.Minimum), _merge),
    **dict.fromkeys((operations.Add, operations.Subtract, operations.Multiply), _merge),
    **dict.fromkeys((operations.Maximum, operations.Minimum), _merge),
    operations.Split: _split,
    operations.GetItem: _item,
    **dict.fromkeys((_LAYERS.InputLayer, _LAYERS.Identity, _LAYERS.ReLU, _LAYERS.LeakyReLU, _LAYERS.ELU), pass_on),
    **dict.fromkeys((_LAYERS.Dropout, _LAYERS.GaussianNoise, _LAYERS.GaussianDropout), pass_on),
    **dict.fromkeys((_LAYERS.SpatialDropout1D, _LAYERS.SpatialDropout2D, _LAYERS.SpatialDropout3D), pass_on),
    **dict.fromkeys((_LAYERS.MaxPooling1D, _LAYERS.MaxPooling2D, _LAYERS.MaxPooling3D), pass_on),
    **dict.fromkeys((_LAYERS.AveragePooling1D, _LAYERS.AveragePooling2D, _LAYERS.AveragePooling3D), pass_on),
    **dict.fromkeys((_LAYERS.GlobalAveragePooling2D, _LAYERS.GlobalAveragePooling3D), pass_on),
    **dict.fromkeys((_LAYERS.GlobalMaxPooling2D, _LAYERS.GlobalMaxPooling3D), pass_on),
    **dict.fromkeys((_LAYERS.UpSampling1D, _LAYERS.UpSampling2D, _LAYERS.UpSampling3D), pass_on),
    **dict.fromkeys((_LAYERS.ZeroPadding1D, _LAYERS.ZeroPadding2D, _LAYERS.ZeroPadding3D), pass_on),
    **dict.fromkeys((_LAYERS.Cropping1D, _LAYERS.Cropping2D, _LAYERS.Cropping3D), pass_on),
}
"""The rule of each of Keras' layers and operations."""
