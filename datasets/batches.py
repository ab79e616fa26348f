"""Batches of cases that arrive one after the other, by date, plate, site or modality, and what a stage may train on."""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..core.errors import DataError, SpecError
from .case import ROLES, Case, Dataset
from .split import Split

STRATUM = "stratum"
"""Of a case, which may name its batch; any other text is a regular expression that is looked for in its name."""

NAMED = 5
"""Batches that an error names."""


@dataclass(frozen=True)
class Arrived:
    """The batches that a stage has seen, in the order of their arrival; it trains on the last of them.

    by: `stratum`, or a regular expression of a case's name whose group, or whole match, is the batch.
    keep: training cases of earlier batches that are kept for replay, drawn by `seed`.
    """

    by: str
    batches: tuple[str, ...]
    keep: int = 0
    seed: int = 0

    @property
    def options(self) -> dict[str, Any]:
        """As JSON has it, under `arrived` of a trial's data set; without what keeps nothing."""
        own = {"by": self.by, "batches": list(self.batches)}
        return {**own, "keep": self.keep, "seed": self.seed} if self.keep and len(self.batches) > 1 else own


def arrived_of(options: Mapping[str, Any] | None) -> Arrived | None:
    """What `Arrived.options` tells; None for a trial that sees all batches at once."""
    if options is None:
        return None
    return Arrived(options["by"], tuple(options["batches"]), options.get("keep", 0), options.get("seed", 0))


def words(options: Mapping[str, Any]) -> str:
    """The batches as tables name them: `a → b`."""
    return " → ".join(options["batches"])


def check_by(by: str) -> None:
    """Raise SpecError unless it is `stratum` or a regular expression of at most one group."""
    try:
        groups = re.compile(by).groups
    except re.error as error:
        raise SpecError(f"by: {by!r} is no regular expression ({error}); {STRATUM} is possible too") from None
    if groups > 1:
        raise SpecError(f"by: {by!r} has {groups} groups; give one, which names the batch, as in 'site(\\d+)'")


def batch_of(case: Case, by: str) -> str:
    """The batch of a case, "" where nothing names it."""
    if by == STRATUM:
        return case.stratum
    found = re.search(by, case.name)
    return "" if found is None else (found.group(1) or "") if found.re.groups else found.group()


def batches_of(split: Split, by: str) -> tuple[str, ...]:
    """All batches of a data set, numbers in them in the order of their size.

    Raises DataError where a case has no batch, where there are fewer than two, and where one lacks cases of a role.
    """
    name = split.dataset.name
    nameless = [case.name for case in split.dataset.cases if not batch_of(case, by)]
    if nameless:
        what = f"has no {by}" if by == STRATUM else f"does not match {by!r}"
        raise DataError(f"{name}: by: case {nameless[0]} {what}, which is to name its batch ({len(nameless)} cases)")
    counts = Counter((batch_of(case, by), split.roles[case.name]) for case in split.dataset.cases)
    found = sorted({batch for batch, _ in counts}, key=_natural)
    if len(found) < 2:
        raise DataError(f"{name}: by: all cases are of the batch {found[0]!r}; batches that arrive are two or more")
    lacking = [(batch, role) for batch in found for role in ROLES if not counts[batch, role]]
    if lacking:
        text = ", ".join(f"{batch} no {role} case" for batch, role in lacking[:NAMED])
        more = f" and {len(lacking) - NAMED} more" if len(lacking) > NAMED else ""
        raise DataError(
            f"{name}: by: of {len(found)} batches, {text}{more}; each needs one of every role: raise the shares of the "
            "split, take another split.seed, or name fewer batches"
        )
    return tuple(found)


def arrived_split(split: Split, arrived: Arrived) -> Split:
    """The split with the training and validation cases of the last batch, those kept of earlier ones, and all of test.

    Of n kept training cases and m earlier batches, n // m are of each, one more of the first n % m, the first in the
    order of the SHA-256 of (seed, name): what a later stage keeps of a batch, an earlier one kept too. Of its
    validation cases the same share is kept, rounded, at least one.
    """
    chosen = {case.name for case in split.dataset.cases if batch_of(case, arrived.by) == arrived.batches[-1]}
    chosen |= {case.name for case in replayed_cases(split, arrived)}
    cases = tuple(case for case in split.dataset.cases if split.roles[case.name] == "test" or case.name in chosen)
    return replace(split, dataset=replace(split.dataset, cases=cases))


def replayed_cases(split: Split, arrived: Arrived) -> list[Case]:
    """The training and validation cases of earlier batches that a stage replays."""
    earlier, found = arrived.batches[:-1], list[Case]()
    for place, batch in enumerate(earlier):
        pools = [_drawn(split.cases(role), batch, arrived) for role in ("train", "validation")]
        count = min(len(pools[0]), math.ceil((arrived.keep - place) / len(earlier)))
        if count > 0:
            share = count / len(pools[0])
            found += pools[0][:count] + pools[1][: max(1, math.floor(share * len(pools[1]) + 0.5))]
    return found


def batches_by_case(dataset: Dataset, by: str) -> dict[str, str]:
    """The batch of each case by its name."""
    return {case.name: batch_of(case, by) for case in dataset.cases}


def _drawn(cases: Sequence[Case], batch: str, arrived: Arrived) -> list[Case]:
    own = [case for case in cases if batch_of(case, arrived.by) == batch]
    return sorted(own, key=lambda case: hashlib.sha256(f"{arrived.seed}\n{case.name}".encode()).hexdigest())


def _natural(text: str) -> list[int | str]:
    parts = re.split(r"(\d+)", text)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]
