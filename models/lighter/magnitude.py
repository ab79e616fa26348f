"""Magnitude pruning: the smallest weights of kernels are set to zero and held there (Zhu & Gupta 2017).

Only kernels are pruned: weights called `kernel` or something that ends so, as all convolutions and matrix products have
them, and the projections of our own attention. Offsets, factors and statistics of normalisations, learned maps and
positions are left.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np

Ranking = Literal["layer", "global"]
"""Whether each kernel loses the same share, or the smallest weights of all kernels go wherever they are."""

PROJECTIONS = ("triple", "out")
"""Names of the kernels of `models.parts.transformer.Attention`."""

END = 0.75
"""Share of the steps after which sparsity is what was asked for; the rest trains what remains."""

UPDATES = 50
"""How often the masks are chosen anew on the way there."""


@dataclass(frozen=True)
class Sparsity:
    """How many weights of a kernel are zero. path: the weight's place in the model."""

    path: str
    zeros: int
    size: int

    @property
    def share(self) -> float:
        """Zeros over weights."""
        return self.zeros / self.size


@dataclass(frozen=True)
class Magnitude:
    """What is asked for: the share of the kernels' weights that is zero in the end, and how they are compared."""

    sparsity: float
    ranking: Ranking = "layer"


def kernels(model: keras.Model) -> list[Any]:
    """The weights of the model that pruning looks at, in its order."""
    named = (weight for weight in model.trainable_weights if len(weight.shape) > 1)
    return [weight for weight in named if weight.name.endswith("kernel") or weight.name in PROJECTIONS]


def scheduled(final: float, step: int, steps: int, *, end: float = END) -> float:
    """s(t) = s_f (1 - (1 - t / t_1)³) for t < t_1 = end · steps, then s_f: the sparsity due after `step` of `steps`.

    Equation 1 of Zhu & Gupta 2017 (arXiv:1710.01878) that begins at step 0 from a dense model.
    """
    return final * (1 - max(0.0, 1 - step / (end * steps)) ** 3)


def masks(model: keras.Model, sparsity: float, ranking: Ranking = "layer") -> list[np.ndarray]:
    """Which weights of each of the `kernels` stay: booleans of its shape, false for the smallest in magnitude.

    `layer`: floor(sparsity · size) of each kernel go; `global`: floor(sparsity · total) of all kernels together. Zeros
    go first; of equal magnitudes those that come first.
    """
    found = kernels(model)
    magnitudes = [np.abs(_array(weight)).ravel() for weight in found]
    groups = [magnitudes] if ranking == "global" else [[values] for values in magnitudes]
    kept: list[np.ndarray] = []
    for group in groups:
        kept += _largest(group, sparsity)
    return [stays.reshape(weight.shape) for weight, stays in zip(found, kept, strict=True)]


def sparsities(model: keras.Model) -> list[Sparsity]:
    """How many weights of each kernel are exactly zero."""
    return [Sparsity(weight.path, _zeros(weight), math.prod(weight.shape)) for weight in kernels(model)]


def total(found: Sequence[Sparsity]) -> float:
    """Zeros over weights of all kernels together."""
    return sum(entry.zeros for entry in found) / sum(entry.size for entry in found)


class GradualPruning:
    """Prunes a model while it trains: call `after_step` after each optimizer step.

    model: the one that trains, whose weights are changed. steps: of the whole training. A weight that was set to zero
    stays zero. begun: training goes on from a checkpoint, and the zeros that are there are its masks.
    """

    def __init__(self, model: Any, asked: Magnitude, steps: int, *, begun: bool = False) -> None:
        self.model, self.asked, self.steps = model, asked, steps
        self.every = max(1, round(END * steps / UPDATES))
        self._kept = [_array(weight) != 0 for weight in kernels(model)] if begun else []

    def after_step(self, step: int) -> None:
        """Hold the zeros after that many steps and, at times, add to them."""
        if hasattr(self.model, "jax_state_sync"):
            self.model.jax_state_sync()  # with JAX the weights are elsewhere while an epoch lasts
        if not self.reached(step - 1) and (step % self.every == 0 or self.reached(step)):
            self._kept = masks(self.model, scheduled(self.asked.sparsity, step, self.steps), self.asked.ranking)
        for weight, kept in zip(kernels(self.model), self._kept, strict=True) if self._kept else ():
            weight.assign(weight * keras.ops.cast(kept, weight.dtype))

    def reached(self, step: int) -> bool:
        """Whether the sparsity that was asked for is there after that many steps."""
        return step >= END * self.steps


def _array(weight: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(weight))


def _zeros(weight: Any) -> int:
    return int(np.count_nonzero(_array(weight) == 0))


def _largest(group: Sequence[np.ndarray], sparsity: float) -> list[np.ndarray]:
    """Booleans that leave out floor(sparsity · n) of the n values of these arrays, the smallest."""
    values = np.concatenate(group)
    stays = np.ones(len(values), bool)
    count = math.floor(sparsity * len(values) + 1e-9)
    if count:
        # A partition in place of a sort; equal ones at the border by their place, so that the count is exact.
        border = np.partition(values, count - 1)[count - 1]
        below, equal = values < border, np.flatnonzero(values == border)
        stays[below] = False
        stays[equal[: count - int(below.sum())]] = False
    return np.split(stays, np.cumsum([len(part) for part in group[:-1]]))
