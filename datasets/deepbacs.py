"""DeepBacs: live Staphylococcus aureus in bright field and in fluorescence of the membrane, one field in both."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ..core.errors import DataError, SpecError
from ..core.task import Task
from . import DATASETS
from .case import Case, Dataset, Role, Sample
from .notes import skipped
from .readers import read_image, read_mask, visible
from .source import Archive, Source
from .truth import chosen

_ARCHIVE = Archive(  # the checksum that torch-em (constantinpape/torch-em, its loader of DeepBacs) has for this address
    "https://zenodo.org/record/5550933/files/DeepBacs_Data_Segmentation_Staph_Aureus_dataset.zip",
    "sha256:4047792f1248ee82fce34121d0ade84828e55db5a34656cc25beec46eacaf307",
)

MODALITIES = ("fluorescence", "brightfield")
_LAYOUT = "fluorescence_dataset/train/full_images/fluorescence/*.tif"
_SHARES: dict[str, Role] = {"train/full_images": "train", "test": "test"}


@DATASETS.add
def deepbacs(source: Source, *, truth: str = "fluorescence") -> Dataset:
    """Live S. aureus in bright field and membrane fluorescence (Spahn et al. 2022, doi:10.1038/s42003-022-03634-z).

    `M_dataset/{train/full_images,test}/M/NAME.tif` with `masks/NAME.tif` beside it, labels of single cells, for M of
    fluorescence and brightfield. Images of one name are the two modalities of a field; those without partner are
    noted. Training fields are split into training and validation, test fields stay; each field is a group.

    truth: the modality whose masks are the truth of both. Raises SpecError for another one, DataError when there is no
    data, when no field has both modalities, and for a field whose images and mask differ in size.
    """
    if truth not in MODALITIES:
        raise SpecError(f"deepbacs.truth: {truth!r} is unknown; use {' or '.join(MODALITIES)}")
    home = source.find(
        "deepbacs",
        _LAYOUT,
        f"*/{_LAYOUT}",
        origin="https://zenodo.org/record/5550933 (DeepBacs_Data_Segmentation_Staph_Aureus_dataset.zip)",
        archives=[_ARCHIVE],
    )
    home = next(home.glob(_LAYOUT), next(home.glob(f"*/{_LAYOUT}"), home / _LAYOUT)).parents[4]
    cases: list[Case] = []
    official: dict[str, Role] = {}
    notes: list[str] = []
    for share, role in _SHARES.items():
        images = {name: _named(home / f"{name}_dataset" / share / name) for name in MODALITIES}
        masks = _named(home / f"{truth}_dataset" / share / "masks")
        found = list(_cases(share.split("/")[0], images, masks))
        cases += found
        official |= {case.name: role for case in found if role == "test"}
        notes += _lacking(images, masks)
    if not cases:
        raise DataError(f"deepbacs: no field of {home} has both modalities and a mask of {truth} under one name")
    return Dataset(
        "deepbacs",
        Task(2, 2, ("cell",), modalities=tuple((name, 1) for name in MODALITIES)),
        tuple(sorted(cases, key=lambda case: case.name)),
        licence="CC BY 4.0; its Zenodo record says what holds",
        citation="Spahn et al. 2022, Communications Biology 5:688, doi:10.1038/s42003-022-03634-z; "
        "doi:10.5281/zenodo.5550933",
        official=official,
        notes=tuple(notes),
    )


def _named(folder: Path) -> dict[str, Path]:
    return {file.stem: file for file in visible(folder, "*.tif")} if folder.is_dir() else {}


def _cases(share: str, images: Mapping[str, Mapping[str, Path]], masks: Mapping[str, Path]) -> Iterator[Case]:
    for name in sorted(set(masks).intersection(*images.values())):
        files = [own[name] for own in images.values()]
        yield Case(f"{share}/{name}", f"{share}/{name}", partial(_read, files, masks[name]), "", (*files, masks[name]))


def _lacking(images: Mapping[str, Mapping[str, Path]], masks: Mapping[str, Path]) -> tuple[str, ...]:
    """What is left out: fields in one modality only, and those without a mask."""
    every = set().union(*images.values())
    both = set.intersection(*map(set, images.values()))
    return (
        *skipped(sorted(every - both), "field without both modalities", "fields without both modalities"),
        *skipped(sorted(both - set(masks)), "field without mask", "fields without mask"),
    )


def _read(files: Sequence[Path], mask: Path) -> Sample:
    planes = [read_image(file).array for file in files]
    labels = read_mask(mask).array
    for file, plane in zip(files, planes, strict=True):
        if plane.shape != (*labels.shape, 1):
            sizes = ["×".join(map(str, shape)) for shape in (plane.shape, labels.shape)]
            raise DataError(
                f"{file} is {sizes[0]} and its mask {mask} {sizes[1]}; one grey image of its size is needed"
            )
    instances = labels.astype(np.int32)
    return Sample(np.concatenate(planes, -1), chosen(instances, instances > 0), instances)
