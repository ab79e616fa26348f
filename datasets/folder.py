"""A folder of the user's own, described in the sweep file alone."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from ..core.errors import DataError, SpecError
from ..core.task import Kind, Task
from . import DATASETS, truth
from .case import Case, Dataset, Sample
from .notes import skipped
from .read import FORMATS, read_image, read_mask, suffix
from .source import Source

_IMAGE, _MASK = ("image without mask", "images without mask"), ("mask without image", "masks without image")
_WILD = re.compile(r"(\*\*/?|\*|\?|\[[^]]+\])")


class _Meaning(NamedTuple):
    """What the values of a mask mean. values: those of each class, or empty for a two-valued mask."""

    kind: Kind
    values: tuple[tuple[int, ...], ...]
    instances: bool
    ignore: int | None


@DATASETS.add
def folder(
    source: Source,
    *,
    path: str,
    images: str,
    masks: Any,
    classes: Any = None,
    instances: bool = False,
    ignore: int | None = None,
    spacing_mm: Sequence[float] | None = None,
    group: str = "",
    stratum: str = "",
    unpaired: Literal["error", "skip"] = "error",
) -> Dataset:
    """Images and masks in a folder of your own: PNG, JPEG, BMP, TIFF (pages are a volume) or NIfTI.

    path: the folder, absolute, below the data folder, or below the place the program was started in.
    images, masks: globs below it. An image belongs to the mask for which the wildcards stand for the same text, and
        that text is the case's name: `img/*.png` and `lab/*_mask.tif` pair `img/a1.png` with `lab/a1_mask.tif`.
    classes: a list of one name: two-valued masks (0 and 1, 255 or 65535). A list of several: label images
        0 .. k-1, the first class being the background. A mapping from each name to its value or values: masks with
        these values; with a single name every other value is background.
    masks as a mapping from each class to its glob: classes that may overlap, one two-valued mask each (no `classes`).
    instances: masks hold labels of single objects, 0 = background; scored as one foreground class.
    ignore: value of the pixels that no loss and no metric looks at.
    spacing_mm: voxel edges in the order of the axes, where the files do not say it (NIfTI does).
    group, stratum: regular expressions searched in an image's path below the folder; the first parenthesis, or all
        that matched, names what stays together (patient, plate) and what the split keeps in proportion (stain).
    unpaired: `error`, or `skip` images without mask and masks without image and note them.

    Raises SpecError for options that make no sense, DataError for files that are missing or unpaired.
    """
    if unpaired not in ("error", "skip"):
        raise SpecError(f"folder.unpaired: {unpaired!r} is unknown; use error or skip")
    home = _home(source, path)
    names, meaning, globs = _meaning(classes, masks, instances, ignore)
    planes = [_listed(home, pattern, "masks") for pattern in globs]
    taken = {file for plane in planes for file in plane.values()}
    pictures = {key: file for key, file in _listed(home, images, "images").items() if file not in taken}
    paired, notes = _pair(home, pictures, planes, skip=unpaired == "skip")
    cases = tuple(
        Case(
            name=key,
            group=_part(group, pictures[key].relative_to(home), "group") if group else key,
            read=partial(_read, pictures[key], tuple(plane[key] for plane in planes), meaning, _edges(spacing_mm)),
            stratum=_part(stratum, pictures[key].relative_to(home), "stratum") if stratum else "",
            files=(pictures[key], *(plane[key] for plane in planes)),
        )
        for key in paired
    )
    first = read_image(pictures[paired[0]])
    rank, channels = first.array.ndim - 1, first.array.shape[-1]
    task = Task(rank, channels, names, meaning.kind, _edges(spacing_mm) or first.spacing_mm, ignore)
    return Dataset(home.name, task, cases, licence="your own", citation="", notes=notes)


def _home(source: Source, path: str) -> Path:
    home = Path(path).expanduser()
    if not home.is_absolute() and source.data is not None and (source.data / home).is_dir():
        home = source.data / home
    if not home.is_dir():
        raise DataError(f"folder: {home} is no folder; check `path`")
    return home


def _meaning(
    classes: Any, masks: Any, instances: bool, ignore: int | None
) -> tuple[tuple[str, ...], _Meaning, tuple[str, ...]]:
    """Names of the classes, meaning of the masks' values, one glob a plane."""
    if isinstance(masks, Mapping):
        if classes is not None or instances:
            raise SpecError("folder: masks by class name already name the classes; drop `classes` and `instances`")
        return tuple(masks), _Meaning("multilabel", (), False, ignore), tuple(masks.values())
    if not isinstance(masks, str):
        raise SpecError(f"folder.masks: {masks!r} is neither a glob nor a mapping from class names to globs")
    if not isinstance(classes, Mapping | list | tuple) or not classes:
        raise SpecError("folder.classes: give a list of names, or a mapping from names to mask values")
    names = tuple(map(str, classes))
    if instances and (len(names) > 1 or isinstance(classes, Mapping)):
        raise SpecError(f"folder.classes: masks of instances have one foreground class, came {len(names)}")
    values: tuple[tuple[int, ...], ...] = tuple((index,) for index in range(len(names))) if len(names) > 1 else ()
    if isinstance(classes, Mapping):
        values = tuple(_whole(name, value) for name, value in classes.items())
    kind: Kind = "binary" if len(names) == 1 else "exclusive"
    return names, _Meaning(kind, values, instances, ignore), (masks,)


