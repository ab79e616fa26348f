"""Medical Segmentation Decathlon, task 4: the hippocampus in MRI, three exclusive classes in 3D."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from ..core.task import Task
from . import DATASETS
from .case import Case, Dataset, Sample
from .geometry import aligned
from .notes import skipped
from .readers import read_image, read_mask, stem
from .source import Archive, Source
from .truth import classes

_ARCHIVE = Archive(  # the checksum that MONAI's DecathlonDataset publishes for this address
    "https://msd-for-monai.s3-us-west-2.amazonaws.com/Task04_Hippocampus.tar", "md5:9d24dba78a72977dbd1d2e110310f31b"
)


@DATASETS.add
def msd_hippocampus(source: Source) -> Dataset:
    """Anterior and posterior hippocampus in MRI, Decathlon 4 (Antonelli et al. 2022, doi:10.1038/s41467-022-30695-9).

    `imagesTr/hippocampus_NNN.nii.gz` with `labelsTr/hippocampus_NNN.nii.gz`: 0 background, 1 anterior, 2 posterior.
    Axes point right, anterior and superior (RAS+), spacing is that of the affine. Volumes
    without a label and labels without a volume, also under `unpaired/`, are noted. Volumes whose labels are the same
    file byte by byte are one group, since one of them must be wrong.

    Raises DataError when there is no data and it cannot be fetched.
    """
    home = source.find(
        "msd_hippocampus",
        "imagesTr/*.nii.gz",
        origin="http://medicaldecathlon.com (Task04_Hippocampus)",
        archives=[_ARCHIVE],
    )
    images = _volumes(home, "imagesTr", "unpaired/images")
    labels = _volumes(home, "labelsTr", "unpaired/labels")
    notes = skipped(sorted(images.keys() - labels.keys()), "image without label", "images without label")
    notes += skipped(sorted(labels.keys() - images.keys()), "label without image", "labels without image")
    groups: dict[str, str] = {}
    for twins in (identical := _identical(labels)):
        groups.update(dict.fromkeys(twins, "-".join(twins)))
    if identical:
        more = f", and {len(identical) - 1} more groups" if len(identical) > 1 else ""
        notes += (f"labels are the same file: {', '.join(identical[0])}{more}",)
    cases = tuple(
        Case(name, groups.get(name, name), partial(_read, images[name], labels[name]), "", (images[name], labels[name]))
        for name in sorted(images.keys() & labels.keys())
    )
    return Dataset(
        "msd_hippocampus",
        Task(3, 1, ("background", "anterior", "posterior"), "exclusive", spacing_mm=(1.0, 1.0, 1.0)),
        cases,
        licence="CC BY-SA 4.0",
        citation="Antonelli et al. 2022, Nature Communications 13:4128, doi:10.1038/s41467-022-30695-9",
        notes=notes,
    )


def _volumes(home: Path, *folders: str) -> dict[str, Path]:
    files = (file for folder in folders for file in sorted(home.glob(f"{folder}/*.nii.gz")))
    return {stem(file): file for file in files if not file.name.startswith(".")}  # the archive holds macOS `._` files


def _identical(labels: Mapping[str, Path]) -> list[tuple[str, ...]]:
    """Names of the files with the same content; only files of one size are read."""
    sizes: dict[int, list[str]] = defaultdict(list)
    for name, file in sorted(labels.items()):
        sizes[file.stat().st_size].append(name)
    contents: dict[str, list[str]] = defaultdict(list)
    for names in sizes.values():
        for name in names if len(names) > 1 else ():
            contents[hashlib.sha256(labels[name].read_bytes()).hexdigest()].append(name)
    return sorted(tuple(names) for names in contents.values() if len(names) > 1)


def _read(image: Path, label: Path) -> Sample:
    volume = read_image(image)
    mask = aligned(image, volume, label, read_mask(label))
    return Sample(
        volume.array,
        classes(mask.array[..., 0], label, ((0,), (1,), (2,))),
        spacing_mm=volume.spacing_mm,
        spacing_source=volume.spacing_source,
        orientation=volume.orientation,
        notes=tuple(dict.fromkeys((*volume.notes, *mask.notes))),
    )
