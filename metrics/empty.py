"""What a table makes of a case in which truth or prediction is empty. Records keep raw values; a policy comes after.

policy             both empty                         one empty
nan_worst          NaN, counted apart                 the worst value of the measure; of a distance the image diagonal
nnunet             the raw value, NaN where the formula is 0 / 0
monai              as nnunet, but Dice and IoU are NaN whenever the truth is empty (`ignore_empty=True`), and HD, ASSD
                   and MASD infinite when one mask is empty; a percentile of infinities is NaN there; PQ, SQ, RQ are 0
                   where they are 0 / 0, as it adds 1e-6 below
smp                the raw value, 1 where the formula is 0 / 0 (`zero_division=1`)
surface_distance   the raw value, but HD and HD95      the raw value, but distances are infinite
                   are infinite
metrics_reloaded   the best value, but the raw value  the raw value, but 0 for the precision of an empty
                   for IoU and what it lacks          prediction
stardist           the raw value, 0 where a score that is better when higher is 0 / 0

A measure that is defined without foreground (specificity, calibration, ISBI scores) is left as it is by all of them.
"""

import math
from collections.abc import Callable

from ..core.errors import SpecError, unknown
from ..core.measure import Measure
from ..core.measure import measure as look_up
from .pair import Empty

NAN = float("nan")

_RELOADED = {"dice", "f_beta", "nsd", "boundary_iou", "hd", "hd95_directed", "assd", "masd"}


def apply(policy: str, measure: str, raw: float | None, empty: Empty, diagonal: float | None = None) -> float:
    """Return the value that the policy gives a case.

    raw: the metric's raw value, NaN or None where undefined. empty: the side of the pair that has no voxel. diagonal:
    the case's image diagonal in the unit of its distances, None when unknown. A metric that `core.measure` does not
    list has no worst value and stays undefined. Raises SpecError for an unknown policy.
    """
    rule = POLICIES.get(policy)
    if rule is None:
        raise SpecError(unknown("empty-mask policy", policy, POLICIES))
    value = NAN if raw is None else raw
    reading = look_up(measure)
    return value if reading.defined_when_empty else rule(reading, value, empty, NAN if diagonal is None else diagonal)


def describe(policy: str) -> str:
    """A line for the caption of a table. Raises SpecError for an unknown policy."""
    if policy not in POLICIES:
        raise SpecError(unknown("empty-mask policy", policy, POLICIES))
    return f"Empty masks ({policy}). {POLICIES[policy].__doc__}"


def _nan_worst(measure: Measure, raw: float, empty: Empty, diagonal: float) -> float:
    """Both empty is undefined and counted apart; one empty scores the worst value, a distance the image diagonal."""
    if empty == "none":
        return raw
    if empty == "both":
        return NAN
    return diagonal if _distance(measure) else measure.worst


def _nnunet(measure: Measure, raw: float, empty: Empty, diagonal: float) -> float:
    """A score that is 0 / 0 is undefined and left out, as in nnU-Net."""
    return raw


def _monai(measure: Measure, raw: float, empty: Empty, diagonal: float) -> float:
    """Dice, IoU of an empty truth are left out, HD, ASSD of one empty mask infinite, PQ 0 where 0 / 0, as in MONAI."""
    if _base(measure) in ("pq", "sq", "rq"):
        return 0.0 if raw != raw else raw
    if _base(measure) in ("hd", "assd", "masd") and empty in ("truth", "prediction"):
        return math.inf
    return NAN if _base(measure) in ("dice", "iou") and empty in ("truth", "both") else raw


def _smp(measure: Measure, raw: float, empty: Empty, diagonal: float) -> float:
    """A share that is 0 / 0 is 1, as in segmentation_models.pytorch; a distance stays undefined."""
    return 1.0 if raw != raw and not _distance(measure) else raw


def _surface_distance(measure: Measure, raw: float, empty: Empty, diagonal: float) -> float:
    """Distances of one empty mask and HD of two are infinite, any 0 / 0 is left out, as in surface-distance."""
    if _distance(measure) and empty != "none":
        return NAN if empty == "both" and _base(measure) in ("assd", "masd") else math.inf
    return raw


def _metrics_reloaded(measure: Measure, raw: float, empty: Empty, diagonal: float) -> float:
    """Two empty masks have the best overlap and distances, an empty prediction precision 0, as in MetricsReloaded."""
    if _base(measure) == "precision" and empty == "prediction":
        return 0.0
    return measure.best if empty == "both" and _base(measure) in _RELOADED else raw


def _stardist(measure: Measure, raw: float, empty: Empty, diagonal: float) -> float:
    """A score that is 0 / 0 is 0, as StarDist scores objects; a distance stays undefined."""
    return 0.0 if raw != raw and measure.better == "higher" else raw


def _distance(measure: Measure) -> bool:
    return measure.unit in ("mm", "px")


def _base(measure: Measure) -> str:
    return measure.name.split("(")[0].removesuffix("_px")


POLICIES: dict[str, Callable[[Measure, float, Empty, float], float]] = {
    "nan_worst": _nan_worst,
    "nnunet": _nnunet,
    "monai": _monai,
    "smp": _smp,
    "surface_distance": _surface_distance,
    "metrics_reloaded": _metrics_reloaded,
    "stardist": _stardist,
}
