"""Data sets that came after a model was trained, joined with the one that it was trained on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...core.errors import DataError
from ...core.task import Task
from ...core.trial import Choice, without_paths
from ...datasets.case import Role
from ...datasets.disk_cache import reading_text
from ...datasets.split import Split

if TYPE_CHECKING:
    from .context import OpenedDataset

FIRST = "first"
"""The batch of the cases that a line of updates began with; its test cases are the frozen test set."""

SHARED = ("preprocess", "objects", "modalities")
"""Options of the first data set that hold for those that came later too."""

NAMED = 3
"""Cases that an error names."""


def batch(number: int) -> str:
    """What the batch of cases is called that came with an update; the first one is number 1."""
    return f"update {number}"


def case_name(number: int, name: str) -> str:
    """What a case that came with an update is called, so that it is not taken for an earlier one of its name."""
    return f"update{number}_{name}"


def later_sets(choice: Choice) -> Iterator[tuple[Choice, dict[str, Any]]]:
    """The data sets that came after a choice's own, in that order, each with its split, prepared as the first one."""
    shared = {name: choice.options[name] for name in SHARED if name in choice.options}
    for one in choice.options.get("later", ()):
        yield Choice(one["name"], {**one["options"], **shared}), one["split"]


def with_later(opened: "OpenedDataset", later: Sequence["OpenedDataset"], choice: Choice) -> "OpenedDataset":
    """The first data set with all cases that came later; as it is where none did.

    Each case has as stratum the batch that it came with, `first` or `update 1`, `update 2` … A group of cases (patient,
    plate) that earlier data know keeps the role that it has there, so that no network trains on a patient of an earlier
    test set. Raises DataError for a task that is not the first one's, for a case that earlier data have too, and where
    nothing is left to train on or to validate.
    """
    if not later:
        return opened
    cases = [replace(case, stratum=FIRST) for case in opened.split.dataset.cases]
    roles: dict[str, Role] = dict(opened.split.roles)
    groups: dict[str, Role] = {case.group: roles[case.name] for case in cases}
    known, notes = set(_contents(opened).values()), list(opened.dataset.notes)
    for number, part in enumerate(later, 1):
        check_task(part, opened)
        own = _contents(part)
        _check_new(part, [name for name, content in own.items() if content in known])
        known |= set(own.values())
        taken = _roles(part, groups)
        notes += [f"{batch(number)}: {note}" for note in (*part.dataset.notes, *_moved(part, taken))]
        for case in part.split.dataset.cases:
            cases.append(replace(case, name=case_name(number, case.name), stratum=batch(number)))
            roles[cases[-1].name] = groups[case.group] = taken[case.name]
    if len(roles) < len(cases):
        raise DataError(f"{opened.dataset.name}: has cases whose names begin like {case_name(1, '')}; give them others")
    dataset = replace(
        opened.dataset,
        cases=tuple(cases),
        notes=tuple(notes),
        licence=_joined(opened, later, "licence"),
        citation=_joined(opened, later, "citation"),
    )
    options = opened.keys.options | {"later": without_paths(choice.options)["later"]}
    return replace(
        opened,
        dataset=dataset,
        split=Split(dataset, roles, opened.split.digest),
        keys=replace(opened.keys, dataset=dataset, options=options),
        whole=None,
    )


def check_task(part: "OpenedDataset", opened: "OpenedDataset") -> None:
    """Raise DataError, in one line, where a data set asks for another network than the first one did."""
    own, first = part.task, opened.task
    name = part.dataset.name
    facts = {
        "has the classes": (_classes(own), _classes(first), "an update keeps the classes"),
        "has images of rank": (own.rank, first.rank, "a network of one takes none of the other"),
        "has channels": (own.channels, first.channels, "give images of as many"),
        "has the modalities": (_modalities(own), _modalities(first), "give the same ones in the same order"),
        "marks ignored pixels with": (own.ignore, first.ignore, "mark them as the first data set does, or not at all"),
        "has a pixel size in mm": (own.spacing_mm is not None, first.spacing_mm is not None, "distances need one unit"),
    }
    for fact, (came, wanted, why) in facts.items():
        if came != wanted:
            raise DataError(
                f"{name}: {fact}: {_told(came)}; the data that the model was trained on, {opened.dataset.name}: "
                f"{_told(wanted)}; {why}"
            )


def _classes(task: Task) -> str:
    return f"{', '.join(task.classes)} ({task.kind})"


def _modalities(task: Task) -> str:
    return ", ".join(name for name, _ in task.modalities)


def _told(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value if value != "" else "none")


def _contents(opened: "OpenedDataset") -> dict[str, str]:
    """By the name of each case, the digest of its image's file, or, where it has none, how it is made."""
    cases = opened.split.dataset.cases
    images = opened.digests.of([case.files[0] for case in cases if case.files])
    made = {case.name: f"{case.name} {reading_text(case.read) or opened.keys.folder}" for case in cases}
    return {case.name: images[case.files[0]] if case.files else made[case.name] for case in cases}


def _check_new(part: "OpenedDataset", old: Sequence[str]) -> None:
    if old:
        more = f" and {len(old) - NAMED} more" if len(old) > NAMED else ""
        raise DataError(
            f"{part.dataset.name}: {', '.join(old[:NAMED])}{more}: the model's own data have the same images; give a "
            "data set of what is new alone"
        )


def _roles(part: "OpenedDataset", groups: Mapping[str, Role]) -> dict[str, Role]:
    """The role of each case: that of its group in earlier data, else its own. Raises DataError where one is empty."""
    own = part.split
    found: dict[str, Role] = {case.name: groups.get(case.group, own.roles[case.name]) for case in own.dataset.cases}
    for role, use in (("train", "learn"), ("validation", "select the epoch with")):
        if role not in found.values():
            raise DataError(
                f"{part.dataset.name}: no case is left to {use}: each group of cases that earlier data have keeps the "
                "role that it has there; give cases of other groups"
            )
    return found


def _moved(part: "OpenedDataset", roles: Mapping[str, Role]) -> list[str]:
    count = sum(part.split.roles[name] != role for name, role in roles.items())
    return [f"{count} cases have the role that their group has in earlier data"] if count else []


def _joined(opened: "OpenedDataset", later: Sequence["OpenedDataset"], field: str) -> str:
    texts = dict.fromkeys(getattr(one.dataset, field) for one in (opened, *later))
    return "; ".join(filter(None, texts))
