"""How much each weight of a trained network matters for what it was trained on: the diagonal of the Fisher matrix."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np

from ...core.task import Task
from ...losses.planes import planes, valid_mean

ops: Any = keras.ops


def fisher(network: Any, patches: Iterable[tuple[np.ndarray, np.ndarray]], task: Task) -> tuple[np.ndarray, ...]:
    """F = 1/N sum_n (d l_n / d w)^2 for each trainable weight w, l_n the log-likelihood of patch n.

    l_n is the mean over its pixels of log p(truth), over labels too where they are not exclusive, so that F has the
    scale of losses, which are means. The truth stands for a draw of the network's own labels: the empirical Fisher,
    as usual since Kirkpatrick et al. 2017 (arXiv:1612.00796), biased where the network is far from the truth (Kunstner
    et al. 2019, arXiv:1905.12558). The network predicts as it does for test cases. patches: images (1, *space, c) and
    truths (1, *space, t), one at a time, for the square of a mean is none of squares. Raises ValueError without any.
    """
    gradients, total, count = _gradients(network, task), list[np.ndarray](), 0
    for images, truths in patches:
        squares = [np.square(np.asarray(one, np.float64)) for one in gradients(images, truths)]
        total = [a + b for a, b in zip(total, squares, strict=True)] if count else squares
        count += 1
    if not count:
        raise ValueError("no patch to take the Fisher matrix of")
    return tuple((one / count).astype(np.float32) for one in total)


def log_likelihood(truth: Any, logits: Any, task: Task) -> Any:
    """The mean over valid pixels, and over labels that are not exclusive, of log p(truth), one value a case."""
    target, valid = planes(truth, task)
    logits = ops.cast(logits, "float32")
    if task.kind == "exclusive":
        return valid_mean(ops.sum(target * ops.log_softmax(logits, -1), -1, keepdims=True), valid)
    return valid_mean(target * logits - ops.softplus(logits), valid)


def _gradients(network: Any, task: Task) -> Callable[[np.ndarray, np.ndarray], Sequence[Any]]:
    """From one image and its truth to the gradients of `log_likelihood` by the trainable weights, traced once."""

    def first(outputs: Any) -> Any:
        return outputs[0] if isinstance(outputs, list | tuple) else outputs

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        @tf.function
        def traced(images: Any, truths: Any) -> Any:
            with tf.GradientTape() as tape:
                value = ops.sum(log_likelihood(truths, first(network(images, training=False)), task))
            weights = [variable.value for variable in network.trainable_variables]
            return tape.gradient(value, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)

        return lambda images, truths: [one.numpy() for one in traced(tf.constant(images), tf.constant(truths))]
    if backend == "jax":
        import jax  # pyright: ignore[reportMissingImports]  # an extra

        fixed = [variable.value for variable in network.non_trainable_variables]

        def value(weights: Any, images: Any, truths: Any) -> Any:
            outputs, _ = network.stateless_call(weights, fixed, images, training=False)
            return ops.sum(log_likelihood(truths, first(outputs), task))

        slope = jax.jit(jax.grad(value))
        return lambda images, truths: slope(
            [variable.value for variable in network.trainable_variables], images, truths
        )

    def backward(images: np.ndarray, truths: np.ndarray) -> list[np.ndarray]:
        network.zero_grad()
        outputs = network(ops.convert_to_tensor(images), training=False)
        ops.sum(log_likelihood(ops.convert_to_tensor(truths), first(outputs), task)).backward()
        values = [variable.value for variable in network.trainable_variables]
        found = [ops.zeros_like(one) if one.grad is None else one.grad for one in values]
        arrays = [np.array(ops.convert_to_numpy(one)) for one in found]
        network.zero_grad()
        return arrays

    return backward
