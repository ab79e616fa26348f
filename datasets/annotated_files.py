"""Which image files an annotation file means: it names them as they lay where it was written."""

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from ..core.errors import DataError
from .listing import listed
from .readers import suffix, suffixes

_DRIVE = re.compile(r"[A-Za-z]:")


class ImageFiles:
    """The image files below a folder that a glob finds, to be found by the names that annotation files have for them.

    Nothing outside of the folder is ever given, whatever a name says.
    """

    def __init__(self, home: Path, pattern: str) -> None:
        readable = set(suffixes())
        self.home, self.pattern = home, pattern
        self.paths = [path for path in listed(home, pattern) if suffix(Path(path)) in readable]
        if not self.paths:
            raise DataError(f"folder: {home / pattern} matches no image file; images may be {', '.join(suffixes())}")
        self._every = set(self.paths)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path in self.paths:
            name = path.rsplit("/", 1)[-1]
            self._by_name[name].append(path)
            bare = name[: -len(suffix(Path(name)))]
            if bare != name:
                self._by_name[bare].append(path)

    def find(self, name: str, annotation: Path) -> str | None:
        """The path from the folder of the image of this name, or None.

        That is the file beside the annotation file or below the folder that the name leads to; else the one whose path
        ends as the name does. A name that leads out of the folder (`../a.png`, a path from the root) is sought by its
        last part. A name without suffix may have any. Raises DataError where several files can be meant.
        """
        parts = [part for part in re.split(r"[\\/]", name) if part not in ("", ".")]
        if not parts:
            return None
        beside = os.path.relpath(annotation.parent, self.home)
        for start in (beside, "."):
            path = os.path.normpath("/".join((start, *parts))).replace(os.sep, "/")
            if path in self._every:
                return path
        outside = name[0] in "\\/" or _DRIVE.match(name) or ".." in parts
        folders = [] if outside else parts[:-1]
        ends = [path for path in self._by_name.get(parts[-1], ()) if _ends_in(path.split("/")[:-1], folders)]
        if len(ends) > 1:
            raise DataError(
                f"{annotation}: {name} may be {ends[0]} or {ends[1]}; say by `images` which files are meant, as in "
                f"`images: {Path(ends[0]).parent.as_posix()}/*{suffix(Path(ends[0]))}`"
            )
        return ends[0] if ends else None


def _ends_in(folders: Sequence[str], last: Sequence[str]) -> bool:
    return len(last) <= len(folders) and list(folders[len(folders) - len(last) :]) == list(last)
