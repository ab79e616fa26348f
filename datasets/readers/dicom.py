"""DICOM, by pydicom: a folder that holds a series is a volume in RAS+, a file an image, a stack or a segmentation."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import DataError
from .anatomical import RAS_OF_LPS
from .dicom_planes import Grid, grid_of, planes_of
from .dicom_seg import SEGMENTATIONS, segmentation
from .dicom_values import decoded, rescaled
from .extras import required
from .frames import last_is_time
from .picture import Picture, Reading
from .registry import FOLDER, reads, visible
from .sizes import require_memory
from .volume import placed_picture

_HEADER = "DICOM header"
_DETECTOR = (
    "ImagerPixelSpacing is the size of a pixel on the detector and not in the patient; give `spacing_mm` if it is known"
)


@reads(".dcm", FOLDER, parts={FOLDER: lambda folder: tuple(_files(folder))})
def dicom(file: Path, reading: Reading) -> Picture:
    """(x, y, z, c) in RAS+ of a series or of an enhanced file; (y, x, c) of a file that holds one image.

    Slices are sorted along their normal by ImagePositionPatient, never by name or number. Values are rescaled, as
    RescaleSlope and RescaleIntercept or a lookup table say, slice by slice. A segmentation is a mask, and its labels
    are the numbers of its segments; see `dicom_seg`. Frames that do not say where they lie are points of time.

    Raises DataError for a folder of several series and for slices that make up no grid; SpecError where pydicom is not
    installed.
    """
    headers, notes = _headers(file)
    first, first_file = headers[0]
    if first.get("SOPClassUID") in SEGMENTATIONS:
        image = None if reading.image is None else _grid_of_image(reading.image)
        return segmentation(_read(first_file), first_file, image, reading)
    if file.is_dir() or "PerFrameFunctionalGroupsSequence" in first:
        return _volume(file, headers, notes, reading)
    return _image(file, reading)


def _grid_of_image(file: Path) -> Grid | None:
    """The slices of an image, or None where it is no DICOM."""
    if not (file.is_dir() or file.suffix.lower() == ".dcm"):
        return None
    return _grid(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _grid(file: Path, _changed: int) -> Grid:
    return grid_of([plane for header, own in _headers(file)[0] for plane in planes_of(header, own)], file)


def _headers(file: Path) -> tuple[list[tuple[Any, Path]], tuple[str, ...]]:
    """Headers of the files of one series, and what to note. Raises DataError."""
    files = _files(file) if file.is_dir() else [file]
    read = [(_read(one, pixels=False), one) for one in files]
    found = [(header, one) for header, one in read if header is not None and "Rows" in header]
    if not found:
        raise DataError(f"{file}: is no readable DICOM image; it is damaged, cut short or another kind of object")
    _require_one_series(file, [header for header, _ in found])
    for header, one in read:
        _require_sound(header, one, found[0][0].get("SeriesInstanceUID"))
    return found, ("files that are no DICOM images were left out of its folder",) if len(found) < len(read) else ()


def _require_sound(header: Any, file: Path, series: Any) -> None:
    """Raise DataError for a file that would be left out of its series though it is a damaged slice of it."""
    if header is None:
        damaged = file.suffix.lower() == ".dcm" or not file.stat().st_size
    else:
        damaged = "Rows" not in header and header.get("SeriesInstanceUID", series) == series
    if damaged:
        raise DataError(f"{file}: is no readable DICOM; it is damaged or cut short; fetch it again, or take it away")


def _files(folder: Path) -> list[Path]:
    """The files of a folder that may be slices. Raises DataError."""
    found = [file for file in visible(folder, "*") if file.is_file() and file.name.upper() != "DICOMDIR"]
    if not found:
        raise DataError(f"{folder}: has no files; a folder that is an image holds the slices of a DICOM series")
    return found


def _read(file: Path, *, pixels: bool = True) -> Any:
    """The data set of a file, or None where a header alone is asked for and it is no DICOM. Raises DataError."""
    pydicom = required("pydicom", "unetbench[dicom]", "DICOM")
    try:
        return pydicom.dcmread(file, stop_before_pixels=not pixels)
    except pydicom.errors.InvalidDicomError:
        if not pixels:
            return None
        raise DataError(f"{file}: is no readable DICOM; it is damaged or cut short") from None


def _require_one_series(file: Path, headers: Sequence[Any]) -> None:
    counts = Counter(str(header.get("SeriesInstanceUID", "")) for header in headers)
    if len(counts) > 1:
        named = {str(header.get("SeriesInstanceUID", "")): header for header in headers}
        names = {uid: str(header.get("SeriesDescription") or uid) for uid, header in named.items()}
        told = ", ".join(
            f"{named[uid].get('SeriesNumber', '?')} {names[uid]} ({count} files)"
            for uid, count in counts.most_common(5)
        )
        raise DataError(f"{file}: holds {len(counts)} series: {told}; give each a folder of its own")


def _volume(file: Path, headers: Sequence[tuple[Any, Path]], notes: tuple[str, ...], reading: Reading) -> Picture:
    grid = grid_of([plane for header, own in headers for plane in planes_of(header, own)], file)
    rows, columns = grid.planes[0].shape
    channels = int(headers[0][0].get("SamplesPerPixel", 1))
    shape = (columns, rows, len(grid.planes), channels)
    if reading.outline:
        array: np.ndarray = np.broadcast_to(np.uint8(0), shape)
    else:
        require_memory(shape, 4, file)
        array, more = _slices(grid)
        notes += more
    return placed_picture(array, RAS_OF_LPS @ grid.affine, None, _HEADER, notes=(*notes, *grid.notes))


def _slices(grid: Grid) -> tuple[np.ndarray, tuple[str, ...]]:
    """The values (columns, rows, slices, c) of a grid, and what to note."""
    file, data, stored = Path(), None, np.empty(0)
    slices, notes = [], {}
    for plane in grid.planes:
        if plane.file != file:
            file, data = plane.file, _read(plane.file)
            stored = decoded(data, file)
        values, more = rescaled(data, stored[max(0, plane.frame - 1)], plane.frame)
        notes |= dict.fromkeys(more)
        slices.append(values.swapaxes(0, 1))
    return np.asfortranarray(np.stack(slices, 2)), tuple(notes)


def _image(file: Path, reading: Reading) -> Picture:
    """A file of one image, or of frames that do not say where they lie."""
    data = _read(file)
    shape = (int(data.get("NumberOfFrames", 1) or 1), int(data.Rows), int(data.Columns), int(data.SamplesPerPixel))
    frames, notes = last_is_time(shape[0], "time", file, reading, note="")
    if reading.outline:
        array: np.ndarray = np.broadcast_to(np.uint8(0), shape)
    else:
        require_memory(shape, 4, file)
        array, notes = rescaled(data, decoded(data, file), 0)
    edges = tuple(float(edge) for edge in data.get("PixelSpacing") or ())
    if not edges and "ImagerPixelSpacing" in data:
        notes += (_DETECTOR,)
    return Picture(
        array if frames else array[0] if len(array) == 1 else np.moveaxis(array[..., 0], 0, -1),
        edges if len(edges) == 2 else None,
        _HEADER if len(edges) == 2 else "",
        notes=notes,
        frames=frames,
    )
