"""Probabilities of whole images at their own size, from overlapping windows."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain, combinations, product
from typing import NamedTuple

import numpy as np

from ...core.task import Task

Forward = Callable[[np.ndarray], np.ndarray]


class Prediction(NamedTuple):
    """probabilities (*space, k) float32; mismatch: how far windows disagree, NaN where no two windows overlap.

    mismatch: mean over classes and over pixels that several windows saw of the range of their probabilities. Where a
    model does not look across its window it is what padding does at the windows' borders; where it does, statistics of
    a normalisation taken from each window make tile seams of it (Buglakova et al. 2025, arXiv:2503.19545).
    """

    probabilities: np.ndarray
    mismatch: float


def predict(
    forward: Forward,
    image: np.ndarray,
    task: Task,
    *,
    window: tuple[int, ...],
    overlap: float | Sequence[float] = 0.5,
    batch: int = 8,
    mirror: bool = False,
    align: Sequence[int] | None = None,
) -> Prediction:
    """Predict an image (*space, c).

    The image is cut into windows that overlap by at least `overlap` of their edge, one share or one an axis; an axis
    shorter than the window is padded by reflection. Probabilities of overlapping windows are averaged with Gaussian
    weights of standard deviation one eighth of the edge (as nnU-Net does, Isensee et al. 2021,
    doi:10.1038/s41592-020-01008-z). With `mirror` each window's probabilities are averaged over the mirrored copies
    along every set of axes. align: windows begin at multiples of these, one an axis, so that a network which halves the
    image sees each pixel at the same place of its grid whatever the window; by default they are spread evenly.
    """
    space = image.shape[:-1]
    wide, lines = grid(space, window, overlap, align)
    image = _pad(image, wide)
    weights = gaussian(window)[..., None]
    total = np.zeros((*image.shape[:-1], task.outputs), np.float32)
    norm = np.zeros((*image.shape[:-1], 1), np.float32)
    places = [
        tuple(slice(start, start + edge) for start, edge in zip(corner, window, strict=True))
        for corner in product(*lines)
    ]
    spread = _Spread(total.shape) if len(places) > 1 else None
    for first in range(0, len(places), batch):
        chunk = places[first : first + batch]
        found = window_probabilities(forward, np.stack([image[place] for place in chunk]), task, mirror)
        for place, probabilities in zip(chunk, found, strict=True):
            total[place] += probabilities * weights
            norm[place] += weights
            if spread is not None:
                spread.add(place, probabilities)
    total /= norm
    inside = tuple(slice(edge) for edge in space)
    return Prediction(total[inside], spread.mean(inside) if spread else float("nan"))


def grid(
    space: Sequence[int],
    window: tuple[int, ...],
    overlap: float | Sequence[float],
    align: Sequence[int] | None,
) -> tuple[tuple[int, ...], list[list[int]]]:
    """What `predict` pads an image's space to, and where its windows begin along each axis."""
    steps = align or (1,) * len(window)
    wide = tuple(max(w, -(-n // step) * step) for n, w, step in zip(space, window, steps, strict=True))
    shares = overlap if isinstance(overlap, Sequence) else [overlap] * len(window)
    return wide, list(map(_starts, wide, window, shares, steps))


def to_labels(scores: np.ndarray, task: Task, threshold: float) -> np.ndarray:
    """Scores (…, k) to labels (…, t) uint8: the class of the highest score, or 1 where a score reaches the threshold.

    scores: probabilities with a threshold between 0 and 1, or logits with its log-odds.
    """
    if task.kind == "exclusive":
        return scores.argmax(-1)[..., None].astype(np.uint8)
    return (scores >= threshold).astype(np.uint8)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * logits))


def softmax(logits: np.ndarray) -> np.ndarray:
    """exp(x) / sum exp(x) over the last axis, without overflow."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


class _Spread:
    """Least and largest probability of each pixel over the windows that saw it."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.low, self.high = np.full(shape, np.inf, np.float32), np.full(shape, -np.inf, np.float32)
        self.seen = np.zeros(shape[:-1], np.uint16)

    def add(self, place: tuple[slice, ...], probabilities: np.ndarray) -> None:
        np.minimum(self.low[place], probabilities, out=self.low[place])
        np.maximum(self.high[place], probabilities, out=self.high[place])
        self.seen[place] += 1

    def mean(self, inside: tuple[slice, ...]) -> float:
        several = self.seen[inside] > 1
        spread = (self.high[inside] - self.low[inside])[several]
        return float(spread.mean(dtype=np.float64)) if spread.size else float("nan")


def window_probabilities(forward: Forward, windows: np.ndarray, task: Task, mirror: bool) -> np.ndarray:
    """Probabilities (n, *window, k) of windows (n, *window, c), with `mirror` averaged over their mirrored copies."""
    activation = softmax if task.kind == "exclusive" else sigmoid
    axes = range(1, task.rank + 1)
    flips = chain.from_iterable(combinations(axes, n) for n in range(task.rank + 1)) if mirror else [()]
    total, count = np.zeros((), np.float32), 0
    for flip in flips:
        total = total + np.flip(activation(forward(np.flip(windows, flip))), flip)
        count += 1
    return (total / count).astype(np.float32)


def _pad(image: np.ndarray, window: tuple[int, ...]) -> np.ndarray:
    lacking = [max(0, edge - n) for n, edge in zip(image.shape, window, strict=False)]
    if not any(lacking):
        return image
    return np.pad(image, [*((0, lack) for lack in lacking), (0, 0)], mode="symmetric")


def _starts(length: int, edge: int, overlap: float, step: int) -> list[int]:
    if length == edge:  # whatever the overlap, which is 1 where the window is as small as the patch's overlap
        return [0]
    if step == 1:
        count = int(np.ceil((length - edge) / (edge * (1 - overlap)))) + 1
        return [round(start) for start in np.linspace(0, length - edge, count)]
    apart = max(step, int(edge * (1 - overlap)) // step * step)
    return [*range(0, length - edge, apart), length - edge]


@lru_cache(maxsize=8)
def gaussian(window: tuple[int, ...]) -> np.ndarray:
    """The weights (*window) of a window's pixels."""
    profiles = [np.exp(-0.5 * ((np.arange(edge) - (edge - 1) / 2) / (edge / 8)) ** 2) for edge in window]
    weights = profiles[0]
    for profile in profiles[1:]:
        weights = weights[..., None] * profile
    return np.maximum(weights, 1e-3).astype(np.float32)
