"""Value and gradient of every loss on the Keras backend of this process, into a file: `backend_values.py FILE`."""

import sys
from functools import partial

import keras
import numpy as np

from unetbench.core.task import Task
from unetbench.losses import LOSSES

TASKS = (Task(2, 1, ("cell",), ignore=255), Task(3, 1, ("background", "a", "b"), "exclusive"))
OPTIONS = [("ssim", {"scales": 2})]
"""What no default reaches: pooling."""


def value_and_gradient(
    name: str, truth: np.ndarray, logits: np.ndarray, task: Task, **options: int
) -> tuple[np.ndarray, np.ndarray]:
    """One value a case, and the gradient of their sum."""
    backend, loss = keras.backend.backend(), partial(LOSSES[name], **options)
    if backend == "jax":
        import jax

        @jax.jit
        def step(x):
            value, pull = jax.vjp(lambda y: loss(truth, y, task), x)
            return value, pull(jax.numpy.ones_like(value))[0]

        value, gradient = step(jax.numpy.asarray(logits))
        return np.asarray(value), np.asarray(gradient)
    if backend == "torch":
        import torch

        x = torch.tensor(logits, requires_grad=True)
        value = loss(torch.tensor(truth), x, task)
        value.sum().backward()
        return value.detach().numpy(), x.grad.numpy()
    import tensorflow as tf

    x = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(truth, x, task)
        total = tf.reduce_sum(value)
    return value.numpy(), tape.gradient(total, x).numpy()


def case(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Random truth and logits."""
    rng = np.random.default_rng(11)
    space = (2, *(12, 10, 6)[: task.rank])
    truth = rng.integers(0, max(2, task.outputs), (*space, task.truth_channels)).astype("uint8")
    if task.ignore is not None:
        truth[:, 3] = task.ignore
    return truth, rng.normal(size=(*space, task.outputs)).astype("float32")


def main(file: str) -> None:
    """Write `<name>_<rank>_value` and `<name>_<rank>_gradient` of every loss and task."""
    arrays = {}
    for task in TASKS:
        for name, options in (*((name, {}) for name in LOSSES), *OPTIONS):
            value, gradient = value_and_gradient(name, *case(task), task, **options)
            key = f"{name}{options or ''}_{task.rank}"
            arrays |= {f"{key}_value": value, f"{key}_gradient": gradient}
    np.savez(file, **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
