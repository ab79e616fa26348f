"""The rows of one array of an NPZ, read one after the other without holding the array."""

import threading
import weakref
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np

from ...core.errors import DataError
from .arrays import unreadable

_HEADS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class Rows:
    """An array (n, …) of an NPZ whose rows are decompressed when asked for; in ascending order each byte once.

    shape, dtype: of the whole array. Raises DataError for a file that is damaged and an array that is not there or that
    holds Python objects.
    """

    def __init__(self, file: Path, name: str) -> None:
        self._file, self._lock = file, threading.Lock()
        try:
            with ExitStack() as opened:
                archive = opened.enter_context(zipfile.ZipFile(file))
                names = [member.removesuffix(".npy") for member in archive.namelist()]
                if name not in names:
                    raise DataError(f"{file}: has no array {name!r}; it has {', '.join(names) or 'none'}")
                self._content = opened.enter_context(archive.open(f"{name}.npy"))
                self.shape, self.dtype = _head(self._content, f"{file}: the array {name}")
                weakref.finalize(self, opened.pop_all().close)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise unreadable(file, error) from None
        self._start = self._content.tell()
        self._bytes = int(np.prod(self.shape[1:])) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int) -> np.ndarray:
        """Row `index`, in native byte order. Raises DataError for damage."""
        try:
            with self._lock:
                self._content.seek(self._start + index * self._bytes)
                content = self._content.read(self._bytes)
            row = np.frombuffer(content, self.dtype).reshape(self.shape[1:])
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise unreadable(self._file, error) from None
        return row.astype(self.dtype.newbyteorder("="))


def _head(content: IO[bytes], what: str) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype of an NPY, whose first row is what comes next. Raises DataError where it has no plain rows."""
    version = np.lib.format.read_magic(content)
    if version not in _HEADS:
        raise DataError(f"{what} is of NPY version {version}; save it anew by np.savez")
    shape, fortran, dtype = _HEADS[version](content)
    if fortran or dtype.hasobject or not shape:
        raise DataError(f"{what} holds no rows of numbers in C order; save it anew by np.savez")
    return shape, dtype
