"""Segments with names, which may overlap, as 3D Slicer and DICOM keep them: one of them, or all as labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...core.errors import DataError
from .picture import Reading


class Segment(NamedTuple):
    """name: as its author called it. value: its label. layer: the layer of the file in which it has that value."""

    name: str
    value: int
    layer: int = 0


def chosen_segments(file: Path, segments: Sequence[Segment], reading: Reading) -> list[Segment]:
    """The segments that a mask shows: the one that `Reading.segment` names, or all.

    A file of one segment has that one, whatever its name, where it is not shared by several classes. Raises DataError
    for a name that no segment or several have, and for several segments of one label, which are no label image.
    """
    if not reading.segment:
        _check_labels(file, segments)
        return list(segments)
    named = [segment for segment in segments if segment.name == reading.segment]
    if not named and len(segments) == 1 and not reading.shared:
        return list(segments)
    if not named and reading.or_empty:
        return []
    if len(named) != 1:
        names = ", ".join(repr(segment.name) for segment in segments) or "none"
        raise DataError(
            f"{file}: has {'no segment' if not named else f'{len(named)} segments'} {reading.segment!r}, its segments "
            f"are {names}; `masks` maps these names to globs"
            + ("" if named else ", and `missing: empty` takes absent ones for empty")
        )
    return named


class Painted:
    """Labels (*space,) that segments are painted into: 1 where `Reading.segment` names one, else each one's label."""

    def __init__(self, file: Path, space: tuple[int, ...], segments: Sequence[Segment], reading: Reading) -> None:
        self._file, self._segments, self._single = file, {one.value: one for one in segments}, bool(reading.segment)
        highest = 1 if self._single else max((one.value for one in segments), default=0)
        self.labels = np.zeros(space, np.min_scalar_type(max(1, highest)))

    def add(self, segment: Segment, mask: np.ndarray, place: Any = ...) -> None:
        """Paint a segment where a boolean mask is true, at a place. Raises DataError where another one was painted."""
        target = self.labels[place]
        if not self._single and (shared := mask & (target != 0)).any():
            other = self._segments[int(target[shared][0])]
            raise DataError(
                f"{self._file}: its segments {other.name!r} and {segment.name!r} overlap, and a label image holds one; "
                f"read each as a plane: `masks: {{{other.name}: GLOB, {segment.name}: GLOB}}`, the same glob for both"
            )
        target[mask] = 1 if self._single else segment.value


def _check_labels(file: Path, segments: Sequence[Segment]) -> None:
    seen: dict[int, Segment] = {}
    for segment in segments:
        if (other := seen.setdefault(segment.value, segment)) is not segment:
            raise DataError(
                f"{file}: its segments {other.name!r} and {segment.name!r} both have the label {segment.value}, in "
                f"layers of their own; read each as a plane: `masks: {{{other.name}: GLOB, {segment.name}: GLOB}}`, "
                "the same glob for both"
            )
