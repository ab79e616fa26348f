"""Which files of a folder are the modalities of one case, and how they become one image."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import DataError, SpecError
from .modalities import ALL, EACH
from .notes import skipped
from .pairing import Pair, Rules, keyed_files
from .readers import Picture

SPACING_TOLERANCE = 1e-3
"""Largest ratio, less 1, of the voxel edges that the files of one case state."""


def modality_globs(images: Any) -> dict[str, str]:
    """The globs, or columns of a table, of `images` by modality; one of no name where it is text. Raises SpecError."""
    if not isinstance(images, Mapping):
        if images is not None and not isinstance(images, str):
            raise SpecError(f"folder.images: {images!r} is neither a glob nor a mapping from modalities to globs")
        return {"": images or ""}
    for name, glob in images.items():
        if not isinstance(name, str) or not name or not isinstance(glob, str) or not glob:
            raise SpecError(
                f"folder.images: {name!r}: {glob!r} is no name with a glob; write {{fluorescence: 'f/*.tif', …}}"
            )
        if name in (ALL, EACH):
            raise SpecError(f"folder.images: {name} is a word of a sweep's `modalities`; name the modality otherwise")
    if not images:
        raise SpecError("folder.images: names no modality; write {fluorescence: 'f/*.tif', phase: 'p/*.tif'}")
    return dict(images)


def modality_files(
    home: Path, globs: Mapping[str, str], rules: Rules, *, single: bool
) -> tuple[dict[str, tuple[Path, ...]], tuple[str, ...]]:
    """The files of all modalities by case, in the order of the globs, and what was left out.

    Files belong together for which the wildcards stand for the same text; single: whether a glob may name one file.
    Raises DataError for a case that lacks a modality, unless these are skipped, SpecError for globs that find the same.
    """
    found = {name: keyed_files(home, glob, rules, single=single) for name, glob in globs.items()}
    owner: dict[Path, str] = {}
    for name, files in found.items():
        for file in files.values():
            if owner.setdefault(file, name) != name:
                raise SpecError(f"folder.images: {file} is {owner[file]} and {name}; narrow the globs")
    every = sorted(set().union(*found.values()))
    lacking = {key: [name for name, files in found.items() if key not in files] for key in every}
    told = [f"{key or home.name} has no {' and no '.join(names)} image" for key, names in lacking.items() if names]
    whole = {key: tuple(files[key] for files in found.values()) for key in every if not lacking[key]}
    if told and (not rules.skip or not whole):
        more = f", and {len(told) - 1} more" if len(told) > 1 else ""
        names = ", ".join(f"{name}: {glob}" for name, glob in globs.items())
        raise DataError(f"folder: case {told[0]}{more} ({names}); add it, fix the globs, or say `unpaired: skip`")
    return whole, skipped(told, "case without all modalities", "cases without all modalities")


def with_modalities(
    pairs: Sequence[Pair], files: Mapping[str, tuple[Path, ...]], notes: Sequence[str]
) -> tuple[list[Pair], tuple[str, ...]]:
    """Pairs of the first modality's images with those of the others, and what was left out.

    Raises SpecError for a mask that is taken for a modality.
    """
    by_first = {own[0]: own[1:] for own in files.values()}
    masks = {file for pair in pairs for plane in pair.masks for file in plane}
    if both := sorted(masks & {file for further in by_first.values() for file in further}):
        raise SpecError(f"folder.images: {both[0]} is a modality and a mask; narrow the globs")
    kept = [replace(pair, further=by_first[pair.image]) for pair in pairs if pair.image in by_first]
    return kept, tuple(notes)


def stacked(pictures: Sequence[Picture], files: Sequence[Path], *, anywhere: bool = False) -> Picture:
    """One picture (*space, c) of the channels of all, in their order. anywhere: whether spacings may differ.

    Raises DataError for modalities of other sizes or spacings than the first.
    """
    first, notes = pictures[0], dict.fromkeys(note for picture in pictures for note in picture.notes)
    edges, source = next(
        ((one.spacing_mm, one.spacing_source) for one in pictures if one.spacing_mm is not None), (None, "")
    )
    for picture, file in zip(pictures[1:], files[1:], strict=True):
        if picture.array.shape[:-1] != first.array.shape[:-1]:
            sizes = ["×".join(map(str, one.array.shape[:-1])) for one in (first, picture)]
            raise DataError(
                f"{files[0]} is {sizes[0]} and {file}, another modality of it, {sizes[1]}; bring both to one grid"
            )
        own = picture.spacing_mm
        if own and edges and not anywhere and not np.allclose(own, edges, rtol=SPACING_TOLERANCE):
            raise DataError(
                f"{files[0]} and {file}, another modality of it, state spacings of {edges} and {own} mm; bring both to "
                "one grid, or say `geometry: ignore`"
            )
    array = np.concatenate([picture.array for picture in pictures], -1)
    return replace(first, array=array, notes=tuple(notes), spacing_mm=edges, spacing_source=source)
