"""Some of the records below a folder of results, for what needs no more than some."""

import contextlib
from pathlib import Path

from ...core.errors import StoreError
from ...core.record import Record
from .store import read

MOST = 300
"""Records that are read; they say what trials take as well as all of them, and are read within a second."""


def sample(results: Path, most: int = MOST) -> list[Record]:
    """Up to so many records of all sweeps and machines, each sweep on each machine with an equal share.

    Of a folder those that come at equal distances by id, which is a hash: as good as drawn at random, and the same ones
    each time. What cannot be read is left out, for whoever needs it tells.
    """
    folders = [sorted(folder.glob("*.json")) for folder in sorted(results.glob("*/records/*"))]
    folders = sorted((files for files in folders if files), key=len)
    found: list[Record] = []
    for index, files in enumerate(folders):
        share = max(1, (most - len(found)) // (len(folders) - index))
        chosen = {round(k * len(files) / share) for k in range(share)} if share < len(files) else range(len(files))
        for number in sorted(chosen):
            with contextlib.suppress(StoreError):
                found.append(read(files[number]))
    return found
