"""Images that look alike on both sides of a split: neighbouring slices of a volume, crops of one field."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from ..core.errors import DataError
from .case import Case
from .split import Split

DISTANCE = 12
"""Bits of 64 in which the hashes of two images that look alike differ at most.

Half of the neighbouring sections of an EM stack (sstem_vnc) differ in 12 or fewer; of 151 images of DSB 2018, every
fourth of the data set, no two in fewer than 16.
"""

BYTES = 64 * 2**20
"""Size of the files that are looked at, in the order of their names; more would keep a large data set waiting."""

_EDGE, _KEPT = 32, 8


def near_duplicates(split: Split) -> tuple[str, ...]:
    """One line where validation or test images look like training ones and the data set states no groups, or nothing.

    Two images look alike when their perceptual hashes differ in at most `DISTANCE` bits. Only 2D data sets read from
    files, each case a group of its own, are looked at. Files that cannot be read are passed over: the trial and
    `data check` tell of them.
    """
    dataset = split.dataset
    if dataset.task.rank != 2 or any(case.group != case.name for case in dataset.cases):
        return ()
    hashes = {case.name: _hashed(case, case.files[0].stat().st_mtime_ns) for case in _looked_at(dataset.cases)}
    known = {name: found for name, found in hashes.items() if found is not None}
    train = [name for name in known if split.roles[name] == "train"]
    others = [name for name in known if split.roles[name] != "train"]
    if not train or not others:
        return ()
    differing = np.stack([known[name] for name in others])[:, None] != np.stack([known[name] for name in train])
    distances = differing.sum(-1)
    alike = np.flatnonzero(distances.min(1) <= DISTANCE)
    if not len(alike):
        return ()
    first = alike[0]
    pair = f"{others[first]} and {train[int(distances[first].argmin())]}"
    return (
        f"{len(alike)} of {len(others)} validation and test images look like training images (first: {pair}), and no "
        "`group` is given; where they are slices of one volume or crops of one field, scores are too good: set `group`",
    )


def perceptual_hash(image: np.ndarray) -> np.ndarray | None:
    """64 booleans (64,) of an image (y, x, c): which of its 8 × 8 lowest frequencies are above their median.

    Of the cosine transform of the image shrunk to 32 × 32 grey pixels; the first is the mean and says nothing of the
    picture. None for an image that is constant or not finite (Zauner 2010, pHash).
    """
    grey = image.mean(-1, dtype=np.float32)
    small = cv2.resize(grey, (_EDGE, _EDGE), interpolation=cv2.INTER_AREA)
    if not np.isfinite(small).all() or small.max() - small.min() <= 1e-6 * max(1.0, float(np.abs(small).max())):
        return None
    low = cv2.dct(small)[:_KEPT, :_KEPT].ravel()
    low[0] = np.median(low[1:])
    return low > np.median(low[1:])


def _looked_at(cases: Sequence[Case]) -> list[Case]:
    found, left = [], BYTES
    for case in cases:
        if not case.files or not case.files[0].is_file():
            continue
        left -= case.files[0].stat().st_size
        found.append(case)
        if left < 0:
            break
    return found


@lru_cache(maxsize=4096)  # a worker lists its data set anew for each trial
def _hashed(case: Case, _changed_ns: int) -> np.ndarray | None:
    try:
        return perceptual_hash(case.read().image)
    except DataError:
        return None
