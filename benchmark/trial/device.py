"""The device that the Keras backend of this process computes on, and the memory that it takes there."""

from typing import Any

import keras

from ...core.backend import FOR_GPUS
from ...core.errors import Unavailable
from ..records.machine import machine


def kind() -> str:
    """Return `gpu` where the backend computes on one by itself, else `cpu`."""
    return "gpu" if _gpu() else "cpu"


def name() -> str:
    """Return what the device is called: that of the machine's description where it has one."""
    device = _gpu()
    if not device:
        return machine()["cpu"]
    return machine()["gpu"] or device


def require(device: str) -> None:
    """Raise Unavailable when the backend does not compute on the device that a trial asks for; "" asks for none."""
    if device and device != kind():
        backend = keras.backend.backend()
        raise Unavailable(
            f"device {device}: {backend} sees none here; {FOR_GPUS.get(backend, 'choose another backend')}"
        )


def reset_peak() -> None:
    """Begin anew to look for the peak of the GPU's memory, where the backend can: JAX cannot."""
    if not _gpu():
        return
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.reset_memory_stats("GPU:0")
    elif backend == "torch":
        import torch  # pyright: ignore[reportMissingImports]  # an extra

        torch.cuda.reset_peak_memory_stats()


def peak_bytes() -> int | None:
    """Return the most memory of the GPU that arrays took at one time, None without a GPU or where nobody counts.

    Since `reset_peak`; on JAX since the process began, so that a worker on a GPU serves one compiled model.
    """
    if not _gpu():
        return None
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
    if backend == "jax":
        import jax  # pyright: ignore[reportMissingImports]  # an extra

        found: dict[str, Any] = jax.local_devices()[0].memory_stats() or {}
        return found.get("peak_bytes_in_use")
    import torch  # pyright: ignore[reportMissingImports]  # an extra

    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None


def _gpu() -> str:
    """Name of the GPU that the backend computes on, "" for a processor."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")) if gpus else ""
    if backend == "jax":
        import jax  # pyright: ignore[reportMissingImports]  # an extra

        return "" if jax.default_backend() == "cpu" else str(jax.local_devices()[0].device_kind)
    import torch  # pyright: ignore[reportMissingImports]  # an extra

    array: Any = keras.ops.zeros(())  # Keras annotates it as any backend's
    where = array.device.type
    return torch.cuda.get_device_name(0) if where == "cuda" else where.removeprefix("cpu")
