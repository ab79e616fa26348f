"""Scores of every case of a data set by models that never saw it, one case in memory at a time."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...core.errors import DataError, StoreError
from ...datasets.case import Case, Sample
from ...datasets.object_shapes import ObjectShapes
from ...datasets.value_counts import ValueCounts
from ..records.store import Store
from ..sweep.plan import Planned
from ..trial.context import OpenedDataset
from .baselines import dice_of, disagreement, soft_min
from .confident import Usual
from .folds import out_of_fold
from .outline import outline
from .planes import Plane, labelled, planes
from .suspects import Suspect, suspects

KEPT = 5
"""Regions that are kept of a case, the most suspect ones."""

OUTLINE_FAR = 4.0
"""Robust standard deviations from the median at which the outline of a case counts half."""

SUSPECT = 0.5
"""Score from which on a case is called suspect."""

LEAST_OFFSET, LEAST_SPREAD = 0.2, 0.25
"""Pixels that are added to an offset before its logarithm is taken, and the least deviation of that."""

WORTH = 0.1
"""Score of a region from which on it is a reason."""


@dataclass(frozen=True)
class AuditedCase:
    """What is known of a case.

    score: from 0 to 1, the higher the more suspect; see `rank`. objects: the highest score of its regions that are
    objects. offset, growth: of its outline in pixels, outline: how unusual that is, from 0 to 1. uncertainty: of its
    outline. self_confidence: mean probability of the labels. dice, soft_min: the plain scores. disagreement: of models.
    suspects: its regions.
    """

    name: str
    group: str
    objects: float
    offset: float
    growth: float
    uncertainty: float
    self_confidence: float
    dice: float
    soft_min: float
    disagreement: float
    suspects: tuple[Suspect, ...]
    outline: float = 0.0
    score: float = 0.0

    @property
    def objects_seen(self) -> list[Suspect]:
        """Its regions that are objects and worth a look."""
        return [region for region in self.suspects if region.kind != "outline" and region.score >= WORTH]

    @property
    def reasons(self) -> list[str]:
        """In words, the weightiest first."""
        found = [(region.score, region.words) for region in self.objects_seen]
        if self.outline >= SUSPECT / 2:
            way = (
                "too large" if self.growth > self.offset / 2 else "too small" if -self.growth > self.offset / 2 else ""
            )
            how = f"the mask is {way}" if way else "the mask lies beside it or is ragged"
            found.append((self.outline, f"outlines off by {self.offset:.1f} pixels on average, {how}"))
        return [words for _, words in sorted(found, key=lambda pair: -pair[0])]


@dataclass
class Audited:
    """A data set's cases, the most suspect one first. unread: why some are left out. members: models that judge one."""

    rows: list[AuditedCase] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    members: int = 0


def audit_cases(entries: Sequence[Planned], store: Store, on_case: Callable[[], object] = lambda: None) -> Audited:
    """Score the cases of one data set. entries: its trials that are done, of all folds.

    Two passes over images and probabilities: the first finds what models usually say of each class and how large
    objects are, the second scores. Raises DataError when no case can be scored.
    """
    result, usual, sizes = Audited(), list[Usual](), ValueCounts()
    readable: set[str] = set()
    task = _opened(entries).task
    for case, own in judged(entries):
        try:
            sample = case.read()
            planes_of_it = of_case(own, case, sample, store)
        except (DataError, StoreError) as error:  # a file that changed, or a case that no trial could score
            result.unread.append(str(error))
            continue
        usual = usual or [Usual() for _ in planes_of_it]
        for counts, plane in zip(usual, planes_of_it, strict=True):
            counts.add(plane)
        for found in ObjectShapes.of(sample, task).sizes:
            sizes.add(ValueCounts.of(found))
        result.members = max(result.members, len(own))
        readable.add(case.name)
        on_case()
    if not readable:
        raise DataError(f"no case can be audited: {result.unread[0] if result.unread else 'no trial is done'}")
    typical = float(np.nan_to_num(sizes.quantile(0.5), nan=1.0))
    for case, own in judged(entries):
        if case.name in readable:
            planes_of_it = of_case(own, case, case.read(), store)
            result.rows.append(score_case(case, planes_of_it, usual, typical))
            on_case()
    result.rows = rank(result.rows)
    return result


