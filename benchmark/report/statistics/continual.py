"""What the accuracy matrices of continual learning say, with intervals over groups of cases and over runs.

R[k, j] is the mean Dice of the test cases of the j-th batch to arrive after the k-th stage; T is the number of batches.
A run is one order of arrival at one seed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .intervals import MINIMUM_GROUPS, Estimate, effective, widened

BOUNDS = {
    "final": (0.0, 1.0),
    "forgetting": (-1.0, 1.0),
    "plasticity": (0.0, 1.0),
    "backward": (-1.0, 1.0),
    "forward": (-1.0, 1.0),
    "unseen": (0.0, 1.0),
}
"""What is read from a matrix, and its range; see `readings`."""


@dataclass(frozen=True)
class Run:
    """One order of arrival at one seed.

    dice (k, n): of each test case after each stage, a single row for joint training. place (n,): when the batch of the
    case arrives, from 0, -1 for a case that is none of the run's. alone (n,): of each case, Dice of the network that
    was trained on its batch and nothing else; NaN where there is none.
    """

    dice: np.ndarray
    place: np.ndarray
    alone: np.ndarray

    @property
    def batches(self) -> int:
        """T."""
        return int(self.place.max()) + 1

    @cached_property
    def matrix(self) -> np.ndarray:
        """R, (stages, batches); NaN where no case of a batch has a Dice."""
        return self._by_batch(self.dice)

    @cached_property
    def alone_by_batch(self) -> np.ndarray:
        """(batches,)."""
        return self._by_batch(self.alone[None])[0]

    def _by_batch(self, values: np.ndarray) -> np.ndarray:
        return np.stack([_mean(values[:, self.place == j]) for j in range(self.batches)], axis=-1)


def readings(matrix: np.ndarray, alone: np.ndarray) -> dict[str, np.ndarray]:
    """What matrices (..., k, T) say, with the Dice (..., T) of networks that were trained on one batch alone.

    Stages and batches are counted from 1.

    final: 1/T sum_j R[T, j].
    forgetting: 1/(T-1) sum_{j<T} (max_{k<T} R[k, j] - R[T, j]) (Chaudhry et al. 2018, arXiv:1801.10112).
    plasticity: 1/T sum_j R[j, j], how well each batch is learnt when it arrives.
    backward: transfer, 1/(T-1) sum_{j<T} (R[T, j] - R[j, j]) (Lopez-Paz & Ranzato 2017, arXiv:1706.08840).
    forward: transfer, 1/(T-1) sum_{j>1} (R[j, j] - A[j]), A[j] of training on batch j alone.
    unseen: generalisation, 2/(T (T-1)) sum_{k<j} R[k, j], to batches that have not arrived.

    With one row, of joint training, all but the first are NaN.
    """
    size = matrix.shape[-1]
    found = dict.fromkeys(BOUNDS, np.full(matrix.shape[:-2], math.nan))
    found["final"] = matrix[..., -1, :].mean(-1)
    if matrix.shape[-2] != size or size < 2:
        return found
    own = np.diagonal(matrix, axis1=-2, axis2=-1)
    last = matrix[..., -1, :-1]
    found["forgetting"] = (matrix[..., :-1, :-1].max(-2) - last).mean(-1)
    found["plasticity"] = own.mean(-1)
    found["backward"] = (last - own[..., :-1]).mean(-1)
    found["forward"] = (own[..., 1:] - alone[..., 1:]).mean(-1)
    found["unseen"] = matrix[(..., *np.triu_indices(size, 1))].mean(-1)
    return found


def estimates(runs: Sequence[Run], groups: np.ndarray, *, draws: int = 2000, seed: int = 0) -> dict[str, Estimate]:
    """Each reading: the mean over runs, its spread over them, and its 95 % interval.

    groups (n,): which cases belong together. A draw takes as many groups of each batch as it has, with replacement,
    batch by batch, and reads all matrices anew; runs are added as `compare.interval` adds seeds. There is no interval
    with fewer than `MINIMUM_GROUPS` groups in all, or fewer than two that count in a batch.
    """
    whole = [readings(run.matrix, run.alone_by_batch) for run in runs]
    drawn, many, freedom = _drawn(runs, groups, draws, seed)
    found: dict[str, Estimate] = {}
    for name, bounds in BOUNDS.items():
        means = np.array([float(one[name]) for one in whole])
        means = means[~np.isnan(means)]
        if not len(means):
            found[name] = Estimate(math.nan, math.nan, math.nan, math.nan, ())
            continue
        spread = float(means.std(ddof=1)) if len(means) > 1 else math.nan
        low = high = math.nan
        of_cases = _mean(drawn[name].T) if many >= 2 else np.full(1, math.nan)
        of_cases = of_cases[~np.isnan(of_cases)]
        if len(of_cases):
            low, high = widened(of_cases, means, many, freedom, draws=draws, seed=seed)
            low, high = max(low, bounds[0]), min(high, bounds[1])
        found[name] = Estimate(float(means.mean()), spread, low, high, tuple(map(float, means)))
    return found


def _drawn(
    runs: Sequence[Run], groups: np.ndarray, draws: int, seed: int
) -> tuple[dict[str, np.ndarray], float, float]:
    """Readings of every draw, (runs, draws) each; the fewest groups that count in a batch, and degrees of freedom."""
    labels = _batch_labels(runs)
    generator = np.random.default_rng(seed)
    weights, counts = np.zeros((draws, len(groups))), list[float]()
    total = 0
    for label in range(labels.max() + 1):
        cases = np.flatnonzero(labels == label)
        names, codes, sizes = np.unique(groups[cases], return_inverse=True, return_counts=True)
        weights[:, cases] = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)[:, codes]
        counts.append(effective(sizes.astype(float)))
        total += len(names)
    many = min(counts) if total >= MINIMUM_GROUPS else 0.0
    read = [_read(run, weights) for run in runs]
    return {name: np.stack([one[name] for one in read]) for name in BOUNDS}, many, sum(counts) - len(counts)


def _read(run: Run, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Readings of one run under weights of cases (draws, n)."""
    rows = np.concatenate([run.dice, run.alone[None]])
    known, values = ~np.isnan(rows), np.nan_to_num(rows)
    member = np.stack([run.place == j for j in range(run.batches)], axis=-1).astype(float)
    sums = np.einsum("dn,kn,nj->dkj", weights, values, member, optimize=True)
    counts = np.einsum("dn,kn,nj->dkj", weights, known.astype(float), member, optimize=True)
    found = np.divide(sums, counts, out=np.full(sums.shape, math.nan), where=counts > 0)
    return readings(found[:, :-1], found[:, -1])


def _batch_labels(runs: Sequence[Run]) -> np.ndarray:
    """A number for each batch, whichever order a run has them in: cases of equal places in all runs are one batch."""
    return np.unique(np.stack([run.place for run in runs], axis=-1), axis=0, return_inverse=True)[1].reshape(-1)


def _mean(values: np.ndarray) -> np.ndarray:
    """The mean of each row's numbers, NaN where it has none."""
    known = ~np.isnan(values)
    count = known.sum(-1)
    return np.divide(
        np.where(known, values, 0.0).sum(-1), count, out=np.full(values.shape[:-1], math.nan), where=count > 0
    )
