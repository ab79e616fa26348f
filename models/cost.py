"""What a model costs, before anything is run: parameters and multiply-accumulates."""

import math
from dataclasses import dataclass

import keras

from ..core.errors import SpecError
from .fit import require

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


@dataclass(frozen=True)
class Cost:
    """Parameters, and multiply-accumulates of one image.

    trainable: what an optimizer changes. total: with running statistics of normalisations. macs: one multiplication and
    one addition each; published "FLOPs" are often these.
    """

    trainable: int
    total: int
    macs: int

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
    require(model, size)
    image = keras.KerasTensor((1, *size, model.inputs[0].shape[-1]), dtype=model.inputs[0].dtype)
    counts: list[int] = []
    _walk(model, [image], counts)
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    return Cost(trainable, model.count_params(), sum(counts))


def _walk(model: keras.Function, inputs: list[keras.KerasTensor], counts: list[int]):
    # The walk goes over calls, not layers: a layer that is called twice costs twice. Keras infers shapes on the same
    # path (Function.compute_output_spec) but keeps those in between to itself.
    def counted(operation):
        def infer(*arguments, **options):
            if isinstance(operation, keras.Function):
                return _walk(operation, keras.tree.flatten(arguments), counts)
            outputs = operation.compute_output_spec(*arguments, **options)
            if isinstance(operation, keras.layers.Layer):
                counts.append(_macs(operation, arguments[0], outputs))
            return outputs

        return infer

    return model._run_through_graph(inputs, operation_fn=counted)


def _macs(layer: keras.layers.Layer, given, made) -> int:
    if hasattr(layer, "macs"):
        return layer.macs(keras.tree.map_structure(lambda x: x.shape, given))
    if isinstance(layer, TRANSPOSED):
        return math.prod(given.shape[1:-1]) * math.prod(layer.kernel.shape)
    for kind, kernels in KERNELS.items():
        if isinstance(layer, kind):
            return math.prod(made.shape[1:-1]) * sum(math.prod(getattr(layer, kernel).shape) for kernel in kernels)
    if any(len(weight.shape) > 1 for weight in layer.trainable_weights):
        raise SpecError(f"cost: nobody states the MACs of layer {type(layer).__name__}; give it macs(input_shape)")
    return 0
