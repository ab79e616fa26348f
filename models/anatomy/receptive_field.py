"""How much of the image one output pixel can see."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import keras

from ..parts.depthwise import DepthwiseConv3D
from ..parts.fit import Divisible
from ..parts.resampling import LinearUpsampling
from .cost import TRANSPOSED
from .trace import Step

CONVOLUTIONS = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)
POOLINGS = (
    keras.layers.MaxPooling2D,
    keras.layers.MaxPooling3D,
    keras.layers.AveragePooling2D,
    keras.layers.AveragePooling3D,
)
GLOBAL = (
    keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalAveragePooling3D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.GlobalMaxPooling3D,
)
SHIFTS = (
    keras.layers.ZeroPadding2D,
    keras.layers.ZeroPadding3D,
    keras.layers.Cropping2D,
    keras.layers.Cropping3D,
)
UPSAMPLINGS = (keras.layers.UpSampling2D, keras.layers.UpSampling3D)
POINTWISE = (Divisible, keras.layers.BatchNormalization, keras.layers.GroupNormalization)


@dataclass(frozen=True)
class _Sight:
    field: tuple[float, ...]
    jump: tuple[Fraction, ...]


def receptive_field(steps: Sequence[Step]) -> tuple[float, ...] | None:
    """Edges in pixels of the part of the image on which an output pixel depends, through the widest of all paths.

    A window of k taps with dilation d on pixels that are j image pixels apart widens the field by (k - 1) d j; a
    transposed one of stride s by (ceil(k / s) - 1) j. Infinite where an output sees the image whatever its size (global
    pooling, attention). Statistics of a normalisation are not counted. A layer of one's own states `window_size`, the
    edge of its window, and `stride` where it makes the image coarser, or `upscale_factor`, by which it makes the image
    finer. None when a layer in between states nothing.
    """
    image = steps[0].inputs[0]
    rank = len(image.shape) - 2
    sights: dict[int, _Sight | None] = {id(image): _Sight((1.0,) * rank, (Fraction(1),) * rank)}
    for step in steps:
        seen = _join([sights[id(tensor)] for tensor in step.inputs if id(tensor) in sights])
        for tensor in step.outputs:
            sights[id(tensor)] = _through(step, seen)
    sight = sights[id(steps[-1].outputs[0])]
    return None if sight is None else sight.field


def _join(sights: list[_Sight | None]) -> _Sight | None:
    known = [sight for sight in sights if sight is not None]
    if len(known) < len(sights) or not known:
        return None
    fields = zip(*(sight.field for sight in known), strict=True)
    jumps = zip(*(sight.jump for sight in known), strict=True)
    return _Sight(tuple(map(max, fields)), tuple(map(min, jumps)))


def _through(step: Step, sight: _Sight | None) -> _Sight | None:
    if sight is None:
        return None
    layer, rank = step.operation, len(sight.field)
    if isinstance(layer, GLOBAL):
        return _Sight((math.inf,) * rank, sight.jump)
    if isinstance(layer, TRANSPOSED):
        strides = _axes(layer.strides, rank)
        taps = tuple(math.ceil(k / s) for k, s in zip(_axes(layer.kernel_size, rank), strides, strict=True))
        return _finer(_widen(sight, taps), strides)
    if isinstance(layer, UPSAMPLINGS):
        taps = 1 if getattr(layer, "interpolation", "nearest") == "nearest" else 2
        return _finer(_widen(sight, (taps,) * rank), _axes(layer.size, rank))
    if hasattr(layer, "upscale_factor"):
        return _finer(sight, _axes(layer.upscale_factor, rank))
    if isinstance(layer, LinearUpsampling):
        return _finer(_widen(sight, tuple(min(s, 2) for s in layer.stride)), layer.stride)
    window = _window(step, rank)
    return None if window is None else _coarser(_widen(sight, window[0]), window[1])


def _window(step: Step, rank: int) -> tuple[tuple[float, ...], tuple[int, ...]] | None:
    layer = step.operation
    if isinstance(layer, CONVOLUTIONS):
        dilation = zip(_axes(layer.kernel_size, rank), _axes(layer.dilation_rate, rank), strict=True)
        return tuple((k - 1) * d + 1 for k, d in dilation), _axes(layer.strides, rank)
    if isinstance(layer, POOLINGS):
        return _axes(layer.pool_size, rank), _axes(layer.strides, rank)
    if isinstance(layer, DepthwiseConv3D):
        return (layer.size,) * rank, (1,) * rank
    if hasattr(layer, "window_size"):
        return _axes(layer.window_size, rank), _axes(getattr(layer, "stride", 1), rank)
    own = isinstance(layer, keras.layers.Layer) and not type(layer).__module__.startswith("keras.")
    if own and not isinstance(layer, POINTWISE):
        return None
    same = isinstance(layer, SHIFTS) or all(_broadcasts(tensor.shape, step.outputs[0].shape) for tensor in step.inputs)
    return ((1,) * rank, (1,) * rank) if same else None


def _broadcasts(given, made) -> bool:
    return len(given) == len(made) and all(g in (1, m) for g, m in zip(given[1:-1], made[1:-1], strict=True))


def _widen(sight: _Sight, taps: tuple[float, ...]) -> _Sight:
    wider = (f + (k - 1) * float(j) for f, k, j in zip(sight.field, taps, sight.jump, strict=True))
    return _Sight(tuple(wider), sight.jump)


def _coarser(sight: _Sight, strides: tuple[int, ...]) -> _Sight:
    return _Sight(sight.field, tuple(j * s for j, s in zip(sight.jump, strides, strict=True)))


def _finer(sight: _Sight, strides: tuple[int, ...]) -> _Sight:
    return _Sight(sight.field, tuple(j / s for j, s in zip(sight.jump, strides, strict=True)))


def _axes(value, rank: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * rank
