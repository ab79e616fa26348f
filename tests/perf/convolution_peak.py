"""The fastest convolutions of a library on this machine, what `training_step.py` measures training against."""

import time
from collections.abc import Callable

SHAPES = ((4, 128, 128, 64), (4, 64, 64, 128), (4, 32, 32, 256), (4, 16, 16, 512))
"""Images in and out of 3×3 convolutions of 4.8 GFLOP each, which oneDNN computes best of those in a U-Net."""


def peak(precision: str, library: str) -> Callable[[], float]:
    """Return a function that convolves forward with `tensorflow` or `pytorch` and returns the best GFLOP/s it saw."""
    run = {"tensorflow": _tensorflow, "pytorch": _pytorch}[library](precision)
    operations = [2 * 9 * images * height * width * channels**2 for images, height, width, channels in SHAPES]

    def best() -> float:
        return max(
            count / min(_seconds(convolve) for _ in range(3)) / 1e9
            for count, convolve in zip(operations, run, strict=True)
        )

    return best


def _seconds(convolve: Callable[[], object]) -> float:
    start = time.perf_counter()
    convolve()
    return time.perf_counter() - start


def _tensorflow(precision: str) -> list[Callable[[], object]]:
    import tensorflow as tf

    def convolution(shape):
        x, kernel = tf.ones(shape, precision), tf.ones((3, 3, shape[-1], shape[-1]), precision)
        compiled = tf.function(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"))
        return lambda: compiled(x)  # on a CPU it returns when it has computed

    return [convolution(shape) for shape in SHAPES]


def _pytorch(precision: str) -> list[Callable[[], object]]:
    import torch
    from torch.nn import functional

    dtype = getattr(torch, precision)

    def convolution(shape):
        x = torch.ones(shape, dtype=dtype).movedim(-1, 1)  # channels-last
        kernel = torch.ones((shape[-1], shape[-1], 3, 3), dtype=dtype).contiguous(memory_format=torch.channels_last)
        return torch.inference_mode()(lambda: functional.conv2d(x, kernel, padding=1))

    return [convolution(shape) for shape in SHAPES]
