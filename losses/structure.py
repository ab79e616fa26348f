"""Structural similarity of the probability map and the truth."""

from typing import Any

import keras

from ..core.errors import SpecError
from ..core.task import Task
from . import LOSSES
from .planes import Tensor, class_mean, power, scored, space_mean

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

_EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_C1, _C2 = 0.01**2, 0.03**2
_TAPS, _SIGMA = 11, 1.5


@LOSSES.add
def ssim(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    scales: int = 1,
    background: bool = False,
    weights: tuple[float, ...] = (),
) -> Tensor:
    """Structural similarity: 1 - mean of l c, in BASNet and, over five scales, UNet 3+ (Huang 2020, arXiv:2004.08790).

    l = (2 m_p m_g + C1) / (m_p² + m_g² + C1), c = (2 v_pg + C2) / (v_p + v_g + C2), with means and (co)variances in a
    Gaussian window of 11 pixels a side and sigma 1.5, of probabilities p and truth g from 0 to 1; C1 = 0.01², C2 =
    0.03². Windows are normalised over the pixels that count, at the image's borders too. scales: 1 is the SSIM of
    BASNet; from 2 to 5 it is 1 - prod_j c_j^b_j · l_last^b, each scale halved by averaging, with the exponents b of
    Wang (2003) normalised to 1 and negative c taken as 0; UNet 3+ has 5. Large scales need large patches: 5 are meant
    for 176 pixels or more. Where the mean c of a scale is negative, as of an inverted or noisy start, the cost of that
    class is exactly 1 and has no slope: begin with one scale or in a sum. background, weights as in `dice`. Truth `(n,
    *space, t)`, logits `(n, *space, k)`, value `(n,)`, from 0 to 2. A case all ignored costs 0. Raises SpecError for
    another number of scales.
    """
    if scales not in range(1, 6):
        raise SpecError(f"ssim: scales is {scales}; from 1 to 5")
    g, p, valid = scored(truth, logits, task, background)
    if scales == 1:
        luminance, contrast = _terms(g, p, valid)
        return class_mean(space_mean(1 - luminance * contrast, valid), weights)
    score: Any = 1.0
    for step, exponent in enumerate(_EXPONENTS[:scales], 1):
        luminance, contrast = _terms(g, p, valid)
        similarity = luminance * contrast if step == scales else contrast
        part = ops.relu(1 - space_mean(1 - similarity, valid))
        score = score * power(part, exponent / sum(_EXPONENTS[:scales]))
        if step < scales:
            g, p, valid = _halved(g, p, valid)
    return class_mean(1 - score, weights)


def _terms(g: Tensor, p: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Luminance and contrast-structure of each pixel's window."""
    inside = ops.maximum(_window(valid), 1e-6)
    mean_g, mean_p = _window(g) / inside, _window(p) / inside
    spread_g = _window(g * g) / inside - mean_g * mean_g
    spread_p = _window(p * p) / inside - mean_p * mean_p
    together = _window(g * p) / inside - mean_g * mean_p
    luminance = (2 * mean_g * mean_p + _C1) / (mean_g * mean_g + mean_p * mean_p + _C1)
    return luminance, (2 * together + _C2) / (spread_g + spread_p + _C2)


def _window(x: Tensor) -> Tensor:
    """Gaussian sum along every axis, as a product with a band matrix: faster than a convolution of few channels."""
    for axis in range(1, len(x.shape) - 1):
        places = ops.cast(ops.arange(ops.shape(x)[axis]), "float32")
        apart = ops.abs(places[:, None] - places[None, :])
        band = ops.where(apart <= _TAPS // 2, ops.exp(-ops.square(apart) / (2 * _SIGMA**2)), 0.0)
        x = ops.moveaxis(ops.tensordot(ops.moveaxis(x, axis, -1), band, 1), -1, axis)
    return x


def _halved(g: Tensor, p: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Means of 2 × 2 blocks over the pixels that count."""
    share = _pooled(valid)
    fresh = ops.cast(share > 0, "float32")
    divisor = ops.where(share > 0, share, 1.0)
    return _pooled(g) / divisor, _pooled(p) / divisor, fresh


def _pooled(x: Tensor) -> Tensor:
    return ops.average_pool(x, 2, strides=2, padding="same")  # JAX has no default for the strides
