"""DICOM segmentations: frames in an order of their writer's own, empty slices left out, a plane each segment."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import DataError
from .anatomical import RAS_OF_LPS
from .dicom_planes import SAME, Grid, Plane, group, planes_of
from .dicom_values import decoded
from .picture import Picture, Reading
from .segments import Painted, Segment, chosen_segments
from .sizes import require_memory
from .volume import placed_picture

SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Storage classes: Segmentation and Label Map Segmentation."""


def segmentation(data: Any, file: Path, image: Grid | None, reading: Reading) -> Picture:
    """A mask (x, y, z, 1) in RAS+ of labels, the numbers of segments, or of the one that `Reading.segment` names.

    image: the slices of its image where that is DICOM: then frames go to the slices that they refer to, or, where they
    refer to none or several, to the one at their place; what a frame refers to must lie where the frame does. Without,
    frames are placed by what they say of themselves, on a grid that may be a part of the image's.

    A fractional segmentation gives the fraction of its one segment, as float32. Raises DataError.
    """
    if "TotalPixelMatrixColumns" in data:
        raise DataError(f"{file}: is a segmentation of a tiled slide, which is not read; save it as TIFF or OME-Zarr")
    listed = [Segment(str(one.get("SegmentLabel", "")), int(one.SegmentNumber)) for one in data.SegmentSequence]
    chosen = chosen_segments(file, [one for one in listed if one.value > 0], reading)
    planes = planes_of(data, file)
    affine, places, count = _own_grid(planes, file) if image is None else _on_image(data, planes, image, file)
    rows, columns = planes[0].shape
    require_memory((columns, rows, count), 4, file)
    kind = str(data.get("SegmentationType", "BINARY"))
    if reading.outline:
        array = np.broadcast_to(np.uint8(0), (columns, rows, count))
    elif kind == "FRACTIONAL":
        array = _fractions(data, file, chosen, places, count)
    else:
        array = _labels(data, file, chosen, places, count, reading)
    picture = placed_picture(array[..., None], RAS_OF_LPS @ affine, None, "DICOM header")
    return replace(picture, partial=image is None)


def _frames_of(data: Any) -> list[list[Any]]:
    """The functional groups of each frame, its own before the shared ones."""
    return [[own, data.SharedFunctionalGroupsSequence[0]] for own in data.PerFrameFunctionalGroupsSequence]


def _number(groups: Sequence[Any]) -> int:
    """Which segment a frame shows, 0 where it shows all."""
    found = group(groups, "SegmentIdentificationSequence")
    return 0 if found is None else int(found.ReferencedSegmentNumber)


def _labels(
    data: Any, file: Path, chosen: Sequence[Segment], places: Sequence[int], count: int, reading: Reading
) -> np.ndarray:
    stored = decoded(data, file)[..., 0]
    painted = Painted(file, (*stored.shape[:0:-1], count), chosen, reading)
    for pixels, place, groups in zip(stored, places, _frames_of(data), strict=True):
        number = _number(groups)
        for segment in chosen:
            if number in (0, segment.value):
                mask = pixels == segment.value if number == 0 else pixels > 0
                painted.add(segment, mask.T, (slice(None), slice(None), place))
    return painted.labels


def _fractions(data: Any, file: Path, chosen: Sequence[Segment], places: Sequence[int], count: int) -> np.ndarray:
    if len(chosen) > 1:
        names = ", ".join(f"{one.name}: GLOB" for one in chosen)
        raise DataError(
            f"{file}: holds fractions of {len(chosen)} segments; read each as a plane: `masks: {{{names}}}`"
        )
    stored = decoded(data, file)[..., 0]
    array = np.zeros((*stored.shape[:0:-1], count), np.float32)
    most = float(data.MaximumFractionalValue)
    for pixels, place, groups in zip(stored, places, _frames_of(data), strict=True):
        if chosen and _number(groups) == chosen[0].value:
            array[..., place] = pixels.T / most
    return array


def _on_image(data: Any, planes: Sequence[Plane], image: Grid, file: Path) -> tuple[np.ndarray, list[int], int]:
    """The affine to LPS of the mask, the slice of its image for each frame, and how many slices there are."""
    index = {(plane.uid, plane.frame): k for k, plane in enumerate(image.planes)}
    uids = {plane.uid for plane in image.planes}
    step = image.affine[:3, 2]
    near = [float((np.array(plane.position) - image.affine[:3, 3]) @ step / (step @ step)) for plane in planes]
    places = []
    for k, groups in enumerate(_frames_of(data)):
        referred = _referred(groups)
        if referred and not any(uid in uids for uid, _ in referred):
            raise DataError(
                f"{file}: its frame {k + 1} refers to an image that is not in {image.planes[0].file.parent}"
            )
        found = {index[key] for key in referred if key in index}
        place = found.pop() if len(found) == 1 else round(near[k])
        if abs(near[k] - place) > SAME or not 0 <= place < len(image.planes):
            raise DataError(
                f"{file}: its frame {k + 1} lies at slice {near[k] + 1:.4g} of its image of {len(image.planes)}"
                + (f" and refers to slice {place + 1}" if len(referred) == 1 else "")
                + "; it was made for other slices"
            )
        places.append(place)
    # along the slices its place is the image's, whose own slices may be off a little
    affine = _affine(planes[0], step, np.array(planes[0].position) - near[0] * step)
    return affine, places, len(image.planes)


def _referred(groups: Sequence[Any]) -> list[tuple[str, int]]:
    """The images that a frame was made of, and their frames, 0 where they have one."""
    found = []
    for derivation in (item for one in groups for item in one.get("DerivationImageSequence") or ()):
        for source in derivation.get("SourceImageSequence") or ():
            numbers = source.get("ReferencedFrameNumber") or 0
            numbers = numbers if isinstance(numbers, Sequence) and not isinstance(numbers, str) else [numbers]
            found += [(str(source.ReferencedSOPInstanceUID), int(number)) for number in numbers]
    return found


def _own_grid(planes: Sequence[Plane], file: Path) -> tuple[np.ndarray, list[int], int]:
    """The same from the places that frames say of themselves; slices without a frame in between are empty."""
    first = planes[0]
    along, down = np.array(first.orientation).reshape(2, 3)
    normal = np.cross(along, down)
    heights = np.array([plane.position for plane in planes]) @ normal
    distinct = np.unique(heights.round(4))
    gaps = np.diff(distinct)
    length = first.between or (float(gaps.min()) if len(gaps) else first.thickness or 1.0)
    numbers = (heights - heights.min()) / length
    places = np.rint(numbers).astype(int)
    if np.abs(numbers - places).max() > SAME * max(1, places.max()):
        raise DataError(
            f"{file}: its frames lie at no regular distance (of {length:.6g} mm); give it with its DICOM image"
        )
    lowest = planes[int(heights.argmin())]
    return _affine(first, normal * length, np.array(lowest.position)), places.tolist(), int(places.max()) + 1


def _affine(plane: Plane, step: np.ndarray, origin: np.ndarray) -> np.ndarray:
    along, down = np.array(plane.orientation).reshape(2, 3)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = along * plane.edges[1], down * plane.edges[0]
    affine[:3, 2], affine[:3, 3] = step, origin
    return affine
