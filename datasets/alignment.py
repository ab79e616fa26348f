"""Whether a mask would fit its image better after a flip, a rotation or a swap of axes."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from .case import Sample
from .resizing import nearest, shrunk

EDGES = {2: 256, 3: 64}
"""Pixels an axis at which masks are compared with their images, by rank: fewer lose the vessels of a fundus image."""

MARGIN = 1.1
"""How many times as well a mask must fit after a move before it is said to be misaligned.

Of 1,067 cases of public data and 318 generated ones none is named wrongly (docs/datasets.md).
"""

LEAST = 0.02
"""Share of the mask's entropy by which the fit must grow at least."""

CHANCES = 6.0
"""Standard deviations of a fit by chance by which the fit must grow at least."""

NAMED = 5
"""Cases of one move that a finding names."""

_BINS, _DETAIL_BINS, _DETAIL = 8, 4, 3.0
_THINNED = 7  # pixels of which one is sorted; no divisor of `EDGES`, or whole columns would be left out


@dataclass(frozen=True)
class Move:
    """A symmetry of the grid: two axes swapped, or None, and then `flipped` axes reversed."""

    swapped: tuple[int, int] | None = None
    flipped: tuple[int, ...] = ()

    def __call__(self, array: np.ndarray) -> np.ndarray:
        """Move an array (*space)."""
        return np.flip(np.swapaxes(array, *self.swapped) if self.swapped else array, self.flipped)

    def words(self, rank: int) -> str:
        """`a flip left to right`, `a rotation by 180°`; in a volume axes are named by number."""
        if rank == 2:
            return _WORDS[self]
        flips = f"a flip along {'axes' if len(self.flipped) > 1 else 'axis'} {_listed(self.flipped)}"
        swap = f"a swap of axes {_listed(self.swapped or ())}"
        return " and ".join([*([swap] if self.swapped else []), *([flips] if self.flipped else [])])


_WORDS = {
    Move(None, (0,)): "a flip top to bottom",
    Move(None, (1,)): "a flip left to right",
    Move(None, (0, 1)): "a rotation by 180°",
    Move((0, 1), ()): "a swap of rows and columns",
    Move((0, 1), (0,)): "a rotation by 90° counter-clockwise",
    Move((0, 1), (1,)): "a rotation by 90° clockwise",
    Move((0, 1), (0, 1)): "a swap of rows and columns and a rotation by 180°",
}


def moves(space: tuple[int, ...]) -> Iterator[Move]:
    """The moves that keep the shape, the identity first: 8 of a square, 4 of another image, 8 to 32 of a volume."""
    pairs = (pair for pair in itertools.combinations(range(len(space)), 2) if space[pair[0]] == space[pair[1]])
    for swapped in (None, *pairs):
        for count in range(len(space) + 1):
            for flipped in itertools.combinations(range(len(space)), count):
                yield Move(swapped, flipped)


@dataclass(frozen=True)
class Fit:
    """How well a mask fits its image after each move.

    shares: I(mask; intensity, detail) / H(mask) by move, mutual information as a share of the mask's entropy, from 0
        for none to 1; detail: I(mask; detail) / H(mask). chance: standard deviation of a share where mask and image
        have nothing to do with each other and pixels are independent.
    """

    shares: dict[Move, float]
    detail: dict[Move, float]
    chance: float = 0.0

    @property
    def better(self) -> Move | None:
        """The move after which the mask fits best, where that is clear and detail agrees.

        It is clear by `MARGIN` and by `LEAST`, or in small images by `CHANCES` deviations of what chance brings.
        """
        stays, best = Move(), max(self.shares, key=lambda move: self.shares[move])
        now, then = self.shares[stays], self.shares[best]
        clear = then > max(MARGIN * now, now + LEAST, now + CHANCES * self.chance)
        return best if clear and self.detail[best] > self.detail[stays] else None


