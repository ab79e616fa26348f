"""Whether TensorFlow trains on a CPU, and with which vectors oneDNN may compute there."""

from functools import cache

import keras

from ...core.processor import stops_at_avx2, usable


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
    return stops_at_avx2(usable())
