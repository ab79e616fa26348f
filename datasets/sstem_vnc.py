"""Serial-section electron microscopy of a fly's nerve cord: membranes, mitochondria, synapses, or all at once."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..core.errors import DataError, SpecError
from ..core.task import Task
from . import DATASETS
from .case import Case, Dataset, Sample
from .notes import skipped
from .readers import Picture, read_image, read_mask, visible
from .sections import blocks
from .source import Source
from .truth import chosen, classes

_ORIGIN = "https://github.com/unidesigner/groundtruth-drosophila-vnc (doi:10.6084/m9.figshare.856713)"
_SPACING_MM = (50e-6, 4.6e-6, 4.6e-6)
_BINARY = {"membrane": "membranes", "mitochondria": "mitochondria", "synapse": "synapses"}
_CLASSES = {
    "intracellular": (255,),
    "membrane": (0, 32, 64, 96, 128),  # four orientations and the junctions
    "glia": (159,),
    "mitochondria": (191,),
    "synapse": (223,),
}

READING = "2"
"""Version of how files become arrays. 1: masks of one bit a pixel had no foreground."""


class _Section(NamedTuple):
    name: str
    image: Path
    label: Path


@DATASETS.add
def sstem_vnc(
    source: Source, *, target: str = "membrane", rank: int = 2, block: int = 3, gap: int = 1, grid: int = 4
) -> Dataset:
    """Membranes and organelles in ssTEM of a fly's nerve cord (Gerhard et al. 2013, doi:10.6084/m9.figshare.856713).

    `stack1/raw/NN.tif` with `membranes/`, `mitochondria/` and `synapses/NN.png` or `labels/labels000000NN.png`; pixels
    of 4.6 nm, sections of about 50 nm. Stray grey values of the binary masks are cut at half.

    target: `membrane` (255 in the files is membrane, unlike in ISBI 2012), `mitochondria` or `synapse`: binary;
        `classes`: exclusive, intracellular (the background), membrane, glia, mitochondria, synapse.
    rank: 2: a case is a section; `block` neighbours are one group and the `gap` sections between two groups are left
        out, because membranes of neighbouring sections overlap (Dice 0.52 at one section apart, 0.40 at two).
        3: the stack is cut across into grid × grid columns through all sections, each a case and a group; neighbouring
        columns share nothing but a face.

    Raises SpecError for other targets or ranks, DataError when there is no data.
    """
    if target not in (*_BINARY, "classes") or rank not in (2, 3) or grid < 1:
        raise SpecError(
            f"sstem_vnc: target {target!r}, rank {rank}, grid {grid}; targets are {', '.join(_BINARY)}, classes"
        )
    home = source.find("sstem_vnc", "stack1/raw/*.tif", origin=_ORIGIN) / "stack1"
    pattern = "labels/labels{:0>8}.png" if target == "classes" else f"{_BINARY[target]}/{{}}.png"
    listed = [_Section(file.stem, file, home / pattern.format(file.stem)) for file in visible(home, "raw/*.tif")]
    bare = [section.name for section in listed if not section.label.is_file()]
    notes = skipped(bare, f"section without {target}", f"sections without {target}")
    stack = [section for section in listed if section.label.is_file()]
    if not stack:
        raise DataError(f"sstem_vnc: no section in {home} has a mask of {target}; get them from {_ORIGIN}")
    if rank == 3 and bare:
        more = f" and {len(bare) - 1} more" if len(bare) > 1 else ""
        raise DataError(
            f"sstem_vnc: no {target} for section {bare[0]}{more}; a volume needs every section, get it from {_ORIGIN}"
        )
    if rank == 3:
        cases = _columns(stack, target, grid)
    else:
        groups = blocks([section.name for section in stack], block, gap)
        cases = tuple(_section(section, target, groups[section.name]) for section in stack if section.name in groups)
        left_out = [section.name for section in stack if section.name not in groups]
        notes += (f"left out between groups: sections {', '.join(left_out)}",) if left_out else ()
    exclusive = target == "classes"
    names = tuple(_CLASSES) if exclusive else (target,)
    return Dataset(
        "sstem_vnc",
        Task(rank, 1, names, "exclusive" if exclusive else "binary", _SPACING_MM[-rank:]),
        cases,
        licence="CC BY-NC-SA 3.0",
        citation="Gerhard et al. 2013, figshare, doi:10.6084/m9.figshare.856713",
        notes=notes,
        reading="" if exclusive else READING,
    )


def _section(section: _Section, target: str, group: str) -> Case:
    return Case(section.name, group, partial(_read, section, target), "", (section.image, section.label))


def _columns(stack: Sequence[_Section], target: str, grid: int) -> tuple[Case, ...]:
    files = tuple(file for section in stack for file in (section.image, section.label))
    places = [(row, column) for row in range(grid) for column in range(grid)]
    return tuple(
        Case(f"r{row}c{column}", f"r{row}c{column}", partial(_read_column, stack, target, row, column, grid), "", files)
        for row, column in places
    )


def _read(section: _Section, target: str) -> Sample:
    image, found = read_image(section.image).array, read_mask(section.label)
    truth = _truth(found, section.label, target)
    if truth.shape[:-1] != image.shape[:-1]:
        raise DataError(
            f"{section.label}: the mask is {truth.shape[:-1]}, its image {image.shape[:-1]}; fetch both again"
        )
    return Sample(image, truth, None, _SPACING_MM[1:])


def _truth(found: Picture, file: Path, target: str) -> np.ndarray:
    if target == "classes":
        return classes(found.array, file, tuple(_CLASSES.values()))
    half = ((found.highest or 255) + 1) // 2  # some files have a single bit a pixel
    return chosen(found.array, found.array >= half)


def _read_column(stack: Sequence[_Section], target: str, row: int, column: int, grid: int) -> Sample:
    images, truths = [], []
    for section in stack:
        whole = _read(section, target)
        height, width = (edge // grid for edge in whole.truth.shape[:2])
        window = slice(row * height, (row + 1) * height), slice(column * width, (column + 1) * width)
        images.append(whole.image[window])
        truths.append(whole.truth[window])
    return Sample(np.stack(images), np.stack(truths), None, _SPACING_MM)
