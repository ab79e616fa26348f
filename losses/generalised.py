"""Dice losses over all classes at once, the background among them."""

from typing import Any

import keras

from ..core.errors import SpecError
from ..core.task import Task
from . import LOSSES
from .planes import Tensor, class_sums, scored, space_sum

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


@LOSSES.add
def generalised_dice(truth: Tensor, logits: Tensor, task: Task, *, smooth: float = 1e-5) -> Tensor:
    """Generalised Dice: 1 - (2 sum_k w_k sum(p g) + s) / (sum_k w_k sum(p + g) + s) (Sudre 2017, arXiv:1707.03237).

    w_k = (G_min / G_k)², G_k the pixels of class k in the case and G_min those of its smallest class present: the
    paper's 1 / G_k² in units of the largest one. An absent class gets the weight of the smallest present, as in MONAI,
    where the paper's would be infinite. The background is one of the classes; a sigmoid has two, itself and what it
    leaves, and several labels are averaged. s is `smooth` in these units (MONAI's times G_min²). Truth
    `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`. A case all ignored costs 0.
    """
    both, predicted, size = class_sums(truth, logits, task)
    present = size > 0
    smallest = ops.min(ops.where(present, size, 1e12), -1, keepdims=True)
    weight = ops.where(present, ops.square(smallest / ops.maximum(size, 1.0)), 1.0)
    both, total = ops.sum(weight * both, -1), ops.sum(weight * (predicted + size), -1)
    return ops.mean(1 - (2 * both + smooth) / (total + smooth), -1)


@LOSSES.add
def wasserstein_dice(
    truth: Tensor, logits: Tensor, task: Task, *, distances: tuple[tuple[float, ...], ...] = (), smooth: float = 1.0
) -> Tensor:
    """Generalised Wasserstein Dice: 1 - (2 T + s) / (2 T + E + s), for classes of unlike likeness (Fidon 2017).

    d_i = sum_k M[truth_i, k] p_k is how far pixel i is from its truth, E = sum_i d_i, T = sum (1 - d_i) over pixels
    whose truth is not the first class. distances: M, one row a class, symmetric, 0 on the diagonal; divided by its
    largest entry; without it all classes are 1 apart. A sigmoid is background and foreground, and several labels are
    averaged. s is `smooth` in pixels; MONAI has 1e-5. Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`.
    A case all ignored costs 0. Raises SpecError for a matrix of another size. arXiv:1707.00478
    """
    g, p, valid = scored(truth, logits, task, True)
    if task.kind == "exclusive":
        matrix = ops.convert_to_tensor(_matrix(distances, task.outputs), dtype="float32")
        away = ops.sum(ops.matmul(g, matrix) * p, -1, keepdims=True)
        foreground = valid - g[..., :1]
    else:
        (_, false), (missed, _) = _matrix(distances, 2)
        away, foreground = false * (valid - g) * p + missed * g * (1 - p), g
    hit, error = space_sum(foreground * (1 - away)), space_sum(away)
    return ops.mean(1 - (2 * hit + smooth) / (2 * hit + error + smooth), -1)


def _matrix(distances: tuple[tuple[float, ...], ...], count: int) -> list[list[float]]:
    if not distances:
        return [[float(row != column) for column in range(count)] for row in range(count)]
    rows = [list(row) for row in distances]
    square = len(rows) == count and all(len(row) == count for row in rows)
    if not square or any(rows[k][k] for k in range(count)) or not max(map(max, rows)) > 0:
        raise SpecError(f"wasserstein_dice: distances {rows} is not a {count}×{count} matrix with 0 on its diagonal")
    largest = max(map(max, rows))
    return [[entry / largest for entry in row] for row in rows]
