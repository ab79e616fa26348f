"""Scores of the boundary. Which surface and which distance: see `metrics.surface`; tolerances and units: below."""

import math
from collections.abc import Sequence

import numpy as np

from ..core.errors import SpecError
from . import METRICS
from .pair import Missing, Pair
from .surface import bands, surfaces

TOLERANCE_PX = 2.0
"""Tolerance of `nsd` in an image, in edges of its coarsest axis."""

TOLERANCE_MM = 2
"""Tolerance of `nsd` in a volume, in millimetres: two edges of thick slices would forgive an organ's width."""

MICROSCOPIC_MM = 0.1
"""Finest edge of a voxel under which 2 mm would forgive everything; the tolerance is two of these edges there."""

_TIE = 1 + 1e-5  # distances are float32: 3 × 0.1 must lie within a tolerance of 0.3


@METRICS.add
def hd(pair: Pair) -> float:
    """Hausdorff distance: max(max_t d(t, P), max_p d(p, T)), t and p voxels of the two surfaces (Hausdorff 1914).

    In millimetres, or pixels for an image of unknown spacing. One stray voxel decides
    it. NaN when a mask is empty. Raises Missing for a volume of unknown spacing.
    """
    found = pair.cached(surfaces)
    return math.nan if pair.empty != "none" else float(max(found.truth.max(), found.prediction.max()))


@METRICS.add
def hd95_directed(pair: Pair) -> float:
    """HD95, larger of the directed: max(P95_t d(t, P), P95_p d(p, T)) (Huttenlocher et al. 1993), as MONAI.

    Percentiles are linear between samples. Unit, empty masks and errors as `hd`.
    """
    found = pair.cached(surfaces)
    if pair.empty != "none":
        return math.nan
    return float(max(np.percentile(found.truth, 95), np.percentile(found.prediction, 95)))


@METRICS.add
def hd95_pooled(pair: Pair) -> float:
    """HD95, pooled: P95 of all d(t, P) and d(p, T) together (Huttenlocher et al. 1993), as medpy and nnU-Net v1.

    It lies between the two directed percentiles: a short surface far off hardly counts beside a long near one.
    Percentiles, unit, empty masks and errors as `hd95_directed`.
    """
    found = pair.cached(surfaces)
    if pair.empty != "none":
        return math.nan
    return float(np.percentile(np.concatenate([found.truth, found.prediction]), 95))


@METRICS.add
def assd(pair: Pair) -> float:
    """Average symmetric surface distance: (Σ d(t, P) + Σ d(p, T)) / (n + m) (Heimann et al. 2009).

    n and m are the numbers of surface voxels: the longer surface weighs more. Unit, empty masks and errors as `hd`.
    """
    found = pair.cached(surfaces)
    if pair.empty != "none":
        return math.nan
    total = found.truth.sum(dtype=np.float64) + found.prediction.sum(dtype=np.float64)
    return float(total / (found.truth.size + found.prediction.size))


@METRICS.add
def masd(pair: Pair) -> float:
    """Mean average surface distance: (mean d(t, P) + mean d(p, T)) / 2 (Beneš and Zitová 2015).

    Both surfaces weigh the same, however long. Unit, empty masks and errors as `hd`.
    """
    found = pair.cached(surfaces)
    if pair.empty != "none":
        return math.nan
    return float((found.truth.mean(dtype=np.float64) + found.prediction.mean(dtype=np.float64)) / 2)


@METRICS.add
def nsd(pair: Pair, *, tolerance_px: float | None = None, tolerance_mm: float | None = None) -> float:
    """Normalised surface distance: share of both surfaces with d <= τ; surface Dice (Nikolov et al. 2021).

    (#{t: d(t, P) <= τ} + #{p: d(p, T) <= τ}) / (n + m), counting surface voxels, as MONAI and not areas.
    tolerance_px: τ in edges of the coarsest axis; tolerance_mm: τ in millimetres, taken instead where given; it should
    be what two annotators differ by. Without either τ is 2 pixels in an image and `volume_tolerance_mm` in a volume,
    whose slices may be far apart; scores of the latter are named by it, `nsd(tolerance_mm=2)`. 0 when one mask is
    empty, NaN when both are. Raises SpecError for a negative tolerance, Missing for millimetres or a volume of unknown
    spacing.
    """
    found = pair.cached(surfaces)
    limit = _tolerance(pair, tolerance_px, tolerance_mm) * _TIE
    near = sum(int(np.count_nonzero(side <= limit)) for side in (found.truth, found.prediction))
    total = found.truth.size + found.prediction.size
    return near / total if total else math.nan


@METRICS.add
def boundary_iou(pair: Pair) -> float:
    """Boundary IoU: IoU of the bands inside both masks along their surfaces (Cheng et al. 2021, arXiv:2103.16562).

    |A ∩ B| / |A ∪ B|, A and B what of a mask lies nearer than d to its own surface; d is 2 % of the image diagonal, in
    whole edges of the coarsest axis and at least one. Distances are Euclidean, as in MetricsReloaded; the authors' 2D
    code peels d layers with a square instead. 0 when one mask is empty, NaN when both are. Raises Missing for a volume
    of unknown spacing.
    """
    found = pair.cached(bands)
    union = found.truth + found.prediction - found.both
    return found.both / union if union else math.nan


def volume_tolerance_mm(spacing_mm: Sequence[float]) -> float:
    """Default τ of `nsd` in a volume: 2 mm; where the finest edge is under 0.1 mm, two of it, rounded up to two digits.

    Rounded, so that volumes of nearly equal spacing have one tolerance and one name.
    """
    finest = min(spacing_mm)
    if finest >= MICROSCOPIC_MM:
        return TOLERANCE_MM
    digit = 10.0 ** (math.floor(math.log10(2 * finest)) - 1)
    return float(f"{math.ceil(2 * finest / digit * (1 - 1e-9)) * digit:.2g}")


def _tolerance(pair: Pair, tolerance_px: float | None, tolerance_mm: float | None) -> float:
    """The tolerance of `nsd` in the pair's unit."""
    if tolerance_px is None and tolerance_mm is None:
        if pair.truth.ndim > 2:
            return volume_tolerance_mm(pair.spacing)
        tolerance_px = TOLERANCE_PX
    for name, value in (("tolerance_px", tolerance_px), ("tolerance_mm", tolerance_mm)):
        if value is not None and not 0 <= value < math.inf:
            raise SpecError(f"nsd.{name}: {value} must be a length of 0 or more")
    if tolerance_mm is None:
        return (tolerance_px or 0.0) * max(pair.spacing)
    if pair.spacing_mm is None:
        raise Missing(
            f"nsd.tolerance_mm: {tolerance_mm} mm needs spacing_mm, which this case lacks; give tolerance_px instead"
        )
    return tolerance_mm
