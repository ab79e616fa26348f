"""What the files of a sweep's folder are: those that belong together, and those that are nobody's."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .runs import RUNS

ENDINGS = {
    "records": (".json",),
    "deployments": (".json",),
    "weights": (".keras",),
    "averages": (".npz",),
    "previews": (".npz",),
    "checkpoints": (".npz", ".in-parts.npz"),
}
"""Of the files that a trial has on a machine, `<kind>/<machine>/<trial id><ending>`."""

FOLDERS = ("probabilities",)
"""Kinds of which a trial has a folder of files."""

SINGLE = (("machines", "*", "*.json"), ("tune", "trials", "*", "*.json"), ("sweep.yaml",))
"""Files that stand for themselves: peaks of machines, trials of searches, the sweep."""

MADE_ANEW = {
    "report": "`unetbench report` makes it anew",
    "claims": "who runs what, there",
    "exports": "conversions are made anew",
    "planned.json": "`unetbench run` writes it anew",
}
"""What is never joined, and why it need not be."""

HALF_WRITTEN = re.compile(r"\..*\bpart\b.*")
"""Names of files that a process which died was writing."""

TRIAL = re.compile(r"[0-9a-f]{16}(-[a-z]+)?")
"""A trial's id, of a time when it did not name its backend with that."""

DEEPEST = 8
"""Folders one inside the other that are looked into; those of unetbench are fewer."""


@dataclass
class Unit:
    """Files that are of one run and never mixed with another's: relative path → file.

    kind: `trial`, `search` or `file`. machine, key: of a trial or a search; of a file, the key is its path.
    """

    kind: str
    machine: str
    key: str
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def record(self) -> str:
        """The relative path of its record, "" where it has none."""
        path = f"records/{self.machine}/{self.key}.json"
        return path if self.kind == "trial" and path in self.files else ""

    @property
    def name(self) -> str:
        """How messages name it."""
        return self.key if self.kind == "file" else f"{self.machine}/{self.key}"

    @property
    def place(self) -> tuple[str, str, str]:
        """What tells it from the others of a run."""
        return self.kind, self.machine, self.key


@dataclass(frozen=True)
class Left:
    """A file that is not joined, and why. lost: whether results are missing without it."""

    file: Path
    why: str
    lost: bool = False


@dataclass
class Scanned:
    """What a sweep's folder holds. runs: units by the number of the run, the first one 1. made_anew: names."""

    runs: dict[int, dict[tuple[str, str, str], Unit]]
    left: list[Left]
    made_anew: list[str]

    def add(self, number: int, unit: Unit, path: str, file: Path) -> None:
        """Add a file to the unit that it belongs to."""
        self.runs.setdefault(number, {}).setdefault(unit.place, unit).files[path] = file


def scan(folder: Path) -> Scanned:
    """Look at every file below a sweep's folder; symbolic links are named and not followed. Raises OSError."""
    found = Scanned({1: {}}, [], [])
    for path, file, why in _walk(folder, folder):
        parts = path.split("/")
        number = int(parts[1]) if parts[0] == RUNS and len(parts) > 2 and re.fullmatch("[1-9][0-9]*", parts[1]) else 1
        inner = parts[2:] if number > 1 else parts
        if inner[0] in MADE_ANEW:
            if inner[0] not in found.made_anew:
                found.made_anew.append(inner[0])
        elif why:
            found.left.append(Left(file, why, lost=True))
        elif HALF_WRITTEN.fullmatch(parts[-1]):
            found.left.append(Left(file, "half written by a process that ended"))
        elif (unit := _unit(inner)) is not None:
            found.add(number, unit, "/".join(inner), file)
        else:
            found.left.append(Left(file, "no file of unetbench's, as far as its name tells"))
    return found


def _unit(parts: list[str]) -> Unit | None:
    """The unit that a file belongs to, None for a foreign one."""
    searched = parts[:1] == ["tune"]
    kind, *rest = parts[1:] if searched else parts
    below = "tune/" if searched else ""
    if len(rest) == 2 and kind in ENDINGS and (not searched or kind == "checkpoints"):
        key = next((rest[1].removesuffix(end) for end in reversed(ENDINGS[kind]) if rest[1].endswith(end)), "")
        return Unit("trial", f"{below}{rest[0]}", key) if TRIAL.fullmatch(key) else None
    if len(rest) >= 3 and kind in FOLDERS and TRIAL.fullmatch(rest[1]):
        return Unit("trial", rest[0], rest[1])
    if searched and kind == "searches" and len(rest) == 3 and TRIAL.fullmatch(rest[1]) and rest[2].endswith(".json"):
        return Unit("search", rest[0], rest[1])
    path = Path("/".join(parts))
    if any(len(parts) == len(pattern) and path.match("/".join(pattern)) for pattern in SINGLE):
        return Unit("file", "", path.as_posix())
    return None


def _walk(root: Path, folder: Path) -> Iterator[tuple[str, Path, str]]:
    """Relative path, file, and why it cannot be taken, of everything below a folder but folders."""
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        file = Path(entry.path)
        path = file.relative_to(root).as_posix()
        if entry.is_symlink():
            yield path, file, "a symbolic link, which is not followed"
        elif entry.is_dir(follow_symlinks=False) and path.count("/") >= DEEPEST:
            yield path, file, "a folder deeper than any of unetbench's"
        elif entry.is_dir(follow_symlinks=False):
            yield from _walk(root, file)
        else:
            yield path, file, "" if entry.is_file(follow_symlinks=False) else "no plain file"
