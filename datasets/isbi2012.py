"""The ISBI 2012 challenge: neuronal membranes in 30 serial sections of electron microscopy."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ..core.errors import DataError, SpecError
from ..core.task import Task
from . import DATASETS
from .case import Case, Dataset, Sample
from .readers import read_image, read_mask, visible
from .sections import blocks
from .source import Source
from .truth import binary

_ORIGIN = "https://imagej.net/events/isbi-2012-segmentation-challenge (train-volume.tif and train-labels.tif)"
_SPACING_MM = (4e-6, 4e-6)
_FOLDERS = (("image", "label"), ("images", "labels"), ("train/image", "train/label"))


@DATASETS.add
def isbi2012(source: Source, *, target: str = "membrane", block: int = 5, gap: int = 1) -> Dataset:
    """Membranes in ssTEM of a fly's nerve cord, ISBI 2012 (Arganda-Carreras et al. 2015, doi:10.3389/fnana.2015.00142).

    Read from `train-volume.tif` and `train-labels.tif`, or from one PNG a section in `image/` and `label/` (also
    `images/` and `labels/`, or both below `train/`) with the same names. In the files 255 is the inside of a cell and
    0 membrane. Each section is a case of 4 nm pixels; sections are 50 nm thick.

    target: `membrane` makes the dark outlines the foreground; `cell` follows the convention of the challenge.
    block, gap: so many neighbouring sections are one group, and so many between two groups are left out.
    Raises SpecError for another target, DataError when there is no data.
    """
    if target not in ("membrane", "cell"):
        raise SpecError(f"isbi2012.target: {target!r} is unknown; use membrane or cell")
    globs = "train-volume.tif", *(f"{images}/*.png" for images, _ in _FOLDERS)
    home = source.find("isbi2012", *globs, origin=_ORIGIN)
    stack = home / "train-volume.tif", home / "train-labels.tif"
    sections = dict(_from_stack(*stack) if stack[0].is_file() else _from_folders(home))
    groups = blocks(list(sections), block, gap)
    left_out = [name for name in sections if name not in groups]
    return Dataset(
        "isbi2012",
        Task(2, 1, (target,), spacing_mm=_SPACING_MM),
        tuple(
            Case(name, groups[name], partial(_read, *sections[name], target), "", sections[name][:2]) for name in groups
        ),
        licence="free for research with citation",
        citation="Arganda-Carreras et al. 2015, Frontiers in Neuroanatomy 9:142, doi:10.3389/fnana.2015.00142; "
        "Cardona et al. 2010, PLoS Biology 8:e1000502",
        notes=(f"left out between groups: sections {', '.join(left_out)}",) if left_out else (),
    )


def _from_stack(images: Path, labels: Path) -> Iterator[tuple[str, tuple[Path, Path, int | None]]]:
    shapes = [read_image(file).array.shape for file in (images, labels)]
    if shapes[0] != shapes[1]:
        raise DataError(f"{labels}: the labels are {shapes[1]}, the images {shapes[0]}; fetch both again")
    for page in range(shapes[0][0]):
        yield f"{page:02d}", (images, labels, page)


def _from_folders(home: Path) -> Iterator[tuple[str, tuple[Path, Path, int | None]]]:
    images, labels = next((home / i, home / k) for i, k in _FOLDERS if next(home.glob(f"{i}/*.png"), None) is not None)
    for image in sorted(visible(images, "*.png"), key=lambda file: (len(file.stem), file.stem)):
        label = labels / image.name
        if not label.is_file():
            raise DataError(f"{image}: there is no label {label}; fetch it again")
        yield image.stem, (image, label, None)


def _read(image: Path, label: Path, page: int | None, target: str) -> Sample:
    section, mask = read_image(image).array, read_mask(label).array
    if page is not None:
        section, mask = section[page], mask[page]
    cell = binary(mask, label)
    return Sample(section, cell if target == "cell" else 1 - cell, None, _SPACING_MM)
