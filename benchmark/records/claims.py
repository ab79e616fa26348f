"""Who runs which trial, for several drivers on one results folder: files that are made by one and kept fresh by it."""

import contextlib
import json
import os
import platform
import re
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...core.errors import StoreError
from ...core.files import write
from ...core.json_text import read_json
from ...core.structure import COUNT, TEXT, check
from .store import Store

BEAT_S = 20.0
"""Seconds between two signs of life of a driver."""

STALE_S = 180.0
"""Without one for so long a driver is taken for dead; network file systems show a new time up to a minute late."""

_NUMBER = re.compile(r"\.[0-9]{1,9}")
"""The suffix of a claim."""

JOB = ("SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID")


@dataclass(frozen=True)
class Claim:
    """A trial that a driver has taken. host, process, job: who; since: when, ISO; quiet_s: since its last sign of life.

    alive: whether the driver is thought to be at work. progress: what it last told of the trial.
    """

    key: str
    host: str
    process: int
    job: str
    since: str
    quiet_s: float
    alive: bool
    progress: str = ""


class Claims:
    """The claims below a folder, as one driver makes them.

    A claim is a file `<key>.<number>` with what its driver is; the highest number counts. It is made under a name that
    must not be there before, which file systems do for one only, and touched every BEAT_S seconds. Where the driver of
    the highest one gave no sign of life for `stale_s` by the clock of the file system, or is known to be dead because
    it ran on this host, the next number can be taken: nothing is ever removed that might be another's. Who has a claim
    looks for the record once more before the trial is run, for it may have been written in between.

    Usable in a `with` statement, which ends with every claim of its own dropped. Raises StoreError where the folder
    cannot be written.
    """

    def __init__(self, folder: Path, *, stale_s: float = STALE_S, beat_s: float = BEAT_S) -> None:
        self.folder, self.stale_s, self.beat_s = folder, stale_s, beat_s
        self.token, self.me = uuid.uuid4().hex, _myself()
        self.held: dict[str, Path] = {}
        self.told: dict[str, str] = {}
        self._ended, self._lock, self._beating = threading.Event(), threading.Lock(), None

    @classmethod
    def of(cls, store: Store) -> "Claims":
        """Return the claims on the trials of a sweep, on machines like this one."""
        return cls(store.folder / "claims" / store.machine)

    def __enter__(self) -> "Claims":
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._beating is not None:
            self._beating.join()
        for key in list(self.held):
            self.drop(key)

    def take(self, key: str) -> bool:
        """Claim a trial; False where another driver has it."""
        last = self._last(key)
        if last is not None and self._is_mine(last[1]):
            self._hold(key, last[1])
            return True
        before = None if last is None else self._read(key, last[1])
        if last is not None and (before is None or before.alive):  # at work, or just dropped
            return False
        file = self.folder / f"{key}.{0 if last is None else last[0] + 1}"
        if not self._made(file):
            return False
        self._hold(key, file)
        lower = [other for number, other in self._files(key) if number < int(file.suffix[1:])]
        if any((claim := self._read(key, other)) is not None and claim.alive for other in lower):
            self.drop(key)  # its driver came back, or somebody began at 0 meanwhile
            return False
        return True

    def holds(self, key: str) -> bool:
        """Whether a claim of ours still counts; another takes a trial over when we gave no sign of life."""
        last = self._last(key)
        return last is not None and self._is_mine(last[1])

    def inherited(self, key: str) -> bool:
        """Whether a claim of ours followed that of a driver that died."""
        return key in self.held and self.held[key].suffix != ".0"

    def tell(self, key: str, progress: str) -> None:
        """Let the next sign of life say how far a trial is."""
        self.told[key] = progress

    def drop(self, key: str) -> None:
        """Give a trial back, or up as done; claims of the dead that were taken over go as well."""
        with self._lock:
            mine = self.held.pop(key, None)
            self.told.pop(key, None)
        if mine is None:
            return
        for number, file in self._files(key):
            below = number < int(mine.suffix[1:]) and (claim := self._read(key, file)) is not None and not claim.alive
            if below or (file == mine and self._is_mine(file)):
                file.unlink(missing_ok=True)

    def all(self) -> list[Claim]:
        """Every claim that counts, by key."""
        return list(self._claims(self._lasts()).values())

    def others(self) -> dict[str, Claim]:
        """The claims of drivers at work that are not this one, by key, from one look at the folder."""
        found = self._claims({key: file for key, file in self._lasts().items() if not self._is_mine(file)})
        return {key: claim for key, claim in found.items() if claim.alive}

    def _claims(self, files: Mapping[str, Path]) -> dict[str, Claim]:
        now = self._now() if files else 0.0
        found = {key: self._read(key, files[key], now) for key in sorted(files)}
        return {key: claim for key, claim in found.items() if claim is not None}

    def _lasts(self) -> dict[str, Path]:
        """The files that count, by key."""
        found: dict[str, tuple[int, Path]] = {}
        for file in self.folder.glob("[!.]*.*"):
            if _NUMBER.fullmatch(file.suffix):
                found[file.stem] = max(found.get(file.stem, (-1, file)), (int(file.suffix[1:]), file))
        return {key: file for key, (_, file) in found.items()}

    def _files(self, key: str) -> Iterator[tuple[int, Path]]:
        for file in self.folder.glob(f"{key}.*"):
            if _NUMBER.fullmatch(file.suffix):
                yield int(file.suffix[1:]), file

    def _last(self, key: str) -> tuple[int, Path] | None:
        return max(self._files(key), default=None)

    def _hold(self, key: str, file: Path) -> None:
        with self._lock:
            self.held[key] = file
        if self._beating is None:
            self._beating = threading.Thread(target=self._beat, name="claims", daemon=True)
            self._beating.start()

    def _made(self, file: Path) -> bool:
        """Make a claim's file whole at once under a name that nobody has; False where somebody has it."""
        content = json.dumps({**self.me, "token": self.token, "since": datetime.now(UTC).isoformat("T", "seconds")})
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            aside = self.folder / f".{self.token}.{file.name}"
            aside.write_text(content, "utf-8")
            try:
                os.link(aside, file)
            except FileExistsError:
                return aside.stat().st_nlink > 1  # NFS asks twice where the answer got lost, and may have done it
            except OSError:  # a file system without links: those that look meanwhile see a claim that says nothing
                with file.open("x", encoding="utf-8") as stream:
                    stream.write(content)
            finally:
                aside.unlink(missing_ok=True)
        except FileExistsError:
            return False
        except OSError as error:
            raise StoreError(f"{self.folder}: {error.strerror}; trials cannot be claimed there") from None
        return True

    def _is_mine(self, file: Path) -> bool:
        return _content(file).get("token") == self.token

    def _read(self, key: str, file: Path, now: float | None = None) -> Claim | None:
        """What a claim says, None where it was dropped meanwhile. now: by the clock of the file system."""
        content = _content(file)
        try:
            quiet = max(0.0, (self._now() if now is None else now) - file.stat().st_mtime)
        except FileNotFoundError:
            return None
        alive = quiet < self.stale_s and not _is_dead(content, self.me)
        host, process, job, since, progress = (content.get(name, empty) for name, empty in _SHOWN.items())
        return Claim(key, host, process, job, since, quiet, alive, progress)

    def _now(self) -> float:
        """The time by the clock of the file system, which need not be ours."""
        probe = self.folder / f".{self.token}.clock"
        try:
            probe.touch()
            now = probe.stat().st_mtime
            probe.unlink()
        except OSError:  # who may only look has no other clock than ours
            return time.time()
        return now

    def _beat(self) -> None:
        while not self._ended.wait(self.beat_s):
            with self._lock:  # what is dropped meanwhile must not be written again
                for key, file in self.held.items():
                    with contextlib.suppress(OSError):  # the file system is away, or the trial was taken over
                        self._give_sign(key, file)

    def _give_sign(self, key: str, file: Path) -> None:
        content = _content(file)
        if content.get("token") != self.token:  # taken over, and its name perhaps another's by now
            return
        progress = self.told.pop(key, "")
        if progress:
            write(file, json.dumps({**content, "progress": progress}).encode())
        else:
            os.utime(file)


