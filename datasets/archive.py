"""Unpack an archive that came from the web: files and folders inside its own folder, and nothing else."""

import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ..core.errors import DataError
from ..core.memory import told


def unpack(file: Path, folder: Path) -> None:
    """Unpack a .zip or .tar archive into a folder, which is made.

    Raises DataError, before anything is written, for a member that is no file or folder, for one that would lie outside
    and where the disk is too small; what `shutil` and `tarfile` raise for damage.
    """
    size = 0
    for name, length, plain in _members(file):
        path, there = PurePosixPath(name.replace("\\", "/")), PureWindowsPath(name)
        if not plain:
            raise DataError(f"{file}: its member {name[:200]!r} is no file and no folder; it is not unpacked")
        if path.is_absolute() or ".." in path.parts or there.drive or "\0" in name:
            raise DataError(f"{file}: its member {name[:200]!r} would lie outside of the folder; it is not unpacked")
        size += length
    free = shutil.disk_usage(file.parent).free
    if size > free:
        raise DataError(f"{file}: holds {told(size)}, and {told(free)} are free in {file.parent}; free some space")
    if zipfile.is_zipfile(file):
        shutil.unpack_archive(file, folder, "zip")
    else:
        safe: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python 3.11.4 on
        shutil.unpack_archive(file, folder, **safe)


def _members(file: Path) -> Iterator[tuple[str, int, bool]]:
    """Name, size and whether it is a plain file or folder, of each member."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                yield info.filename, info.file_size, kind in (0, stat.S_IFREG, stat.S_IFDIR)
        return
    with tarfile.open(file) as archive:
        for entry in archive:
            yield entry.name, entry.size, entry.isreg() or entry.isdir()
