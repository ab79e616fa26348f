"""What is legal in a data set and worth a look all the same, each with the images to look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .case import Dataset, Role
from .case_numbers import CaseNumbers, outliers

FAR = 5.0
"""Robust standard deviations from the median at which a case is unusual."""

LEAST = 10
"""Cases of a stratum, or objects of a class, from which on it is said what is usual."""

TINY, TINY_PIXELS = 30, 3
"""An object is tiny below this part of its class's median, or with so few pixels."""

RARE = 0.01
"""Share of pixels, or of cases, below which a class is rare."""

KEPT, NAMED = 20, 5
"""Cases that a remark lists, and that its line names, at most."""

LONGEST = 40
"""Letters of a name in a line; the JSON has it whole."""

_UNUSUAL = {
    "brightness": "unusual mean intensity",
    "contrast": "unusual contrast of intensity",
    "size": "unusual size of the image",
    "foreground": "unusual share of foreground",
    "object_size": "objects of unusual size",
}


@dataclass(frozen=True)
class Remark:
    """kind: a word for machines. text: what it is. count: of how many cases. cases: 20 at most, to look at first."""

    kind: str
    text: str
    count: int
    cases: tuple[str, ...]

    @property
    def line(self) -> str:
        """For a person, with the names of a few cases."""
        more = f" and {self.count - NAMED} more" if self.count > NAMED else ""
        return f"{self.text}: {', '.join(map(_short, self.cases[:NAMED]))}{more}"


def remarks(
    numbers: CaseNumbers, dataset: Dataset, shares: Sequence[Mapping[str, object]], roles: Mapping[str, Role]
) -> list[Remark]:
    """Of a whole data set. shares: of classes, as `Summary.described` has them. roles: {} where it is not split."""
    names = [dataset.cases[place].name for place in numbers.places]
    found = [
        *_tiny(numbers, dataset, names),
        *_counted(numbers, names, "holes", "holes in the foreground"),
        *_counted(numbers, names, "cut", "objects cut by the border of the image"),
        *_rare(numbers, dataset, shares, names),
        *_unusual(numbers, dataset, names),
    ]
    return [*found, *_twins(numbers, dataset, roles)]


def same_masks(pairs: Sequence[str]) -> list[Remark]:
    """Of images of different groups that have one mask, each pair as text."""
    text = "images have another picture and the very mask of an image in another group"
    return [Remark("same_mask", f"{len(pairs)} {text}", len(pairs), tuple(pairs[:KEPT]))] if pairs else []


def missing_in_roles(numbers: CaseNumbers, dataset: Dataset, roles: Mapping[str, Role]) -> list[str]:
    """A line for each scored class that other cases hold, and none of a role does."""
    lines = []
    for name, column in zip(dataset.task.scored, numbers.smallest, strict=False):
        held = np.isfinite(np.frombuffer(column, np.float64))
        holders = {
            roles.get(dataset.cases[place].name) for place, here in zip(numbers.places, held, strict=True) if here
        }
        lines += [
            f"no {role} case holds the class {name}, which {int(held.sum())} others do; split by a `stratum` or with "
            "another seed"
            for role in dict.fromkeys(roles.values())
            if holders and role not in holders
        ]
    return lines


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST // 2]}…{name[-LONGEST // 2 + 1 :]}"


def _tiny(numbers: CaseNumbers, dataset: Dataset, names: Sequence[str]) -> list[Remark]:
    found = []
    for name, column, counts in zip(dataset.task.scored, numbers.smallest, numbers.sizes, strict=False):
        total = sum(counts.counts.values())
        if total < LEAST:
            continue
        median = counts.quantile(0.5)
        limit = max(median / TINY, TINY_PIXELS)
        smallest = np.frombuffer(column, np.float64)
        if limit >= median or not (places := np.flatnonzero(smallest <= limit)).size:
            continue
        tiny = sum(count for size, count in counts.counts.items() if size <= limit)
        text = f"{tiny} of {total} objects of {name} have at most {limit:.0f} pixels (median {median:.0f})"
        found.append(_remark("tiny", text, sorted(places.tolist(), key=lambda place: smallest[place]), names))
    return found


def _counted(numbers: CaseNumbers, names: Sequence[str], kind: str, what: str) -> list[Remark]:
    counts = numbers.column(kind)
    places = np.flatnonzero(counts)
    if not places.size:
        return []
    of = f" of {int(numbers.column('objects').sum())}" if kind == "cut" else ""
    return [_remark(kind, f"{int(counts.sum())}{of} {what}", sorted(places.tolist(), key=lambda p: -counts[p]), names)]


def _rare(
    numbers: CaseNumbers, dataset: Dataset, shares: Sequence[Mapping[str, object]], names: Sequence[str]
) -> list[Remark]:
    found = []
    known = {str(entry["name"]): entry for entry in shares}
    for name, column in zip(dataset.task.scored, numbers.smallest, strict=False):
        share, places = float(str(known[name]["share"])), np.flatnonzero(np.isfinite(np.frombuffer(column, np.float64)))
        if places.size and (share < RARE or places.size < RARE * len(names)):
            text = f"the class {name} is rare, {100 * share:.2g} % of pixels, in {places.size} of {len(names)} cases"
            found.append(_remark("rare", text, places.tolist(), names))
    return found


def _unusual(numbers: CaseNumbers, dataset: Dataset, names: Sequence[str]) -> list[Remark]:
    kinds, found = [dataset.cases[place].stratum for place in numbers.places], []
    for column, text in _UNUSUAL.items():
        values = numbers.column(column)
        if column in ("foreground", "object_size"):
            values = np.where(values > 0, values, np.nan)  # an empty mask is told elsewhere
        if np.nanmin(values, initial=np.inf) > 0:
            values = np.log(values)  # what is never negative is skewed: twice and half as bright are as far
        if far := outliers(values, kinds, FAR, LEAST):
            found.append(_remark(f"unusual_{column}", text, [place for place, _ in far], names))
    return found


def _twins(numbers: CaseNumbers, dataset: Dataset, roles: Mapping[str, Role]) -> list[Remark]:
    """Images of validation and test that look like training ones, or, without roles, across groups."""
    cases = [dataset.cases[place] for place in numbers.places]
    if roles:
        sides = [("train", "validation", "test").index(roles[case.name]) for case in cases]
    else:
        numbered: dict[str, int] = {}
        sides = [numbered.setdefault(case.group, len(numbered)) for case in cases]
    pairs = numbers.alike.pairs(sides)
    if not pairs:
        return []
    names = tuple(f"{cases[a].name} and {cases[b].name}" for a, b in pairs)
    where = "in the other parts of the split" if roles else "in other groups"
    text = f"{len(pairs)} images look like images {where}, so that scores are too good; put each pair in one `group`"
    return [Remark("look_alike", text, len(pairs), names[:KEPT])]


def _remark(kind: str, text: str, places: Sequence[int], names: Sequence[str]) -> Remark:
    in_cases = f", in {len(places)} case{'s' if len(places) > 1 else ''}" if kind in ("tiny", "holes", "cut") else ""
    return Remark(kind, f"{text}{in_cases}", len(places), tuple(names[place] for place in places[:KEPT]))
