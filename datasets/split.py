"""Which case trains, validates and tests: fixed by hashes, in whole groups, in proportion within each stratum."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, get_args

from ..core.errors import DataError
from .case import Case, Dataset, Role
from .digests import FileDigests

K = TypeVar("K", Role, int)

CONTENT = "content:"
"""Begins the digest of a split whose cases are read from files. Earlier their sizes stood for them."""


@dataclass(frozen=True)
class Split:
    """The role of every case by name, and the digest of it.

    digest: SHA-256 over name, group, role and the digests of the files of every case; the same wherever the files lie.
    """

    dataset: Dataset
    roles: Mapping[str, Role] = field(hash=False)
    digest: str

    def cases(self, role: Role) -> tuple[Case, ...]:
        """The cases of a role, in the order of the data set."""
        return tuple(case for case in self.dataset.cases if self.roles[case.name] == role)


@dataclass(frozen=True)
class _Group:
    """Cases that stay together. key: hash that orders the groups. stratum: the commonest among its cases."""

    key: str
    stratum: str
    names: tuple[str, ...]


def split_cases(
    dataset: Dataset,
    digests: FileDigests | None = None,
    *,
    train: float = 0.7,
    validation: float = 0.1,
    test: float = 0.2,
    folds: int = 0,
    fold: int = 0,
    seed: int = 0,
    official: bool = True,
) -> Split:
    """Give every case a role, whole groups at a time.

    Groups are ordered by the SHA-256 of (seed, group); in that order each takes the test share while it brings the
    count of cases nearer to the share, then the validation share, and the rest trains, stratum by stratum. So a few
    cases more or less move only groups at the borders of the shares.

    With `folds`, fold number `fold` is the test share and validation takes validation / (train + validation) of the
    rest. Roles fixed by the publisher stay: where there are official test cases no others are drawn and a fold is a
    validation share; validation cases are drawn from the official training cases unless the publisher named them.

    Raises DataError when fractions or folds make no sense, when the groups do not suffice to give every wanted role
    one, when the publisher's roles cut a group apart, and when a file cannot be read. digests: remembers the contents.
    """
    fractions = _fractions(train, validation, test, folds, fold)
    pinned = _pinned(dataset) if official else {}
    free = [g for g in _groups(dataset, seed) if not any(name in pinned for name in g.names)]
    fixed = set(pinned.values())
    wanted: dict[Role, float] = {role: share for role, share in fractions.items() if share > 0 and role not in fixed}
    if free and not wanted:
        wanted = {"train": 1.0}
    try:
        roles: dict[str, Role] = {**pinned, **(_by_fold(free, wanted, folds, fold) if folds else _share(free, wanted))}
    except _TooFew as error:
        raise DataError(f"{dataset.name}: {error}; add data, ask for fewer, or group less coarsely") from None
    roles = {case.name: roles[case.name] for case in dataset.cases}
    return Split(dataset, roles, _digest(dataset, roles, digests or FileDigests()))


class _TooFew(Exception):
    """Fewer groups than shares."""


def _fractions(train: float, validation: float, test: float, folds: int, fold: int) -> dict[Role, float]:
    fractions: dict[Role, float] = {"test": test, "validation": validation, "train": train}
    if min(fractions.values()) < 0 or abs(sum(fractions.values()) - 1) > 1e-6:
        raise DataError(f"split: train {train}, validation {validation} and test {test} do not add up to 1")
    if folds == 1 or folds < 0 or not 0 <= fold < max(folds, 1):
        raise DataError(f"split: fold {fold} of {folds}; give at least 2 folds and a fold from 0 to folds - 1")
    return fractions


def _pinned(dataset: Dataset) -> dict[str, Role]:
    """Roles that the publisher fixed, spread over whole groups."""
    official: dict[str, Role] = dict(dataset.official)
    for name, role in official.items():
        if role not in get_args(Role):
            raise DataError(f"{dataset.name}: official role of {name} is {role!r}; use {', '.join(get_args(Role))}")
    if "validation" not in official.values():
        official = {name: role for name, role in official.items() if role != "train"}
    by_group: dict[str, set[Role]] = defaultdict(set)
    for case in dataset.cases:
        if case.name in official:
            by_group[case.group].add(official[case.name])
    for group, roles in by_group.items():
        if len(roles) > 1:
            raise DataError(
                f"{dataset.name}: group {group} is officially in {' and '.join(sorted(roles))}; it would leak"
            )
    return {case.name: next(iter(by_group[case.group])) for case in dataset.cases if case.group in by_group}


def _groups(dataset: Dataset, seed: int) -> list[_Group]:
    members: dict[str, list[Case]] = defaultdict(list)
    for case in dataset.cases:
        members[case.group].append(case)
    groups = [
        _Group(
            hashlib.sha256(f"{seed}\n{group}".encode()).hexdigest(),
            min(Counter(case.stratum for case in cases).items(), key=lambda item: (-item[1], item[0]))[0],
            tuple(case.name for case in cases),
        )
        for group, cases in members.items()
    ]
    return sorted(groups, key=lambda group: group.key)


def _by_fold(groups: Sequence[_Group], wanted: Mapping[Role, float], folds: int, fold: int) -> dict[str, Role]:
    held: Role = "test" if "test" in wanted else "validation"
    numbers = _share(groups, dict.fromkeys(range(folds), 1 / folds))
    rest = [group for group in groups if numbers[group.names[0]] != fold]
    roles: dict[str, Role] = {name: held for name, number in numbers.items() if number == fold}
    shares: dict[Role, float] = {role: share for role, share in wanted.items() if role != held}
    return {**roles, **_share(rest, shares)}


def _share(groups: Sequence[_Group], fractions: Mapping[K, float]) -> dict[str, K]:
    """Deal groups, in their order, to the keys of `fractions` in theirs; the last key gets what is left."""
    if len(groups) < len(fractions):
        shares = ", ".join(key if isinstance(key, str) else f"fold {key}" for key in fractions)
        raise _TooFew(f"{len(groups)} independent groups of cases cannot fill {len(fractions)} shares ({shares})")
    if not fractions:
        return {}
    total = sum(fractions.values())
    *first, last = fractions
    strata: dict[str, list[_Group]] = defaultdict(list)
    for group in groups:
        strata[group.stratum].append(group)
    dealt: dict[K, list[_Group]] = {key: [] for key in fractions}
    owed = dict.fromkeys(fractions, 0.0)
    for stratum in sorted(strata):
        left, size = strata[stratum], _size(strata[stratum])
        for key in first:
            owed[key] += size * fractions[key] / total
            rest = []
            for group in left:
                nearer = len(group.names) < 2 * owed[key]  # |owed - n| < owed
                (dealt[key] if nearer else rest).append(group)
                owed[key] -= len(group.names) if nearer else 0
            left = rest
        dealt[last] += left
    _fill(dealt)
    return {name: key for key, own in dealt.items() for group in own for name in group.names}


def _fill(dealt: dict[K, list[_Group]]) -> None:
    """Give a key without groups the smallest one of the key that has the most."""
    for own in dealt.values():
        if not own:
            richest = max(dealt.values(), key=len)
            moved = min(richest, key=lambda group: (len(group.names), group.key))
            richest.remove(moved)
            own.append(moved)


def _size(groups: Sequence[_Group]) -> int:
    return sum(len(group.names) for group in groups)


def _digest(dataset: Dataset, roles: Mapping[str, Role], digests: FileDigests) -> str:
    contents = digests.of([file for case in dataset.cases for file in case.files])
    digest = hashlib.sha256(dataset.reading.encode())
    for case in sorted(dataset.cases, key=lambda case: case.name):
        files = [contents[file] for file in case.files]
        told = (case.name, case.group, roles[case.name], files)
        digest.update(repr((*told, case.planes) if case.planes else told).encode())
    return CONTENT * bool(contents) + digest.hexdigest()
