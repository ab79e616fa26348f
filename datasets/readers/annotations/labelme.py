"""labelme: a JSON for each image, with the shapes that were drawn in it."""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ....core.errors import DataError
from ..raster import decoded
from .regions import FARTHEST, AnnotatedImage, Annotations, Corners, Ellipse, Outline, Part, Region, outline_of
from .registry import Asked, annotates
from .run_lengths import from_pixels

_BARE = ("line", "linestrip", "point", "points")


def _is_labelme(_file: Path, value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("shapes"), list) and "imagePath" in value


@annotates("labelme", _is_labelme)
def labelme(file: Path, value: Any, asked: Asked) -> Annotations:
    """Shapes are drawn in their order, the last one in front; those of one label and `group_id` are one object.

    Polygons, rectangles (also turned ones), circles (centre and a point of the rim) and masks. Coordinates begin at the
    outer corner of the first pixel, as they lie on the screen; labelme's own `shape_to_mask` draws the outline too and
    half a pixel off, and makes objects larger.

    Raises DataError for points and lines, which have no pixels, when they are drawn: their label may be left out.
    """
    if not isinstance(value["imagePath"], str) or not value["imagePath"]:
        raise DataError(f"{file}: its imagePath is {value['imagePath']!r} and must name the image")
    height, width = value.get("imageHeight"), value.get("imageWidth")
    size = (height, width) if isinstance(height, int) and isinstance(width, int) else None
    regions = tuple(_region(file, index, shape, asked.corners) for index, shape in enumerate(value["shapes"]))
    return Annotations((AnnotatedImage(value["imagePath"], file, regions, size),))


def _region(file: Path, index: int, shape: Any, corners: Corners) -> Region:
    where = f"{file}: shapes[{index}]"
    if not isinstance(shape, Mapping) or not isinstance(shape.get("label"), str):
        raise DataError(f"{where}: has no label")
    kind, group = shape.get("shape_type") or "polygon", shape.get("group_id")
    parts = () if kind in _BARE else (_part(shape, kind, where, corners),)
    joined = "" if group is None else str(group)
    where = f"{where} ({shape['label']})"
    return Region(
        shape["label"], parts, f"{where} is a {kind}, which has no area" if kind in _BARE else where, True, joined
    )


def _part(shape: Mapping[str, Any], kind: str, where: str, corners: Corners) -> Part:
    points = shape.get("points")
    if kind in ("polygon", "oriented_rectangle"):
        return outline_of(points, where, corners)
    if kind not in ("rectangle", "circle", "mask"):
        raise DataError(f"{where}: shape_type {kind!r} is unknown; polygon, rectangle, circle and mask are drawn")
    ends = np.asarray(points, np.float64) if _are_two(points) else np.full((2, 2), np.nan)
    if not (np.abs(ends) <= FARTHEST).all():
        raise DataError(f"{where}: a {kind} has two points of x and y")
    (x0, y0), (x1, y1) = ends
    if kind == "rectangle":
        return Outline((np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]),))
    if kind == "circle":
        radius = float(np.hypot(x1 - x0, y1 - y0)) or np.finfo(float).tiny
        return Ellipse((float(x0), float(y0)), (radius, radius))
    pixels = _pixels(shape.get("mask"), where)
    if pixels.shape != (int(y1) - int(y0) + 1, int(x1) - int(x0) + 1):
        raise DataError(f"{where}: its mask is {pixels.shape[0]}×{pixels.shape[1]}, which its two points do not span")
    return from_pixels(pixels, int(y0), int(x0))


def _are_two(points: Any) -> bool:
    """Whether points are two pairs of numbers."""
    return (
        isinstance(points, list)
        and len(points) == 2
        and all(isinstance(p, list) and len(p) == 2 and all(type(v) in (int, float) for v in p) for p in points)
    )


def _pixels(mask: Any, where: str) -> np.ndarray:
    try:
        content = base64.b64decode(mask if isinstance(mask, str) else "", validate=True)
    except (ValueError, binascii.Error):
        raise DataError(f"{where}: its mask is no PNG in base64") from None
    pixels = decoded(content, Path(where))
    return (pixels if pixels.ndim == 2 else pixels[..., 0]) > 0
