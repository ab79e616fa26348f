"""Gradients on any Keras backend, outside a traced step: to look at a part once, not to train."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

ops: Any = keras.ops


def loss_gradient(loss: Callable[[Any, Any], Any], truth: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """The gradient of the sum of `loss(truth, logits)` by the logits, float32; zeros where the loss sees none."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        given: Any = tf.constant(logits)
        with tf.GradientTape() as tape:
            tape.watch(given)
            total = tf.reduce_sum(loss(tf.constant(truth), given))
        found = tape.gradient(total, given, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    elif backend == "jax":
        import jax  # pyright: ignore[reportMissingImports]  # an extra

        found = jax.grad(lambda values: ops.sum(loss(ops.convert_to_tensor(truth), values)))(
            ops.convert_to_tensor(logits)
        )
    else:
        given = ops.convert_to_tensor(logits).detach().requires_grad_()
        total = ops.sum(loss(ops.convert_to_tensor(truth), given))
        if total.requires_grad:
            total.backward()
        found = ops.zeros_like(given) if given.grad is None else given.grad
    return np.asarray(ops.convert_to_numpy(found))


def weight_gradients(model: Any, images: np.ndarray) -> list[np.ndarray]:
    """The gradients, by each trainable weight, of the sum of the first output weighted with fixed random numbers.

    In training mode; the weights that are not trained, moving statistics among them, are left as they are.
    """
    backend = keras.backend.backend()
    kept = [np.array(ops.convert_to_numpy(variable.value)) for variable in model.non_trainable_variables]
    if backend == "jax":
        import jax  # pyright: ignore[reportMissingImports]  # an extra

        fixed = [variable.value for variable in model.non_trainable_variables]
        found = jax.grad(
            lambda values: _weighted(
                model.stateless_call(values, fixed, ops.convert_to_tensor(images), training=True)[0]
            )
        )([variable.value for variable in model.trainable_variables])
    elif backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            total = _weighted(model(tf.constant(images), training=True))
        values = [variable.value for variable in model.trainable_variables]
        found = tape.gradient(total, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    else:
        model.zero_grad()
        total = _weighted(model(ops.convert_to_tensor(images), training=True))
        if total.requires_grad:
            total.backward()
        values = [variable.value for variable in model.trainable_variables]
        found = [ops.zeros_like(value) if value.grad is None else value.grad.clone() for value in values]
        model.zero_grad()
    for variable, value in zip(model.non_trainable_variables, kept, strict=True):
        variable.assign(value)
    return [np.asarray(ops.convert_to_numpy(gradient)) for gradient in found]


def _weighted(outputs: Any) -> Any:
    """A number that depends on every pixel of the first output."""
    first = outputs[0] if isinstance(outputs, list | tuple) else outputs
    weights = np.random.default_rng(1).standard_normal(tuple(first.shape)).astype(np.float32)
    return ops.sum(ops.cast(first, "float32") * weights)
