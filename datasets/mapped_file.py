"""Arrays in files that are mapped into memory: the system reads what is looked at and may take the memory back."""

import errno
import mmap
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from ..core.errors import DataError

ALIGNMENT = 64
"""Arrays begin at multiples of this: those of most processors' cache lines."""

_FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)


def mapped(stream: IO[bytes]) -> np.ndarray:
    """The bytes of an open file (n,) uint8, read-only; they stay when the file is closed. Raises OSError when empty."""
    try:
        return np.frombuffer(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    except ValueError as error:  # an empty file
        raise OSError(errno.ENODATA, str(error)) from None


def view(content: np.ndarray, offset: int, dtype: np.dtype, shape: Sequence[int]) -> np.ndarray:
    """The array that begins at a byte of `content` (n,) uint8."""
    return np.ndarray(shape, dtype, content, offset)


def as_bytes(array: np.ndarray) -> np.ndarray:
    """The bytes of an array (n,) uint8, not copied if it is contiguous."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def padding(position: int) -> bytes:
    """What brings a position of a file to the next multiple of `ALIGNMENT`."""
    return bytes(-position % ALIGNMENT)


def write_all(stream: IO[bytes], content: bytes | memoryview) -> None:
    """Write to an unbuffered file, which takes 2 GiB in one call at most. Raises OSError."""
    left = memoryview(content)
    while left:
        left = left[stream.write(left) :]


def not_written(folder: Path, error: OSError, written: str = "") -> DataError:
    """What to say when the disk takes no more. written: how far it came."""
    if error.errno in _FULL:
        return DataError(
            f"cache: no space is left in {folder}{written}; `unetbench cache --clear` frees what earlier data took, "
            "UNETBENCH_CACHE names a folder on a larger disk, and `cache: memory` does without"
        )
    return DataError(
        f"cache: {folder} cannot be written ({error.strerror or error}); let UNETBENCH_CACHE name a folder that can, "
        "or do without by `cache: memory`"
    )


class ArrayFile:
    """Collects arrays one by one, in memory or, with a folder, in a file there that has no name and ends with them.

    Raises DataError when the disk is full.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._arrays: list[np.ndarray] = []
        self._places: list[tuple[int, np.dtype, tuple[int, ...]]] = []
        self._stream: IO[bytes] | None = None
        self._mapped: np.ndarray | None = None
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                self._stream = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115 it lives as long as its arrays
            except OSError as error:
                raise not_written(folder, error) from None

    def append(self, array: np.ndarray) -> None:
        """Take one more array; with a folder, it is in the file only."""
        if self._stream is None or self._folder is None:
            self._arrays.append(array)
            return
        alike = self._places and self._places[-1][1:] == (array.dtype, array.shape)
        try:
            write_all(self._stream, b"" if alike else padding(self._stream.tell()))  # what is alike can be stacked
            self._places.append((self._stream.tell(), array.dtype, array.shape))
            write_all(self._stream, as_bytes(array).data)
        except OSError as error:
            self._stream.close()
            raise not_written(self._folder, error) from None

    def arrays(self) -> list[np.ndarray]:
        """The arrays in the order they came. None can be added afterwards."""
        if self._stream is None:
            return self._arrays
        content = self._content(self._stream)
        return [view(content, *place) for place in self._places]

    def stacked(self) -> np.ndarray:
        """The arrays, at least one and all of one shape and type, as one with a first axis; as `arrays` otherwise."""
        if self._stream is None:
            return np.stack(self._arrays)
        start, dtype, shape = self._places[0]
        return view(self._content(self._stream), start, dtype, (len(self._places), *shape))

    def _content(self, stream: IO[bytes]) -> np.ndarray:
        if self._mapped is None:
            with stream:
                self._mapped = mapped(stream) if stream.tell() else np.empty(0, np.uint8)
        return self._mapped
