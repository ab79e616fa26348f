"""Training patches drawn from prepared cases, and the tiles on which validation is scored."""

import math
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import NamedTuple

import cv2
import numpy as np

from ..core.errors import DataError, SpecError
from ..core.recipe import Augmentation
from .augment import draw_params, jitter_intensity, reflected, warp_patch
from .prepare import Prepared

_ORDER, _DRAW, _FOREGROUND = range(3)  # streams of random numbers that never meet
_FOREGROUND_PIXELS = 20_000  # kept a case and class; more add nothing to the draw but memory


class Tile(NamedTuple):
    """image float32 (*patch, c), truth (*patch, t), fresh bool (*patch): pixels that no earlier tile has shown."""

    image: np.ndarray
    truth: np.ndarray
    counted: np.ndarray


class PatchSampler:
    """Batches of augmented patches. A batch depends on (seed, epoch, index) alone, in any order and from any thread.

    An epoch shows the cases in a fresh random order, and in another one each time it comes to their end. Images are
    referred to, never copied.

    prepared, names: the cases and what they are called. patch: edge lengths. batch: patches a batch; every one is full.
    steps: batches an epoch; 0 means as many as show every case once.
    foreground: share of the patches centred, as far as the border allows, on a random pixel of a random class; the
        others lie anywhere inside the image. An image smaller than the patch is centred in it and mirrored around.
    ignore: the truth value that is no class. It moves along like any other.

    Raises DataError without cases, SpecError for a patch of another rank.
    """

    def __init__(
        self,
        prepared: Sequence[Prepared],
        names: Sequence[str],
        patch: Sequence[int],
        batch: int,
        *,
        steps: int = 0,
        seed: int = 0,
        augment: Augmentation | None = None,
        foreground: float = 0.0,
        ignore: int | None = None,
    ) -> None:
        if not prepared:
            raise DataError("patches: no case to draw from; the training share of the split is empty")
        for case, name in zip(prepared, names, strict=True):
            _check_rank(case, name, patch)
        self.patch, self.size, self.steps = tuple(patch), batch, steps or math.ceil(len(prepared) / batch)
        self._prepared, self._names, self._seed = prepared, tuple(names), seed
        self._augment = Augmentation() if augment is None else augment
        self._share = foreground
        self._levels = [_levels(case.image) for case in prepared]
        self._foreground = [
            _foreground_pixels(case.truth, ignore, _stream(seed, _FOREGROUND, k)) if foreground else []
            for k, case in enumerate(prepared)
        ]

    def __len__(self) -> int:
        return self.steps

    def names(self, epoch: int, index: int) -> tuple[str, ...]:
        """The cases in batch `index` of `epoch`, in the order of the batch."""
        return tuple(self._names[case] for case in self._cases(epoch, index))

    def batch(self, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Batch `index` of `epoch`: images float32 (batch, *patch, c) and truths uint8 (batch, *patch, t)."""
        first = self._prepared[0]
        images = np.empty((self.size, *self.patch, first.image.shape[-1]), np.float32)
        truths = np.empty((self.size, *self.patch, first.truth.shape[-1]), np.uint8)
        for place, case in enumerate(self._cases(epoch, index)):
            self._cut(case, epoch, index * self.size + place, images[place], truths[place])
        return images, truths

    def _cases(self, epoch: int, index: int) -> list[int]:
        if not 0 <= index < self.steps:
            raise IndexError(f"batch {index} of an epoch of {self.steps}")
        count = len(self._prepared)
        laps, places = np.divmod(np.arange(index * self.size, (index + 1) * self.size), count)
        orders = {lap: _stream(self._seed, _ORDER, epoch, lap).permutation(count) for lap in set(laps.tolist())}
        return [int(orders[lap][place]) for lap, place in zip(laps.tolist(), places.tolist(), strict=True)]

    def _cut(self, number: int, epoch: int, position: int, image: np.ndarray, truth: np.ndarray) -> None:
        """Fill one place of a batch."""
        case, rng = self._prepared[number], _stream(self._seed, _DRAW, epoch, position)
        centre = self._start(case, self._foreground[number], rng) + (np.asarray(self.patch) - 1) / 2
        channels, spacing_mm = case.image.shape[-1], _spacing_mm(case)
        drawn = draw_params(rng, self._augment, self.patch, channels=channels, spacing_mm=spacing_mm)
        moved = warp_patch(drawn, case.image, centre, cv2.INTER_LINEAR)
        image[...] = jitter_intensity(drawn, moved, *self._levels[number])
        truth[...] = warp_patch(drawn, case.truth, centre, cv2.INTER_NEAREST)

    def _start(self, case: Prepared, foreground: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
        space, patch = np.asarray(case.truth.shape[:-1]), np.asarray(self.patch)
        wanted, free = rng.random(), rng.random(len(patch))
        room = space - patch
        start = np.floor(free * (np.maximum(room, 0) + 1)).astype(int)
        if foreground and wanted < self._share:
            pixels = foreground[rng.integers(len(foreground))]
            pixel = np.unravel_index(pixels[rng.integers(len(pixels))], tuple(space))
            start = np.clip(np.asarray(pixel) - patch // 2, 0, np.maximum(room, 0))
        return np.where(room < 0, room // 2, start)


def cut_tiles(prepared: Prepared, patch: Sequence[int]) -> Iterator[Tile]:
    """Cover a case with tiles of edges `patch`, always the same ones, in the order of the axes.

    The last tile of an axis is moved back inside the image; a pixel is `counted` in exactly one tile. An image smaller
    than the patch is mirrored beyond its end, where nothing is fresh. Raises SpecError for a patch of another rank.
    """
    _check_rank(prepared, "the case", patch)
    space = prepared.truth.shape[:-1]
    lines = [list(_line_tiles(size, edge)) for size, edge in zip(space, patch, strict=True)]
    for number in np.ndindex(*(len(line) for line in lines)):
        indices, counted = zip(*(line[k] for line, k in zip(lines, number, strict=True)), strict=True)
        grid = np.ix_(*indices)
        yield Tile(prepared.image[grid], prepared.truth[grid], reduce(np.logical_and.outer, counted))


def _check_rank(case: Prepared, name: str, patch: Sequence[int]) -> None:
    rank = case.image.ndim - 1
    if len(patch) != rank:
        edges = "×".join(map(str, patch))
        raise SpecError(f"recipe.patch: {edges} has {len(patch)} edges, {name} is {rank}D; give {rank} edge lengths")


def _stream(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(key)))


def _levels(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    space = tuple(range(image.ndim - 1))
    return image.mean(space, dtype=np.float64), image.std(space, dtype=np.float64)


def _spacing_mm(case: Prepared) -> tuple[float, ...] | None:
    """Voxel edges after resizing."""
    if case.original.spacing_mm is None:
        return None
    edges = zip(case.original.spacing_mm, case.original.truth.shape[:-1], case.content, strict=True)
    return tuple(edge * before / after for edge, before, after in edges)


def _foreground_pixels(truth: np.ndarray, ignore: int | None, rng: np.random.Generator) -> list[np.ndarray]:
    """Flat pixel numbers of every class present but the background."""
    if truth.shape[-1] > 1:
        masks = (truth[..., k] == 1 for k in range(truth.shape[-1]))
    else:
        masks = (truth[..., 0] == value for value in np.unique(truth) if value not in (0, ignore))
    pixels = [np.flatnonzero(mask) for mask in masks]
    return [
        p if len(p) <= _FOREGROUND_PIXELS else rng.choice(p, _FOREGROUND_PIXELS, replace=False)
        for p in pixels
        if len(p)
    ]


def _line_tiles(size: int, edge: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pixel indices of each tile along one axis, and which of them are fresh."""
    for end in range(edge, size + edge, edge):
        start = max(min(end, size) - edge, 0)
        places = start + np.arange(edge)
        yield reflected(start, edge, size), (places >= end - edge) & (places < size)