def fit(sample: Sample) -> Fit | None:
    """Compare a mask with its image after each of `moves`; None where image or mask are constant.

    Image (channels averaged) and mask are shrunk to `EDGES`. Mutual information (Viola and Wells 1997, Maes et al.
    1997, for registration) asks for no sign or form of the relation of grey values and classes. It is taken from the
    joint histogram of the mask's value, 8 bins of intensity and 4 of detail, each with as many pixels; detail is the
    intensity less a Gaussian mean of 3 pixels, so that an uneven illumination does not outweigh thin objects.
    """
    space = sample.space
    small = tuple(min(edge, EDGES[len(space)]) for edge in space)
    grey = shrunk(sample.image, small).mean(-1)
    labels = _numbered(nearest(sample.truth, small))
    if not labels.any() or grey.min() == grey.max():
        return None
    detail = _binned(grey - _blurred(grey), _DETAIL_BINS)
    values = int(labels.max()) + 1
    both = (_binned(grey, _BINS).astype(np.int64) * _DETAIL_BINS + detail).ravel() * values
    entropy = _entropy(np.bincount(labels.ravel()))
    shares, parts = {}, {}
    for move in moves(space):
        joint = np.bincount(both + move(labels).ravel(), minlength=_BINS * _DETAIL_BINS * values)
        joint = joint.reshape(_BINS, _DETAIL_BINS, values)
        shares[move] = _information(joint.reshape(-1, values)) / entropy
        parts[move] = _information(joint.sum(0)) / entropy
    freedom = (_BINS * _DETAIL_BINS - 1) * (values - 1)  # 2 n I is chi-squared distributed, with variance 2 freedom
    return Fit(shares, parts, (freedom / 2) ** 0.5 / labels.size / entropy)


@dataclass
class Misaligned:
    """Cases that fit better after a move. compared: of how many."""

    rank: int
    compared: int = 0
    cases: dict[Move, list[str]] = field(default_factory=dict)

    def add(self, name: str, found: Fit | None) -> None:
        """Count a case."""
        if found is None:
            return
        self.compared += 1
        if (move := found.better) is not None:
            self.cases.setdefault(move, []).append(name)

    def remarks(self) -> list[str]:
        """One line a move, which names the cases; where it is most of the data set, what may be the cause."""
        return [self._remark(move, names) for move, names in sorted(self.cases.items(), key=lambda pair: pair[1])]

    def _remark(self, move: Move, names: list[str]) -> str:
        shown = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
        count = f"{len(names)} of {self.compared} masks fit{'s' if len(names) == 1 else ''} better after"
        line = f"{count} {move.words(self.rank)} ({shown})"
        if len(names) > 2 and 2 * len(names) > self.compared:
            return f"{line}; most of the data set is misaligned in one way: {self._cause(move)}"
        return f"{line}; look at them with --show and mend or remove the files"

    def _cause(self, move: Move) -> str:
        if self.rank == 3:
            return "are the axes of the volumes in another order or direction than those of the masks?"
        if move.swapped or len(move.flipped) == 2:
            return "are images rotated by an EXIF orientation that the masks lack, or were arrays saved transposed?"
        return "do images and masks begin at different corners?"


def _numbered(truth: np.ndarray) -> np.ndarray:
    """(*space, t) → (*space,) 0, 1 …: one number for each combination of values that occurs."""
    code = truth[..., 0].astype(np.int64)
    for plane in range(1, truth.shape[-1]):
        code = _dense(code) * 256 + truth[..., plane]
    return _dense(code)


def _dense(code: np.ndarray) -> np.ndarray:
    """Whole numbers from 0 on, renumbered 0, 1 … without gaps."""
    present = np.bincount(code.ravel()) > 0
    return (np.cumsum(present) - 1)[code]


def _blurred(grey: np.ndarray) -> np.ndarray:
    if grey.ndim == 2:
        return cv2.GaussianBlur(grey, (0, 0), _DETAIL)
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(grey, _DETAIL)


def _binned(values: np.ndarray, bins: int) -> np.ndarray:
    """The number of the bin of each value; bins hold about as many values each, but equal values share one."""
    thinned = values.ravel()[::_THINNED]
    places = np.arange(1, bins) * thinned.size // bins
    number = np.zeros(values.shape, np.uint8)
    for edge in np.unique(np.partition(thinned, places)[places]):
        number += values >= edge
    return number


def _information(joint: np.ndarray) -> float:
    """Mutual information in nats of the two axes of a joint histogram: H(rows) + H(columns) - H(both)."""
    return _entropy(joint.sum(1)) + _entropy(joint.sum(0)) - _entropy(joint)


def _entropy(counts: np.ndarray) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _listed(numbers: tuple[int, ...]) -> str:
    return " and ".join(filter(None, [", ".join(map(str, numbers[:-1])), str(numbers[-1])])) if numbers else ""
