"""NRRD and the segmentations of 3D Slicer (`.seg.nrrd`), by pynrrd, turned to RAS+."""

import bz2
import gzip
import io
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import DataError, UnetbenchError, one_line
from .data_files import beside
from .extras import required
from .frames import last_is_time
from .picture import Picture, Reading
from .registry import reads
from .segments import Painted, Segment, chosen_segments
from .sizes import require_memory
from .tiff_spacing import millimetres
from .volume import placed_picture

LIST = "an axis of a NRRD that is no space is read as channels; say `pages: frames` if it is time"

_SIGNS = {"right-anterior-superior": (1, 1, 1), "left-anterior-superior": (-1, 1, 1)}
_SIGNS |= {"left-posterior-superior": (-1, -1, 1)}
_SIGNS |= {"".join(word[0] for word in name.split("-")).upper(): signs for name, signs in _SIGNS.items()}
_LONGEST_HEAD = 2**24
_SPATIAL = ("domain", "space", "???", "none")
_UNSAID = ("list", "???", "none", "")
_SEGMENT = re.compile(r"Segment(\d+)_ID")


@reads(".nrrd", ".nhdr", ".seg.nrrd", parts={".nhdr": lambda file: (file, _data_of(file))})
def nrrd(file: Path, reading: Reading) -> Picture:
    """(x, y, z, c), or (t, x, y, z, c) for a time stack, in RAS+; (y, x, c) where it has two axes of space.

    Edges are the norms of the rows of `space directions`, in `space units` or else millimetres. What says no anatomical
    space keeps its axes. A segmentation of 3D Slicer is a mask of the labels that its segments state, or of the one
    that `Reading.segment` names, and may be a part of its image's grid.
    """
    try:
        header, start = _header(file)
        array = _array(file, header, start, reading)
    except (UnetbenchError, FileNotFoundError):
        raise
    except Exception as error:  # pynrrd raises whatever the parsing of a field does
        raise unreadable(file, error) from None
    if array.dtype.kind not in "iuf":
        raise DataError(f"{file}: holds {header['type']}; integers and floats can be read")
    space, others, kinds = _space_axes(header, file)
    array = array.transpose(*space, *others) if others else array[..., None]
    affine, edges, notes = _geometry(header, space)
    segments = _segments(header) if reading.mask else []
    if segments:
        return _segmentation(file, array, segments, affine, edges, notes, reading)
    frames, more = last_is_time(array.shape[-1], _meaning(kinds[others[0]] if others else ""), file, reading, note=LIST)
    return placed_picture(array, affine, edges, "NRRD header", notes=(*notes, *more), frames=frames)


def grid_fields(file: Path) -> dict[str, Any]:
    """What a NRRD says of its axes of space and of no others, as a file on the same grid needs it. Raises DataError."""
    try:
        header, _ = _header(file)
    except (UnetbenchError, FileNotFoundError):
        raise
    except Exception as error:  # pynrrd raises whatever the parsing of a field does
        raise unreadable(file, error) from None
    space, _, _ = _space_axes(header, file)
    names = ("space", "space dimension", "space origin", "space units")
    found = {name: header[name] for name in names if name in header}
    return found | {
        name: np.array([header[name][k] for k in space]) for name in ("space directions", "spacings") if name in header
    }


def _data_of(file: Path) -> Path:
    """The file that holds the voxels of a header that stands apart. Raises DataError."""
    try:
        named = _detached(_header(file)[0])
    except (UnetbenchError, FileNotFoundError):
        raise
    except Exception as error:  # pynrrd raises whatever the parsing of a field does
        raise unreadable(file, error) from None
    return file if named is None else beside(file, named)


def unreadable(file: Path, error: Exception) -> DataError:
    """What is raised for a NRRD that pynrrd cannot read."""
    return DataError(f"{file}: is no readable NRRD; it is damaged or cut short ({one_line(error)})")


def _package() -> Any:
    return required("nrrd", "pynrrd", "NRRD")


def _header(file: Path) -> tuple[dict[str, Any], int]:
    """The fields, and where in the file what follows them begins. Fields are UTF-8; pynrrd drops what is not ASCII."""
    nrrd = _package()
    lines: list[str] = []
    with file.open("rb") as content:
        while (line := content.readline(_LONGEST_HEAD)).strip():
            lines.append(line.decode("utf-8", "replace"))
            if content.tell() > _LONGEST_HEAD:
                raise ValueError("its head has no end")
        start = content.tell()
    if not lines:
        raise ValueError("it is empty")
    return dict(nrrd.read_header(lines)), start


def _detached(header: Mapping[str, Any]) -> str | None:
    return header.get("data file", header.get("datafile"))


