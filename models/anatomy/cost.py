"""What a model costs, before anything is run: parameters and multiply-accumulates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import keras

from ...core.errors import SpecError
from .trace import Step, trace
from .traffic import moved_activations

KERNELS = {
    keras.layers.Conv1D: ("kernel",),
    keras.layers.Conv2D: ("kernel",),
    keras.layers.Conv3D: ("kernel",),
    keras.layers.DepthwiseConv1D: ("kernel",),
    keras.layers.DepthwiseConv2D: ("kernel",),
    keras.layers.SeparableConv1D: ("depthwise_kernel", "pointwise_kernel"),
    keras.layers.SeparableConv2D: ("depthwise_kernel", "pointwise_kernel"),
    keras.layers.Dense: ("kernel",),
}
"""Layers that apply these weights once at every output position."""

TRANSPOSED = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
"""Layers that apply their kernel once at every input position."""

PRODUCTS = ("Dot", "Einsum", "Matmul", "Tensordot")
"""Operations that multiply and are no layers, so that they cannot state their count."""


@dataclass(frozen=True)
class Cost:
    """Parameters, and multiply-accumulates and moved numbers of one image.

    trainable: what an optimizer changes. total: with running statistics of normalisations. macs: one multiplication and
    one addition each; published "FLOPs" are often these. moved_activations: see `traffic`.
    """

    trainable: int
    total: int
    macs: int
    moved_activations: int

    @property
    def flops(self) -> int:
        """Floating-point operations, 2 × MACs."""
        return 2 * self.macs


def cost(model: keras.Model, size: tuple[int, ...]) -> Cost:
    """Return what one image of that spatial size costs. Nothing is computed and no weight is made.

    Convolutions and matrix products are counted, padding as if it were image; bias, normalisation, activation, pooling
    and interpolation are not. A layer of one's own states its count in a method `macs(input_shape) -> int`, for a batch
    of 1. Raises Unfit when the model does not take the size, SpecError for a layer whose count nobody states.
    """
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    steps = trace(model, size)
    return Cost(trainable, model.count_params(), count_macs(steps), moved_activations(steps))


def count_macs(steps: Sequence[Step]) -> int:
    """Multiply-accumulates of these calls. Raises SpecError for a layer whose count nobody states."""
    return sum(map(_macs, steps))


def _macs(step: Step) -> int:
    layer = step.operation
    if not isinstance(layer, keras.layers.Layer):
        if type(layer).__name__ in PRODUCTS:
            raise SpecError(f"cost: nobody states the MACs of {type(layer).__name__}; put it in a layer with macs()")
        return 0
    if hasattr(layer, "macs"):
        return layer.macs(keras.tree.map_structure(lambda x: x.shape, step.arguments[0]))
    if isinstance(layer, TRANSPOSED):
        return math.prod(step.inputs[0].shape[1:-1]) * math.prod(layer.kernel.shape)
    for kind, kernels in KERNELS.items():
        if isinstance(layer, kind):
            places = math.prod(step.outputs[0].shape[1:-1])
            return places * sum(math.prod(getattr(layer, kernel).shape) for kernel in kernels)
    if isinstance(layer, keras.layers.PReLU):
        return 0
    if any(len(weight.shape) > 1 for weight in layer.trainable_weights):
        raise SpecError(f"cost: nobody states the MACs of layer {type(layer).__name__}; give it macs(input_shape)")
    return 0