def judged(entries: Sequence[Planned]) -> Iterator[tuple[Case, list[Planned]]]:
    """Each case that is tested, with the trials that test it, in the order of the data set."""
    by_case: dict[str, list[Planned]] = defaultdict(list)
    for entry in entries:
        for case in entry.opened.split.cases("test") if entry.opened is not None else ():
            by_case[case.name].append(entry)
    for case in _opened(entries).split.dataset.cases:
        if case.name in by_case:
            yield case, by_case[case.name]


def of_case(entries: Sequence[Planned], case: Case, sample: Sample, store: Store) -> list[Plane]:
    """The planes of a case as these trials see it."""
    return planes(_opened(entries).task, sample.truth, out_of_fold(entries, case, store))


def _opened(entries: Sequence[Planned]) -> OpenedDataset:
    opened = next((entry.opened for entry in entries if entry.opened is not None), None)
    if opened is None:
        raise DataError(
            "no trial of the audit is done, so there is nothing to judge masks by; the errors above say why"
        )
    return opened


def score_case(case: Case, own: Sequence[Plane], usual: Sequence[Usual], typical: float) -> AuditedCase:
    """Everything but what needs the other cases. usual: of each plane; typical: pixels of a median object."""
    regions = [
        region
        for number, (plane, counts) in enumerate(zip(own, usual, strict=True))
        for region in suspects(plane, counts, typical, number)
    ]
    regions.sort(key=lambda region: -region.score)
    outlines = [outline(plane, counts) for plane, counts in zip(own, usual, strict=True)]
    known = [found for found in outlines if not np.isnan(found.offset)]
    offset, growth, uncertainty = (
        float(np.mean([getattr(found, name) for found in known])) if known else float("nan")
        for name in ("offset", "growth", "uncertainty")
    )
    confidences = [_self_confidence(plane) for plane in own]
    return AuditedCase(
        case.name,
        case.group,
        max((region.score for region in regions), default=0.0),
        offset,
        growth,
        uncertainty,
        float(np.nanmean(confidences)) if np.isfinite(confidences).any() else float("nan"),
        dice_of(list(own)),
        soft_min(list(own)),
        disagreement(list(own)),
        tuple(regions[:KEPT]),
    )


def rank(rows: Sequence[AuditedCase]) -> list[AuditedCase]:
    """The rows with their scores, the most suspect one first; of equal scores the one with the lower soft-min.

    outline = z^4 / (z^4 + 4^4), z being how far log(offset + 0.2) lies above its median m over the data set, divided by
    1.4826 times the median of its distances from m, or by 0.25 where that is less; 0 of a case without outline.
    score = 1 - (1 - objects) (1 - outline).
    """
    values = np.log(np.array([row.offset for row in rows]) + LEAST_OFFSET)
    known = values[np.isfinite(values)]
    middle = float(np.median(known)) if known.size else 0.0
    spread = max(LEAST_SPREAD, 1.4826 * float(np.median(np.abs(known - middle)))) if known.size else 1.0
    z4 = (np.maximum(0.0, np.where(np.isfinite(values), values, middle) - middle) / spread) ** 4
    scored = [
        replace(row, outline=outline, score=1 - (1 - row.objects) * (1 - outline))
        for row, outline in zip(rows, (z4 / (z4 + OUTLINE_FAR**4)).tolist(), strict=True)
    ]
    return sorted(scored, key=lambda row: (-row.score, row.soft_min))


def _self_confidence(plane: Plane) -> float:
    known = plane.labels >= 0
    return float(labelled(plane.mean, plane.labels)[known].mean()) if known.any() else float("nan")