def _array(file: Path, header: Mapping[str, Any], start: int, reading: Reading) -> np.ndarray:
    """The array in the order of `sizes`, of which no more is unpacked than they say."""
    nrrd = _package()
    whole = {key: value for key, value in header.items() if key not in ("data file", "datafile")}
    if any(whole.pop(key, 0) for key in ("byte skip", "byteskip", "line skip", "lineskip")):
        raise DataError(f"{file}: skips bytes or lines of its data, which is not read; save it anew")
    encoding = whole["encoding"]
    text = encoding.lower() in ("ascii", "text", "txt")
    plain = whole if text else whole | {"encoding": "raw"}
    one = plain | {"sizes": np.array([1]), "dimension": 1}
    dtype = nrrd.read_data(one, io.BytesIO(b"0" * 16)).dtype
    shape = tuple(int(edge) for edge in header["sizes"])
    if reading.outline:
        return np.broadcast_to(np.zeros((), dtype), shape)
    require_memory(shape, dtype.itemsize, file)
    named = _detached(header)
    if named is not None and file.suffix.lower() != ".nhdr":
        raise DataError(f"{file}: has its data in another file, {named}; rename it to .nhdr, which such headers are")
    with (file if named is None else beside(file, named)).open("rb") as content:
        content.seek(start if named is None else 0)
        packed: Any = content
        if encoding in ("gzip", "gz"):
            packed = gzip.GzipFile(fileobj=content)
        elif encoding in ("bzip2", "bz2"):
            packed = bz2.BZ2File(content)
        elif not text and encoding != "raw":
            raise ValueError(f"the encoding {encoding} is not known")
        stated = math.prod(shape) * dtype.itemsize
        data = packed.read(-1 if text else stated + 1)
    if not text and len(data) > stated:
        raise ValueError("it holds more than its sizes say")
    array = nrrd.read_data(plain, io.BytesIO(data))
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _space_axes(header: Mapping[str, Any], file: Path) -> tuple[list[int], list[int], list[str]]:
    """Which axes are space, which are not, and the kinds of all. Raises DataError."""
    rank, directions = len(header["sizes"]), header.get("space directions")
    kinds = header.get("kinds") or ["???"] * rank
    if (directions is not None and len(directions) != rank) or len(kinds) != rank:
        raise DataError(f"{file}: says of other than its {rank} axes what they are; it is damaged")
    if directions is not None:
        space = [k for k, row in enumerate(directions) if not np.isnan(row).any()]
    else:
        space = [k for k, kind in enumerate(kinds) if kind.lower() in _SPATIAL]
    others = [k for k in range(rank) if k not in space]
    if len(others) > 1 or len(space) not in (2, 3):
        raise DataError(
            f"{file}: has {len(space)} axes of space and {len(others)} others; 2 or 3 of space and one other, of "
            "channels or time, can be read"
        )
    return space, others, kinds


def _geometry(
    header: Mapping[str, Any], space: list[int]
) -> tuple[np.ndarray | None, tuple[float, ...] | None, tuple[str, ...]]:
    """The affine to RAS where there is one, else the edges of a voxel where they are known, and what to note."""
    directions, stated = header.get("space directions"), header.get("spacings")
    factor, units = 1.0, header.get("space units") or []
    if (units and (factor := millimetres(str(units[0]))) is None) or len({*units}) > 1:
        return None, None, (f"the space units {', '.join(map(repr, units))} are not known; give `spacing_mm`",)
    rows = None if directions is None else np.array([directions[k] for k in space]) * factor
    signs = _SIGNS.get(str(header.get("space", "")))
    if signs is not None and rows is not None and rows.shape == (3, 3):
        affine = np.eye(4)
        affine[:3, :3] = rows.T
        affine[:3, 3] = np.asarray(header.get("space origin", np.zeros(3))) * factor
        return np.diag([*signs, 1]) @ affine, None, ()
    if rows is not None:
        edges = tuple(float(edge) for edge in np.linalg.norm(rows, axis=1))
    else:
        edges = None if stated is None else tuple(float(stated[k]) for k in space)
    unsaid = edges is not None and set(edges) == {1.0} and not units  # what writers leave where nothing is known
    lost = () if len(space) == 2 else ("the NRRD states no anatomical space; its axes are taken as they are",)
    return None, None if unsaid else edges, lost


def _meaning(kind: str) -> str:
    kind = kind.lower()
    return kind if kind == "time" else "" if kind in _UNSAID else "channels"


def _segments(header: Mapping[str, Any]) -> list[Segment]:
    """What 3D Slicer says of its segments, in its order. Before version 4.11 each had a layer, of 0 and 1."""
    numbers = sorted(int(found[1]) for key in header if (found := _SEGMENT.fullmatch(key)))
    found = []
    for place, number in enumerate(numbers):
        layer, value = (header.get(f"Segment{number}_{key}") for key in ("Layer", "LabelValue"))
        name = header.get(f"Segment{number}_Name", header[f"Segment{number}_ID"])
        found.append(Segment(name, 1 if value is None else int(value), place if layer is None else int(layer)))
    return found


def _segmentation(
    file: Path,
    array: np.ndarray,
    segments: list[Segment],
    affine: np.ndarray | None,
    edges: tuple[float, ...] | None,
    notes: tuple[str, ...],
    reading: Reading,
) -> Picture:
    if max(segment.layer for segment in segments) >= array.shape[-1]:
        raise DataError(f"{file}: names segments in more layers than its {array.shape[-1]}; it is damaged")
    chosen = chosen_segments(file, segments, reading)
    painted = Painted(file, array.shape[:-1], chosen, reading)
    for segment in chosen:
        painted.add(segment, array[..., segment.layer] == segment.value)
    picture = placed_picture(painted.labels[..., None], affine, edges, "NRRD header", notes=notes)
    return replace(picture, partial=affine is not None)
