"""Which channels matter least, and which of them to take out."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np

from .channels import Channels

Ranking = Literal["layer", "global"]
"""Whether sets are compared with the others of the same layers, each of which loses the same share, or with all."""

LEAST = 0.1
"""Share of its channels that every layer keeps, so that a global ranking cuts no layer to a thread."""


@dataclass(frozen=True)
class Scores:
    """Importance of the coupled sets that may go. width: channels that a set has in the kernels that make it."""

    importance: dict[int, float]
    width: dict[int, int]


def importance(channels: Channels) -> Scores:
    """L1 norm of all that belongs to a coupled set: I(s) = mean over kernels k of |k[s]| / mean over s' of |k[s']|.

    k[s] is the slice of a kernel that makes or reads the channels of the set, averaged over them where the set has
    several. Dividing by the kernel's own mean lets kernels of any scale count alike, so that sets of other layers can
    be compared (Li et al. 2017, arXiv:1608.08710; groups as in Fang et al. 2023, arXiv:2301.12900). Factors and offsets
    of a normalisation do not count.
    """
    movable = channels.movable()
    terms: dict[int, list[float]] = {number: [] for number in movable}
    width = dict.fromkeys(movable, 0)
    for axes in channels.weights.values():
        for axis in axes if len(axes[0].variable.shape) > 1 else ():
            norms, roots = _norms(axis.variable, axis.axis), channels.roots(axis.ids)
            mean = float(norms.mean()) or 1.0
            for number in dict.fromkeys(roots.tolist()):
                if number in terms:
                    places = roots == number
                    terms[number].append(float(norms[places].mean()) / mean)
                    width[number] += int(places.sum()) if axis.makes else 0
    return Scores({number: float(np.mean(values)) for number, values in terms.items()}, width)


def least(channels: Channels, share: float, ranking: Ranking = "layer", multiple: int = 1) -> list[int]:
    """Return the coupled sets to take out so that about that share of the channels of kernels goes.

    share: 0 to less than 1. ranking: see `Ranking`. multiple: numbers of channels that stay in a layer are rounded up
    to one of this where the ranking is by layer (8 or 16 suit vector units). Every layer keeps a tenth of its channels
    and at least one; channels of the image and of the logits stay, so less than the share may go.
    """
    scores = importance(channels)
    arrays, rooms = channels.arrays(), []
    for array in arrays:
        rooms.append(len(array) - max(1, math.ceil(LEAST * len(array))))
    holds: dict[int, list[tuple[int, int]]] = {}
    for index, array in enumerate(arrays):
        for number, count in zip(*np.unique(array, return_counts=True), strict=True):
            holds.setdefault(int(number), []).append((index, int(count)))
    groups = _layers(channels) if ranking == "layer" else [list(scores.importance)]
    removed: list[int] = []
    for group in groups:
        total = sum(scores.width[number] for number in group)
        kept = math.ceil(total * (1 - share) - 1e-9)
        quota = total - (min(total, -(-kept // multiple) * multiple) if ranking == "layer" else kept)
        for number in sorted(group, key=lambda number: (scores.importance[number], number)):
            fits = all(rooms[index] >= count for index, count in holds[number])
            if fits and 0 < scores.width[number] <= quota:
                removed.append(number)
                quota -= scores.width[number]
                for index, count in holds[number]:
                    rooms[index] -= count
    return removed


def _layers(channels: Channels) -> list[list[int]]:
    """Sets that may go, together where one kernel makes them."""
    movable = set(channels.movable())
    groups: list[set[int]] = []
    for roots in channels.made():
        here = set(roots.tolist()) & movable
        touching = [group for group in groups if group & here]
        groups = [group for group in groups if not group & here]
        if here:
            groups.append(here.union(*touching))
    return [sorted(group) for group in groups]


def _norms(variable: Any, axis: int) -> np.ndarray:
    value = np.abs(np.asarray(keras.ops.convert_to_numpy(variable), "float64"))
    return np.sum(value, axis=tuple(other for other in range(value.ndim) if other != axis))
