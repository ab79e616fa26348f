"""Results of several machines in one folder: what is the same, what is joined, what is kept as a further run."""

import contextlib
import errno
import filecmp
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.errors import StoreError
from ...core.files import PROCESS
from ...core.record import Record
from .claims import Claims
from .machine import describe, same_machine
from .runs import RUNS, ScoreDifferences, score_differences
from .store import NEEDED_BYTES, read, read_sweep
from .units import Left, Scanned, Unit, scan

LINKLESS = {
    getattr(errno, name) for name in ("EPERM", "ENOTSUP", "EOPNOTSUPP", "EMLINK", "ENOSYS") if hasattr(errno, name)
}
"""What the system says where a file system has no hard links."""


NO_RECORD = "its record is not beside it, and the trial has another run there"
"""Why files of a trial are left."""


@dataclass(frozen=True)
class Conflict:
    """Two units of one place that are not the same. run: where the second one is; compared: None but for records."""

    unit: Unit
    run: int
    text: str
    compared: ScoreDifferences | None = None


@dataclass(frozen=True)
class Copy:
    """A file to be joined."""

    source: Path
    target: Path


@dataclass
class Plan:
    """What joining one folder into another does.

    same: files that are there already. trials: records that are new there. conflicts: what is not the same in both,
    whether it is joined as a further run now or was before.
    """

    source: Path
    target: Path
    copies: list[Copy] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    made_anew: list[str] = field(default_factory=list)
    same: int = 0
    trials: int = 0

    @property
    def bytes(self) -> int:
        """Of all files to be joined."""
        return sum(copy.source.stat().st_size for copy in self.copies)


class Merge:
    """One folder of results as it will be. Plans are made one after the other, each upon those before.

    `known`: the units of the folder, with the files that earlier plans bring at the places where they are now.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.known: Scanned = scan(target) if target.is_dir() else Scanned({1: {}}, [], [])
        self.linked = {left.file for left in self.known.left}

    def plan(self, source: Path) -> Plan:
        """Decide what becomes of every file of a folder.

        Raises StoreError where a run is under way in one of both, and for a damaged record of the target.
        """
        for folder in (source, self.target):
            _refuse_running(folder)
        scanned, found = scan(source), Plan(source, self.target)
        found.left, found.made_anew = list(scanned.left), scanned.made_anew
        others = self._other_hardware(scanned)
        for machine, why in others.items():
            found.conflicts.append(Conflict(Unit("machine", machine, ""), 0, why))
        for _, units in sorted(scanned.runs.items()):
            for unit in (units[place] for place in sorted(units)):
                if unit.machine in others:
                    found.left += [Left(file, "of other hardware", lost=True) for file in unit.files.values()]
                elif (why := _unsound(unit, self.known.runs[1].get(unit.place))) != "":
                    found.left += [Left(file, why, lost=True) for file in unit.files.values()]
                else:
                    self._place(unit, found)
        return found

    def _place(self, unit: Unit, found: Plan) -> None:
        """Find the first run that a unit is part of, or the first number that is free."""
        first = self.known.runs[1].get(unit.place)
        number = 1
        while (there := self.known.runs.get(number, {}).get(unit.place)) is not None and not _fits(unit, there):
            if not unit.record and unit.kind == "trial":
                lost = any(not path.startswith("checkpoints/") for path in unit.files)
                found.left += [Left(file, NO_RECORD, lost) for file in _new(unit, there)]
                return
            number += 1
        if number > 1 and first is not None:
            text, compared = _compared(first, unit)
            found.conflicts.append(Conflict(unit, number, text, compared))
        folder = self.target if number == 1 else self.target / RUNS / str(number)
        taken = {} if there is None else there.files
        for path, file in sorted(unit.files.items(), key=lambda item: item[0].startswith("records/")):
            target = folder / path
            if path in taken and _equal(file, taken[path]):
                found.same += 1
            elif path in taken:
                found.left.append(Left(file, "another checkpoint of it is there"))
            elif target in self.linked or not _inside(target, self.target):
                found.left.append(Left(file, f"{target} is a symbolic link or behind one", lost=True))
            else:
                found.copies.append(Copy(file, target))
                found.trials += path == unit.record and number == 1
                self.known.add(number, Unit(unit.kind, unit.machine, unit.key), path, file)

    def _other_hardware(self, scanned: Scanned) -> dict[str, str]:
        """Machines whose folders hold records of one hardware here and of another there: why."""
        found: dict[str, str] = {}
        for machine in sorted({unit.machine for unit in scanned.runs[1].values() if unit.record}):
            here, there = (_hardware(units, machine) for units in (self.known.runs[1], scanned.runs[1]))
            if here and there and not (same_machine(here, there) or same_machine(there, here)):
                found[machine] = (
                    f"records of other hardware ({describe(there)}) than those of that name in {self.target} "
                    f"({describe(here)}); rename the folders {machine} of one of both"
                )
        return found

    def on_several_machines(self) -> dict[tuple[str, str], list[tuple[Record, Record]]]:
        """By two machines, the pairs of records of the trials that both have. Raises StoreError."""
        places: dict[str, list[Unit]] = {}
        for unit in self.known.runs[1].values():
            if unit.record:
                places.setdefault(unit.key, []).append(unit)
        found: dict[tuple[str, str], list[tuple[Record, Record]]] = {}
        for units in (sorted(units, key=lambda unit: unit.machine) for units in places.values() if len(units) > 1):
            first, *rest = units
            for other in rest:
                pair = read(first.files[first.record]), read(other.files[other.record])
                found.setdefault((first.machine, other.machine), []).append(pair)
        return dict(sorted(found.items()))


def join(plans: list[Plan]) -> None:
    """Copy what was planned; each file is there whole or not at all, and none that is there is touched.

    Raises StoreError before anything is written where the disk has too little room, and for a file that has come to be
    there meanwhile.
    """
    for plan in plans:
        plan.target.mkdir(parents=True, exist_ok=True)
    if plans:
        needed, free = sum(plan.bytes for plan in plans), shutil.disk_usage(plans[0].target).free
        if free < needed + NEEDED_BYTES:
            raise StoreError(
                f"{plans[0].target}: {free >> 20} MiB free, {needed + NEEDED_BYTES >> 20} needed; free some, or give "
                "another place with --out DIR"
            )
    for copy in (copy for plan in plans for copy in plan.copies):
        copied(copy.source, copy.target)


def copied(source: Path, target: Path) -> None:
    """Copy a file to a place where none is. Raises StoreError where there is one, OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{PROCESS}.part.{target.name}")
    try:
        with source.open("rb") as reader, aside.open("wb") as writer:
            shutil.copyfileobj(reader, writer, 2**20)
            writer.flush()
            os.fsync(writer.fileno())
        shutil.copystat(source, aside)
        _named(aside, target)
    except FileExistsError:
        raise StoreError(f"{target}: has come to be there meanwhile; the same command compares it") from None
    finally:
        aside.unlink(missing_ok=True)


