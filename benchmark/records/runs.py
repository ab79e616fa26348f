"""Further runs of trials: where they are kept, and how their scores differ from those of the first.

A trial has one record a machine, which is what reports count. What else was made of the same trial on the same machine
is kept as a run of its own by `unetbench merge`, in a folder that is laid out like that of a sweep:

    runs/2/records/<machine>/<trial id>.json      with weights/, previews/ and all else of that run beside it
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.counted import counted
from ...core.record import Record
from .store import read

RUNS = "runs"
"""The folder of further runs, by number from 2 on."""

_FACTS = ("tp", "fp", "fn", "tn")
"""Keys of a score that are counts; what is counted shows in the measures."""

_CLOCK = ("train_s", "validate_s")
"""Keys of an epoch that no two runs share."""


@dataclass(frozen=True)
class Largest:
    """The largest difference of a measure between two runs: of which case and class."""

    value: float
    case: str
    label: str


@dataclass(frozen=True)
class ScoreDifferences:
    """Two records of one trial. scores: rows that both have; apart: how many of them differ in a measure or a count.

    alone: rows that one of them has, or that are defined in one alone. largest: by measure, those that are not 0.
    same_training: whether history and selection are the same to the last bit, clocks left out.
    """

    statuses: tuple[str, str]
    scores: int
    apart: int
    alone: int
    largest: Mapping[str, Largest]
    same_training: bool

    @property
    def same(self) -> bool:
        """Whether nothing differs but what clocks, versions and machines say."""
        return self.statuses[0] == self.statuses[1] and not self.apart + self.alone and self.same_training

    def text(self, most: int = 3) -> str:
        """What differs, in words; of the measures those that differ most, Dice first."""
        if self.statuses[0] != self.statuses[1]:
            return f"{self.statuses[0]}, the other {self.statuses[1]}"
        if self.statuses[0] != "done":
            return f"both {self.statuses[0].replace('_', ' ')}"
        if self.same:
            return f"every epoch and all {counted(self.scores, 'score')} the same to the last bit"
        parts = [] if self.same_training else ["epochs or selection differ"]
        parts += [f"{counted(self.alone, 'score')} of one run alone"] if self.alone else []
        if not self.apart:
            return "; ".join([*parts, f"{counted(self.scores, 'score')} the same"])
        order = sorted(self.largest, key=lambda name: (name != "dice", -self.largest[name].value))
        largest = [(name, self.largest[name]) for name in order[:most]]
        named = ", ".join(f"{name} {one.value:.3g} ({one.case}, {one.label})" for name, one in largest)
        return "; ".join([*parts, f"{self.apart} of {counted(self.scores, 'score')} differ, at most {named}"])


def score_differences(first: Record, second: Record) -> ScoreDifferences:
    """What differs between two records of one trial, case by case and class by class."""
    rows = [{(row["case"], row["class"]): row for row in one.scores} for one in (first, second)]
    both = [key for key in rows[0] if key in rows[1]]
    apart, alone = 0, len(rows[0]) + len(rows[1]) - 2 * len(both)
    largest: dict[str, Largest] = {}
    for key in both:
        one, other = rows[0][key], rows[1][key]
        differ = [name for name in {**one, **other} if one.get(name) != other.get(name)]
        apart += bool(differ)
        values: dict[str, tuple[Any, Any]] = {
            name: (one.get(name), other.get(name)) for name in differ if name not in _FACTS
        }
        gaps = {name: abs(a - b) for name, (a, b) in values.items() if _is_number(a) and _is_number(b)}
        alone += any((a is None) != (b is None) for a, b in values.values())
        for name, gap in gaps.items():
            if name not in largest or gap > largest[name].value:
                largest[name] = Largest(gap, key[0], key[1])
    epochs = [[{k: v for k, v in row.items() if k not in _CLOCK} for row in one.history] for one in (first, second)]
    same = epochs[0] == epochs[1] and first.selection == second.selection
    return ScoreDifferences((first.status, second.status), len(both), apart, alone, largest, same)


def further_runs(sweep: Path) -> Iterator[tuple[str, int, Record]]:
    """Key (`<machine>/<file>`), number and record of every further run of a sweep's folder. Raises StoreError."""
    for file in sorted(sweep.glob(f"{RUNS}/*/records/*/*.json")):
        number = file.parents[2].name
        if number.isdecimal():
            yield f"{file.parent.name}/{file.stem}", int(number), read(file)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