def _whole(name: object, value: Any) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not values or not all(isinstance(entry, int) and not isinstance(entry, bool) for entry in values):
        raise SpecError(f"folder.classes: {name}: {value!r} is not a whole number or a list of them")
    return values


def _listed(home: Path, pattern: str, option: str) -> dict[str, Path]:
    """Files by the text that the pattern's wildcards stand for."""
    if not isinstance(pattern, str) or not _WILD.search(pattern):
        raise SpecError(f"folder.{option}: {pattern!r} is no glob; for instance img/*.png")
    regex, found = _regex(pattern), {}
    for file in sorted(home.glob(pattern)):
        if not file.is_file() or suffix(file) not in FORMATS:
            continue
        match = regex.fullmatch(_bare(file.relative_to(home)))
        key = "/".join(text.strip("/") for text in match.groups() if text) if match else ""
        if key in found:
            raise DataError(f"folder: {found[key]} and {file} are both {key!r} by {pattern}; narrow the glob")
        found[key] = file
    if not found:
        raise DataError(f"folder: {home / pattern} matches no image file; {option} may be {', '.join(FORMATS)}")
    return found


def _regex(pattern: str) -> re.Pattern[str]:
    """The pattern without its suffix as a regular expression with one group a wildcard."""
    pattern = pattern[: -len(end)] if (end := _ending(pattern)) else pattern
    wild = {"**/": "((?:.*/)?)", "**": "(.*)", "*": "([^/]*)", "?": "([^/])"}
    pieces = _WILD.split(pattern)
    return re.compile(
        "".join(wild.get(p, f"({p.replace('[!', '[^')})") if _WILD.fullmatch(p) else re.escape(p) for p in pieces)
    )


def _ending(pattern: str) -> str:
    name = pattern.rsplit("/", 1)[-1]
    return suffix(Path(name)) if "." in name else ""


def _bare(path: Path) -> str:
    return path.as_posix()[: -len(suffix(path))]


def _pair(
    home: Path, pictures: Mapping[str, Path], planes: Sequence[Mapping[str, Path]], *, skip: bool
) -> tuple[list[str], tuple[str, ...]]:
    complete = sorted(key for key in pictures if all(key in plane for plane in planes))
    images, masks = _alone(home, pictures, planes)
    alone = [f"{_IMAGE[0]}: {file}" for file in images] + [f"{_MASK[0]}: {file}" for file in masks]
    if alone and not skip:
        more = f", and {len(alone) - 1} more" if len(alone) > 1 else ""
        raise DataError(f"folder: {alone[0]}{more}; add it, fix the globs, or say `unpaired: skip`")
    if not complete:
        example = next(iter(pictures.values()), None)
        raise DataError(f"folder: no image has a mask of the same name ({example} has none); check both globs")
    return complete, (*skipped(images, *_IMAGE), *skipped(masks, *_MASK))


def _alone(
    home: Path, pictures: Mapping[str, Path], planes: Sequence[Mapping[str, Path]]
) -> tuple[list[str], list[str]]:
    """Images that lack a mask, and masks that lack their image."""
    incomplete = (file for key, file in sorted(pictures.items()) if not all(key in plane for plane in planes))
    strays = (file for plane in planes for key, file in sorted(plane.items()) if key not in pictures)
    images, masks = ([str(file.relative_to(home)) for file in files] for files in (incomplete, strays))
    return images, masks


def _part(pattern: str, path: Path, option: str) -> str:
    try:
        match = re.search(pattern, path.as_posix())
    except re.error as error:
        raise SpecError(f"folder.{option}: {pattern!r} is no regular expression: {error}") from None
    if match is None:
        raise DataError(f"folder: {option} {pattern!r} is not found in {path.as_posix()}; every image needs one")
    return match.group(1) if match.groups() else match.group()


def _edges(spacing_mm: Sequence[float] | None) -> tuple[float, ...] | None:
    return None if spacing_mm is None else tuple(float(edge) for edge in spacing_mm)


def _read(picture: Path, masks: Sequence[Path], meaning: _Meaning, spacing_mm: tuple[float, ...] | None) -> Sample:
    image = read_image(picture)
    labels = [read_mask(file).array for file in masks]
    planes = [_plane(mask, file, meaning) for mask, file in zip(labels, masks, strict=True)]
    for plane, file in zip(planes, masks, strict=True):
        if plane.shape[:-1] != image.array.shape[:-1]:
            sizes = ["×".join(map(str, array.shape[:-1])) for array in (image.array, plane)]
            raise DataError(f"{picture} is {sizes[0]} and its mask {file} {sizes[1]}; both need the same size")
    objects = labels[0].astype(np.int32) if meaning.instances else None
    return Sample(image.array, np.concatenate(planes, -1), objects, spacing_mm or image.spacing_mm)


def _plane(mask: np.ndarray, file: Path, meaning: _Meaning) -> np.ndarray:
    if meaning.instances:
        return truth.chosen(mask, mask != 0, ignore=meaning.ignore)
    if meaning.kind == "binary" and meaning.values:
        return truth.chosen(mask, np.isin(mask, meaning.values[0]), ignore=meaning.ignore)
    if meaning.values:
        return truth.classes(mask, file, meaning.values, ignore=meaning.ignore)
    return truth.binary(mask, file, ignore=meaning.ignore)
