"""Whether TensorFlow trains on a CPU, and with which vectors oneDNN may compute there."""

import os
import platform
from functools import cache

import keras

from ...core.processor import allowed, limits, processor


@cache
def on_cpu() -> bool:
    """Whether the backend is TensorFlow and sees no GPU."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU")


@cache
def limited_to_avx2() -> bool:
    """Whether oneDNN computes with AVX2 and not with AVX-512, be it for the CPU or for `ONEDNN_MAX_CPU_ISA`."""
    level = limits(os.environ, platform.machine()).get("ONEDNN_MAX_CPU_ISA", "")
    usable = allowed(processor().instructions, level)
    return "avx2" in usable and "avx512" not in usable