def _named(aside: Path, target: Path) -> None:
    """Give a file its name, if nothing has it: by a hard link, which never replaces."""
    try:
        os.link(aside, target)
    except OSError as error:
        if error.errno not in LINKLESS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        aside.rename(target)


def _refuse_running(folder: Path) -> None:
    for claims in sorted([*folder.glob("claims/*/"), *folder.glob("tune/claims/*/")]):
        for claim in Claims(claims).all():
            if claim.alive:
                where = f"process {claim.process} on {claim.host}" if claim.host else "another process"
                raise StoreError(f"{folder}: a run is under way ({where}, {claim.key}); merge when it has ended")


def _fits(unit: Unit, there: Unit) -> bool:
    """Whether a unit is of the run that is there: what both have is the same, and one record is of both.

    Where a record comes to checkpoints without one, these need not be of the same training.
    """
    common = [path for path in unit.files if path in there.files]
    if unit.record and not there.record:
        common = [path for path in common if not path.startswith("checkpoints/")]
    if any(not _equal(unit.files[path], there.files[path]) for path in common):
        return False
    return unit.record == there.record or not there.record or len(common) == len(unit.files)


def _equal(first: Path, second: Path) -> bool:
    return first.stat().st_size == second.stat().st_size and filecmp.cmp(first, second, shallow=False)


def _new(unit: Unit, there: Unit) -> Iterator[Path]:
    """Its files that are not there in the same way."""
    for path, file in unit.files.items():
        if path not in there.files or not _equal(file, there.files[path]):
            yield file


def _unsound(unit: Unit, there: Unit | None) -> str:
    """Why a unit's record is none, or "" where it is one, there is none, or the same is there already."""
    if not unit.record:
        return ""
    file = unit.files[unit.record]
    if there is not None and there.record and _equal(file, there.files[unit.record]):
        return ""
    try:
        record = read(file)
    except StoreError as error:
        return f"its record cannot be read: {str(error).removeprefix(f'{file}: ')}"
    if unit.key != record.trial.id and not unit.key.startswith(f"{record.trial.id}-"):
        return f"its record is of the trial {record.trial.id}, which another file is named after"
    return ""


def _hardware(units: dict[tuple[str, str, str], Unit], machine: str) -> dict[str, Any]:
    """What a record of a machine's folder tells of its hardware, {} where none can be read."""
    for unit in (units[place] for place in sorted(units)):
        if unit.machine == machine and unit.record:
            with contextlib.suppress(StoreError):  # it is named when it is to be joined
                return read(unit.files[unit.record], rows=False).machine
    return {}


def _compared(first: Unit, second: Unit) -> tuple[str, ScoreDifferences | None]:
    """How two units of one place differ."""
    differ = [
        path for path in second.files if path in first.files and not _equal(first.files[path], second.files[path])
    ]
    if first.record and first.record in differ:
        found = score_differences(read(first.files[first.record]), read(second.files[first.record]))
        return found.text(), found
    if second.kind == "file" and second.key == "sweep.yaml":
        before, after = (read_sweep(unit.files["sweep.yaml"].parent) for unit in (first, second))
        keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        return f"not the same in {', '.join(keys) or 'its layout'}", None
    kinds = dict.fromkeys(path.split("/")[0] for path in differ)
    what = ", ".join(kinds) if second.kind == "trial" else f"{len(differ)} of its files"
    return f"the same record, other {what}" if first.record else f"not the same: {what or second.key}", None


def _inside(target: Path, folder: Path) -> bool:
    """Whether no symbolic link stands between a folder and a place below it."""
    return target.parent.resolve() == folder.resolve() / target.parent.relative_to(folder)
