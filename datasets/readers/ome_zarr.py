"""OME-Zarr, by zarr: images and their labels, whole or by planes; nothing is ever written to them.

Read are versions 0.4 (Zarr 2) and 0.5 (Zarr 3), the finest level of the first multiscale
(https://ngff.openmicroscopy.org/0.5/).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import DataError, UnetbenchError, one_line
from .extras import required
from .frames import last_is_time
from .pages import Page
from .picture import Picture, Reading
from .registry import reads, reads_pages
from .sizes import require_memory
from .tiff_spacing import millimetres
from .zarr_codecs import foreign_codec

WHOLE = Page(0, None)
"""The page of an image without time."""

AXIS_TYPES = {"t": "time", "c": "channel"}

Place = tuple[slice, ...]


@reads(".zarr", ".ome.zarr", folders=True, parts=dict.fromkeys((".zarr", ".ome.zarr"), lambda folder: _files(folder)))
def ome_zarr(folder: Path, reading: Reading) -> Picture:
    """(y, x, c) or (z, y, x, c), or t first for a time stack, of the finest level; of a mask its label `Reading.array`.

    Without a name a mask is the image of its own folder. Raises DataError, SpecError where zarr is not installed.
    """
    image = _asked(folder, reading)
    frames, _ = last_is_time(max(1, image.frames), "time", folder, reading, note="")
    channels = image.array.shape[image.axes.index("c")] if "c" in image.axes else 1
    shape = (*([image.frames] if frames else ()), *image.space, channels)
    if reading.outline:
        array: np.ndarray = np.broadcast_to(np.zeros((), image.array.dtype), shape)
    else:
        require_memory(shape, image.array.dtype.itemsize, folder)
        everywhere = tuple(slice(0, edge) for edge in image.space)
        pages = [image.image(Page(frame, None))[everywhere] for frame in range(image.frames if frames else 1)]
        array = np.stack(pages) if frames else pages[0]
    return _picture(array, image.spacing_mm, frames=frames)


@reads_pages(".zarr", ".ome.zarr")
def ome_zarr_page(folder: Path, reading: Reading, page: Page) -> Picture:
    """One page (*space, c), of which no more is read than the chunks that it lies in. Raises DataError."""
    image = _asked(folder, reading)
    flat = page.slice is not None and len(image.space) == 3
    if page.frame >= max(1, image.frames) or (flat and (page.slice or 0) >= image.space[0]):
        raise DataError(f"{folder}: has {image.frames or 1} frames of {image.space}, so no page {tuple(page)}")
    part = page if flat else Page(page.frame, None)
    edges, space = image.spacing_mm, image.space[1:] if flat else image.space
    require_memory(space, image.array.dtype.itemsize, folder)
    array = image.image(part)[tuple(slice(0, edge) for edge in space)]
    return _picture(array, edges[1:] if edges and flat else edges)


def _picture(array: np.ndarray, edges: tuple[float, ...] | None, *, frames: bool = False) -> Picture:
    return Picture(array, edges, "OME-Zarr" if edges else "", frames=frames)


def _asked(folder: Path, reading: Reading) -> "OmeZarr":
    return open_ome_zarr(folder, reading.array if reading.mask else "")


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(file for file in folder.rglob("*") if file.is_file()))


@dataclass(frozen=True)
class OmeZarr:
    """An image of a folder. array: of its finest level, a Zarr array. axes: `t`, `c` and, for space, `s` of each.

    described: the axes as the file has them. transforms: those of the level and those of all levels. spacing_mm: edges
    of a voxel along the axes of space, or None where one of them has no known unit.
    """

    folder: Path
    array: Any
    axes: str
    described: tuple[dict[str, Any], ...]
    transforms: tuple[tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]
    spacing_mm: tuple[float, ...] | None

    @property
    def space(self) -> tuple[int, ...]:
        """Edge lengths of an image along the axes of space."""
        return tuple(n for n, letter in zip(self.array.shape, self.axes, strict=True) if letter == "s")

    @property
    def frames(self) -> int:
        """Points of time, 0 where it has no such axis."""
        return self.array.shape[self.axes.index("t")] if "t" in self.axes else 0

    def image(self, page: Page) -> "ZarrImage":
        """One point of time, and one slice of it where the page names one."""
        return ZarrImage(self, page)


class ZarrImage:
    """A part of an OME-Zarr as a `Stored` image: indexed by a place in space, gives (*place, c)."""

    def __init__(self, of: OmeZarr, page: Page) -> None:
        self._folder, self._array, self._axes, self._page = of.folder, of.array, of.axes, page
        skipped = 0 if page.slice is None else 1
        channels = of.array.shape[of.axes.index("c")] if "c" in of.axes else 1
        chunks = [n for n, letter in zip(of.array.chunks, of.axes, strict=True) if letter == "s"]
        self.shape, self.chunks = (*of.space[skipped:], channels), tuple(chunks[skipped:])
        self.dtype = of.array.dtype.newbyteorder("=")

    def __getitem__(self, place: Place) -> np.ndarray:
        """Read a region. Raises DataError when it is damaged."""
        try:
            found = np.asarray(self._array[index_of(self._axes, self._page, place)])
        except Exception as error:  # of Zarr and of its codecs
            raise DataError(f"{self._folder}: cannot be read; it is damaged ({one_line(error)})") from None
        found = np.moveaxis(found, 0, -1) if "c" in self._axes else found[..., None]
        return np.ascontiguousarray(found, self.dtype)


def open_ome_zarr(folder: Path, label: str = "") -> OmeZarr:
    """The image of a folder, or one of its labels, which has the scale of its image where it states none.

    Raises DataError for what is no OME-Zarr image and for a label that is not there, SpecError where the package zarr
    is not installed.
    """
    zarr = required("zarr", "unetbench[zarr]", "OME-Zarr")
    try:
        group = zarr.open_group(folder, mode="r")  # zarr's usual mode makes a group where there is none
        if not label:
            return _opened(folder, group)
        return _labelled(folder, group, label)
    except UnetbenchError:
        raise
    except Exception as error:  # Zarr raises whatever the parsing of its metadata does, and ours may hold anything
        raise DataError(f"{folder}: is no OME-Zarr image; it has no multiscales to read ({one_line(error)})") from None


def _labelled(folder: Path, group: Any, label: str) -> OmeZarr:
    found = dict(group["labels"].attrs) if "labels" in group else {}
    names = [str(name) for name in found.get("ome", found).get("labels", ())]
    if label not in names:
        raise DataError(f"{folder}: has no label {label!r}, its labels are {', '.join(names) or 'none'}")
    own, image = _opened(folder, group[f"labels/{label}"]), _opened(folder, group)
    if own.axes.replace("c", "") == image.axes.replace("c", "") and not any(own.transforms):
        return replace(own, spacing_mm=image.spacing_mm)
    return own


def _opened(folder: Path, group: Any) -> OmeZarr:
    attributes = dict(group.attrs)
    multiscale = attributes.get("ome", attributes)["multiscales"][0]
    level = multiscale["datasets"][0]
    array = group[level["path"]]
    # names alone before 0.4
    described = tuple(axis if isinstance(axis, dict) else {"name": axis} for axis in multiscale["axes"])
    if codec := foreign_codec(array.metadata.to_dict()):
        raise DataError(
            f"{folder}: is packed by the codec {codec}, which is not read; save it anew with zstd, gzip or blosc"
        )
    axes = "".join(letter_of(axis) for axis in described)
    if len(axes) != array.ndim or not re.fullmatch("t?c?s{2,3}", axes):
        names = ", ".join(str(axis["name"]) for axis in described)
        raise DataError(f"{folder}: has {array.ndim} axes, called {names}; t, c, z, y, x are possible in this order")
    if array.dtype.kind not in "buif":
        raise DataError(f"{folder}: an image holds real numbers, this one {array.dtype}")
    transforms = (
        tuple(level.get("coordinateTransformations", ())),
        tuple(multiscale.get("coordinateTransformations", ())),
    )
    if any("path" in transform for own in transforms for transform in own):
        raise DataError(f"{folder}: keeps its scale in an array of its own, which is not read; write it as numbers")
    return OmeZarr(folder, array, axes, described, transforms, _spacing(described, axes, transforms))


def index_of(axes: str, page: Page, place: Place) -> tuple[int | slice, ...]:
    """The index of a place in space of one page; channels are all taken."""
    first = [{"t": page.frame, "c": slice(None)}[letter] for letter in axes if letter != "s"]
    return (*first, *(() if page.slice is None else (page.slice,)), *place)


def letter_of(axis: dict[str, Any]) -> str:
    """`t`, `c` or, for space, `s`."""
    kind = axis.get("type") or AXIS_TYPES.get(str(axis["name"]).lower(), "space")
    return {"time": "t", "channel": "c"}.get(kind, "s")


def _spacing(described: Sequence[dict[str, Any]], axes: str, transforms: Any) -> tuple[float, ...] | None:
    edges = []
    for k, axis in enumerate(described):
        if axes[k] != "s":
            continue
        factor = millimetres(str(axis.get("unit", "")))
        if factor is None:
            return None
        for transform in (transform for own in transforms for transform in own if transform["type"] == "scale"):
            factor *= float(transform["scale"][k])
        edges.append(float(f"{factor:.6g}"))
    return tuple(edges)
