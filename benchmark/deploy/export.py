"""An export folder: a network's file, how to run it, what is done to an image, and the proof that it is whole.

It runs without Keras and without unetbench. `model.json` says everything that `segment.py` needs; `sha256` in it holds
the digest of every other file.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import StoreError
from ...core.files import write
from ...core.json_text import read_json
from ...core.structure import COUNT, Kind, check
from ...core.task import Task
from ...datasets.prepare import Preprocess
from ...runtimes.file_runtime import FileRuntime
from .about import PLAIN_NAME, About

FORMAT = 1
"""Version of `model.json`."""

_DIGESTS = Kind(
    "a mapping of digests by names of files of the folder",
    lambda value: isinstance(value, dict) and all(PLAIN_NAME.holds(name) for name in value),
)

DESCRIPTION = ("rdf.yaml", "test-input.npy", "test-output.npy")
"""What a bioimage.io description adds to a folder."""

_OWN = (
    "model.json",
    "segment.py",
    "session.py",
    "selftest.npz",
    "README.md",
    "CITATION.cff",
    "requirements.txt",
    *DESCRIPTION,
)

EXAMPLE = Path(__file__).parent / "example" / "segment.py"


@dataclass(frozen=True)
class Plan:
    """What is exported, apart from the network's weights: all that was frozen with them.

    source, task: before and after preprocessing. reading, objects: how files are read, and how a mask becomes objects.
    window: edges of the images that the file takes. overlap: share of the window by which windows overlap. threshold,
    mirror: as the recipe and the selection have them. trial: whatever names where it came from. licence, citation: of
    the data set.
    """

    source: Task
    task: Task
    preprocess: Preprocess
    window: tuple[int, ...]
    overlap: float
    threshold: float
    mirror: bool
    mirrored_axes: bool
    reading: dict[str, Any] = field(default_factory=dict)
    objects: str = "components"
    trial: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    citation: str = ""

    def about(self) -> dict[str, Any]:
        """The fields of model.json that come from here."""
        told = {**asdict(self), "source": self.source.to_json(), "task": self.task.to_json()}
        fields = json.loads(json.dumps(told))
        return {**fields, "labels": self.labels()}

    def labels(self) -> dict[str, Any]:
        """What the values of a label image mean: value by class, in a plane a class where they are multi-label."""
        if self.task.kind == "exclusive":
            return {str(value): name for value, name in enumerate(self.task.classes)}
        if self.task.kind == "binary":
            return {"0": "background", "1": self.task.classes[0]}
        return {f"plane {plane}": name for plane, name in enumerate(self.task.classes)}


@dataclass(frozen=True)
class Export:
    """A folder that was exported, and what its model.json says."""

    folder: Path
    about: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "Export":
        """Read and check a folder. Raises StoreError for one that is none, of a later version or with changed files."""
        file = folder / "model.json"
        try:
            about = read_json(file)
            check(about, "model.json", {"format": COUNT, "sha256": _DIGESTS}, "format", "sha256")
            version, digests = about["format"], about["sha256"]
            if version > FORMAT:
                raise StoreError(f"{file}: format {version} is newer than {FORMAT}; update unetbench to read it")
            About.of(about)
            for name in sorted({about["file"], *(path.name for path in folder.glob("network.*"))}):
                if name not in digests:
                    raise ValueError(f"it has no digest of {name}")
        except (FileNotFoundError, NotADirectoryError):
            raise StoreError(f"{folder}: is no export folder, it has no model.json; make one with export") from None
        except (OSError, ValueError) as error:
            raise StoreError(f"{file}: cannot be read ({error}); export the folder again") from None
        for name, digest in digests.items():
            if not (folder / name).is_file():
                raise StoreError(f"{folder / name}: is not there; export the folder again")
            if sha256(folder / name) != digest:
                raise StoreError(f"{folder / name}: was changed since the export; export the folder again")
        return cls(folder, about)

    @property
    def file_bytes(self) -> int:
        """Size of the network's files."""
        return sum(file.stat().st_size for file in self.folder.glob("network.*"))


def begin(folder: Path, kind: FileRuntime) -> Path:
    """Lay out a folder but for the network's file, whose place is returned; it is an export when it is finished.

    Files of an export before are removed; what else lies there, as Python's cache or labels of a user, stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in own_files(folder):
        file.unlink()
    shutil.copyfile(EXAMPLE, folder / "segment.py")
    shutil.copyfile(kind.script, folder / "session.py")
    return folder / f"network{kind.suffix}"


def moved(made: Path, folder: Path) -> Export:
    """Move the files of an export that is finished into a folder, where they take the place of one before."""
    folder.mkdir(exist_ok=True)
    for file in own_files(folder):
        file.unlink()
    for file in sorted(own_files(made), key=lambda file: file.name == "model.json"):  # which makes it an export, last
        file.replace(folder / file.name)
    return Export.read(folder)


def own_files(folder: Path) -> list[Path]:
    """The files of a folder that an export writes, by name."""
    named = (folder / name for name in _OWN)
    return sorted(path for path in [*named, *folder.glob("network.*")] if path.is_file())


def finish(folder: Path, plan: Plan, runtime: str, kind: FileRuntime, further: Mapping[str, Any]) -> Export:
    """Write model.json, with the digests of all other files of the export. further: fields beside those of the plan."""
    kept = [path for path in own_files(folder) if path.name != "model.json"]
    about = {
        "format": FORMAT,
        "runtime": runtime,
        "session": kind.session,
        "file": f"network{kind.suffix}",
        "options": kind.options,
        "precision": kind.precision,
        **plan.about(),
        **further,
        "sha256": {path.name: sha256(path) for path in kept},
    }
    write(folder / "model.json", json.dumps(about, indent=1).encode())
    return Export(folder, about)


def put_plan(folder: Path, plan: Plan) -> None:
    """Write a model.json without a network, by which `segment.py` knows what to do around a Keras one."""
    write(folder / "model.json", json.dumps(plan.about()).encode())


def put_self_test(folder: Path, image: np.ndarray, probabilities: np.ndarray) -> None:
    """Keep an image as its file has it (*space, c) and what float64 makes of it, probabilities (*space, k) float32."""
    with (folder / "selftest.npz").open("wb") as stream:
        np.savez_compressed(stream, image=image, probabilities=probabilities.astype(np.float32))


def sha256(file: Path) -> str:
    """The digest of a file's content, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
