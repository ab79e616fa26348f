"""Records on disk: one JSON file a trial and machine, written aside and renamed, so that no reader sees half of one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ...core.errors import StoreError
from ...core.record import Record
from ...core.trial import Trial

SETTLED = ("done", "unfit")
"""Status of the trials that a second run does not repeat; failed and timed out ones are tried again."""


NEEDED_BYTES = 100 * 2**20
"""Free disk under which no sweep is begun."""


class Store:
    """The folder `results/<sweep>` as seen from one machine."""

    def __init__(self, results: Path, sweep: str, machine: str) -> None:
        self.results, self.folder, self.machine = results, results / sweep, machine
        self.records = self.folder / "records" / machine

    @cached_property
    def _elsewhere(self) -> dict[str, Path]:
        """Files of this machine's records in the sweeps beside this one, by name, as they stood at the first look."""
        return {file.name: file for file in self.results.glob(f"*/records/{self.machine}/*.json")}

    def check(self) -> None:
        """Raise StoreError when the folder cannot be made or the disk is nearly full, before any training."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise StoreError(f"{self.folder}: {error.strerror}; give another place with --results DIR") from None
        if free < NEEDED_BYTES:
            needed = f"{free >> 20} MiB free, {NEEDED_BYTES >> 20} needed"
            raise StoreError(f"{self.folder}: {needed}; free some or give --results DIR")

    def find(self, trial: Trial) -> Record | None:
        """Return this machine's record of the trial, from this sweep or from any other one beside it, or None."""
        own = self.records / f"{trial.id}.json"
        if own.exists():
            return read(own)
        other = self._elsewhere.get(own.name)
        return read(other) if other else None

    def is_complete(self, trial: Trial) -> bool:
        """Whether the trial needs no run."""
        record = self.find(trial)
        return record is not None and record.status in SETTLED

    def copy_from_other_sweep(self, trial: Trial) -> None:
        """Copy the record of a settled trial into this sweep when it was made for another one."""
        record = self.find(trial)
        if record is not None and not (self.records / f"{trial.id}.json").exists():
            self.put(record)

    def put(self, record: Record) -> Path:
        """Write a record. Raises StoreError naming a copy kept elsewhere when the folder cannot be written."""
        file = self.records / f"{record.trial.id}.json"
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
        file.parent.mkdir(parents=True, exist_ok=True)
        spare = file.with_suffix(".part.npz")
        np.savez_compressed(spare, **arrays)  # pyright: ignore[reportArgumentType]  # keywords are arrays here
        spare.replace(file)

    def put_sweep(self, resolved: dict[str, object]) -> None:
        """Write the sweep as it was run, for the report to read."""
        write(self.folder / "sweep.yaml", yaml.safe_dump(resolved, sort_keys=False).encode())

    def path(self, kind: str, trial: Trial, suffix: str) -> Path:
        """Return where weights, checkpoints or logs of a trial stand; the folder is made."""
        folder = self.folder / kind / self.machine
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{trial.id}{suffix}"


def read(file: Path) -> Record:
    """Read one record. Raises StoreError naming the file."""
    try:
        return Record.from_json(file.read_text("utf-8"), str(file))
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from None


def read_sweep(folder: Path) -> dict[str, Any]:
    """Read the sweep as it was run, {} where the folder has none. Raises StoreError naming the file."""
    file = folder / "sweep.yaml"
    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StoreError(f"{file}: cannot be read: {' '.join(str(error).split())}") from None
    return content if isinstance(content, dict) else {}


def records(folder: Path) -> Iterator[Record]:
    """Every record below a sweep's folder, by machine and id."""
    for file in sorted(folder.glob("records/*/*.json")):
        yield read(file)


def write(file: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, after a power cut too. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
