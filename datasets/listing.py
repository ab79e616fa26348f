"""The files below a folder that a glob names, as scanners, cameras and desktops leave them there."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..core.errors import DataError, SpecError
from .readers import DESKTOP_FILES, FOLDERS, require_text, suffix

WILDCARD = re.compile(r"(\*\*/?|\*|\?|\[[^]]+\])")
"""What stands for other text in a glob."""


def listed(home: Path, pattern: str) -> list[str]:
    """The files below `home` that a glob matches: their paths from there, with slashes, in the order of their parts.

    `*`, `?` and `[…]` stand for text within a name, `**` for any folders or none. Suffixes match in capital and small
    letters alike: `*.png` finds `A.PNG`. Wildcards pass over names that begin with a dot, as in a shell (macOS writes
    `._a.png` beside `a.png`), and over Thumbs.db and desktop.ini. `**` does not follow links to folders, which may lead
    in a circle, and looks into no folder that is an image itself (`.ome.zarr`). A folder that is not there holds
    nothing. A pattern that ends with a slash matches folders, as in a shell, and so do their paths.

    Raises SpecError for a pattern that makes no sense, DataError for a folder that cannot be listed and for a name that
    is not UTF-8.
    """
    if Path(pattern).is_absolute():
        raise SpecError(f"folder: {pattern!r} is an absolute path; globs are relative to the folder")
    segments, folders = [segment for segment in pattern.split("/") if segment not in ("", ".")], pattern.endswith("/")
    for segment in segments:
        if "**" in segment and segment != "**":
            raise SpecError(f"folder: {pattern!r}: ** stands for whole folders, between slashes, as in **/*.png")
    if segments[-1:] == ["**"]:
        segments.append("*")
    compiled = [_Segment(segment, last=False) for segment in segments[:-1]]
    compiled += [_Segment(segment, last=True, folders=folders) for segment in segments[-1:]]
    found = sorted(set(_walk(str(home), "", compiled)), key=lambda path: path.replace("/", "\0")) if compiled else []
    for path in found:
        require_text(path)
    return found


class _Segment:
    """One name of a pattern, compiled once. last: whether it names images; folders: whether these are folders."""

    def __init__(self, text: str, *, last: bool, folders: bool = False) -> None:
        end = suffix(Path(text)) if last else ""
        self.text, self.last, self.folders, self.sees_hidden = text, last, folders, text.startswith(".")
        self.any_depth, self.literal = text == "**", not last and not WILDCARD.search(text)
        try:
            self.matches = re.compile(f"{_regex(text[: len(text) - len(end)])}(?i:{_regex(end)})").fullmatch
        except re.error as error:
            raise SpecError(f"folder: {text!r} is no glob: {error}") from None

    def names(self, entry: os.DirEntry[str]) -> bool:
        """Whether it stands for a file or folder."""
        name = entry.name
        if (name[0] == "." and not self.sees_hidden) or not self.matches(name):
            return False
        if self.folders or not self.last:
            return entry.is_dir()
        if entry.is_file():
            return name.lower() not in DESKTOP_FILES
        return suffix(Path(name)) in FOLDERS and entry.is_dir()


def _regex(text: str) -> str:
    wild = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = WILDCARD.split(text)
    return "".join(wild.get(p, p.replace("[!", "[^")) if WILDCARD.fullmatch(p) else re.escape(p) for p in pieces)


def _walk(folder: str, prefix: str, segments: Sequence[_Segment]) -> Iterator[str]:
    first, *rest = segments
    if first.any_depth:
        yield from _walk(folder, prefix, rest)
        for entry in _entries(folder):
            inside = entry.name[0] != "." and suffix(Path(entry.name)) not in FOLDERS
            if inside and entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path, f"{prefix}{entry.name}/", segments)
    elif first.literal:
        yield from _walk(f"{folder}/{first.text}", f"{prefix}{first.text}/", rest)
    else:
        for entry in _entries(folder):
            if first.names(entry):
                if first.last:
                    yield f"{prefix}{entry.name}{'/' * first.folders}"
                else:
                    yield from _walk(entry.path, f"{prefix}{entry.name}/", rest)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError(f"folder: {folder}: cannot be listed: {error.strerror}") from None
