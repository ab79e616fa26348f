"""Records on disk: one JSON file a trial and machine, written aside and renamed, so that no reader sees half of one."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ...core.errors import DamagedRecord, StoreError
from ...core.files import write, written_aside
from ...core.record import Record
from ...core.trial import Trial
from ...core.yaml_text import parsed_yaml
from .machine import describe, first_name, machine, name_of, names_itself, same_machine

SETTLED = ("done", "unfit")
"""Status of the trials that a second run does not repeat; failed and timed out ones are tried again."""


WHOLE, IN_PARTS = ".npz", ".in-parts.npz"
"""How a trial's checkpoint ends: of the training that its recipe asks for, and of one in micro-batches after that."""

NEEDED_BYTES = 100 * 2**20
"""Free disk under which no sweep is begun."""


class Store:
    """The folder `results/<sweep>` as seen from one machine.

    machine: name of the folders that are written. hardware: what `records.machine` tells of it; a record of other
    hardware is never taken for one of this machine. Records before schema 3, which knew model and cores only, are in
    a folder of that shorter name; they are read where they are when nothing in them speaks against this machine.
    """

    def __init__(self, results: Path, sweep: str, machine: str, hardware: Mapping[str, Any] | None = None) -> None:
        self.results, self.folder, self.machine, self.hardware = results, results / sweep, machine, hardware or {}
        self.records = self.folder / "records" / machine
        itself = names_itself(self.hardware, machine)
        self.names = (machine, first_name(self.hardware)) if itself else (machine,)
        self._half_written: dict[str, list[Path]] | None = None

    @classmethod
    def here(cls, results: Path, sweep: str) -> "Store":
        """Return the store as seen from the machine that this runs on."""
        return cls(results, sweep, machine()["name"], machine())

    @cached_property
    def _elsewhere(self) -> dict[str, list[Path]]:
        """Folders of this machine's names in the sweeps beside this one, by the names of the files that they hold.

        As they stood at the first look.
        """
        found: dict[str, list[Path]] = {}
        for name in self.names:
            for folder in sorted(self.results.glob(f"*/records/{name}")):
                for file in _files(folder) if folder.parents[1] != self.folder else ():
                    found.setdefault(file, []).append(folder)
        return found

    def check(self) -> list[str]:
        """Raise StoreError when the folder cannot be made, the disk is nearly full or the records are another's.

        Records that are damaged are set aside, so that their trials are run again; a line about each is returned.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise StoreError(f"{self.folder}: {error.strerror}; give another place with --results DIR") from None
        if free < NEEDED_BYTES:
            needed = f"{free >> 20} MiB free, {NEEDED_BYTES >> 20} needed"
            raise StoreError(f"{self.folder}: {needed}; free some or give --results DIR")
        damaged: list[str] = []
        for file in sorted(self.records.glob("*.json")):
            try:
                self._refuse_other_hardware(read(file, rows=False), file)
            except DamagedRecord:
                aside = file.with_suffix(".damaged")
                file.replace(aside)
                damaged.append(f"{file}: not a record; it is {aside.name} now, and its trial is run again")
        return damaged

    def is_own(self, record: Record) -> bool:
        """Whether the record was made on this machine, as far as it tells."""
        return not self.hardware or same_machine(record.machine, self.hardware)

    def find(self, trial: Trial) -> Record | None:
        """Return this machine's record of the trial, from this sweep or from any other one beside it, or None.

        Raises StoreError when other hardware of the same name has made the one that would be written here.
        """
        return self.record_of(trial.id)

    def record_of(self, key: str, *, rows: bool = True) -> Record | None:
        """What `find` returns for the trial of that id. rows: False leaves history and scores out."""
        found = self._find(key, rows=rows)
        return found[1] if found is not None else None

    def own_ids(self) -> set[str]:
        """Ids of the trials of which this sweep has a file in a folder of this machine's names, from one look."""
        files = (file for name in self.names for file in _files(self.folder / "records" / name))
        return {file.removesuffix(".json") for file in files}

    def own_records(self) -> Iterator[tuple[Path, Record]]:
        """Every record of this machine in this sweep with its file, without history and scores."""
        for folder in (self.folder / "records" / name for name in self.names):
            for file in (folder / name for name in sorted(_files(folder))):
                with contextlib.suppress(FileNotFoundError):  # another driver has removed it
                    record = Record.from_json(_text(file), str(file), rows=False)
                    if self.is_own(record):
                        yield file, record

    def found(self, trials: Iterable[Trial], *, rows: bool = True) -> dict[str, Record]:
        """The records of the trials that this machine has made, by id; see `find`. rows: as `record_of` has it."""
        here, beside = self.own_ids(), self._elsewhere
        there = (trial.id for trial in trials if trial.id in here or f"{trial.id}.json" in beside)
        found = {key: self.record_of(key, rows=rows) for key in there}
        return {key: record for key, record in found.items() if record is not None}

    def settled(self, trials: Iterable[Trial], *, rows: bool = True) -> dict[str, Record]:
        """The records of the trials that need no run, by id. rows: as `record_of` has it."""
        return {key: record for key, record in self.found(trials, rows=rows).items() if record.status in SETTLED}

    def tidy(self, record: Record) -> None:
        """Remove the checkpoint of a settled trial, and what killed processes have left half written of any trial."""
        if self._half_written is None:
            self._half_written = {}
            for kind in ("checkpoints", "weights", "averages", "previews"):
                folder = self.folder / kind / self.machine
                for name in (name for name in _files(folder, "") if name.startswith(".") and ".part." in name):
                    key = name.partition(".part.")[2].partition(".")[0]
                    self._half_written.setdefault(key, []).append(folder / name)
        for file in self._half_written.pop(record.trial.id, ()):
            file.unlink(missing_ok=True)
        if record.status in SETTLED:
            for end in (WHOLE, IN_PARTS):
                (self.folder / "checkpoints" / self.machine / f"{record.trial.id}{end}").unlink(missing_ok=True)

    def suspect(self) -> None:
        """A process was killed: the next `tidy` looks anew for what is half written, instead of remembering."""
        self._half_written = None

    def copy_from_other_sweeps(self, trials: Iterable[Trial]) -> None:
        """Copy the records of settled trials into this sweep that were made for another one."""
        here, beside = self.own_ids(), self._elsewhere
        for trial in trials:
            if trial.id in here and f"{trial.id}.json" not in beside:
                continue
            found = self._find(trial.id)
            if found is not None and self.folder not in found[0].parents:
                # Under the name it was made with, so that no older record seems to know its hardware.
                self._put(found[1], self.folder / "records" / found[0].parent.name / found[0].name)

    def put(self, record: Record) -> Path:
        """Write a record in place of this machine's former one of the trial.

        Raises StoreError naming a copy kept elsewhere when the folder cannot be written.
        """
        file = self.records / f"{record.trial.id}.json"
        there = _sound(file)
        if there is not None and (other := there.ran.backend) != record.ran.backend:
            file.rename(file.with_stem(f"{file.stem}-{other}"))  # of a time when a trial did not name its backend
        self._put(record, file)
        for former in (self.folder / "records" / name / file.name for name in self.names[1:]):
            if (found := _sound(former)) is not None and self.is_own(found):
                former.unlink()
        return file

    def _put(self, record: Record, file: Path) -> Path:
        text = record.to_json().encode()
        try:
            write(file, text)
        except OSError as error:
            spare = Path(tempfile.gettempdir()) / "unetbench-rescued" / self.machine / file.name
            try:
                write(spare, text)
            except OSError:
                raise StoreError(f"{file}: {error.strerror}; nor can {spare} be written; free some space") from None
            raise StoreError(f"{file}: {error.strerror}; kept as {spare}: free some space and move it there") from None
        return file

    def put_previews(self, trial: Trial, arrays: dict[str, np.ndarray]) -> None:
        """Write the pictures that the report shows: see `benchmark.preview`."""
        file = self.folder / "previews" / self.machine / f"{trial.id}.npz"
        with written_aside(file) as aside:
            np.savez_compressed(aside, **arrays)  # pyright: ignore[reportArgumentType]  # keywords are arrays here

    def put_sweep(self, resolved: dict[str, object]) -> None:
        """Write the sweep as it was run, for the report to read."""
        write(self.folder / "sweep.yaml", yaml.safe_dump(resolved, sort_keys=False).encode())

    def path(self, kind: str, trial: Trial, suffix: str) -> Path:
        """Return where weights, checkpoints or logs of a trial stand; the folder is made."""
        folder = self.folder / kind / self.machine
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{trial.id}{suffix}"

    def kept(self, kind: str, trial: Trial, suffix: str) -> bool:
        """Whether this machine's file of a kind is there for a trial, in this sweep."""
        return any((self.folder / kind / name / f"{trial.id}{suffix}").is_file() for name in self.names)

    def weights_of(self, key: str) -> Path | None:
        """The file of the selected weights of the trial of that id, from this sweep before those beside it."""
        return self._file_of("weights", f"{key}.keras")

    def averages_of(self, key: str) -> Path | None:
        """The file of the averages that the training of the trial of that id kept, likewise."""
        return self._file_of("averages", f"{key}.npz")

    def _file_of(self, kind: str, file: str) -> Path | None:
        folders = [self.folder, *sorted(self.results.glob("*/"))]
        files = (folder / kind / name / file for folder in folders for name in self.names)
        return next((file for file in files if file.is_file()), None)

    def _find(self, key: str, *, rows: bool = True) -> tuple[Path, Record] | None:
        """The file and the record of this machine: here before elsewhere, a settled one before any other."""
        name, first = f"{key}.json", None
        here = [self.folder / "records" / machine for machine in self.names]
        for file in (folder / name for folder in (*here, *self._elsewhere.get(name, ()))):
            if not file.exists():
                continue
            record = read(file, rows=rows)
            if file.parent == here[0]:
                self._refuse_other_hardware(record, file)
            if self.is_own(record) and record.ran.backend == record.trial.backend:
                if record.status in SETTLED:
                    return file, record
                first = first or (file, record)
        return first

    def _refuse_other_hardware(self, record: Record, file: Path) -> None:
        if not self.is_own(record):
            raise StoreError(
                f"{file.parent}: holds records of other hardware ({describe(record.machine)}) than this "
                f"({describe(self.hardware)}); set UNETBENCH_MACHINE to another name, or unset it for the name "
                f"{name_of(self.hardware)}"
            )


