"""Regions as pixels: which is drawn over which, one binary mask a region before anything is encoded."""

from collections.abc import Sequence

import numpy as np

from ....core.errors import DataError
from .polygons import Runs, border_runs, paint, polygon_runs
from .regions import Ellipse, Outline, Part, Region
from .run_lengths import Bitmap, RunLengths, bitmap_of, bitmap_runs


def drawn(regions: Sequence[Region], space: tuple[int, int]) -> np.ndarray:
    """An image (y, x) int32 of the number 1, 2 … of the region that is drawn last at each pixel; 0 where none is.

    Raises DataError for run lengths that do not fit the image.
    """
    canvas = np.zeros(space, np.int32)
    paint(canvas, _runs(regions, space), np.arange(1, len(regions) + 1))
    return canvas


def mask_of(region: Region, space: tuple[int, int]) -> np.ndarray:
    """The pixels (y, x) of one region, booleans, whatever is drawn over it. Raises DataError."""
    return drawn([region], space) > 0


def _runs(regions: Sequence[Region], space: tuple[int, int]) -> Runs:
    parts = [(owner, part, region.where) for owner, region in enumerate(regions) for part in region.parts]
    outlined = [(owner, part) for owner, part, _ in parts if isinstance(part, Outline)]
    owners = np.array([owner for owner, _ in outlined], np.int64)
    every = [own._replace(owner=owners[own.owner]) for own in _outlined(parts, space)] if len(owners) else []
    for owner, part, where in parts:
        if not isinstance(part, Outline):
            own = bitmap_runs(_bitmap(part, space, where), space)
            every.append(own._replace(owner=own.owner + owner))
    if not every:
        return polygon_runs([], space)
    joined = [np.concatenate(fields) for fields in zip(*every, strict=True)]
    order = np.argsort(joined[0], kind="stable")
    return Runs(*(field[order] for field in joined))


def _outlined(parts: Sequence[tuple[int, Part, str]], space: tuple[int, int]) -> list[Runs]:
    """The pixels of outlines, whose owners are 0, 1 … in their order."""
    rings: list[Sequence[np.ndarray]] = []
    borders: list[Sequence[np.ndarray]] = []
    for _, part, where in parts:
        if not isinstance(part, Outline):
            continue
        chained = part.corners == "pixels"
        if chained:
            _check_chain(part, space, where)
        rings.append(part.rings if part.corners == "edges" else [ring + 0.5 for ring in part.rings])
        borders.append(part.rings if chained else ())
    return [polygon_runs(rings, space), border_runs(borders, space)]


def _check_chain(part: Outline, space: tuple[int, int], where: str) -> None:
    corners = np.concatenate(part.rings)
    if (corners != np.rint(corners)).any() or (corners < 0).any() or (corners >= space[::-1]).any():
        raise DataError(
            f"{where}: has corners that are no pixels of the image {space[0]}×{space[1]} (whole numbers from 0 on), so "
            "that these are no pixels of a border; drop `corners: pixels`"
        )


def numbers_of(regions: Sequence[Region]) -> np.ndarray:
    """The number 1, 2 … of each region's object, in the order of the regions; (n,) int32.

    Regions of one label that are joined are one object.
    """
    seen: dict[tuple[str, str | int], int] = {}
    for index, region in enumerate(regions):
        seen.setdefault((region.label, region.joined or index), len(seen) + 1)
    return np.fromiter(
        (seen[region.label, region.joined or index] for index, region in enumerate(regions)), np.int32, len(regions)
    )


def unseen(regions: Sequence[Region], canvas: np.ndarray) -> list[Region]:
    """The regions of a canvas (y, x) that hold the centre of no pixel, so that no other one covers them."""
    shown = np.zeros(len(regions) + 1, bool)
    shown[np.unique(canvas)] = True
    hidden = [region for region, seen in zip(regions, shown[1:], strict=True) if not seen]
    covered = set(_runs(hidden, canvas.shape).owner.tolist())  # pyright: ignore[reportArgumentType]  # it is 2D
    return [region for owner, region in enumerate(hidden) if owner not in covered]


def _bitmap(part: Ellipse | RunLengths, space: tuple[int, int], where: str) -> Bitmap:
    return _ellipse(part, space) if isinstance(part, Ellipse) else bitmap_of(part, space, where)


def _ellipse(part: Ellipse, space: tuple[int, int]) -> Bitmap:
    (cx, cy), (rx, ry), turn = part
    reach = max(rx, ry)
    top, left = (int(np.clip(middle - reach, 0, edge)) for middle, edge in zip((cy, cx), space, strict=True))
    bottom, right = (int(np.clip(middle + reach + 1, 0, edge)) for middle, edge in zip((cy, cx), space, strict=True))
    y, x = np.ogrid[top:bottom, left:right]
    dx, dy = x + 0.5 - cx, y + 0.5 - cy
    along, across = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    return Bitmap((along / rx) ** 2 + (across / ry) ** 2 <= 1, top, left)
