"""How long one call takes: warm up, then read the clock around each call; raw samples only."""

import time
from collections.abc import Callable

import numpy as np


def time_calls(
    call: Callable[[np.ndarray], np.ndarray], images: np.ndarray, *, warmup: int, samples: int, budget_s: float
) -> list[float]:
    """Return seconds of single calls, in order.

    `call` must return when the result is in host memory. At least two samples are taken, and no more once the budget
    is spent. The clock is `perf_counter`; nothing but the call stands between two readings.
    """
    for _ in range(warmup):
        call(images)
    taken: list[float] = []
    end = time.perf_counter() + budget_s
    while len(taken) < samples and (len(taken) < 2 or time.perf_counter() < end):
        start = time.perf_counter()
        call(images)
        taken.append(time.perf_counter() - start)
    return taken
