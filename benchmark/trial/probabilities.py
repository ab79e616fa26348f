"""Probabilities of a trial's test cases, kept beside its record: a compressed file a case."""

import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ...core.errors import StoreError
from ...core.files import written_aside

KIND = "probabilities"
"""The store's folder of them."""


def file_of(folder: Path, case: str) -> Path:
    """Where the probabilities of a case are; names of cases may be paths."""
    return folder / f"{hashlib.sha256(case.encode()).hexdigest()[:24]}.npz"


def write_probabilities(folder: Path, case: str, probabilities: np.ndarray) -> None:
    """Write (*space, k) float32 as 8 bits each, in steps of 1 / 255. Raises OSError."""
    levels = np.rint(np.clip(probabilities, 0, 1) * 255).astype(np.uint8)
    with written_aside(file_of(folder, case)) as aside:
        np.savez_compressed(aside, levels=levels)


def read_probabilities(folder: Path, case: str) -> np.ndarray:
    """(*space, k) float32. Raises StoreError naming the file."""
    file = file_of(folder, case)
    try:
        # NumPy would leave a damaged file open that it opened itself.
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return arrays["levels"].astype(np.float32) / 255
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise StoreError(f"{file}: no probabilities of {case} ({error}); delete its folder and run again") from None
