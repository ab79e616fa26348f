"""What this machine computes and moves at best, measured with the backend that runs the models.

Three kinds of reading make the roof over all models (Williams et al. 2009, doi:10.1145/1498765.1498785): convolutions
of shapes as U-Nets have them, a product of square matrices, and a copy of an array far larger than the caches.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import prod
from typing import Any

import keras
import numpy as np

from ...core.processor import cores

CONVOLUTIONS = {
    "conv2d": ((4, 128, 128, 64), (4, 64, 64, 128), (4, 32, 32, 256), (4, 16, 16, 512)),
    "conv3d": ((1, 32, 64, 64, 32), (1, 16, 32, 32, 64), (1, 8, 16, 16, 256)),
}
"""Images in, and images of the same shape out, of convolutions with kernels of edge 3."""

EDGE = 2048
"""Of the matrices that are multiplied."""

COPIED = 2**25
"""Numbers of float32 that are copied: 128 MiB read, and as many written."""

SHORTEST_S, MOST = 2e-3, 64
"""A call of less time says more of the call than of the device; it gets more images, up to so many times as many."""

BUDGET_S, SAMPLES = 0.4, 20
"""For the calls of one shape after the first, of which there are two at least."""

DTYPES = {"float32": "float32", "mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}


def measure_peaks(precision: str) -> list[dict[str, Any]]:
    """Measure the readings of one precision: `what` with `shape`, `operations` or `bytes`, and `samples_s`, in order.

    what: `conv2d`, `conv3d`, `matmul`, `copy`, and `copy_numpy`, into memory that is there already, by as many threads
    as there are cores: backends copy into new memory, which costs a processor more than the copy itself. operations:
    floating-point ones of a call, two a multiply-accumulate. bytes: read and written. samples_s: seconds of single
    calls until the device has computed; the shortest counts.
    """
    dtype = DTYPES[precision]
    found = [_convolution(what, shape, dtype) for what, shapes in CONVOLUTIONS.items() for shape in shapes]
    return [*found, _product(dtype), _copy(), _copy_numpy()]


def _convolution(what: str, shape: tuple[int, ...], dtype: str) -> dict[str, Any]:
    *space, channels = shape[1:]
    kernel = _filled((*(3,) * len(space), channels, channels), dtype)
    call = _compiled(partial(keras.ops.conv, padding="same", data_format="channels_last"))
    return _grown(what, shape, lambda grown: 2 * prod(kernel.shape) * prod(grown[:-1]), call, dtype, kernel)


def _product(dtype: str) -> dict[str, Any]:
    right = _filled((EDGE, EDGE), dtype)
    shape = (EDGE, EDGE)
    return _grown("matmul", shape, lambda grown: 2 * prod(grown) * EDGE, _compiled(keras.ops.matmul), dtype, right)


def _copy() -> dict[str, Any]:
    one = _filled((), "float32")
    found = _grown("copy", (COPIED,), lambda grown: 8 * prod(grown), _compiled(keras.ops.add), "float32", one)
    return {**found, "bytes": found.pop("operations")}


def _copy_numpy() -> dict[str, Any]:
    threads = cores()
    source, target = np.ones((threads, COPIED // threads), "float32"), np.empty((threads, COPIED // threads), "float32")
    with ThreadPoolExecutor(threads) as pool:
        samples = _samples(lambda: list(pool.map(np.copyto, target, source)), wait=lambda _: None)
    about = {"what": "copy_numpy", "shape": [source.size], "dtype": "float32", "bytes": 2 * source.nbytes}
    return {**about, "samples_s": samples}


def _grown(
    what: str, shape: tuple[int, ...], count: Callable[[tuple[int, ...]], int], call: Any, dtype: str, other: Any
) -> dict[str, Any]:
    """The reading of a call on ones of this shape and `other`, its first axis longer where the device is too fast."""
    times = 1
    while True:
        grown = (shape[0] * times, *shape[1:])
        samples = _samples(partial(call, _filled(grown, dtype), other), _wait)
        if min(samples) >= SHORTEST_S or times >= MOST:
            return {
                "what": what,
                "shape": list(grown),
                "dtype": dtype,
                "operations": count(grown),
                "samples_s": samples,
            }
        times *= 4


def _samples(call: Callable[[], Any], wait: Callable[[Any], None]) -> list[float]:
    wait(call())
    taken: list[float] = []
    while len(taken) < 2 or (sum(taken) < BUDGET_S and len(taken) < SAMPLES):
        start = time.perf_counter()
        wait(call())
        taken.append(time.perf_counter() - start)
    return [round(seconds, 7) for seconds in taken]


def _filled(shape: Sequence[int], dtype: str) -> Any:
    return keras.ops.cast(keras.ops.convert_to_tensor(np.full(shape, 0.5, "float32")), dtype)


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as the backend runs a model."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=False)
    if backend == "jax":
        import jax  # pyright: ignore[reportMissingImports]  # an extra

        return jax.jit(function)
    import torch  # pyright: ignore[reportMissingImports]  # an extra

    return torch.no_grad()(function)


def _wait(result: Any) -> None:
    """Return when the device has computed the result."""
    backend = keras.backend.backend()
    if backend == "jax":
        result.block_until_ready()
    elif backend == "tensorflow":
        result[(0,) * len(result.shape)].numpy()
    elif result.is_cuda:
        import torch  # pyright: ignore[reportMissingImports]  # an extra

        torch.cuda.synchronize()
