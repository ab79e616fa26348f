"""OME-Zarr images: regions read as they are asked for, outputs written region by region with the same axes and scale.

Read are versions 0.4 (Zarr 2) and 0.5 (Zarr 3), the finest level of the first multiscale; written is 0.5
(https://ngff.openmicroscopy.org/0.5/), one level.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import DataError, SpecError, one_line
from ...datasets.readers import Page
from ...datasets.readers.tiff_spacing import millimetres
from ...datasets.regions import Place, Stored
from .zarr_codecs import foreign_codec

NEEDED = "OME-Zarr needs the package zarr; install it with pip install 'unetbench[zarr]'"

WHOLE = Page(0, None)
"""The page of an image without time."""

_VERSION = "0.5"
_TYPES = {"t": "time", "c": "channel"}
_LONGEST_CHUNK = 512


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
            found = np.asarray(self._array[_index(self._axes, self._page, place)])
        except Exception as error:  # of Zarr and of its codecs
            raise DataError(f"{self._folder}: cannot be read; it is damaged ({one_line(error)})") from None
        found = np.moveaxis(found, 0, -1) if "c" in self._axes else found[..., None]
        return np.ascontiguousarray(found, self.dtype)


def open_ome_zarr(folder: Path) -> OmeZarr:
    """The image of a folder.

    Raises DataError for what is no OME-Zarr image, SpecError where the package zarr is not installed.
    """
    zarr = _zarr()
    try:
        return _opened(folder, zarr.open_group(folder, mode="r"))
    except DataError:
        raise
    except Exception as error:  # Zarr raises whatever the parsing of its metadata does, and ours may hold anything
        raise DataError(f"{folder}: is no OME-Zarr image; it has no multiscales to read ({one_line(error)})") from None


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
    axes = "".join(_letter(axis) for axis in described)
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


class ZarrOutput:
    """An OME-Zarr image that is written region by region, with the axes, scale and origin of another one.

    channels: names of the channels in place of that one's, or none to have no such axis.
    """

    def __init__(self, folder: Path, like: OmeZarr, dtype: np.dtype, channels: Sequence[str] = ()) -> None:
        self.folder = folder
        self._axes = like.axes.replace("c", "")
        self._axes = self._axes.replace("s", "cs", 1) if channels else self._axes
        kept = [k for k, letter in enumerate(like.axes) if letter != "c"]
        order: list[int | None] = [*kept]
        if channels:
            order.insert(self._axes.index("c"), None)
        shape = [len(channels) if k is None else like.array.shape[k] for k in order]
        chunks = [1 if k is None or like.axes[k] == "t" else min(_LONGEST_CHUNK, like.array.chunks[k]) for k in order]
        described = [{"name": "c", "type": "channel"} if k is None else like.described[k] for k in order]
        described = [{"type": _TYPES.get(_letter(axis), "space"), **axis} for axis in described]
        names = [axis["name"] for axis in described]
        level, whole = ([_ordered(transform, order) for transform in own] for own in like.transforms)
        multiscale: dict[str, Any] = {
            "axes": described,
            "datasets": [{"path": "0", "coordinateTransformations": level or [_unit(shape)]}],
        }
        if whole:
            multiscale["coordinateTransformations"] = whole
        if channels:
            multiscale["metadata"] = {"channels": list(channels)}
        group = _zarr().open_group(folder, mode="w", zarr_format=3)
        group.attrs["ome"] = {"version": _VERSION, "multiscales": [multiscale]}
        self._array = group.create_array("0", shape=shape, chunks=chunks, dtype=dtype, dimension_names=names)

    def put(self, page: Page, place: Place, values: np.ndarray) -> None:
        """Write values (*place), or (*place, k) where it has channels."""
        self._array[_index(self._axes, page, place)] = np.moveaxis(values, -1, 0) if "c" in self._axes else values

    def read(self, page: Page, place: Place) -> np.ndarray:
        """What was written of an output without channels."""
        return np.asarray(self._array[_index(self._axes, page, place)])


def scratch(folder: str, image: Stored) -> Any:
    """A Zarr array (*space) uint32 of zeros in a folder, with the chunks of an image (*space, c)."""
    space, chunks = image.shape[:-1], getattr(image, "chunks", image.shape[:-1])
    return _zarr().create_array(folder, shape=space, chunks=tuple(map(min, chunks, space)), dtype=np.uint32)


def _index(axes: str, page: Page, place: Place) -> tuple[int | slice, ...]:
    """The index of a place in space of one page; channels are all taken."""
    first = [{"t": page.frame, "c": slice(None)}[letter] for letter in axes if letter != "s"]
    return (*first, *(() if page.slice is None else (page.slice,)), *place)


def _zarr() -> Any:
    try:
        import zarr  # pyright: ignore[reportMissingImports]  # an extra
    except ImportError:
        raise SpecError(NEEDED) from None
    return zarr


def _letter(axis: dict[str, Any]) -> str:
    """`t`, `c` or, for space, `s`."""
    kind = axis.get("type") or _TYPES.get(str(axis["name"]).lower(), "space")
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


def _ordered(transform: dict[str, Any], order: Sequence[int | None]) -> dict[str, Any]:
    """A scale or translation for axes in another order, None being a new one."""
    kind = transform["type"]
    if kind not in ("scale", "translation"):
        return dict(transform)
    new = 1.0 if kind == "scale" else 0.0
    return {"type": kind, kind: [new if k is None else float(transform[kind][k]) for k in order]}


def _unit(shape: Sequence[int]) -> dict[str, Any]:
    return {"type": "scale", "scale": [1.0] * len(shape)}
