"""The model as Keras runs it, without the overhead of `predict`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core import onednn
from ..core.errors import Unavailable
from ..core.processor import stops_at_avx2, usable
from . import RUNTIMES

if TYPE_CHECKING:  # a driver asks what kind of runtime it is, without Keras
    from keras import Model


@RUNTIMES.add
def keras(model: "Model") -> Callable[[np.ndarray], np.ndarray]:
    """One traced call on the Keras backend: tf.function without XLA, jax.jit, or PyTorch without gradients.

    Returns a function from images (n, *space, c) float32 to logits (n, *space, k) float32, both in host memory, so a
    call includes the transfers a user pays for. Of several outputs (deep supervision) the first is given. On TensorFlow
    one trace serves every batch and image size; JAX compiles once a shape. The function reads the weights at each call:
    training further needs no new trace. A single 2D image goes twice where `prefers_pairs` says so.
    """
    makers = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    return makers[_backend()](model)


@RUNTIMES.add
def keras_predict(model: "Model") -> Callable[[np.ndarray], np.ndarray]:
    """`model.predict`, as most people call it: with its loop, callbacks and copies around the same graph."""
    predict: Any = model.predict  # its type for `verbose` leaves out the numbers that it takes
    return lambda images: _first(predict(images, batch_size=len(images), verbose=0))


@RUNTIMES.add
def keras_xla(model: "Model") -> Callable[[np.ndarray], np.ndarray]:
    """One call compiled by XLA, once a shape; on TensorFlow only, for JAX always does. Raises Unavailable elsewhere."""
    if _backend() != "tensorflow":
        raise Unavailable(f"runtime keras_xla: is for TensorFlow, the backend is {_backend()}; use keras")
    import tensorflow

    call = tensorflow.function(lambda images: _first(model(images, training=False)), jit_compile=True)
    return lambda images: call(tensorflow.convert_to_tensor(images)).numpy()


@RUNTIMES.add
def jax(model: "Model") -> Callable[[np.ndarray], np.ndarray]:
    """The Keras model on JAX, compiled once a shape; a session process runs it where another backend trained."""
    return _on("jax", _jax, model)


@RUNTIMES.add
def torch(model: "Model") -> Callable[[np.ndarray], np.ndarray]:
    """The Keras model on PyTorch, without gradients; a session process runs it where another backend trained."""
    return _on("torch", _torch, model)


def _on(name: str, run: Callable[[Any], Callable[[np.ndarray], np.ndarray]], model: Any) -> Any:
    if _backend() != name:
        raise Unavailable(f"runtime {name}: the Keras backend is {_backend()}; set KERAS_BACKEND={name}")
    return run(model)


def _backend() -> str:
    from keras import backend

    return backend.backend()


def _tensorflow(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    import tensorflow

    shape = (None,) * (len(model.inputs[0].shape) - 1) + (model.inputs[0].shape[-1],)
    signature = [tensorflow.TensorSpec(shape, "float32")]
    call = tensorflow.function(lambda images: _first(model(images, training=False)), signature, jit_compile=False)
    on_gpu = bool(tensorflow.config.list_physical_devices("GPU"))
    pairs = len(shape) == 4 and not on_gpu and prefers_pairs()

    def run(images: np.ndarray) -> np.ndarray:
        if pairs and len(images) == 1:
            return call(tensorflow.convert_to_tensor(np.concatenate([images, images]))).numpy()[:1]
        return call(tensorflow.convert_to_tensor(images)).numpy()

    return run


def prefers_pairs() -> bool:
    """Whether one image is predicted faster as a batch of two: with oneDNN on x86 with AVX2 and without AVX-512.

    There it (3.7, in TensorFlow 2.21) convolves a batch of one in 2D through an image of columns, with whatever
    follows, such as a batch normalisation, in reference code, and takes its AVX2 kernels for two images on. With batch
    normalisation a single 256×256 image took 3,938 ms in `unet_half` and 2,595 in `unet_light_half`, two took 767 and
    164; without normalisation one and two take the same time. TensorFlow by itself computes with Eigen on most such
    CPUs, where one takes half the time of two.
    """
    return stops_at_avx2(usable()) and onednn.in_use()


def _jax(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    import jax  # pyright: ignore[reportMissingImports]  # an extra

    @jax.jit
    def call(trainable: Any, fixed: Any, images: Any) -> Any:
        return _first(model.stateless_call(trainable, fixed, images, training=False)[0])

    def run(images: np.ndarray) -> np.ndarray:
        trainable = [variable.value for variable in model.trainable_variables]
        fixed = [variable.value for variable in model.non_trainable_variables]
        return np.asarray(call(trainable, fixed, images))

    return run


def _torch(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    import torch  # pyright: ignore[reportMissingImports]  # an extra

    def run(images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return _first(model(images, training=False)).cpu().numpy()

    return run


def _first(outputs: Any) -> Any:
    return outputs[0] if isinstance(outputs, list | tuple) else outputs
