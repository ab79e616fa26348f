"""Where the slices of DICOM images lie, and the grid that they make up."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...core.errors import DataError

SAME = 0.05
"""Of the distance of slices: how far one may lie from its place on a regular grid, for positions are rounded."""

_PARALLEL, _TILTED = 1e-3, 1e-2


class Plane(NamedTuple):
    """One slice. uid, frame: of its image, frames counting from 1, 0 where it is the only one.

    position: of its first pixel, orientation: directions of a row and of a column, in millimetres to the left, the back
    and the head (LPS). edges: distances of rows and of columns. shape: rows and columns. thickness: or 0.
    """

    file: Path
    uid: str
    frame: int
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    edges: tuple[float, ...]
    shape: tuple[int, int]
    thickness: float = 0.0
    between: float = 0.0


class Grid(NamedTuple):
    """planes: in the order of their places along the normal. affine: (4, 4), from column, row and slice to LPS."""

    planes: tuple[Plane, ...]
    affine: np.ndarray
    notes: tuple[str, ...]


def planes_of(header: Any, file: Path) -> list[Plane]:
    """The slices of one file: itself, or its frames. Raises DataError where it does not say where they lie."""
    shared = _groups(header, "SharedFunctionalGroupsSequence")
    apart = list(header.get("PerFrameFunctionalGroupsSequence", ())) if shared is not None else []
    if not apart:
        return [_plane(header, file, [header], 0)]
    return [_plane(header, file, [own, shared], number) for number, own in enumerate(apart, 1)]


def grid_of(planes: Sequence[Plane], where: Path) -> Grid:
    """Sort slices along their normal.

    Raises DataError for slices that make up no grid: of other sizes or directions, two at one place, gaps between them.
    """
    first = planes[0]
    for plane in planes:
        _require_alike(first, plane, where)
    along, down = np.array(first.orientation).reshape(2, 3)
    normal = np.cross(along, down)
    places = np.array([plane.position for plane in planes])
    order = np.argsort(places @ normal, kind="stable")
    places, sorted_planes = places[order], tuple(planes[k] for k in order)
    notes: tuple[str, ...] = ()
    if len(planes) == 1:
        step = normal * (first.between or first.thickness or 1.0)
    else:
        step = (places[-1] - places[0]) / (len(planes) - 1)
        _require_regular(sorted_planes, places, step, where)
        if np.linalg.norm(step - (step @ normal) * normal) > _TILTED * np.linalg.norm(step):
            notes = ("slices are shifted from one to the next, as a tilted gantry leaves them; they are not resampled",)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = along * first.edges[1], down * first.edges[0]
    affine[:3, 2], affine[:3, 3] = step, places[0]
    return Grid(sorted_planes, affine, notes)


def group(groups: Sequence[Any], sequence: str) -> Any:
    """The first item of a sequence in the functional groups of a frame, its own before the shared ones, or None."""
    return next((found[0] for one in groups if (found := one.get(sequence))), None)


def _groups(header: Any, name: str) -> Any:
    found = header.get(name)
    return found[0] if found else None


def _plane(header: Any, file: Path, groups: Sequence[Any], frame: int) -> Plane:
    if frame:
        place, turn, size = (
            group(groups, f"{name}Sequence") for name in ("PlanePosition", "PlaneOrientation", "PixelMeasures")
        )
    else:
        place = turn = size = header
    position, orientation, edges = (
        () if one is None else one.get(key) or ()
        for one, key in ((place, "ImagePositionPatient"), (turn, "ImageOrientationPatient"), (size, "PixelSpacing"))
    )
    if (len(position), len(orientation), len(edges)) != (3, 6, 2):
        raise DataError(
            f"{file}: does not say where its slices lie (ImagePositionPatient, ImageOrientationPatient, PixelSpacing); "
            "name its files one by one as images, or convert it to NIfTI with what is known"
        )
    return Plane(
        file,
        str(header.SOPInstanceUID),
        frame,
        tuple(map(float, position)),
        tuple(map(float, orientation)),
        tuple(map(float, edges)),
        (int(header.Rows), int(header.Columns)),
        float(size.get("SliceThickness") or 0),
        float(size.get("SpacingBetweenSlices") or 0),
    )


def _require_alike(first: Plane, plane: Plane, where: Path) -> None:
    for what, same in (
        ("size", first.shape == plane.shape),
        ("orientation", np.allclose(first.orientation, plane.orientation, atol=_PARALLEL)),
        ("distance of pixels", np.allclose(first.edges, plane.edges, rtol=_PARALLEL)),
    ):
        if not same:
            raise DataError(
                f"{where}: the slice {_told(plane)} has another {what} than {_told(first)}, as localizers have; take "
                "out what does not belong to the volume"
            )


def _require_regular(planes: Sequence[Plane], places: np.ndarray, step: np.ndarray, where: Path) -> None:
    length = float(np.linalg.norm(step))
    gaps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    usual = float(np.median(gaps))
    for k, gap in enumerate(gaps):
        if gap <= SAME * max(usual, length) or gap == 0:
            raise DataError(
                f"{where}: {_told(planes[k])} and {_told(planes[k + 1])} lie at one place, as points of time and "
                "echoes do; give each a folder of its own"
            )
        if abs(gap - usual) > SAME * usual:
            raise DataError(
                f"{where}: its slices are {usual:.6g} mm apart, but {_told(planes[k])} and {_told(planes[k + 1])} "
                f"{gap:.6g} mm; slices are missing, or it needs resampling to one distance"
            )
    off = np.abs(places - (places[0] + np.arange(len(places))[:, None] * step)).max()
    if off > SAME * max(length, usual):
        raise DataError(f"{where}: its slices do not lie on one line (by {off:.3g} mm); resample it to one grid")


def _told(plane: Plane) -> str:
    return f"{plane.file.name}, frame {plane.frame}" if plane.frame else plane.file.name
