"""Cases on disk as training holds them: a file each, mapped into memory while it is looked at.

A file is 16 bytes (a mark, the CRC-32 of all that follows, the length of the head), the head in JSON, the image and the
truth, each from a multiple of 64 bytes on. It is written aside and renamed, so that a writer may be killed and several
may write the same case; one that is cut short or damaged is written anew.
"""

import contextlib
import hashlib
import json
import os
import secrets
import struct
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, overload

import numpy as np

from ..core.json_text import parsed
from ..core.trial import canonical
from .case import Case, Dataset
from .digests import FileDigests
from .held import Held, Outline
from .mapped_file import as_bytes, mapped, not_written, padding, view, write_all
from .modalities import ChannelsOf
from .object_labels import ObjectLabels
from .scaling import ScaledImage, Scaling

MARK = b"ubcase1\n"

LEFT_BEHIND_S = 3600.0
"""Age from which a file that is not renamed yet is what a killed writer left; writing a case takes no hour."""

DECODERS = (
    "numpy", "scipy", "scikit-image", "opencv-python-headless", "tifffile", "imagecodecs", "nibabel", "pillow",
    "pynrrd", "SimpleITK", "pydicom", "zarr", "numcodecs",
)  # fmt: skip
"""Packages whose version may change how a file is read."""

_HEAD = struct.Struct("<8sII")
_BLOCK = 2**20


class Damaged(Exception):
    """A file of the cache that is not whole."""


@dataclass(frozen=True)
class CaseKeys:
    """Names the files of a data set's cases by all that their content depends on.

    That is: the options of the data set and its preprocessing, the code that reads it (this package's and its
    libraries'), and of a case its name, the contents of its files and how they are read. A case that is not read from
    files is known by its name and the options.
    """

    dataset: Dataset
    options: dict[str, Any]
    source: str = ""

    @property
    def folder(self) -> str:
        """A name for the folder of the data set: its own, and a digest of what all its cases depend on."""
        told = canonical([self.dataset.name, self.options, asdict(self.dataset.task), self.source, _code()])
        plain = "".join(letter if letter.isalnum() else "-" for letter in self.dataset.name)[:40]
        return f"{plain}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"

    def of(self, cases: Sequence[Case], digests: FileDigests) -> list[str]:
        """A name for the file of each case: two letters, a slash, 22 more."""
        contents = digests.of([file for case in cases for file in case.files])
        told = ((case.name, [contents[file] for file in case.files], reading_text(case.read)) for case in cases)
        names = [hashlib.sha256(repr(each).encode()).hexdigest()[:24] for each in told]
        return [f"{name[:2]}/{name[2:]}" for name in names]


