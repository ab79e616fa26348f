"""Several candidates timed in turns, so that a machine that slows down or speeds up does so for all of them.

Only raw samples are returned. A reference computation is timed beside them in every round: by its spread a reader sees
how steady the machine was.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from .energy import EnergyMeter

Take = Callable[[int], list[float]]
"""Makes so many calls and returns the seconds of each."""

UNMETERED = EnergyMeter()
"""Of a machine that does not tell."""

STEADY = 0.05
"""Share by which the medians of two successive windows of warm-up calls may differ."""

WINDOW = 4
"""Calls in such a window."""

NOISY = 0.1
"""Spread of the reference between rounds, (largest - smallest) / median, from which a machine is called noisy."""


@dataclass
class Timing:
    """samples_s: single calls in order. rounds: how many of them each round took. warmup_s: the calls before.

    energy_j: joules of a call, the mean of each round; empty where the machine does not tell.
    """

    samples_s: list[float] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    warmup_s: list[float] = field(default_factory=list)
    energy_j: list[float] = field(default_factory=list)
    steady: bool = True


def warm_up(take: Take, *, budget_s: float) -> tuple[list[float], bool]:
    """Call until the median of the last calls is that of the ones before, or the budget is spent.

    Returns the seconds of each call and whether they became steady.
    """
    taken: list[float] = []
    while sum(taken) < budget_s or len(taken) < 2:
        taken += take(1)
        last, before = taken[-WINDOW:], taken[-2 * WINDOW : -WINDOW]
        if len(before) == WINDOW and abs(np.median(last) / np.median(before) - 1) < STEADY:
            return taken, True
    return taken, False


def interleave(
    candidates: Mapping[str, Take],
    *,
    samples: int,
    budget_s: float,
    rounds: int = 5,
    seed: int = 0,
    meter: EnergyMeter = UNMETERED,
) -> tuple[dict[str, Timing], list[float]]:
    """Time each candidate in every round, in an order drawn for each round.

    samples: calls of a candidate in all rounds together, fewer (but one a round) where they take longer than budget_s.
    meter: read before and after a candidate's calls of a round, never between two of them.
    Returns the timings by candidate, and the seconds of the reference, a median for each round.
    """
    found = {name: Timing() for name in candidates}
    counts: dict[str, int] = {}
    for name, take in candidates.items():
        warm, steady = warm_up(take, budget_s=max(0.5, budget_s / 4))
        found[name].warmup_s, found[name].steady = warm, steady
        call = float(np.median(warm[-WINDOW:]))
        counts[name] = max(1, min(samples, int(budget_s / call)) // rounds)
    rng, reference = np.random.default_rng(seed), []
    for _ in range(rounds):
        reference.append(reference_s())
        for name in rng.permutation(sorted(candidates)):
            before = meter.read()
            taken = candidates[name](counts[name])
            if before:
                found[name].energy_j.append(meter.between(before, meter.read()) / len(taken))
            found[name].samples_s += taken
            found[name].rounds.append(len(taken))
    reference.append(reference_s())
    return found, reference


def reference_s(calls: int = 5) -> float:
    """Median seconds of a product of two 512×512 float32 matrices, about 0.27 GFLOP."""
    left, made = np.ones((512, 512), np.float32), np.empty((512, 512), np.float32)
    taken = []
    for _ in range(calls):
        start = time.perf_counter()
        np.matmul(left, left, out=made)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def spread(values: list[float]) -> float:
    """(largest - smallest) / median."""
    return (max(values) - min(values)) / float(np.median(values)) if values else float("nan")
