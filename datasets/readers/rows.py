"""The rows of one array of an NPZ, read one after the other without holding the array."""

import math
import threading
import weakref
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np

from ...core.arrays import damage, member, npy_head
from ...core.errors import DataError
from .arrays import unreadable


class Rows:
    """An array (n, …) of an NPZ whose rows are decompressed when asked for; in ascending order each byte once.

    shape, dtype: of the whole array. Raises DataError for a file that is damaged and an array that is not there or that
    holds Python objects.
    """

    def __init__(self, file: Path, name: str) -> None:
        self._file, self._lock = file, threading.Lock()
        try:
            with ExitStack() as opened:
                with damage():
                    archive = opened.enter_context(zipfile.ZipFile(file))
                names = [each.removesuffix(".npy") for each in archive.namelist()]
                if f"{name}.npy" not in archive.namelist():
                    raise DataError(f"{file}: has no array {name!r}; it has {', '.join(names) or 'none'}")
                with damage():
                    info = member(archive, f"{name}.npy")
                    self._content: IO[bytes] = opened.enter_context(archive.open(info))
                    head = npy_head(self._content, info.file_size)
                weakref.finalize(self, opened.pop_all().close)
        except (OSError, ValueError) as error:
            raise unreadable(file, error) from None
        if head.fortran or not head.shape:
            raise DataError(f"{file}: the array {name} holds no rows of numbers in C order; save it anew by np.savez")
        self.shape, self.dtype, self._start = head.shape, head.dtype, head.start
        self._bytes = math.prod(self.shape[1:]) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int) -> np.ndarray:
        """Row `index`, in native byte order. Raises DataError for damage."""
        try:
            with damage():
                with self._lock:
                    self._content.seek(self._start + index * self._bytes)
                    content = self._content.read(self._bytes)
                row = np.frombuffer(content, self.dtype).reshape(self.shape[1:])
        except (OSError, ValueError) as error:
            raise unreadable(self._file, error) from None
        return row.astype(self.dtype.newbyteorder("="))
