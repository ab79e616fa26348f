"""BBBC006: human U2OS cells at 34 focal planes."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ..core.errors import DataError, SpecError
from ..core.task import Task
from . import DATASETS
from .case import Case, Dataset, Sample
from .notes import skipped
from .readers import read_image, read_mask, visible
from .source import Source
from .truth import chosen

_FIELD = re.compile(r"mcf-z-stacks-\d+_(?P<well>[a-p]\d\d)_s(?P<site>\d+)(?:_w(?P<channel>[12]).*)?")
_ORIGIN = "https://bbbc.broadinstitute.org/BBBC006 (BBBC006_v1_images_z_NN.zip and BBBC006_v1_labels.zip)"


@DATASETS.add
def bbbc006(source: Source, *, plane: int = 16, channels: tuple[int, ...] = (1,)) -> Dataset:
    """Nuclei of U2OS cells, one focal plane of a z-stack (Ljosa et al. 2012, doi:10.1038/nmeth.2083, BBBC006v1).

    `BBBC006_v1_images_z_NN/mcf-z-stacks-…_<well>_s<site>_w<channel><guid>.tif`, 12 bits in 16, and
    `BBBC006_v1_labels/mcf-z-stacks-…_<well>_s<site>.png`, labels of single nuclei. The fields of a well are one
    group. Fields that lack an image or a label are noted.

    plane: 0 to 33; the labels were drawn at 16, in focus. channels: 1 Hoechst (nuclei), 2 phalloidin (actin), stacked
    in the order given. Raises SpecError for another channel, DataError when the plane is not there.
    """
    if not channels or not set(channels) <= {1, 2} or len(set(channels)) < len(channels):
        raise SpecError(f"bbbc006.channels: {list(channels)} is unknown; use [1], [2] or [1, 2]")
    home = source.find("bbbc006", "BBBC006_v1_images_z_*/*.tif", origin=_ORIGIN)
    labels = {_field(file): file for file in visible(home, "BBBC006_v1_labels/*.png")}
    images: dict[str, dict[int, Path]] = defaultdict(dict)
    for file in visible(_plane(home, plane), "*.tif"):
        if (match := _FIELD.fullmatch(file.stem)) and match["channel"]:
            images[f"{match['well']}_s{match['site']}"][int(match["channel"])] = file
    complete = {field: [found[c] for c in channels] for field, found in images.items() if set(channels) <= set(found)}
    cases = tuple(_case(field, complete[field], labels[field]) for field in sorted(complete.keys() & labels.keys()))
    if not cases:
        raise DataError(f"bbbc006: no field of plane {plane} has a label and channels {list(channels)}; see {_ORIGIN}")
    return Dataset(
        "bbbc006",
        Task(rank=2, channels=len(channels), classes=("nucleus",)),
        cases,
        licence="CC0 1.0",
        citation="Ljosa et al. 2012, Nature Methods 9:637, doi:10.1038/nmeth.2083 (BBBC006v1)",
        notes=_notes(images, complete, labels),
    )


def _field(file: Path) -> str:
    match = _FIELD.fullmatch(file.stem)
    return f"{match['well']}_s{match['site']}" if match else file.stem


def _plane(home: Path, plane: int) -> Path:
    folders = {int(path.name[-2:]): path for path in sorted(home.glob("BBBC006_v1_images_z_[0-9][0-9]"))}
    if plane not in folders:
        raise DataError(f"bbbc006: plane {plane} is not in {home}, there are {sorted(folders)}; set `plane` or get it")
    return folders[plane]


def _case(field: str, images: Sequence[Path], label: Path) -> Case:
    return Case(field, field.partition("_")[0], partial(_read, images, label), "", (*images, label))


def _notes(
    images: Mapping[str, Mapping[int, Path]], complete: Mapping[str, Sequence[Path]], labels: Mapping[str, Path]
) -> tuple[str, ...]:
    return (
        *skipped(sorted(images.keys() - complete.keys()), "field without all channels", "fields without all channels"),
        *skipped(sorted(complete.keys() - labels.keys()), "image without label", "images without label"),
        *skipped(sorted(labels.keys() - images.keys()), "label without image", "labels without image"),
    )


def _read(images: Sequence[Path], label: Path) -> Sample:
    planes = [read_image(file).array for file in images]
    if len({plane.shape for plane in planes}) > 1:
        raise DataError(f"{images[0]}: the channels differ in size: {[plane.shape for plane in planes]}")
    instances = read_mask(label).array.astype(np.int32)
    return Sample(np.concatenate(planes, -1), chosen(instances, instances > 0), instances)
