"""The segmentation of an OME-Zarr that is larger than memory: what is predicted is written region by region."""

import contextlib
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...core.errors import StoreError
from ...core.files import written_aside
from ...core.task import Task
from ...datasets.readers import Page
from ...datasets.readers.ome_zarr import WHOLE
from ...datasets.regions import Place, Stored
from ..trial.segmenter import Segmenter
from .files import suffix_of
from .inputs import ZARR
from .measures import Row, class_mask, class_row, object_row
from .ome_zarr import ZarrOutput, scratch
from .outputs import Outputs
from .overlay import LONGEST_EDGE, overlay
from .segment import fits
from .segmented import WATERSHED, about, write_overlay
from .source import Source
from .streamed_objects import StreamedObjects

_ROWS = 256  # of a picture that are read at once
_SUFFIX = suffix_of(ZARR, np.dtype(np.uint8))


def streams(source: Source, segmenter: Segmenter, memory_mib: int) -> bool:
    """Whether a source is segmented region by region: an OME-Zarr of which all points of time do not fit."""
    return source.zarr is not None and not fits((*source.shape, segmenter.task.channels), segmenter, memory_mib)


class Streamed:
    """Writes labels, and probabilities where wanted, as regions come; then objects are found in what was written.

    Objects by `watershed` need the probabilities of the whole and are left out: their columns are empty.
    """

    def __init__(self, source: Source, segmenter: Segmenter, outputs: Outputs) -> None:
        assert source.zarr is not None  # see `streams`
        self._source, self._task, self._outputs = source, segmenter.task, outputs
        self._split, self._like = segmenter.objects, source.zarr
        self._stack = contextlib.ExitStack()
        self._files: list[Path] = []
        names = segmenter.task.scored if segmenter.task.kind == "multilabel" else ("",)
        self._labels = [self._open("labels", np.dtype(np.uint8), name) for name in names]
        wanted, self._probabilities = outputs.wanted, None
        if wanted.probabilities:
            several = self._task.classes if self._task.outputs > 1 else ()
            self._probabilities = self._open("probabilities", np.dtype(np.float32), channels=several)
        numbered = names if wanted.instances and segmenter.objects != WATERSHED else ()
        self._instances = {name: self._open("instances", np.dtype(np.uint32), name) for name in numbered}
        self._parts: dict[Page | None, _Counts] = {}

    def put(
        self, page: Page | None, image: Stored, place: Place, labels: np.ndarray, probabilities: np.ndarray
    ) -> None:
        """Write labels (*place, t) and probabilities (*place, k) of a region of a part. Raises StoreError."""
        at = page or WHOLE
        counts = self._parts.setdefault(page, _Counts(image, self._task))
        counts.add(place, image[place], labels)
        for k, output in enumerate(self._labels):
            _put(output, at, place, labels[..., k])
        if self._probabilities is not None:
            _put(self._probabilities, at, place, probabilities if self._task.outputs > 1 else probabilities[..., 0])

    def finish(self) -> None:
        """Find and measure objects, and give the files their names. Raises StoreError."""
        classes: list[Row] = []
        single: list[Row] = []
        for page, counts in self._parts.items():
            rows, each = self._measured(page, counts)
            classes += [{**about(page, self._source), **row} for row in rows]
            single += [{**about(page, self._source), **row} for row in each]
        if self._outputs.wanted.overlays:
            page = max(self._parts, key=lambda page: self._parts[page].slices.max())
            self._files.append(write_overlay(self._overlay(page), self._source, self._outputs))
        try:
            self._stack.close()
        except OSError as error:
            raise StoreError(f"{self._outputs.folder}: cannot be written: {error.strerror or error}") from None
        self._outputs.finish(self._source.entry, self._files, classes, single)

    def abandon(self) -> None:
        """Remove what was written."""
        with contextlib.suppress(_Abandoned), self._stack:
            raise _Abandoned

    def _open(self, what: str, dtype: np.dtype, part: str = "", channels: Sequence[str] = ()) -> ZarrOutput:
        file = self._outputs.file(what, self._source.entry, _SUFFIX, part)
        self._files.append(file)
        try:
            return ZarrOutput(self._stack.enter_context(written_aside(file)), self._like, dtype, channels)
        except OSError as error:
            raise StoreError(f"{file}: cannot be written: {error.strerror or error}") from None

    def _read_labels(self, page: Page | None, place: Place) -> np.ndarray:
        """Labels (*place, t) that were written."""
        return np.stack([output.read(page or WHOLE, place) for output in self._labels], -1)

    def _measured(self, page: Page | None, counts: "_Counts") -> tuple[list[Row], list[Row]]:
        """Rows of the classes and of the objects of a part, whose numbers are written where they are wanted."""
        edges, rows, single, before = self._source.spacing_of(page), [], [], 0
        for name in self._task.scored:
            row = counts.row(name, edges)
            if self._split != WATERSHED:
                found = self._objects(page, counts.image, name, before)
                row["objects"] = found.count
                for number, one in enumerate(found.rows(), before + 1):
                    single.append(object_row(name, number, one, self._task, edges))
                before += found.count if self._task.kind == "exclusive" else 0
            rows.append(row)
        return rows, single

    def _objects(self, page: Page | None, image: Stored, name: str, before: int) -> StreamedObjects:
        with tempfile.TemporaryDirectory(prefix=".objects-", dir=self._outputs.folder) as folder:
            found = StreamedObjects(
                lambda place: class_mask(self._read_labels(page, place), self._task, name),
                image,
                scratch(folder, image),
            )
            output = self._instances.get(name if self._task.kind == "multilabel" else "")
            if output is not None:
                found.write(lambda place, numbers: _merge(output, page or WHOLE, place, numbers), after=before)
        return found

    def _overlay(self, page: Page | None) -> np.ndarray:
        """Of a volume its fullest slice; of what is larger than a picture every so many pixels."""
        counts = self._parts[page]
        space = counts.image.shape[:-1]
        fullest = int(counts.slices.argmax())
        chosen = (slice(fullest, fullest + 1),) if len(space) == 3 else ()
        step = max(1, -(-max(space[-2:]) // LONGEST_EDGE))
        picked = tuple(np.arange(0, edge, step) for edge in space[-2:])
        shape = (*(1 for _ in chosen), *map(len, picked))
        image = np.empty((*shape, counts.image.shape[-1]), counts.image.dtype)
        labels = np.empty((*shape, self._task.truth_channels), np.uint8)
        for first in range(0, space[-2], _ROWS * step):
            rows = slice(first, min(first + _ROWS * step, space[-2]))
            place = (*chosen, rows, slice(0, space[-1]))
            target = slice(first // step, first // step + _ROWS)
            image[..., target, :, :] = counts.image[place][..., ::step, ::step, :]
            labels[..., target, :, :] = self._read_labels(page, place)[..., ::step, ::step, :]
        return overlay(image, labels, None, self._task)


class _Abandoned(Exception):
    """Ends a write half-way, so that what lies aside is removed."""


class _Counts:
    """Sums over the regions of one part. slices: pixels of foreground at each index of the first axis."""

    def __init__(self, image: Stored, task: Task) -> None:
        self.image, self._task = image, task
        self.slices = np.zeros(image.shape[0], np.int64)
        self._pixels = dict.fromkeys(task.scored, 0)
        self._sums = {name: np.zeros(image.shape[-1]) for name in task.scored}

    def add(self, place: Place, pixels: np.ndarray, labels: np.ndarray) -> None:
        """Take stored pixels (*place, c) and labels (*place, t)."""
        for name in self._task.scored:
            mask = class_mask(labels, self._task, name)
            self._pixels[name] += int(np.count_nonzero(mask))
            self._sums[name] += pixels[mask].sum(0, dtype=np.float64)
            self.slices[place[0]] += np.count_nonzero(mask, axis=tuple(range(1, mask.ndim)))

    def row(self, name: str, edges: tuple[float, ...] | None) -> Row:
        """The measures of a class."""
        total = math.prod(self.image.shape[:-1])
        return class_row(name, self._task, self._pixels[name], total, self._sums[name].tolist(), edges=edges)


def _put(output: ZarrOutput, page: Page, place: Place, values: np.ndarray) -> None:
    try:
        output.put(page, place, values)
    except OSError as error:
        raise StoreError(f"{output.folder}: cannot be written: {error.strerror or error}") from None


def _merge(output: ZarrOutput, page: Page, place: Place, numbers: np.ndarray) -> None:
    """Write numbers where they are not 0."""
    former = output.read(page, place)
    _put(output, page, place, np.where(numbers > 0, numbers, former))
