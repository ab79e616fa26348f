"""The segmentation of one input in memory, and its files."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ...core.errors import StoreError
from ...core.files import write
from ...core.task import Task
from ...datasets.readers import Page
from ...datasets.regions import Place, Stored
from ..trial.segmenter import Segmenter
from .files import in_file_order, suffix_of, write_array
from .measures import Row, class_mask, class_rows, object_rows, objects_of
from .outputs import Outputs
from .overlay import overlay, slices_first
from .source import Source

WATERSHED = "watershed"

Objects = dict[str, tuple[np.ndarray, int]]


class Segmented:
    """Collects labels, and probabilities where they are needed; then measures and writes what is wanted."""

    def __init__(self, source: Source, segmenter: Segmenter, outputs: Outputs) -> None:
        self._source, self._task, self._split, self._outputs = source, segmenter.task, segmenter.objects, outputs
        needed = outputs.wanted.probabilities or segmenter.objects == WATERSHED
        self._labels = np.empty((*source.shape, segmenter.task.truth_channels), np.uint8)
        self._probabilities = np.empty((*source.shape, segmenter.task.outputs), np.float32) if needed else None
        self._images: dict[Page | None, Stored] = {}

    def put(
        self, page: Page | None, image: Stored, place: Place, labels: np.ndarray, probabilities: np.ndarray
    ) -> None:
        """Take labels (*place, t) and probabilities (*place, k) of a region of a part."""
        self._images[page] = image
        self._labels[self._source.place(page)][place] = labels
        if self._probabilities is not None:
            self._probabilities[self._source.place(page)][place] = probabilities

    def abandon(self) -> None:
        """Nothing was written yet."""

    def finish(self) -> None:
        """Measure and write. Raises StoreError."""
        objects, classes, single = {}, [], []
        for page, image in self._images.items():
            found, own, each = self._measured(page, image)
            objects[page] = found
            classes += [{**about(page, self._source), **row} for row in own]
            single += [{**about(page, self._source), **row} for row in each]
        wanted = self._outputs.wanted
        files = write_labels(self._source, self._labels, self._task, self._outputs)
        if wanted.instances:
            files += self._write_instances(objects)
        if wanted.probabilities and self._probabilities is not None:
            files.append(write_probabilities(self._source, self._probabilities, self._task, self._outputs))
        if wanted.overlays:
            page = max(self._images, key=lambda page: np.count_nonzero(self._labels[self._source.place(page)]))
            files.append(self._write_overlay(page, objects[page]))
        self._outputs.finish(self._source.entry, files, classes, single)

    def _measured(self, page: Page | None, image: Stored) -> tuple[Objects, list[Row], list[Row]]:
        """Objects of a part as it was read, and rows of measures, whose axes are those of the file."""
        source, place = self._source, self._source.place(page)
        labels = self._labels[place]
        probabilities = None if self._probabilities is None else self._probabilities[place]
        objects = objects_of(labels, probabilities, self._task, self._split)
        pixels = _whole(image)
        edges, placed = source.spacing_of(page), objects
        if page is None and source.orientation:
            pixels, labels = in_file_order(source, pixels), in_file_order(source, labels)
            placed = {name: (in_file_order(source, found), count) for name, (found, count) in objects.items()}
        rows = class_rows(pixels, labels, placed, self._task, edges)
        return objects, rows, object_rows(pixels, placed, self._task, edges)

    def _write_instances(self, objects: dict[Page | None, Objects]) -> list[Path]:
        """One file, or one for each class where classes may overlap; numbers of each page begin anew."""
        parts = self._task.scored if self._task.kind == "multilabel" else ("",)
        files = []
        for part in parts:
            numbers = np.zeros(self._source.shape, np.int32)
            for page, found in objects.items():
                for name in [part] if part else self._task.scored:
                    target = numbers[self._source.place(page)]
                    np.copyto(target, found[name][0], where=found[name][0] > 0)
            most = int(numbers.max(initial=0))
            array = numbers.astype(np.uint16 if most < 2**16 else np.uint32)
            file = self._outputs.file("instances", self._source.entry, suffix_of(self._source.kind, array.dtype), part)
            write_array(file, self._source, array)
            files.append(file)
        return files

    def _write_overlay(self, page: Page | None, objects: Objects) -> Path:
        source, labels = self._source, self._labels[self._source.place(page)]
        image = self._images[page]
        pixels = _whole(image)
        numbers = None
        if self._task.kind != "multilabel":
            numbers = np.zeros(labels.shape[:-1], np.int32)
            for found, _ in objects.values():
                np.copyto(numbers, found, where=found > 0)
        if labels.ndim == 4:
            arrays = (pixels, labels, None if numbers is None else numbers[..., None])
            pixels, labels, numbers = (
                None if array is None else slices_first(array, source.depth, source.orientation) for array in arrays
            )
            numbers = None if numbers is None else numbers[..., 0]
        assert pixels is not None and labels is not None
        return write_overlay(overlay(pixels, labels, numbers, self._task), source, self._outputs)


def write_labels(source: Source, labels: np.ndarray, task: Task, outputs: Outputs) -> list[Path]:
    """Write labels (…, t) as one file, or of classes that may overlap one for each, of 0 and 1. Raises StoreError."""
    suffix = suffix_of(source.kind, labels.dtype)
    if task.kind != "multilabel":
        file = outputs.file("labels", source.entry, suffix)
        write_array(file, source, labels[..., 0])
        return [file]
    files = []
    for name in task.scored:
        files.append(outputs.file("labels", source.entry, suffix, name))
        write_array(files[-1], source, class_mask(labels, task, name).astype(np.uint8))
    return files


def write_probabilities(source: Source, probabilities: np.ndarray, task: Task, outputs: Outputs) -> Path:
    """Write probabilities (…, k) float32; without an axis of channels for one class. Raises StoreError."""
    several = task.outputs > 1
    suffix = suffix_of(source.kind, probabilities.dtype, task.outputs)
    file = outputs.file("probabilities", source.entry, suffix)
    write_array(file, source, probabilities if several else probabilities[..., 0], task.classes if several else ())
    return file


def write_overlay(picture: np.ndarray, source: Source, outputs: Outputs) -> Path:
    """Write a picture (h, w, 3) uint8 as PNG. Raises StoreError."""
    file = outputs.file("overlays", source.entry, ".png")
    _, content = cv2.imencode(".png", picture[..., ::-1])
    try:
        write(file, content.tobytes())
    except OSError as error:
        raise StoreError(f"{file}: cannot be written: {error.strerror}") from None
    return file


def _whole(image: Stored) -> np.ndarray:
    """All pixels of an image, of which regions can be read."""
    return image if isinstance(image, np.ndarray) else image[tuple(slice(0, edge) for edge in image.shape[:-1])]


def about(page: Page | None, source: Source) -> dict[str, Any]:
    """Frame and slice of a part, where there are several."""
    if page is None or len(source.parts) == 1:
        return {}
    return {"frame": page.frame if source.frames else None, "slice": page.slice}