class CasesOnDisk(Sequence[Held]):
    """The cases of a role, each read from its file when it is asked for.

    folder, names: where they lie, from `CaseKeys`. hold: reads a case as training holds it and counts its labels in
    what it is given. What is not there, or not whole, is written first, one case after the other. objects: the labels
    of all cases, as if they had been read one after the other. Raises DataError naming a case, or the folder when it
    cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        cases: Sequence[Case],
        names: Sequence[str],
        hold: Callable[[Case, ObjectLabels], Held],
        on_case: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._folder, self._cases, self._hold = folder, cases, hold
        self._files = [folder / name for name in names]
        self._aside = folder / "aside"
        self.objects = ObjectLabels()
        _sweep_up(self._aside)
        self._heads: list[_Head] = []
        for index in range(len(cases)):
            self._heads.append(self._found_or_written(index))
            self.objects.merge(ObjectLabels(**self._heads[index].objects))
            on_case(index + 1)
        with contextlib.suppress(OSError):  # told by `unetbench cache` as the time of the last use
            os.utime(folder)

    def __len__(self) -> int:
        return len(self._cases)

    @overload
    def __getitem__(self, index: int) -> Held: ...
    @overload
    def __getitem__(self, index: slice) -> list[Held]: ...
    def __getitem__(self, index: int | slice) -> Held | list[Held]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        try:
            return self._heads[index].held(self._files[index])
        except (OSError, Damaged):  # somebody cleared the cache, or the disk has a fault
            self._heads[index] = self._written(index)
            return self._heads[index].held(self._files[index])

    def _found_or_written(self, index: int) -> "_Head":
        try:
            return _checked(self._files[index])
        except (OSError, Damaged):
            return self._written(index)

    def _written(self, index: int) -> "_Head":
        file, objects = self._files[index], ObjectLabels()
        held = self._hold(self._cases[index], objects)
        aside = self._aside / f"{file.parent.name}{file.name}.{secrets.token_hex(4)}"
        try:
            for folder in (file.parent, self._aside):
                folder.mkdir(parents=True, exist_ok=True)
            _write(aside, held, objects, self._cases[index].name)
            aside.replace(file)
            return _checked(file)
        except OSError as error:
            with contextlib.suppress(OSError):
                aside.unlink()
            raise not_written(self._folder, error, f" after {index} of {len(self)} cases") from None


@dataclass(frozen=True, slots=True)
class _Head:
    """size: bytes of the file. start: of the image in it. The other facts are those of `Held`."""

    size: int
    start: int
    image: tuple[np.dtype, tuple[int, ...]]
    truth: tuple[np.dtype, tuple[int, ...]]
    scaling: Scaling | None
    original: Outline
    content: tuple[int, ...]
    planes: int
    objects: dict[str, Any]

    @classmethod
    def of(cls, told: dict[str, Any], start: int, size: int) -> "_Head":
        spacing, scaling = told["spacing_mm"], told["scaling"]
        image, truth = ((np.dtype(kind), tuple(shape)) for kind, shape in (told["image"], told["truth"]))
        if image[0].kind not in "buif" or truth[0].kind not in "bui":
            raise ValueError("these are no pixels")
        return cls(
            size,
            start,
            image,
            truth,
            None if scaling is None else Scaling(scaling[0], _decoded(scaling[1]), _decoded(scaling[2])),
            Outline(tuple(told["space"]), None if spacing is None else tuple(spacing)),
            tuple(told["content"]),
            int(told["planes"]),
            told["objects"],
        )

    def held(self, file: Path) -> Held:
        """Map the file. Raises OSError, and Damaged when its size has changed."""
        with file.open("rb", buffering=0) as stream:
            if os.fstat(stream.fileno()).st_size != self.size:
                raise Damaged
            content = mapped(stream)
        image = view(content, self.start, *self.image)
        truth = view(content, _after(self.start + image.nbytes), *self.truth)
        shown = image if self.scaling is None else ScaledImage(image, self.scaling)
        return Held(shown, truth, self.original, self.content, self.planes)


def _write(file: Path, held: Held, objects: ObjectLabels, name: str) -> None:
    image, scaling = (
        (held.image.stored, held.image.scaling) if isinstance(held.image, ScaledImage) else (held.image, None)
    )
    spacing = held.original.spacing_mm
    told = {
        "case": name,
        "image": (image.dtype.str, image.shape),
        "truth": (held.truth.dtype.str, held.truth.shape),
        "scaling": scaling and (scaling.channels, _encoded(scaling.offset), _encoded(scaling.factor)),
        "space": held.original.space,
        "spacing_mm": None if spacing is None else [float(edge) for edge in spacing],
        "content": held.content,
        "planes": held.planes,
        "objects": asdict(objects),
    }
    head = json.dumps(told).encode()
    gaps = [padding(_HEAD.size + len(head)), padding(image.nbytes)]
    parts = [head, gaps[0], as_bytes(image).data, gaps[1], as_bytes(held.truth).data]
    check = 0
    for part in parts:
        check = zlib.crc32(part, check)
    with file.open("wb", buffering=0) as stream:
        stream.write(_HEAD.pack(MARK, check, len(head)))
        for part in parts:
            write_all(stream, part)


def _checked(file: Path) -> _Head:
    """Read a file once to its end. Raises OSError, and Damaged when it is not as it was written."""
    with file.open("rb", buffering=0) as stream:
        first = stream.read(_HEAD.size)
        if len(first) < _HEAD.size or not first.startswith(MARK):
            raise Damaged
        _, check, length = _HEAD.unpack(first)
        head = stream.read(length)
        found = zlib.crc32(head)
        while part := stream.read(_BLOCK):
            found = zlib.crc32(part, found)
        if found != check:
            raise Damaged
        try:
            return _Head.of(parsed(head.decode()), _after(_HEAD.size + length), stream.tell())
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            raise Damaged from None


def _after(position: int) -> int:
    return position + len(padding(position))


def _encoded(array: np.ndarray | None) -> tuple[str, list[float]] | None:
    return None if array is None else (array.dtype.str, array.tolist())


def _decoded(told: tuple[str, list[float]] | None) -> np.ndarray | None:
    return None if told is None else np.array(told[1], told[0])


def _sweep_up(aside: Path) -> None:
    """Remove what killed writers left."""
    with contextlib.suppress(OSError):  # another process does the same
        for file in aside.iterdir():
            if time.time() - file.stat().st_mtime > LEFT_BEHIND_S:
                file.unlink(missing_ok=True)


def reading_text(read: Callable[..., Any]) -> str:
    """What a case's reader was given, as text; "" where it does not tell."""
    if isinstance(read, partial):
        return repr((read.args, read.keywords))
    if isinstance(read, ChannelsOf):  # whose own text would name a place in memory
        return f"{read.channels} of {read.total}: {reading_text(read.read)}"
    return repr(read) if is_dataclass(read) else ""


@cache
def _code() -> str:
    """Digest of this package's source and of the versions of what decodes files for it."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    for package in DECODERS:
        with contextlib.suppress(PackageNotFoundError):
            digest.update(f"{package} {version(package)}\n".encode())
    return digest.hexdigest()
