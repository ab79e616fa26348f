"""How often the report's 95 % interval holds the true mean: `python tests/perf/interval_coverage.py [REPETITIONS]`.

Scores are skewed as Dice is: a group's mean is drawn from Beta(8.5, 1.5) (mean 0.85), a case's score around it from
Beta(20 mean, 20 (1 - mean)), 1 to 7 cases a group. A seed shifts all its scores by a normal draw of standard deviation
`spread` and each one by another of 0.03. The true mean is 0.85. Prints one Markdown table a spread, groups down and
seeds across; the standard error of 1000 repetitions is 0.007.
"""

import sys

import numpy as np

from unetbench.benchmark.report.statistics.intervals import interval

GROUPS, SEEDS, SPREADS = (5, 6, 8, 10, 15, 20, 50, 100), (1, 2, 3, 5, 10), (0.0, 0.01, 0.05)
TRUE_MEAN, OWN_SPREAD = 0.85, 0.03


def scores(generator: np.random.Generator, groups: int, seeds: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores `(seeds, cases)` and the group of each case."""
    sizes = generator.integers(1, 8, groups)
    mean = np.repeat(generator.beta(8.5, 1.5, groups), sizes)
    case = generator.beta(20 * mean, 20 * (1 - mean))
    shifts = generator.normal(0, spread, (seeds, 1)) + generator.normal(0, OWN_SPREAD, (seeds, len(case)))
    return case + shifts, np.repeat(np.arange(groups), sizes)


def coverage(groups: int, seeds: int, spread: float, repetitions: int) -> float:
    """Share of the intervals that hold the true mean; NaN where there is none."""
    generator = np.random.default_rng([groups, seeds])
    ends = np.array([interval(*scores(generator, groups, seeds, spread)) for _ in range(repetitions)])
    held = (ends[:, 0] <= TRUE_MEAN) & (ends[:, 1] >= TRUE_MEAN)
    return float("nan") if np.isnan(ends).all() else float(held.mean())


def main(repetitions: int) -> None:
    """Print the tables."""
    for spread in SPREADS:
        print(f"\nStandard deviation over seeds {spread}:\n\n| groups \\ seeds | {' | '.join(map(str, SEEDS))} |")
        print("|---" * (len(SEEDS) + 1) + "|")
        for groups in GROUPS:
            found = [coverage(groups, seeds, spread, repetitions) for seeds in SEEDS]
            cells = ["–" if np.isnan(value) else f"{value:.3f}" for value in found]
            print(f"| {groups} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
