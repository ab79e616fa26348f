"""What a data set holds, as it was understood: counted case by case, in memory that does not grow with them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.task import Task
from .case import Dataset, Sample
from .value_counts import ValueCounts

PIXELS = 250_000
"""Evenly spaced pixels of a case that percentiles are taken from at most."""

LISTED = 20
"""Sizes, spacings and other kinds that are listed at most, the most frequent ones."""


@dataclass(frozen=True)
class CaseFacts:
    """What is counted of one case.

    values: of each channel. pixels: of each class of the task, ignored ones apart. sizes: of the objects in pixels, or
    None when the data set has none.
    """

    name: str
    sample: tuple[Any, ...]
    values: tuple[ValueCounts, ...]
    pixels: tuple[int, ...]
    counted: int
    ignored: int
    sizes: ValueCounts | None
    notes: tuple[str, ...]

    @classmethod
    def of(cls, name: str, sample: Sample, task: Task) -> "CaseFacts":
        """Count a case whose truth holds no value that the task does not know."""
        image, truth = sample.image, sample.truth
        ignored = 0 if task.ignore is None else int(np.count_nonzero((truth == task.ignore).any(-1)))
        spacing = None if sample.spacing_mm is None else tuple(float(f"{edge:.6g}") for edge in sample.spacing_mm)
        return cls(
            name,
            (sample.space, str(image.dtype), image.shape[-1], (spacing, sample.spacing_source), sample.orientation),
            tuple(ValueCounts.of(image[..., channel], PIXELS) for channel in range(image.shape[-1])),
            _pixels(truth, task),
            truth[..., 0].size - ignored,
            ignored,
            None if sample.instances is None else ValueCounts.of(_object_sizes(sample.instances)),
            sample.notes,
        )


@dataclass
class Summary:
    """Counts over cases; `described` says what they come to."""

    cases: int = 0
    kinds: tuple[Counter[Any], ...] = field(default_factory=lambda: tuple(Counter() for _ in range(5)))
    values: list[ValueCounts] = field(default_factory=list)
    pixels: list[int] = field(default_factory=list)
    present: list[int] = field(default_factory=list)
    counted: int = 0
    ignored: int = 0
    objects: ValueCounts | None = None
    object_pixels: ValueCounts = field(default_factory=ValueCounts)
    notes: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, facts: CaseFacts) -> None:
        """Count a case."""
        self.cases += 1
        for counter, kind in zip(self.kinds, facts.sample, strict=True):
            counter[kind] += 1
        self.values += [ValueCounts() for _ in facts.values[len(self.values) :]]
        for mine, theirs in zip(self.values, facts.values, strict=False):
            mine.add(theirs)
        self.pixels = [a + b for a, b in zip(self.pixels or [0] * len(facts.pixels), facts.pixels, strict=True)]
        self.present = [a + bool(b) for a, b in zip(self.present or [0] * len(facts.pixels), facts.pixels, strict=True)]
        self.counted, self.ignored = self.counted + facts.counted, self.ignored + facts.ignored
        if facts.sizes is not None:
            self.objects = self.objects or ValueCounts()
            self.objects.add(ValueCounts.of(np.array([sum(facts.sizes.counts.values())])))
            self.object_pixels.add(facts.sizes)
        for note in facts.notes:
            self.notes[note] += 1
            self.first.setdefault(note, facts.name)

    def described(self, dataset: Dataset) -> dict[str, Any]:
        """As JSON; docs/datasets.md says what each key holds."""
        spaces, dtypes, channels, spacings, orientations = self.kinds
        task, groups = dataset.task, Counter(case.group for case in dataset.cases)
        strata = Counter(case.stratum for case in dataset.cases if case.stratum)
        edges = np.array(list(spaces)).reshape(-1, task.rank) if spaces else np.zeros((1, task.rank), int)
        return {
            "task": {
                "rank": task.rank,
                "kind": task.kind,
                "classes": list(task.classes),
                **({"modalities": dict(task.modalities)} if task.modalities else {}),
            },
            "read": self.cases,
            "sizes": {
                "distinct": len(spaces),
                "smallest": edges.min(0).tolist(),
                "largest": edges.max(0).tolist(),
                "listed": [{"space": list(space), "cases": count} for space, count in spaces.most_common(LISTED)],
            },
            "dtypes": dict(dtypes.most_common()),
            "channels": {str(number): count for number, count in channels.most_common()},
            "values": [_range(values, (0.01, 0.99), ("p1", "p99")) for values in self.values],
            "classes": [
                {"name": name, "share": pixels / max(self.counted, 1), "cases": present}
                for name, pixels, present in zip(task.classes, self.pixels, self.present, strict=False)
            ],
            "ignored_share": self.ignored / max(self.ignored + self.counted, 1),
            "objects": self._described_objects(),
            "spacings_mm": [
                {"spacing_mm": None if edges is None else list(edges), "source": source, "cases": count}
                for (edges, source), count in spacings.most_common(LISTED)
            ],
            "orientations": dict(orientations.most_common()),
            "groups": {"count": len(groups), "largest": groups.most_common(1)[0][0], "cases": max(groups.values())},
            "strata": dict(strata.most_common()),
            "notes": [
                {"note": note, "cases": count, "first": self.first[note]} for note, count in self.notes.most_common()
            ],
            "listing": list(dataset.notes),
        }

    def _described_objects(self) -> dict[str, Any] | None:
        if self.objects is None:
            return None
        return {
            "count": sum(self.object_pixels.counts.values()),
            "a_case": _range(self.objects, (0.5,), ("median",)),
            "pixels": _range(self.object_pixels, (0.5,), ("median",)),
        }


def _range(values: ValueCounts, shares: Sequence[float], names: Sequence[str]) -> dict[str, float | None]:
    between = {name: values.quantile(share) for name, share in zip(names, shares, strict=True)}
    found = {"min": values.least, **between, "max": values.most}
    return {name: None if np.isnan(value) else value for name, value in found.items()}


def _pixels(truth: np.ndarray, task: Task) -> tuple[int, ...]:
    if task.kind == "exclusive":
        return tuple(np.bincount(truth.ravel(), minlength=256)[: len(task.classes)].tolist())
    return tuple(int(np.count_nonzero(truth[..., plane] == 1)) for plane in range(truth.shape[-1]))


def _object_sizes(instances: np.ndarray) -> np.ndarray:
    labels = instances.ravel()
    if labels.size and labels.min() >= 0 and labels.max() < 4 * labels.size:
        counts = np.bincount(labels)[1:]
        return counts[counts > 0]
    numbers, counts = np.unique(labels, return_counts=True)
    return counts[numbers != 0]
