"""Probabilities of whole images at their own size, from overlapping windows."""

from collections.abc import Callable
from functools import lru_cache
from itertools import chain, combinations, product

import numpy as np

from ...core.task import Task

Forward = Callable[[np.ndarray], np.ndarray]


def predict(
    forward: Forward,
    image: np.ndarray,
    task: Task,
    *,
    window: tuple[int, ...],
    overlap: float = 0.5,
    batch: int = 8,
    mirror: bool = False,
) -> np.ndarray:
    """Return probabilities (*space, k) float32 of an image (*space, c).

    The image is cut into windows that overlap by at least `overlap` of their edge; an axis shorter than the window is
    padded by reflection. Probabilities of overlapping windows are averaged with Gaussian weights of standard deviation
    one eighth of the edge (as nnU-Net does, Isensee et al. 2021, doi:10.1038/s41592-020-01008-z). With `mirror` each
    window's probabilities are averaged over the mirrored copies along every set of axes.
    """
    space = image.shape[:-1]
    image = _pad(image, window)
    weights = _gaussian(window)[..., None]
    total = np.zeros((*image.shape[:-1], task.outputs), np.float32)
    norm = np.zeros((*image.shape[:-1], 1), np.float32)
    places = [
        tuple(slice(start, start + edge) for start, edge in zip(corner, window, strict=True))
        for corner in product(*(_starts(n, edge, overlap) for n, edge in zip(image.shape, window, strict=False)))
    ]
    for first in range(0, len(places), batch):
        chunk = places[first : first + batch]
        found = _probabilities(forward, np.stack([image[place] for place in chunk]), task, mirror)
        for place, probabilities in zip(chunk, found, strict=True):
            total[place] += probabilities * weights
            norm[place] += weights
    total /= norm
    return total[tuple(slice(edge) for edge in space)]


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


def _probabilities(forward: Forward, windows: np.ndarray, task: Task, mirror: bool) -> np.ndarray:
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


def _starts(length: int, edge: int, overlap: float) -> list[int]:
    count = int(np.ceil((length - edge) / (edge * (1 - overlap)))) + 1
    return [round(start) for start in np.linspace(0, length - edge, count)]


@lru_cache(maxsize=8)
def _gaussian(window: tuple[int, ...]) -> np.ndarray:
    profiles = [np.exp(-0.5 * ((np.arange(edge) - (edge - 1) / 2) / (edge / 8)) ** 2) for edge in window]
    weights = profiles[0]
    for profile in profiles[1:]:
        weights = weights[..., None] * profile
    return np.maximum(weights, 1e-3).astype(np.float32)
