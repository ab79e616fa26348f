"""A folder of the user's own, described in the sweep file alone."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ..core.errors import DataError, SpecError
from ..core.task import Task
from . import DATASETS
from .case import Case, Dataset
from .folder_cases import FolderCase, pages_of
from .meaning import Meaning, meaning
from .pair_table import by_table
from .pairing import Pair, Rules, by_globs
from .readers import Reading
from .source import Source


@DATASETS.add
def folder(
    source: Source,
    *,
    path: str,
    images: str = "",
    masks: Any = None,
    classes: Any = None,
    background: str = "",
    instances: bool = False,
    components: bool = False,
    ignore: int | None = None,
    spacing_mm: Sequence[float] | None = None,
    group: str = "",
    stratum: str = "",
    unpaired: Literal["error", "skip"] = "error",
    missing: Literal["error", "empty"] = "error",
    pairing: Literal["one", "shared", "parts"] = "one",
    named_by: int = 0,
    pairs: str = "",
    pages: Literal["volume", "cases"] = "volume",
    channels: Literal["", "first", "last"] = "",
) -> Dataset:
    """Images and masks in a folder of your own: PNG, JPEG, BMP, TIFF (pages are a volume) or NIfTI.

    path: the folder, absolute, below the data folder, or below the place the program was started in.
    images, masks: globs below it. An image belongs to the mask for which the wildcards stand for the same text, and
        that text is the case's name: `img/*.png` and `lab/*_mask.tif` pair `img/a1.png` with `lab/a1_mask.tif`.
    classes: a list of one name: two-valued masks (0 and 1, 255 or 65535). A list of several: label images
        0 .. k-1, the first class being the background. A mapping from each name to its value or values: masks with
        these values; with a single name every other value is background.
    background: the class of a mapping that is never scored; by default the one called so, or else that of value 0.
    masks as a mapping from each class to its glob: classes that may overlap, one two-valued mask each (no `classes`).
    instances: masks hold labels of single objects, 0 = background; scored as one foreground class.
    components: each connected piece of a label is an object of its own, so that two-valued masks have objects.
    ignore: value of the pixels that no loss and no metric looks at, whichever the files can hold.
    spacing_mm: voxel edges in the order of the axes, where the files do not say it (NIfTI does).
    group, stratum: regular expressions searched in an image's path below the folder; the first parenthesis, or all
        that matched, names what stays together (patient, plate) and what the split keeps in proportion (stain).
    unpaired: `error`, or `skip` images without mask and masks without image and note them.
    missing: `error`, or `empty`: an image without mask shows no object; noted.
    pairing: `one` mask an image. `shared`: the masks' wildcards stand for the first ones of the images', and one mask
        holds for all images that begin so, which are one group (`masks: roi.png`, without wildcard, holds for all).
        `parts`: masks have more wildcards than images, and all that begin like an image are united to its truth, or,
        with `instances`, are its objects; `named_by`: how many of the first wildcards name the case, where images have
        more (`*/images/*.png` and `*/masks/*.png` with `named_by: 1`).
    pairs: a CSV file below the folder in place of `images` and `masks`: columns image and mask (several masks apart by
        `;`), and name, group, stratum and split (train, validation or test) where wanted. `masks` may map classes to
        columns.
    pages: those of a TIFF are a `volume`, or 2D `cases`, which are one group a file.
    channels: `first` or `last` axis of an image whose file does not say which one is channels.

    Raises SpecError for options that make no sense, DataError for files that are missing or unpaired.
    """
    rules = Rules.of(pairing, named_by, unpaired, missing)
    if pages not in ("volume", "cases") or channels not in ("", "first", "last"):
        raise SpecError(f"folder: pages is volume or cases, channels first or last; came {pages!r} and {channels!r}")
    home = _home(source, path)
    meant = meaning(classes, masks, background=background, instances=instances, components=components, ignore=ignore)
    found, notes = _pairs(home, images, masks, pairs, meant, rules, single=pages == "cases")
    edges = _edges(spacing_mm)
    first = FolderCase(found[0], meant, Reading(channels), edges, 0 if pages == "cases" else None).picture()
    cases, official = [], {}
    for pair in found:
        reading = FolderCase(pair, meant, Reading(channels), edges)
        case = Case(
            name=pair.name,
            group=_part(group, home, pair.image, "group") if group else pair.group or pair.shared or pair.name,
            read=reading,
            stratum=_part(stratum, home, pair.image, "stratum") if stratum else pair.stratum,
            files=(pair.image, *(file for files in pair.masks for file in files)),
        )
        own = pages_of(case, reading) if pages == "cases" else [case]
        cases += own
        official |= {page.name: pair.role for page in own if pair.role}
    rank, depth = first.array.ndim - 1, first.array.shape[-1]
    task = Task(rank, depth, meant.names, meant.kind, edges or first.spacing_mm, meant.code)
    return Dataset(home.name, task, tuple(cases), licence="your own", citation="", official=official, notes=notes)


def _home(source: Source, path: str) -> Path:
    home = Path(path).expanduser()
    if not home.is_absolute() and source.data is not None and (source.data / home).is_dir():
        home = source.data / home
    if not home.is_dir():
        raise DataError(f"folder: {home} is no folder; check `path`")
    return home


def _pairs(
    home: Path, images: str, masks: Any, pairs: str, meant: Meaning, rules: Rules, *, single: bool
) -> tuple[list[Pair], tuple[str, ...]]:
    if pairs:
        if images or isinstance(masks, str) or rules.rule != "one" or rules.skip:
            raise SpecError(
                "folder.pairs: the table says which files belong together; drop `images`, `masks` (but for a mapping "
                "from classes to columns), `pairing` and `unpaired`"
            )
        columns = masks if isinstance(masks, Mapping) else dict.fromkeys(meant.names[-1:], "mask")
        return by_table(home, pairs, columns, empty=rules.empty), ()
    if not isinstance(masks, str | Mapping):
        raise SpecError(f"folder.masks: {masks!r} is neither a glob nor a mapping from class names to globs")
    globs = masks if isinstance(masks, Mapping) else {meant.names[-1]: masks}
    return by_globs(home, images, globs, rules, single=single)


def _part(pattern: str, home: Path, file: Path, option: str) -> str:
    path = file.relative_to(home) if file.is_relative_to(home) else file
    try:
        match = re.search(pattern, path.as_posix())
    except re.error as error:
        raise SpecError(f"folder.{option}: {pattern!r} is no regular expression: {error}") from None
    if match is None:
        raise DataError(f"folder: {option} {pattern!r} is not found in {path.as_posix()}; every image needs one")
    return match.group(1) if match.groups() else match.group()


def _edges(spacing_mm: Sequence[float] | None) -> tuple[float, ...] | None:
    return None if spacing_mm is None else tuple(float(edge) for edge in spacing_mm)
