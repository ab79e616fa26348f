"""NRRD and MetaImage files on the grid of an image of their format."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...datasets.readers.extras import required


def write_nrrd(
    target: Path, array: np.ndarray, grid: Mapping[str, Any], channels: Sequence[str], *, frames: bool
) -> None:
    """Write (t,) x, y, (z,) (k) as one packed file, vectors first and time last. grid: fields of its axes of space."""
    nrrd = required("nrrd", "pynrrd", "NRRD")
    axes = ["time"] * frames + ["domain"] * (array.ndim - frames - bool(channels)) + ["vector"] * bool(channels)
    order = sorted(range(array.ndim), key=lambda k: ("vector", "domain", "time").index(axes[k]))
    kinds = [axes[k] for k in order]
    fields: dict[str, Any] = {**grid, "kinds": kinds}
    for name in ("space directions", "spacings"):
        if name in grid:
            rows = iter(grid[name])
            empty = np.full(np.shape(grid[name])[1:], np.nan)
            fields[name] = np.array([next(rows) if kind == "domain" else empty for kind in kinds])
    nrrd.write(str(target), array.transpose(order), fields)


def write_metaimage(target: Path, array: np.ndarray, like: Path, channels: Sequence[str], *, frames: bool) -> None:
    """Write (t,) x, y, (z,) (k) as one packed file, time as the fourth axis, at the place of an image that is there."""
    itk = required("SimpleITK", "unetbench[itk]", "MetaImage")
    reader = itk.ImageFileReader()
    reader.SetImageIO("MetaImageIO")
    reader.SetFileName(str(like))
    reader.ReadImageInformation()
    space = array.ndim - bool(channels)
    first = range(space - 1, frames - 1, -1)  # SimpleITK takes the slowest axis first, channels last
    order = (*([0] if frames else ()), *first, *([space] if channels else ()))
    image = itk.GetImageFromArray(np.ascontiguousarray(array.transpose(order)), isVector=bool(channels))
    for part in ("Spacing", "Origin", "Direction"):
        if reader.GetDimension() == image.GetDimension():
            getattr(image, f"Set{part}")(getattr(reader, f"Get{part}")())
    itk.WriteImage(image, str(target), True)
