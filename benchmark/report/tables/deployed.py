"""The trained trials of a sweep on every machine and runtime: one group a data set, split, recipe and workload."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ....core.record import Record
from ...naming.trial_names import TrialNames
from ...records.deployments import Deployments
from ...records.machine import DIGITS
from ..deployments import Deployment, judged
from ..frame import Frames, size_text, table_key
from .apart import told_apart


@dataclass(frozen=True)
class Deployed:
    """A trained trial on a runtime of a machine.

    key: of its record, `<folder>/<trial id>`. model, loss: their names in the group. collapsed: its classes that
    collapsed. facts: what `records.machine` told of the machine.
    """

    key: str
    record: Record
    model: str
    loss: str
    collapsed: tuple[str, ...]
    facts: dict[str, Any]
    deployment: Deployment

    @property
    def machine(self) -> str:
        """The name of the machine that it was timed on."""
        return self.deployment.machine

    @property
    def seed(self) -> int:
        """Of the trial."""
        return self.record.trial.seed

    @property
    def label(self) -> str:
        """Trial and runtime in words."""
        return f"{self.model} · {self.loss} · seed {self.seed} · {self.deployment.runtime}"

    @property
    def threads(self) -> int:
        """That it was given."""
        return self.deployment.row["threads"]

    @property
    def same_instructions(self) -> bool:
        """Whether it was timed with the instruction sets that its machine has."""
        return list(self.deployment.row["instructions"]) == list(self.facts.get("instructions", ()))


@dataclass(frozen=True)
class Group:
    """What may be compared: trials of one data set, split and recipe, at one batch and image size.

    apart: what of split and recipe tells the trials from other ones of the data set. Machines and numbers of threads
    stand in one group and are never ranked together: see `places`.
    """

    name: str
    apart: str
    batch: int
    size: tuple[int, ...]
    rows: tuple[Deployed, ...]

    @property
    def subject(self) -> str:
        """Data set and what tells it apart."""
        return f"{self.name} ({self.apart})" if self.apart else self.name

    @property
    def workload(self) -> str:
        """Batch and image size in words."""
        return f"batch {self.batch}, {size_text(self.size)}"

    @cached_property
    def places(self) -> tuple[tuple[str, int], ...]:
        """Each machine with a number of threads, in order; only what was timed at one place is ranked together."""
        return tuple(sorted({(row.machine, row.threads) for row in self.rows}))

    def at(self, place: tuple[str, int]) -> list[Deployed]:
        """The rows of one place."""
        return [row for row in self.rows if (row.machine, row.threads) == place]


def groups(read: Frames) -> tuple[list[Group], list[str]]:
    """Every group of a sweep, by name, and a note on deployments whose record is not there."""
    told = dict(zip(read.trials["record"], read.trials["collapsed"], strict=True))
    datasets = dict(zip(read.trials["record"], read.trials["dataset"], strict=True))
    found: dict[tuple[Any, ...], list[tuple[str, Deployments, Deployment]]] = defaultdict(list)
    lost, listed = 0, read.deployments
    hardware: dict[str, set[str]] = defaultdict(set)
    for folder, entry in listed:
        hardware[folder].add(str(entry.machine.get("digest", "")))
    for folder, entry in listed:
        # Machines that only share a name are two.
        apart = len(hardware[folder]) > 1
        machine = f"{folder}-{str(entry.machine.get('digest', ''))[:DIGITS]}" if apart else folder
        key = _record_of(entry.trial, folder, read.records)
        if key is None:
            lost += 1
            continue
        table = table_key(read.records[key], ""), datasets[key]
        for deployment in judged(entry.trial, machine, entry.rows):
            found[*table, deployment.row["batch"], *deployment.row["size"]].append((key, entry, deployment))
    made = [_group(read, str(key[1]), told, entries) for key, entries in found.items()]
    words = told_apart([(group.name, group.rows[0].record.trial) for group in made])
    made = [replace(group, apart=apart) for group, apart in zip(made, words, strict=True)]
    notes = [f"{lost} deployments belong to no record of the sweep and are left out"] if lost else []
    return sorted(made, key=lambda group: (group.name, group.apart, group.size, group.batch)), notes


def _group(
    read: Frames, name: str, told: dict[str, Sequence[str]], entries: Sequence[tuple[str, Deployments, Deployment]]
) -> Group:
    records = {key: read.records[key] for key, _, _ in entries}
    names = TrialNames((record.ran for record in records.values()), read.labels)
    rows = []
    for key, entry, deployment in entries:
        called = names[records[key].ran]
        rows.append(Deployed(key, records[key], called.model, called.loss, tuple(told[key]), entry.machine, deployment))
    first = entries[0][2].row
    return Group(name, "", first["batch"], tuple(first["size"]), tuple(rows))


def _record_of(trial: str, machine: str, records: Iterable[str]) -> str | None:
    """The key of the trial's record: of the machine that timed it where there is one, else of another."""
    keys = sorted(key for key in records if key.endswith(f"/{trial}"))
    own = [key for key in keys if key.startswith(f"{machine}/")]
    return next(iter([*own, *keys]), None)
