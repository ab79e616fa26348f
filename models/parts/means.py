"""Layers that average what several networks say of an image: two different means, each a logit again."""

from collections.abc import Sequence
from typing import Any

import keras

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


class _Mean(keras.layers.Layer):
    """A weighted mean of logits `(n, *space, k)` of one shape. weights: positive, made to add up to 1."""

    window_size = 1

    def __init__(self, weights: Sequence[float], **options) -> None:
        super().__init__(**options)
        total = float(sum(weights))
        self.shares = [float(weight) / total for weight in weights]

    def compute_output_shape(self, input_shape):
        """Same as one of the inputs."""
        return input_shape[0]

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "weights": self.shares}


@keras.saving.register_keras_serializable(package="unetbench")
class MeanOfLogits(_Mean):
    """z = sum w_i z_i: of odds the geometric mean, of softmax probabilities that too, made to add up to 1 again."""

    def call(self, logits):
        """Return the mean."""
        return sum(share * one for share, one in zip(self.shares, logits, strict=True))


@keras.saving.register_keras_serializable(package="unetbench")
class MeanOfProbabilities(_Mean):
    """The logit of p = sum w_i p_i, the arithmetic mean of the probabilities that the logits stand for.

    exclusive: p_i = softmax(z_i), and log p is returned, whose softmax is p; else p_i = sigmoid(z_i), and
    log p - log(1 - p) is returned. Sums are taken of logarithms, so that no probability becomes 0 or 1 on the way.
    """

    def __init__(self, weights: Sequence[float], *, exclusive: bool, **options) -> None:
        super().__init__(weights, **options)
        self.exclusive = exclusive

    def call(self, logits):
        """Return the logit of the mean."""
        if self.exclusive:
            return self._log_mean([_log_softmax(one) for one in logits])
        return self._log_mean([_log_sigmoid(z) for z in logits]) - self._log_mean([_log_sigmoid(-z) for z in logits])

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "exclusive": self.exclusive}

    def _log_mean(self, logs):
        """The logarithm of sum w_i exp(a_i), without overflow."""
        most = logs[0]
        for one in logs[1:]:
            most = ops.maximum(most, one)
        return most + ops.log(sum(share * ops.exp(one - most) for share, one in zip(self.shares, logs, strict=True)))


def _log_sigmoid(z):
    """log(1 / (1 + exp(-z))), of operations that every exporter knows."""
    return ops.minimum(z, 0.0) - ops.log(1.0 + ops.exp(-ops.abs(z)))


def _log_softmax(z):
    shifted = z - ops.max(z, axis=-1, keepdims=True)
    return shifted - ops.log(ops.sum(ops.exp(shifted), axis=-1, keepdims=True))