_SHOWN: dict[str, Any] = {"host": "", "process": 0, "job": "", "since": "", "progress": ""}
_KINDS = {**dict.fromkeys(("host", "world", "begun", "job", "since", "progress", "token"), TEXT), "process": COUNT}


def _content(file: Path) -> dict[str, Any]:
    """What a claim says; nothing where it was dropped, is damaged or, without links, is being written."""
    try:
        found = read_json(file)
        check(found, "claim", _KINDS)
    except (OSError, ValueError):
        return {}
    return found


def _myself() -> dict[str, Any]:
    """What tells this process from every other one, and a person where it is."""
    numbers = [os.environ[name] for name in JOB if os.environ.get(name)]
    return {
        "host": platform.node(),
        "world": _world(),
        "process": os.getpid(),
        "begun": _begun(os.getpid()),
        "job": "_".join(dict.fromkeys(numbers[:2])) if numbers else "",
    }


def _world() -> str:
    """The boot, namespace and user for which process numbers mean something, "" where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()} {os.getuid()}"
    except OSError:
        return ""


def _begun(process: int) -> str:
    """When a process of this user began, in ticks since the boot, which no clock that is set changes; "" if it ended.

    Also of one whose parent has not asked for its end yet. Where there is no /proc: "" for all.
    """
    try:
        fields = Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def _is_dead(content: Mapping[str, Any], me: Mapping[str, Any]) -> bool:
    """Whether the driver of a claim is certain to have ended: it ran where we run, and its process is no more."""
    if not {"process", "begun"} <= content.keys() or not me["world"]:
        return False
    if any(content.get(name) != me[name] for name in ("host", "world")):
        return False
    return _begun(content["process"]) != content["begun"]