def read(file: Path, *, rows: bool = True) -> Record:
    """Read one record; rows: False leaves history and scores out. Raises StoreError naming the file, see `Record`."""
    try:
        return Record.from_json(_text(file), str(file), rows=rows)
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from None


def _sound(file: Path) -> Record | None:
    """The record of a file without history and scores, None where there is none or it is damaged."""
    try:
        return read(file, rows=False) if file.exists() else None
    except DamagedRecord:
        return None


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise DamagedRecord(
            f"{file}: not a record, it is no text; delete the file to have the trial run again"
        ) from None


def read_sweep(folder: Path) -> dict[str, Any]:
    """Read the sweep as it was run, {} where the folder has none. Raises StoreError naming the file."""
    file = folder / "sweep.yaml"
    try:
        content = parsed_yaml(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StoreError(f"{file}: cannot be read: {' '.join(str(error).split())}") from None
    return content if isinstance(content, dict) else {}


def records(folder: Path) -> Iterator[Record]:
    """Every record below a sweep's folder, by machine and id."""
    for file in sorted(folder.glob("records/*/*.json")):
        yield read(file)


def _files(folder: Path, suffix: str = ".json") -> list[str]:
    """Names of the files in a folder, which need not be there; without a look at each."""
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.name.endswith(suffix)]
    except FileNotFoundError:
        return []
