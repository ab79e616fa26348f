"""What is measured of predicted classes and objects: areas or volumes, numbers, sizes, mean intensities."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...core.task import Task
from ...metrics.objects import SPLITS
from .object_sums import ObjectSums

Row = dict[str, Any]


def class_mask(labels: np.ndarray, task: Task, name: str) -> np.ndarray:
    """Where labels (*space, t) are a class, as booleans (*space)."""
    index = task.classes.index(name)
    return labels[..., 0] == index if task.kind == "exclusive" else labels[..., index] == 1


def objects_of(
    labels: np.ndarray, probabilities: np.ndarray | None, task: Task, split: str
) -> dict[str, tuple[np.ndarray, int]]:
    """Numbered objects (*space) int32 of each scored class and how many there are; split: of `metrics.objects`.

    Of classes that exclude each other numbers go on from one class to the next, so that they fit into one image.
    """
    found: dict[str, tuple[np.ndarray, int]] = {}
    before = 0
    for name in task.scored:
        mask = class_mask(labels, task, name)
        probability = None if probabilities is None else probabilities[..., task.classes.index(name)]
        objects = SPLITS[split](mask, probability)
        count = int(objects.max(initial=0))
        if before:
            objects = np.where(objects > 0, objects + before, 0)
        found[name] = objects, count
        before += count if task.kind == "exclusive" else 0
    return found


def size_column(task: Task) -> str:
    """`area_mm2` or `volume_mm3`."""
    return "area_mm2" if task.rank == 2 else "volume_mm3"


def class_row(name: str, task: Task, pixels: int, total: int, sums: Sequence[float], *, edges: Any) -> Row:
    """A class in one image. total: pixels of the image. sums: of the class's intensities, one a channel."""
    means = [value / pixels if pixels else math.nan for value in sums]
    return {
        "class": name,
        "pixels": pixels,
        "share": pixels / total,
        size_column(task): _size(pixels, edges),
        **_intensities(means),
    }


def class_rows(
    image: np.ndarray,
    labels: np.ndarray,
    objects: Mapping[str, tuple[np.ndarray, int]],
    task: Task,
    spacing_mm: tuple[float, ...] | None,
) -> list[Row]:
    """A row for each scored class. image: (*space, c) as its file has it; labels: (*space, t)."""
    rows = []
    for name in task.scored:
        mask = class_mask(labels, task, name)
        pixels = int(np.count_nonzero(mask))
        sums = image[mask].sum(0, dtype=np.float64)
        row = class_row(name, task, pixels, mask.size, sums, edges=spacing_mm)
        rows.append({**row, "objects": objects[name][1]})
    return rows


def object_rows(
    image: np.ndarray,
    objects: Mapping[str, tuple[np.ndarray, int]],
    task: Task,
    spacing_mm: tuple[float, ...] | None,
) -> list[Row]:
    """A row for each object: number, pixels, size, centroid and bounding box in pixels, mean intensities.

    Axes are numbered as those of the arrays; a bounding box ends before its last index.
    """
    rows, before = [], 0
    for name, (numbered, count) in objects.items():
        own = np.where(numbered > 0, numbered - before, 0) if before else numbered
        measured = ObjectSums.of(own, image, count).rows()
        rows += [object_row(name, before + k, one, task, spacing_mm) for k, one in enumerate(measured, 1)]
        before += count if task.kind == "exclusive" else 0
    return rows


def object_row(name: str, number: int, one: dict[str, Any], task: Task, edges: tuple[float, ...] | None) -> Row:
    """An object's row from its `pixels`, `centroid`, `begin`, `end` and `means`."""
    return {
        "class": name,
        "object": number,
        "pixels": one["pixels"],
        size_column(task): _size(one["pixels"], edges),
        **{f"centroid_{axis}": round(place, 3) for axis, place in enumerate(one["centroid"])},
        **{f"begin_{axis}": int(place) for axis, place in enumerate(one["begin"])},
        **{f"end_{axis}": int(place) for axis, place in enumerate(one["end"])},
        **_intensities(one["means"]),
    }


def _size(pixels: int, edges: tuple[float, ...] | None) -> float | None:
    return None if edges is None else float(f"{pixels * math.prod(edges):.6g}")


def _intensities(means: Sequence[float]) -> Row:
    """`mean_intensity`, or `mean_intensity_0` … of several channels; None of nothing."""
    known = [None if math.isnan(mean) else float(f"{mean:.6g}") for mean in means]
    return {f"mean_intensity_{k}" if len(known) > 1 else "mean_intensity": mean for k, mean in enumerate(known)}
