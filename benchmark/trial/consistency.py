"""A teacher whose weights are the mean of the student's so far, with which the student should agree on every pixel."""

from typing import Any

import keras

from ...core.task import Task
from ...losses.planes import probabilities, valid_mean
from .averaging import share_after

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

RAMP = 0.4
"""Share of the training over which the teacher's say grows to all of it."""


class AveragedTeacher:
    """Mean teacher (Tarvainen & Valpola 2017, arXiv:1703.01780): w r mean (p - q)², added to the loss of each case.

    p are the student's probabilities and q the teacher's, over all pixels, known or not, and all classes; no gradient
    reaches the teacher. The teacher sees the images mirrored along the last axis where training mirrors, and its
    answer is mirrored back, in place of the noise of the paper. Its weights start as the student's; after step t = 0,
    1, … they are d e + (1 - d) w with d = min(decay, (1 + t) / (10 + t)). r = exp(-5 (1 - s / RAMP)²) up to the share
    s = RAMP of the training, 1 after. Moving statistics of normalisations are averaged like weights.

    network: the teacher's, of the same architecture. student: the network that is trained.
    """

    def __init__(
        self, network: keras.Model, student: keras.Model, task: Task, *, weight: float, decay: float, flips: bool
    ) -> None:
        self.network, self.student, self.task = network, student, task
        self.weight, self.decay, self.flips = weight, decay, flips
        network.trainable = False
        self.share = keras.Variable(0.0, trainable=False, name="ramp")
        self.steps = keras.Variable(0, trainable=False, dtype="int32", name="steps")
        self.reset()

    def reset(self) -> None:
        """Begin as the student."""
        self.steps.assign(0)
        for mean, weight in zip(self.network.variables, self.student.variables, strict=True):
            mean.assign(ops.copy(weight.value))  # JAX gives a buffer away with the first of two that share it

    def begin_epoch(self, share: float) -> None:
        """Set the teacher's say. share: of the training that is done."""
        self.share.assign(float(ops.exp(-5.0 * (1 - min(share / RAMP, 1.0)) ** 2)))

    def after_step(self, model: Any) -> None:
        """Follow the student by a step. model: the one that trains."""
        if hasattr(model, "jax_state_sync"):
            model.jax_state_sync()  # with JAX the weights are elsewhere while an epoch lasts
        step = int(self.steps.value)
        self.steps.assign(step + 1)
        share = share_after(step, self.decay)
        for mean, weight in zip(self.network.variables, self.student.variables, strict=True):
            if "float" in str(mean.dtype):
                mean.assign(mean.value + share * (weight.value - mean.value))
            else:
                mean.assign(ops.copy(weight.value))

    def __call__(self, images: Any, logits: Any) -> Any:
        """Value of each case, `(n,)`. images `(n, *space, c)`, logits `(n, *space, k)`."""
        axis = len(images.shape) - 2
        given: Any = self.network(ops.flip(images, axis) if self.flips else images, training=False)
        given = given[0] if isinstance(given, list | tuple) else given
        q = ops.stop_gradient(probabilities(ops.flip(given, axis) if self.flips else given, self.task))
        apart = ops.square(probabilities(logits, self.task) - q)
        return self.weight * self.share * valid_mean(apart, ops.ones_like(apart))
