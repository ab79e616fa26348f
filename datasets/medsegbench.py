"""MedSegBench: 35 public 2D data sets, each one NPZ of three sizes, split by its publisher."""

from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from ..core.errors import DataError
from ..core.task import Task
from . import DATASETS
from .case import Case, Dataset, Role, Sample
from .readers.rows import Rows
from .source import Source

_ROLES: dict[str, Role] = {"train": "train", "val": "validation", "test": "test"}
_ANY = "labels above 1 count as the one class; name them all in `classes` if they are classes"


@DATASETS.add
def medsegbench(
    source: Source, *, file: str = "kvasir_256.npz", classes: Sequence[str] = ("foreground",), category: str = ""
) -> Dataset:
    """One of the 35 data sets of MedSegBench (Kuş and Aydin 2024, doi:10.1038/s41597-024-04159-2), as published.

    file: its NPZ inside `medsegbench`, with the arrays `train_images` (n, y, x) or (n, y, x, c) and `train_label`
        (n, y, x), and so for `val` and `test`, which are the official split. Rows are decompressed when they are read.
    classes: one name: labels other than 0 are that class. Several, the background first: labels are 0 .. k-1.
    category: the part of `wbc` (C1 to C4) or the lesion of `idrib` (C1 to C4) that is asked for.

    Raises DataError for a file that is not there or has other arrays.
    """
    path = source.find("medsegbench", file, origin="https://zenodo.org/records/13358372") / file
    end = f"_{category}" if category else ""
    cases, official, shapes = [], {}, set()
    for part, role in _ROLES.items():
        labels = _rows(path, f"{part}_label{end}")
        # the lesions of `idrib` are labels of the same images
        images = f"{part}_images{end if path.name.split('_')[0] != 'idrib' else ''}"
        shape = _rows(path, images).shape
        if not 3 <= len(shape) <= 4 or labels.shape not in (shape[:3], (*shape[:3], 1)):
            raise DataError(f"{path}: {images} is {shape} and its label {labels.shape}; they need the same n, y and x")
        shapes.add(shape[3:])
        for index in range(len(labels)):
            name = f"{part}/{index:0{len(str(len(labels) - 1))}}"
            read = partial(_read, path, images, f"{part}_label{end}", index, len(classes))
            cases.append(Case(name, name, read, "", (path,)))
            official[name] = role
    if len(shapes) > 1:
        raise DataError(f"{path}: its parts differ in channels: {sorted(shapes)}")
    kind = "binary" if len(classes) == 1 else "exclusive"
    return Dataset(
        path.stem + end,
        Task(rank=2, channels=next(iter(shapes.pop()), 1), classes=tuple(classes), kind=kind),
        tuple(sorted(cases, key=lambda case: case.name)),
        licence="of each data set; see https://github.com/zekikus/MedSegBench",
        citation="Kuş and Aydin 2024, Scientific Data 11, doi:10.1038/s41597-024-04159-2",
        official=official,
    )


def _read(path: Path, images: str, labels: str, index: int, count: int) -> Sample:
    image, label = _rows(path, images)[index], _rows(path, labels)[index]
    image, label = image.reshape(*image.shape[:2], -1), label.reshape(image.shape[:2])
    where = f"{path}: {labels}[{index}]"
    if label.dtype.kind not in "bui":
        raise DataError(f"{where} is {label.dtype}; labels are whole numbers")
    if count == 1:
        return Sample(image, (label != 0).astype(np.uint8)[..., None], notes=(_ANY,) if label.max() > 1 else ())
    if label.min() < 0 or label.max() >= count:
        strange = label.max() if label.max() >= count else label.min()
        raise DataError(
            f"{where} holds {strange}, and there are {count} classes; name all, from value 0 on, in `classes`"
        )
    return Sample(image, label.astype(np.uint8)[..., None])


def _rows(path: Path, name: str) -> Rows:
    return _opened(path, path.stat().st_mtime_ns, name)


@lru_cache(maxsize=6)  # images and labels of three parts
def _opened(path: Path, _changed_ns: int, name: str) -> Rows:
    return Rows(path, name)
