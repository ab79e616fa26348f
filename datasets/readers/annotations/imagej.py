"""ImageJ: the ROIs of an image, one as `.roi` or several in a `.zip`, by roifile."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ....core.errors import DataError
from ..read import decoding
from .regions import AnnotatedImage, Annotations, Corners, Ellipse, Outline, Part, Region, outline_of
from .registry import Asked, annotates

CHAINS = "corners of Cellpose's ROIs are the pixels of the border, which belong to the cell (`corners: pixels`)"
NEEDED = "ImageJ's ROIs need the package roifile; install it with pip install 'unetbench[imagej]'"

_END = re.compile(r"(?:[_-]?rois?|[_-]?roiset)$", re.IGNORECASE)
_AREAS = ("POLYGON", "FREEHAND", "TRACED", "RECT", "OVAL")


def _is_imagej(_file: Path, value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(one, bytes) for one in value.values())


@annotates("ImageJ ROIs", _is_imagej)
def imagej(file: Path, value: Any, asked: Asked) -> Annotations:
    """`X.zip`, `X_rois.zip`, `X_RoiSet.zip` or `X.roi` of the image `X`; each ROI is an object, later ones in front.

    Polygons, freehand and traced outlines, rectangles, ovals and composites of them. Corners are pixels' outer corners,
    as ImageJ fills them; those of Cellpose (`X_rois.zip`) are pixels of the border, noted, and so are StarDist's, whose
    files nothing tells from others: `corners: pixels`. Classes are not told. Whoever drew masks of ROIs with
    scikit-image moved them by half a pixel, as Usiigaci's published ones are: `corners: centres` gives the same.

    Raises DataError for lines and points, for ROIs of several slices, and without roifile.
    """
    try:
        from roifile import ImagejRoi  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise DataError(f"{file}: {NEEDED}") from None
    cellpose = file.name.endswith("_rois.zip")
    corners: Corners = "pixels" if cellpose else asked.corners
    regions, slices = [], set()
    for name, content in value.items():
        where = f"{file}: {name}"
        with decoding(file):
            roi = ImagejRoi.frombytes(content)
        slices.add((roi.position, roi.z_position, roi.t_position))
        regions.append(Region("", tuple(_parts(roi, where, corners)), where))
    if len(slices) > 1:
        raise DataError(f"{file}: its ROIs lie on {len(slices)} slices of a stack; give each slice an image and a file")
    image = AnnotatedImage(_END.sub("", file.stem) or file.stem, file, tuple(regions))
    return Annotations((image,), notes=(CHAINS,) if cellpose else ())


def _parts(roi: Any, where: str, corners: Corners) -> Iterator[Part]:
    kind = roi.roitype.name
    if roi.composite:
        rings = [outline_of(ring, where).rings[0] for ring in roi.coordinates(multi=True) if len(ring) > 2]
        yield Outline(tuple(rings))
    elif kind not in _AREAS:
        raise DataError(f"{where}: is a {kind.lower()}, which has no area; leave it out of the file")
    elif kind == "OVAL":
        radii = (roi.right - roi.left) / 2, (roi.bottom - roi.top) / 2
        if min(radii) <= 0:
            raise DataError(f"{where}: is an oval without width or height")
        yield Ellipse((roi.left + radii[0], roi.top + radii[1]), radii)
    else:
        ring = np.asarray(roi.coordinates(), np.float64)
        yield outline_of(ring, where, "edges" if kind == "RECT" else corners)
