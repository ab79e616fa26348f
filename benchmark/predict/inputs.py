"""Which images a command line names, and what their outputs are called."""

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ...core.errors import DataError, SpecError
from ...datasets.readers import FOLDER, hidden, kind_of, require_text, stem, suffix, suffixes

ZARR = ".zarr"
_OME_ZARR = ".ome.zarr"
_PREAMBLE = 128  # bytes of a DICOM file before its mark


class Input(NamedTuple):
    """file: an image, or the folder of an OME-Zarr or of a DICOM series.

    name: what its outputs are called, with sub-folders, no suffix.
    """

    file: Path
    name: str

    @property
    def is_zarr(self) -> bool:
        """Whether it is an OME-Zarr."""
        return is_zarr(self.file)

    @property
    def kind(self) -> str:
        """Its suffix in small letters."""
        return ZARR if self.is_zarr else kind_of(self.file)


def inputs(words: Sequence[str], out: Path) -> list[Input]:
    """The images that words name, by name: files, OME-Zarr folders, folders of these at any depth, and globs.

    A folder in which the first file is DICOM is one image, its series; single files of it are named by a glob.
    Outputs are called as their images are below the folder, or below the part of a glob that has no wildcard; below
    their own folder for files. Of a folder those are taken whose suffix can be read, without hidden files and without
    what lies in `out`. An image that is named twice is taken once.

    Raises DataError when there is nothing of that name and when no image is found; SpecError when two images would
    have outputs of one name.
    """
    found: dict[Path, Input] = {}
    for word in words:
        named = list(_named(word, out.resolve()))
        if not named:
            raise DataError(
                f"{word}: no image found; images are {', '.join(suffixes())} and folders of OME-Zarr or DICOM"
            )
        for entry in named:
            require_text(entry.file)
            found.setdefault(entry.file.resolve(), entry)
    by_name: dict[str, Input] = {}
    for entry in sorted(found.values(), key=lambda entry: entry.name):
        other = by_name.setdefault(entry.name.casefold(), entry)  # some file systems do not tell capital letters
        if other is not entry:
            raise SpecError(
                f"{other.file} and {entry.file} would both be {out}/labels/{entry.name}; segment them into two folders"
            )
    return list(by_name.values())


def shard(found: Sequence[Input], text: str) -> list[Input]:
    """The part `i/n` of images, i from 1 to n: the i-th of every n. Raises SpecError."""
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise SpecError(f"--shard {text}: write i/n with i from 1 to n, for instance 1/4")
    return list(found[int(index) - 1 :: int(count)])


def is_zarr(folder: Path) -> bool:
    """Whether a folder is a Zarr group."""
    return folder.is_dir() and any((folder / name).is_file() for name in ("zarr.json", ".zgroup"))


def is_series(folder: Path) -> bool:
    """Whether a folder holds a DICOM series: whether the first of its files, by name, is DICOM."""
    if not folder.is_dir():
        return False
    try:
        first = next((file for file in sorted(folder.iterdir()) if file.is_file() and not hidden(file)), None)
        if first is None:
            return False
        with first.open("rb") as content:
            return content.read(_PREAMBLE + 4)[_PREAMBLE:] == b"DICM"
    except OSError:  # what lists it next says so
        return False


def _named(word: str, out: Path) -> Iterator[Input]:
    path = Path(word).expanduser()
    if is_series(path):
        yield Input(path, path.resolve().name)
    elif path.is_dir() and not is_zarr(path):
        yield from _below(path, path, out)
    elif path.exists():
        yield Input(path, _bare(path.name))
    elif glob.has_magic(word):
        pattern = str(path)
        home = Path(pattern)
        while glob.has_magic(str(home)):
            home = home.parent
        for match in sorted(home.glob(os.path.relpath(pattern, home))):
            read = match.is_file() and not hidden(match) and suffix(match) in suffixes()
            image = read or is_zarr(match) or is_series(match)
            if image and not match.resolve().is_relative_to(out) and not _in_zarr(match, home):
                yield _input(match, home)
    else:
        raise DataError(f"{word}: there is no such file or folder")


def _below(folder: Path, home: Path, out: Path) -> Iterator[Input]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed: {error.strerror}") from None
    for entry in entries:
        path = Path(entry.path)
        if hidden(path) or path.resolve() == out:
            continue
        series = entry.is_dir(follow_symlinks=False) and is_series(path)
        if series or is_zarr(path) or (entry.is_file() and suffix(path) in suffixes()):
            yield _input(path, home)
        elif entry.is_dir(follow_symlinks=False):  # links may lead in a circle
            yield from _below(path, home, out)


def _input(path: Path, home: Path) -> Input:
    name = path.relative_to(home).as_posix()
    return Input(path, name if kind_of(path) == FOLDER and not is_zarr(path) else _bare(name))


def _in_zarr(path: Path, home: Path) -> bool:
    """Whether it is an array or a part of a Zarr group."""
    return any(is_zarr(folder) for folder in path.parents if folder.is_relative_to(home) and folder != home)


def _bare(name: str) -> str:
    """A path without its suffix."""
    for ending in (_OME_ZARR, ZARR):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{stem(Path(last)) or last}"
