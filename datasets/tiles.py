"""Tiles that cover a case without overlap, on which validation is scored, and a choice among them."""

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from .augment import reflected
from .held import Held
from .patches import check_rank
from .prepare import Prepared

Stratum = tuple[int, int]
"""A class as channel and value of the truth; (-1, 0) for tiles of background alone."""

_BACKGROUND = (-1, 0)


class Tile(NamedTuple):
    """image float32 (*patch, c), truth (*patch, t), counted bool (*patch): pixels that no earlier tile has shown."""

    image: np.ndarray
    truth: np.ndarray
    counted: np.ndarray


def cut_tiles(prepared: Prepared | Held, patch: Sequence[int], chosen: Sequence[int] | None = None) -> Iterator[Tile]:
    """Cover a case with tiles of edges `patch`, always the same ones, in the order of the axes.

    The last tile of an axis is moved back inside the image; a pixel is `counted` in exactly one tile. An image smaller
    than the patch is mirrored beyond its end, where nothing counts. chosen: numbers of the tiles to give, rising; all
    by default. Raises SpecError for a patch of another rank.
    """
    check_rank(prepared, "the case", patch)
    places = _places(prepared, patch)
    for number in range(len(places)) if chosen is None else chosen:
        indices, lines = places[number]
        grid = np.ix_(*indices)
        yield Tile(prepared.image[grid], prepared.truth[grid], reduce(np.logical_and.outer, lines))


def choose_tiles(
    prepared: Sequence[Prepared | Held], patch: Sequence[int], count: int, *, ignore: int | None = None, seed: int = 0
) -> list[list[int]] | None:
    """Numbers of `count` tiles for each case, rising, every case at least once; None when there are no more than that.

    The choice is stratified: each case first gives a tile of the class that fewest tiles show, then classes (and
    background alone) take turns, each from the case of which the smallest share of tiles was taken. It depends on data,
    patch, count and seed only, so that all models are looked at on the same tiles.
    """
    classes = [_classes(case, patch, ignore) for case in prepared]
    if sum(map(len, classes)) <= max(count, len(prepared)):
        return None
    order = np.random.default_rng(seed)
    shuffled = [order.permutation(len(tiles)).tolist() for tiles in classes]
    strata: dict[Stratum, dict[int, list[int]]] = {}
    for case, tiles in enumerate(classes):
        for number in shuffled[case]:
            for stratum in tiles[number]:
                strata.setdefault(stratum, {}).setdefault(case, []).append(number)
    rarest = sorted(strata, key=lambda stratum: (stratum == _BACKGROUND, sum(map(len, strata[stratum].values()))))
    taken: list[set[int]] = []
    for case in range(len(classes)):
        shown = next(stratum for stratum in rarest if case in strata[stratum])
        taken.append({strata[shown][case][0]})
    left = count - len(classes)
    while left > 0:
        for stratum in rarest:
            left -= left > 0 and _take(strata[stratum], taken, classes)
    return [sorted(numbers) for numbers in taken]


def _take(members: dict[int, list[int]], taken: list[set[int]], classes: Sequence[Sequence[object]]) -> bool:
    """Take one more tile of a stratum, from the case that has given the smallest share; False when all are taken."""
    for case in sorted(members, key=lambda case: len(taken[case]) / len(classes[case])):
        free = next((number for number in members[case] if number not in taken[case]), None)
        if free is not None:
            taken[case].add(free)
            return True
    return False


def _classes(case: Prepared | Held, patch: Sequence[int], ignore: int | None) -> list[set[Stratum]]:
    """The classes that each tile shows."""
    check_rank(case, "the case", patch)
    found = []
    for indices, lines in _places(case, patch):
        inside = np.ix_(*(index[line] for index, line in zip(indices, lines, strict=True)))
        truth = case.classes[inside]
        shown = {
            (channel, int(value))
            for channel in range(truth.shape[-1])
            for value in np.flatnonzero(np.bincount(truth[..., channel].ravel()))
            if value not in (0, ignore)
        }
        found.append(shown or {_BACKGROUND})
    return found


def _places(
    prepared: Prepared | Held, patch: Sequence[int]
) -> list[tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]]:
    """Of each tile the pixel indices along each axis, and which of them count."""
    space = prepared.truth.shape[:-1]
    lines = [list(_line_tiles(size, edge)) for size, edge in zip(space, patch, strict=True)]
    numbers = np.ndindex(*(len(line) for line in lines))
    picked = ([line[k] for line, k in zip(lines, number, strict=True)] for number in numbers)
    return [(tuple(p[0] for p in pick), tuple(p[1] for p in pick)) for pick in picked]


def _line_tiles(size: int, edge: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pixel indices of each tile along one axis, and which of them count."""
    for end in range(edge, size + edge, edge):
        start = max(min(end, size) - edge, 0)
        places = start + np.arange(edge)
        yield reflected(start, edge, size), (places >= end - edge) & (places < size)
