"""What a table makes of a case in which truth or prediction is empty. Records keep raw values; a policy comes after.

policy       both empty            one empty
nan_worst    NaN, counted apart    the worst value of the measure
nnunet       the raw value, NaN where the formula is 0 / 0
monai        as nnunet, but Dice and IoU are NaN whenever the truth is empty (`ignore_empty=True`)
smp          the raw value, 1 where the formula is 0 / 0 (`zero_division=1`)
"""

from collections.abc import Callable

from ..core.errors import SpecError, unknown
from ..core.measure import MEASURES
from .pair import Empty

NAN = float("nan")


def apply(policy: str, measure: str, raw: float | None, empty: Empty) -> float:
    """Return the value that the policy gives a case.

    raw: the metric's raw value, NaN or None where undefined. empty: the side of the pair that has no voxel.
    Raises SpecError for an unknown policy.
    """
    rule = POLICIES.get(policy)
    if rule is None:
        raise SpecError(unknown("empty-mask policy", policy, POLICIES))
    return rule(measure, NAN if raw is None else raw, empty)


def describe(policy: str) -> str:
    """A line for the caption of a table. Raises SpecError for an unknown policy."""
    if policy not in POLICIES:
        raise SpecError(unknown("empty-mask policy", policy, POLICIES))
    return f"Empty masks ({policy}). {POLICIES[policy].__doc__}"


def _nan_worst(measure: str, raw: float, empty: Empty) -> float:
    """Both empty is undefined and counted apart; one empty scores the worst value."""
    if empty == "none":
        return raw
    return NAN if empty == "both" else MEASURES[measure].worst


def _nnunet(measure: str, raw: float, empty: Empty) -> float:
    """A score that is 0 / 0 is undefined and left out, as in nnU-Net."""
    return raw


def _monai(measure: str, raw: float, empty: Empty) -> float:
    """Dice and IoU of an empty truth, and any score that is 0 / 0, are left out, as in MONAI."""
    return NAN if measure in ("dice", "iou") and empty in ("truth", "both") else raw


def _smp(measure: str, raw: float, empty: Empty) -> float:
    """A score that is 0 / 0 is 1, as in segmentation_models.pytorch."""
    return 1.0 if raw != raw else raw


POLICIES: dict[str, Callable[[str, float, Empty], float]] = {
    "nan_worst": _nan_worst,
    "nnunet": _nnunet,
    "monai": _monai,
    "smp": _smp,
}
