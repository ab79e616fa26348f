"""CVAT for images 1.1: an XML of all images of a task, each with its shapes."""

import math
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from ....core.errors import DataError
from .regions import FARTHEST, AnnotatedImage, Annotations, Corners, Ellipse, Outline, Part, Region, outline_of
from .registry import Asked, annotates
from .run_lengths import Box, RunLengths, from_counts

BOXED = "boxes of CVAT are drawn as the rectangles they are"
_BARE = ("points", "polyline", "cuboid", "skeleton")


def _is_cvat(_file: Path, value: Any) -> bool:
    return isinstance(value, Element) and value.tag == "annotations"


@annotates("CVAT", _is_cvat)
def cvat(file: Path, value: Any, asked: Asked) -> Annotations:
    """Shapes lie in the order of their `z_order`, then of the list; those of one label and `group_id` are one object.

    Polygons, ellipses, boxes (also turned ones, noted) and masks, whose run lengths go along rows inside their box and
    begin with the pixels outside. Coordinates begin at the outer corner of the first pixel. An image without shapes
    shows no object. Tags say nothing of pixels and are left out.

    Raises DataError for CVAT for video, which has tracks in place of images.
    """
    if value.find("track") is not None or value.find("image") is None:
        came = "CVAT for video" if value.find("track") is not None else "XML without an image of CVAT"
        raise DataError(f"{file}: is {came}; export the task as `CVAT for images 1.1`, which has a list of images")
    labels = tuple(dict.fromkeys(name.text or "" for name in value.iterfind("meta//label/name")))
    images, boxed = [], False
    for image in value.iterfind("image"):
        name = image.get("name", "")
        where = f"{file}: image {name}"
        if not name:
            raise DataError(f"{file}: an image has no name")
        shapes = [shape for shape in image if shape.tag not in ("tag", "attribute")]
        boxed |= any(shape.tag == "box" for shape in shapes)
        shapes.sort(key=lambda shape, where=where: _number(shape, "z_order", where, "0"))
        size = (int(_number(image, "height", where)), int(_number(image, "width", where)))
        regions = tuple(_region(shape, f"{where}, {shape.tag}", asked.corners) for shape in shapes)
        images.append(AnnotatedImage(name, file, regions, size))
    return Annotations(tuple(images), labels, notes=(BOXED,) if boxed else ())


def _region(shape: Element, where: str, corners: Corners) -> Region:
    label, group = shape.get("label"), shape.get("group_id", "0")
    if not label:
        raise DataError(f"{where}: has no label")
    where = f"{where} ({label})"
    joined = "" if group == "0" else group
    if shape.tag in _BARE:
        return Region(label, (), f"{where} has no area", True, joined)
    return Region(label, (_part(shape, where, corners),), where, True, joined)


def _part(shape: Element, where: str, corners: Corners) -> Part:
    if shape.tag == "polygon":
        pairs = [pair.split(",") for pair in shape.get("points", "").split(";")]
        return outline_of(pairs, where, corners)
    if shape.tag == "box":
        return Outline((_box(shape, where),))
    if shape.tag == "ellipse":
        cx, cy, rx, ry, turn = (_number(shape, key, where, "0" if key == "rotation" else "") for key in
                                ("cx", "cy", "rx", "ry", "rotation"))  # fmt: skip
        least = np.finfo(float).tiny
        return Ellipse((cx, cy), (max(rx, least), max(ry, least)), math.radians(turn))
    if shape.tag == "mask":
        return _mask(shape, where)
    raise DataError(f"{where}: a shape {shape.tag!r} is unknown; polygon, mask, box and ellipse are drawn")


def _box(shape: Element, where: str) -> np.ndarray:
    x0, y0, x1, y1 = (_number(shape, key, where) for key in ("xtl", "ytl", "xbr", "ybr"))
    turn = math.radians(_number(shape, "rotation", where, "0"))
    corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    if not turn:
        return corners
    middle = corners.mean(0)
    cos, sin = math.cos(turn), math.sin(turn)
    return (corners - middle) @ np.array([(cos, sin), (-sin, cos)]) + middle


def _mask(shape: Element, where: str) -> RunLengths:
    box = Box(*(int(_number(shape, key, where)) for key in ("top", "left", "height", "width")))
    try:
        counts = np.array([word.strip() for word in shape.get("rle", "").split(",")], np.int64)
        return from_counts(counts, "rows", box)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{where}: its rle is no list of run lengths ({error})") from None


def _number(element: Element, key: str, where: str, default: str = "") -> float:
    text = element.get(key, default)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) <= FARTHEST:
        raise DataError(f"{where}: its {key} is {text!r} and must be a number within {FARTHEST:,}")
    return number
