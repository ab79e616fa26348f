"""NPY and NPZ that came from outside: never a pickle, and no memory for what a head only claims."""

import math
import os
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from .memory import memory_bytes, told

PICKLED = "holds Python objects, which are code and never read; save plain arrays"

_MOST_DEFLATED = 1032
"""Bytes that a byte of a deflated member stands for at most (zlib's technical details)."""

_HEADS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class Head(NamedTuple):
    """shape, fortran, dtype: of the array. start: of its numbers in the stream."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype
    start: int


@contextmanager
def damage() -> Iterator[None]:
    """Raise ValueError for whatever NumPy and zipfile raise for damage inside; OSError stays."""
    try:
        yield
    except (OSError, ValueError):
        raise
    except MemoryError:
        raise ValueError("it does not fit into memory") from None
    except Exception as error:  # of zipfile, zlib, struct, ast and tokenize, of which none promises to raise no other
        raise ValueError(f"{type(error).__name__}: {error}") from None


def npy_head(stream: IO[bytes], size: int) -> Head:
    """Read the head of an NPY of so many bytes; its numbers come next. Raises ValueError, also for pickles.

    A head that claims more numbers than there are bytes is damage.
    """
    with damage():
        version = np.lib.format.read_magic(stream)
        if version not in _HEADS:
            raise ValueError(f"NPY version {version} is not read; save it anew by np.save")
        shape, fortran, dtype = _HEADS[version](stream)
        if dtype.hasobject:
            raise ValueError(PICKLED)
        if dtype.names:
            raise ValueError(f"it holds rows of {', '.join(dtype.names)}; save plain arrays")
        start, claimed = stream.tell(), math.prod(shape) * dtype.itemsize
        if min(shape, default=0) < 0 or claimed > size - start:
            raise ValueError(f"its head claims {shape} of {dtype}, {claimed:,} bytes; {max(0, size - start):,} follow")
        return Head(shape, fortran, dtype, start)


def read_npy(stream: IO[bytes], size: int) -> np.ndarray:
    """The array of an NPY of so many bytes. Raises OSError and ValueError, also where it is larger than the memory."""
    with damage():
        require_memory(size)
        npy_head(stream, size)
        stream.seek(0)
        array = np.lib.format.read_array(stream, allow_pickle=False)
        if array.dtype.kind == "U" and _points(array).max(initial=0) > sys.maxunicode:
            raise ValueError("it holds text with numbers that are no characters")
        return array


def _points(text: np.ndarray) -> np.ndarray:
    """The code points of an array of text, which NumPy takes from a file as they are."""
    return np.frombuffer(text.tobytes(), text.dtype.byteorder.replace("=", "") + "u4")


def member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """A member of an archive, stored or deflated. Raises ValueError for others and for a size that cannot be."""
    with damage():
        info = archive.getinfo(name)
        most = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: _MOST_DEFLATED}.get(info.compress_type)
        if most is None or info.flag_bits & 1:
            raise ValueError(f"{name} is locked, or compressed in another way than deflated")
        if info.file_size > most * info.compress_size:
            raise ValueError(f"{name} claims {info.file_size:,} bytes in {info.compress_size:,}")
        return info


def read_member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """The array of a member of an NPZ. Raises OSError and ValueError."""
    with damage():
        info = member(archive, name)
        with archive.open(info) as stream:
            return read_npy(stream, info.file_size)


def read_npz(file: Path) -> dict[str, np.ndarray]:
    """Every array of an NPZ by name. Raises OSError and ValueError."""
    with damage(), file.open("rb") as stream, zipfile.ZipFile(stream) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        require_memory(sum(member(archive, name).file_size for name in names))
        return {name.removesuffix(".npy"): read_member(archive, name) for name in names}


def require_memory(size: int) -> None:
    """Raise ValueError for so many bytes where this machine's memory is smaller."""
    if size > memory_bytes():
        raise ValueError(f"it claims {told(size)}, and this machine has {told(memory_bytes())} of memory")


def file_bytes(stream: IO[bytes]) -> int:
    """The size of an open file."""
    return os.fstat(stream.fileno()).st_size
