"""Sums over the pixels of an image, as exact as float32 allows."""

from typing import Any

import keras

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


def at_least_float32(x):
    """The values in float32, or as they are in float64: sums in half precision lose digits, doubles keep theirs."""
    return x if keras.backend.standardize_dtype(x.dtype) == "float64" else ops.cast(x, "float32")


def pixel_sum(x):
    """Sum over the spatial axes, which stay with length 1: `(n, *space, c)` to `(n, 1…, c)`.

    One axis after the other, the last first. TensorFlow on a CPU adds all the pixels of a channel to one float32, whose
    rounding grows with their number: a variance over 1024² pixels is then off by some 1e-4 of itself, one over 128³ by
    1e-3, this way by 1e-6. A training step takes as long either way, the moments alone are somewhat slower.
    """
    for axis in range(len(x.shape) - 2, 0, -1):
        x = ops.sum(x, axis, keepdims=True)
    return x


def pixel_moments(x):
    """Mean and variance over the spatial axes, `(n, 1…, c)` each, in two passes as is stable; sums as `pixel_sum`."""
    mean = pixel_mean(x)
    return mean, pixel_mean(ops.square(x - mean))


def pixel_mean(x):
    """Mean over the spatial axes, `(n, *space, c)` to `(n, 1…, c)`, as `pixel_sum`."""
    for axis in range(len(x.shape) - 2, 0, -1):
        x = ops.mean(x, axis, keepdims=True)
    return x
