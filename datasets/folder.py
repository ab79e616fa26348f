"""A folder of the user's own, described in the sweep file alone."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from ..core.errors import DataError, SpecError
from ..core.task import Task
from . import DATASETS
from .annotated import Listing, annotated
from .annotated_classes import Wanted
from .case import Case, Dataset
from .folder_cases import FolderCase, pages_of
from .meaning import Meaning, meaning
from .modality_files import modality_files, modality_globs, with_modalities
from .pair_table import by_table
from .pairing import Pair, Rules, by_globs
from .readers import Channels, Exif, Page, Reading, files_of
from .readers.annotations import Asked, Corners, Order
from .source import Source

READING = "2"
"""Version of how files become arrays. 1: palettes as colours, no orientation of files, pixel sizes of NIfTI alone."""


@DATASETS.add
def folder(
    source: Source,
    *,
    path: str,
    images: Any = None,
    masks: Any = None,
    annotations: str = "",
    classes: Any = None,
    background: str = "",
    instances: bool = False,
    components: bool = False,
    overlapping: bool = False,
    ignore: int | str | None = None,
    threshold: float | None = None,
    spacing_mm: Sequence[float] | None = None,
    group: str = "",
    stratum: str = "",
    unpaired: Literal["error", "skip"] = "error",
    missing: Literal["error", "empty"] = "error",
    pairing: Literal["one", "shared", "parts"] = "one",
    named_by: int = 0,
    pairs: str = "",
    pages: Literal["volume", "frames", "cases"] = "volume",
    channels: Channels = "",
    exif: Exif = "apply",
    run_order: Order = "columns",
    corners: Corners = "edges",
    image_array: str = "",
    mask_array: str = "",
    geometry: Literal["check", "ignore"] = "check",
) -> Dataset:
    """Images and masks in a folder of your own, of the formats in docs/formats.md; pages of a TIFF are a volume.

    path: the folder, absolute, beside the sweep file, or else below the data folder.
    images, masks: globs below it. An image belongs to the mask for which the wildcards stand for the same text, and
        that text is the case's name: `img/*.png` and `lab/*_mask.tif` pair `img/a1.png` with `lab/a1_mask.tif`.
    images as a mapping from modalities to their globs: one field imaged in several ways, whose files belong together
        as image and mask do and become the channels of one image, in that order.
        Suffixes match in small and in capital letters; hidden files, `Thumbs.db` and `desktop.ini` never do. A glob
        that ends with a slash names folders, each a DICOM series.
    classes: a list of one name: two-valued masks (0 and 1, 255 or 65535). A list of several: label images
        0 .. k-1, the first class being the background. A mapping from each name to its value or values: masks with
        these values; with a single name every other value is background. Values may be colours, `"#ff0000"`, which the
        masks then show; else the value of a file with a palette is its index, whatever its colours, but in a GIF.
    background: the class of a mapping that is never scored; by default the one called so, or else that of value 0 or
        the black one.
    masks as a mapping from each class to its glob: classes that may overlap, one two-valued mask each (no `classes`).
        Of files of named segments (`.seg.nrrd`, DICOM) the segment called as the class; the glob is then the same.
    annotations: the file below the folder, or a glob, that says what images show, in place of `masks`: COCO, labelme,
        CVAT for images, Kaggle's run lengths, ROIs of ImageJ, Cellpose's `*_cp_masks.*`, or the `dataset.json` of
        nnU-Net or MSD; its content says which one it is, noted. `classes` is then a list of its labels, a mapping from
        names to labels, or left out for all; `ignore` a label. `images` may be left out; else images without
        annotation are an error (`unpaired`, `missing`). overlapping: its classes may overlap, else later regions lie
        over earlier ones. run_order: `rows` where Kaggle's run lengths go along rows. corners: `pixels` where polygons
        come from OpenCV's findContours, so that their corners are pixels of the border, which belong to the object;
        `centres` where (0, 0) is the centre of the first pixel, as in scikit-image.
    instances: masks hold labels of single objects, 0 = background; scored as one foreground class.
    components: each connected piece of a label is an object of its own, so that two-valued masks have objects.
    ignore: value, or colour, of the pixels that no loss and no metric looks at, whichever the files can hold.
    threshold: two-valued masks of many values, as JPEG and smooth edges leave them: from this value on they show the
        object.
    spacing_mm: voxel edges in the order of the axes, where the files do not say it (NIfTI does, and so do ImageJ and
        OME-TIFF where they have a unit). The axes of a NIfTI are turned to point right, anterior and superior.
    group, stratum: regular expressions searched in an image's path below the folder; the first parenthesis, or all
        that matched, names what stays together (patient, plate) and what the split keeps in proportion (stain).
    unpaired: `error`, or `skip` images without mask, masks without image and cases without all modalities and note
        them.
    missing: `error`, or `empty`: an image without mask shows no object; noted.
    pairing: `one` mask an image. `shared`: the masks' wildcards stand for the first ones of the images', and one mask
        holds for all images that begin so, which are one group (`masks: roi.png`, without wildcard, holds for all).
        `parts`: masks have more wildcards than images, and all that begin like an image are united to its truth, or,
        with `instances`, are its objects; `named_by`: how many of the first wildcards name the case, where images have
        more (`*/images/*.png` and `*/masks/*.png` with `named_by: 1`).
    pairs: a CSV file below the folder in place of `images` and `masks`: columns image and mask (several masks apart by
        `;`), and name, group, stratum and split (train, validation or test) where wanted. `masks` may map classes to
        columns, and `images` modalities.
    pages: those of a TIFF are a `volume`, as are the slices of a NIfTI; or 2D `cases`, one group a file: pages of a
        TIFF, slices of a NIfTI along its thinnest or its last axis; or the `frames` of a time stack are cases, each 2D
        or a volume: what a file calls time, or the stack of a TIFF to which it gives no meaning.
    channels: `first` or `last` axis of an image whose file does not say which one is channels; `last` says it of the
        fourth axis of a NIfTI, which may be time, and keeps transparency as a channel. `none`: planes that are stored
        apart, or all axes of an NPY, are space.
    exif: `apply` the orientation that the files of images and masks state, or `ignore` it.
    image_array, mask_array: the arrays of an NPZ of several; `mask_array` also the label of an OME-Zarr. `images` and
        `masks` may then be the same glob.
    geometry: `check` that affine and spacing of a mask are its image's, or `ignore` what differs: voxels then
        correspond in the order of the files; noted.

    Images are brought to the channels of the first one where that loses nothing: grey is repeated, RGB of three equal
    channels becomes grey, noted. Others keep theirs, and `preprocess: colour` is needed.
    Raises SpecError for options that make no sense, DataError for files that are missing or unpaired.
    """
    rules = Rules.of(pairing, named_by, unpaired, missing)
    for option, value, possible in (
        ("pages", pages, ("volume", "frames", "cases")),
        ("channels", channels, get_args(Channels)),
        ("exif", exif, get_args(Exif)),
        ("run_order", run_order, get_args(Order)),
        ("corners", corners, get_args(Corners)),
        ("geometry", geometry, ("check", "ignore")),
    ):
        if value not in possible:
            raise SpecError(f"folder.{option}: {value!r} is unknown; use {' or '.join(filter(None, possible))}")
    home = _home(source, path)
    single, itself = pages != "volume", image_array != mask_array
    if annotations:
        _check_alone(
            images, masks=masks, pairs=pairs, background=background, components=components, threshold=threshold,
            pairing=pairing != "one", mask_array=mask_array,
        )  # fmt: skip
        wanted = Wanted(classes, overlapping, instances, ignore, Asked(run_order, corners))
        listing = annotated(home, annotations, images or "", rules, wanted)
        channels = channels or listing.axis
        if single and listing.pairs[0].drawing is not None:
            raise SpecError(f"folder.pages: {annotations} outlines objects in whole images; save pages as files")
    else:
        if overlapping or run_order != "columns" or corners != "edges":
            raise SpecError("folder: `overlapping`, `run_order` and `corners` go with `annotations`")
        meant = meaning(
            classes,
            masks,
            background=background,
            instances=instances,
            components=components,
            ignore=ignore,
            threshold=threshold,
        )
        globs = modality_globs(images)
        found, notes = _pairs(home, globs, masks, pairs, meant, rules, single=single, itself=itself)
        listing = Listing(found, notes, meant, tuple(globs))
    meant, notes = listing.meant, listing.notes
    edges = _edges(spacing_mm)
    asked = Reading(
        channels,
        exif,
        image_array,
        pages,
        colours=meant.coloured,
        threshold=meant.threshold,
        or_empty=missing == "empty",
    )
    page = {"volume": None, "frames": Page(0, None), "cases": Page(0, 0)}[pages]
    one = FolderCase(listing.pairs[0], meant, asked, edges, page, anywhere=geometry == "ignore")
    first, parts = one.picture(), None if listing.together or "" in listing.channels else one.depths()
    rank, depth = first.array.ndim - 1, first.array.shape[-1]
    listing.check_channels(depth)
    cases, official = [], {}
    for pair in listing.pairs:
        reading = FolderCase(
            pair,
            meant,
            asked,
            edges,
            channels=depth,
            mask_array=mask_array,
            spaced=first.spacing_mm is not None,
            anywhere=geometry == "ignore",
            parts=parts,
        )
        case = Case(
            name=pair.name,
            group=_part(group, home, pair.image, "group") if group else pair.group or pair.shared or pair.name,
            read=reading,
            stratum=_part(stratum, home, pair.image, "stratum") if stratum else pair.stratum,
            files=tuple(part for file in pair.files for part in files_of(file)),
            planes=_planes(pair) if len(pair.masks) > 1 else (),
        )
        own = pages_of(case, reading) if single else [case]
        cases += own
        official |= {page.name: pair.role for page in own if pair.role}
    if rank == 3 and 1 in first.space:
        notes = (
            *notes,
            f"{cases[0].files[0].relative_to(home)} is a volume of one slice; say `pages: cases` for 2D cases",
        )
    task = Task(rank, depth, meant.names, meant.kind, edges or first.spacing_mm, meant.code, listing.modalities(parts))
    return Dataset(
        home.name,
        task,
        tuple(cases),
        licence="your own",
        citation="",
        official=official,
        notes=notes,
        reading=READING,
    )


def _home(source: Source, path: str) -> Path:
    home = Path(path).expanduser()
    if not home.is_absolute() and source.data is not None and (source.data / home).is_dir():
        home = source.data / home
    if not home.is_dir():
        raise DataError(f"folder: {home} is no folder; check `path`")
    return home


def _check_alone(images: Any, **others: Any) -> None:
    """Raise SpecError for options that say of masks what annotation files say themselves."""
    given = [name for name, value in others.items() if value]
    if given:
        raise SpecError(f"folder.{given[0]}: the annotation files say what is what; drop it, or `annotations`")
    if images is not None and not isinstance(images, str):
        raise SpecError(f"folder.images: beside `annotations` it is one glob, not {images!r}")


def _pairs(
    home: Path,
    images: Mapping[str, str],
    masks: Any,
    pairs: str,
    meant: Meaning,
    rules: Rules,
    *,
    single: bool,
    itself: bool,
) -> tuple[list[Pair], tuple[str, ...]]:
    if pairs:
        if images.get("") or isinstance(masks, str) or rules.rule != "one" or rules.skip:
            raise SpecError(
                "folder.pairs: the table says which files belong together; drop `images` and `masks` (but for mappings "
                "from modalities or classes to columns), `pairing` and `unpaired`"
            )
        columns = masks if isinstance(masks, Mapping) else dict.fromkeys(meant.names[-1:], "mask")
        own = ("image",) if "" in images else tuple(images.values())
        return by_table(home, pairs, columns, empty=rules.empty, images=own), ()
    if not isinstance(masks, str | Mapping):
        raise SpecError(f"folder.masks: {masks!r} is neither a glob nor a mapping from class names to globs")
    globs = masks if isinstance(masks, Mapping) else {meant.names[-1]: masks}
    first = next(iter(images.values()))
    if "" in images:
        return by_globs(home, first, globs, rules, single=single, itself=itself)
    files, lacking = modality_files(home, images, rules, single=single)
    found, notes = by_globs(home, first, globs, rules, single=single, itself=itself)
    return with_modalities(found, files, (*notes, *lacking))


def _planes(pair: Pair) -> tuple[int, ...]:
    return tuple(sum(len(files_of(file)) for file in files) for files in pair.masks)


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
    if spacing_mm is None:
        return None
    try:
        return tuple(float(edge) for edge in spacing_mm)
    except (TypeError, ValueError):
        raise SpecError(
            f"folder.spacing_mm: {spacing_mm!r} is no list of numbers; give an edge in mm for each axis, as in "
            "[2, 0.5, 0.5]"
        ) from None
