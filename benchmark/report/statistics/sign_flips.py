"""How often flipping signs gives as clear a difference as the one seen, for many pairs at once.

Arrays of m pairs and g groups: `shares (m, g)`: the sum of a pair's differences in each group over its number of cases,
so that a row's sum is the mean difference. `noise (m,)`: scale of what other seeds would add, times Student's t with
`freedom (m,)` degrees of freedom.
"""

from collections.abc import Iterator

import numpy as np
from scipy.special import expit, stdtr

ENOUGH = 100
"""Draws that reach a difference, from which on their share tells p to a tenth."""

TILTED = 500
"""Draws of each kind for a pair that hardly any plain draw reaches."""

BLOCK = 4_000_000
"""Numbers that are held at once."""

TIE = 1e-12
"""Differences that are nearer than this are the same."""


def counted(
    shares: np.ndarray, noise: np.ndarray, freedom: np.ndarray, draws: int, generator: np.random.Generator
) -> tuple[np.ndarray, int]:
    """How many of the draws are at least as far from 0 as each difference, (m,), and how many draws were made.

    A draw flips all differences of a group together and adds noise · t. Every flip is made, repeatedly up to `draws`
    times in all, when there are at most that many. All pairs of a draw share its flips: a block of draws is one product
    of matrices.
    """
    kinds, kind = np.unique(freedom, return_inverse=True)
    spread = np.where(kind[:, None] == np.arange(len(kinds)), noise[:, None], 0.0)
    columns = np.concatenate([shares, spread], axis=1).T
    seen = np.abs(shares.sum(axis=1)) - TIE
    reached, total = np.zeros(len(shares)), 0
    rows = min(max(1, BLOCK // max(len(shares), 1)), 255)  # as many as a sum of bytes holds
    for signs in _signs(shares.shape[1], draws, generator):
        drawn = np.concatenate([signs, generator.standard_t(kinds, (len(signs), len(kinds)))], axis=1)
        for start in range(0, len(drawn), rows):
            null = drawn[start : start + rows] @ columns
            as_far = np.abs(null, out=null) >= seen
            reached += as_far.view(np.uint8).sum(axis=0, dtype=np.uint8)
        total += len(signs)
    return reached, total


def rare(shares: np.ndarray, noise: np.ndarray, freedom: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Importance sampling with tilted flips: p of pairs whose differences plain draws hardly reach, (m,).

    With a the shares of a pair, made positive in sum, d = Σ a and x = Σ ± a, p is 2 E[P(noise · t >= d - x)], in which
    t is integrated and not drawn. Half of the flips are fair, half are + with probability 1 / (1 + exp(-2 θ a)), where
    θ is such that x and the noise together are d on average, and each draw weighs as it is likelier under fair flips
    than under the mixture of both:

        w = 2 / (1 + exp(θ x) / Π cosh(θ a)).

    So no weight is above 2, and the estimate is unbiased for flips and t of any shape (exponential tilting: Siegmund
    1976, doi:10.1214/aos/1176343541; mixtures: Owen & Zhou 2000, doi:10.1080/01621459.2000.10473909).
    """
    groups = shares.shape[1]
    uniform = generator.random((TILTED, groups))
    fair = generator.choice((-1.0, 1.0), (TILTED, groups))
    p, rows = np.empty(len(shares)), max(1, BLOCK // (TILTED * groups))
    for start in range(0, len(shares), rows):
        part = slice(start, start + rows)
        p[part] = _tilted(shares[part], noise[part], freedom[part], uniform, fair)
    return p


def _tilted(
    shares: np.ndarray, noise: np.ndarray, freedom: np.ndarray, uniform: np.ndarray, fair: np.ndarray
) -> np.ndarray:
    shares = shares * np.where(shares.sum(axis=1) < 0, -1.0, 1.0)[:, None]
    difference = shares.sum(axis=1)
    tilt = _tilt(shares, difference, noise, freedom)
    plus = (uniform < expit(2 * tilt[:, None] * shares)[:, None, :]).astype(float)
    sums = np.concatenate([2 * (plus @ shares[:, :, None])[:, :, 0] - difference[:, None], shares @ fair.T], axis=1)
    scaled = np.abs(tilt[:, None] * shares)
    lift = (scaled + np.log1p(np.exp(-2 * scaled)) - np.log(2)).sum(axis=1)  # of log cosh, which overflows no float
    weight = 2 / (1 + np.exp(np.minimum(tilt[:, None] * sums - lift[:, None], 700.0)))
    left = difference[:, None] - sums
    with np.errstate(divide="ignore", invalid="ignore"):  # a pair without noise has none to divide by
        beyond = stdtr(freedom[:, None], -left / noise[:, None])
    return 2 * (weight * np.where(noise[:, None] > 0, beyond, left <= TIE)).mean(axis=1)


def _tilt(shares: np.ndarray, difference: np.ndarray, noise: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """θ at which Σ a tanh(θ a) + θ noise² ν / (ν - 2) is the difference, or the largest that leaves flips random."""
    variance = noise**2 * np.where(freedom > 2, freedom / np.maximum(freedom - 2, 1e-9), 1.0)
    high = 4 / np.maximum(np.sqrt((shares**2).mean(axis=1)), 1e-300)
    low = np.zeros(len(shares))
    for _ in range(30):
        middle = (low + high) / 2
        mean = (shares * np.tanh(middle[:, None] * shares)).sum(axis=1) + middle * variance
        low, high = np.where(mean < difference, middle, low), np.where(mean < difference, high, middle)
    return low


def _signs(groups: int, draws: int, generator: np.random.Generator, chunk: int = 2000) -> Iterator[np.ndarray]:
    """Rows of ±1: every combination, repeated up to `draws` rows, when there are few enough; else random ones."""
    if 2.0**groups <= draws:
        every = 1.0 - 2.0 * ((np.arange(2**groups)[:, None] >> np.arange(groups)) & 1)
        for _ in range(draws // len(every)):
            yield every
    else:
        for start in range(0, draws, chunk):
            yield generator.choice((-1.0, 1.0), (min(chunk, draws - start), groups))
