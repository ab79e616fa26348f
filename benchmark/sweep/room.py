"""Whether the cases of a sweep's data sets fit where they are to be kept, told before anything is trained."""

import math
import shutil
from collections.abc import Sequence
from math import ceil
from pathlib import Path

from ...core.memory import memory_bytes, told
from ...datasets.held import Held
from ..trial.context import Context, OpenedDataset
from ..trial.validate import SHARE
from .plan import Planned, epoch_patches, looked_at, training_bytes


def warnings(planned: Sequence[Planned], context: Context, workers: int = 1) -> list[str]:
    """One line for each data set that is larger than the memory, or the free part of the disk, that it is to go to.

    workers: how many trials hold cases in memory at the same time. Sizes are those of a few cases, taken for all.
    """
    lines: list[str] = []
    seen: set[int] = set()
    for entry in planned:
        if entry.opened is None or entry.problem or id(entry.opened) in seen:
            continue
        seen.add(id(entry.opened))
        looks = looked_at(entry.opened, {})
        if looks and (line := _line(entry, entry.opened, looks, context, workers)):
            lines.append(line)
    return lines


def _line(entry: Planned, opened: OpenedDataset, looks: Sequence[Held], context: Context, workers: int) -> str:
    name, folder = opened.dataset.name, context.cases
    if folder is None:
        needed, there = workers * in_memory(entry, opened, looks), memory_bytes()
        if needed <= there:
            return ""
        several = f" for {workers} workers" if workers > 1 else ""
        return (
            f"{name}: its training and validation cases take about {told(needed)} of memory{several}, there are "
            f"{told(there)}; say `cache: disk` in the sweep file, or --cache disk"
        )
    needed, free = on_disk(opened, looks) - _there(folder / opened.keys.folder), _free(folder)
    if needed <= free:
        return ""
    return (
        f"{name}: its training and validation cases take about {told(needed)} in {folder}, where {told(free)} are "
        "free; `unetbench cache --clear` frees what earlier data took, UNETBENCH_CACHE names a folder on a larger disk"
    )


def in_memory(entry: Planned, opened: OpenedDataset, looks: Sequence[Held]) -> int:
    """Bytes of memory that training and validation cases take, and the tiles of these that are scored each epoch."""
    recipe, train = entry.trial.recipe, len(opened.split.cases("train"))
    validation = len(opened.split.cases("validation"))
    pixels = math.prod(recipe.patch)
    tiles = validation * max(
        math.prod(ceil(n / edge) for n, edge in zip(case.truth.shape[:-1], recipe.patch, strict=True)) for case in looks
    )
    if recipe.validation == "sampled":
        tiles = min(tiles, max(validation, ceil(SHARE * epoch_patches(entry.trial, opened, looks))))
    tile = pixels * (4 * looks[0].image.shape[-1] + looks[0].truth.shape[-1] + 1)
    return training_bytes(entry.trial, opened, looks) * (train + validation) // train + 2 * tiles * tile


def on_disk(opened: OpenedDataset, looks: Sequence[Held]) -> int:
    """Bytes that the files of training and validation cases take."""
    count = len(opened.split.cases("train")) + len(opened.split.cases("validation"))
    return sum(case.nbytes for case in looks) * count // len(looks)


def _there(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("??/*"))


def _free(folder: Path) -> int:
    return shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.is_dir())).free
