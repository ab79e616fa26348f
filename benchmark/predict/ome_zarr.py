"""OME-Zarr outputs, written region by region with the axes, scale and origin of their image: version 0.5, one level."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...datasets.readers import Page
from ...datasets.readers.extras import required
from ...datasets.readers.ome_zarr import AXIS_TYPES, OmeZarr, index_of, letter_of
from ...datasets.regions import Place, Stored

_VERSION = "0.5"
_LONGEST_CHUNK = 512


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
        described = [{"type": AXIS_TYPES.get(letter_of(axis), "space"), **axis} for axis in described]
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
        self._array[index_of(self._axes, page, place)] = np.moveaxis(values, -1, 0) if "c" in self._axes else values

    def read(self, page: Page, place: Place) -> np.ndarray:
        """What was written of an output without channels."""
        return np.asarray(self._array[index_of(self._axes, page, place)])


def scratch(folder: str, image: Stored) -> Any:
    """A Zarr array (*space) uint32 of zeros in a folder, with the chunks of an image (*space, c)."""
    space, chunks = image.shape[:-1], getattr(image, "chunks", image.shape[:-1])
    return _zarr().create_array(folder, shape=space, chunks=tuple(map(min, chunks, space)), dtype=np.uint32)


def _zarr() -> Any:
    return required("zarr", "unetbench[zarr]", "OME-Zarr")


def _ordered(transform: dict[str, Any], order: Sequence[int | None]) -> dict[str, Any]:
    """A scale or translation for axes in another order, None being a new one."""
    kind = transform["type"]
    if kind not in ("scale", "translation"):
        return dict(transform)
    new = 1.0 if kind == "scale" else 0.0
    return {"type": kind, kind: [new if k is None else float(transform[kind][k]) for k in order]}


def _unit(shape: Sequence[int]) -> dict[str, Any]:
    return {"type": "scale", "scale": [1.0] * len(shape)}
