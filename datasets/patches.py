"""Training patches drawn from prepared cases."""

import copy
import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ..core.errors import DataError, SpecError
from ..core.recipe import MAX_STEPS, Augmentation, Steps
from .augment import draw_params, jitter_intensity, warp_patch
from .held import Held
from .mapped_file import ArrayFile
from .prepare import Prepared

_ORDER, _DRAW, _FOREGROUND, _MODALITIES = range(4)  # streams of random numbers that never meet
_FOREGROUND_PIXELS = 20_000  # kept a case and class; more add nothing to the draw but memory


class PatchSampler:
    """Batches of augmented patches. A batch depends on (seed, epoch, index) alone, in any order and from any thread.

    An epoch shows the cases in a fresh random order, each as often as `steps` says, and in another one each time it
    comes to their end. Images are referred to, never copied.

    prepared, names: the cases and what they are called. patch: edge lengths. batch: patches a batch; every one is full.
    steps: batches an epoch. `area`: each case about as often as the patch fits into its area, at least once, and at
        most `MAX_STEPS` batches; `cases`: as many as show every case once.
    foreground: share of the patches centred, as far as the border allows, on a random pixel of a random class; the
        others lie anywhere inside the image. An image smaller than the patch is centred in it and mirrored around.
    ignore: the truth value that is no class. It moves along like any other.
    parts: channels of each modality. modality_dropout: with this probability each of them is left out of a patch, 0 in
        its place after everything else; where all would be, one stays, each as likely.
    scratch: folder in which the foreground pixels are kept, on disk, or None for memory.

    Raises DataError without cases, SpecError for a patch of another rank and for `modality_dropout` of one modality.
    """

    def __init__(
        self,
        prepared: Sequence[Prepared | Held],
        names: Sequence[str],
        patch: Sequence[int],
        batch: int,
        *,
        steps: Steps = "cases",
        seed: int = 0,
        augment: Augmentation | None = None,
        foreground: float = 0.0,
        ignore: int | None = None,
        parts: Sequence[int] = (),
        modality_dropout: float = 0.0,
        scratch: Path | None = None,
    ) -> None:
        if not prepared:
            raise DataError("patches: no case to draw from; the training share of the split is empty")
        if modality_dropout and len(parts) < 2:
            raise SpecError(f"recipe.modality_dropout: {modality_dropout:g} leaves out modalities, the data has one")
        for case, name in zip(prepared, names, strict=True):
            check_rank(case, name, patch)
        self.patch, self.size = tuple(patch), batch
        times = [times_shown(case, self.patch) if steps == "area" else 1 for case in prepared]
        self._turns = np.repeat(np.arange(len(prepared)), times)
        most = MAX_STEPS if steps == "area" else math.inf
        self.steps = int(min(math.ceil(len(self._turns) / batch), most)) if isinstance(steps, str) else steps
        self._prepared, self._names, self._seed = prepared, tuple(names), seed
        self._augment = Augmentation() if augment is None else augment
        self._share, self._parts, self._dropout = foreground, tuple(parts), modality_dropout
        self._levels = [_levels(case.image[...]) for case in prepared]
        self._foreground = self._foreground_pixels(ignore, scratch) if foreground else [[] for _ in prepared]

    def __len__(self) -> int:
        return self.steps

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the cases take, and the foreground pixels noted of them."""
        held = sum(case.image.nbytes + case.truth.nbytes for case in self._prepared)
        return held + sum(pixels.nbytes for case in self._foreground for pixels in case)

    def in_parts(self, count: int) -> "PatchSampler":
        """The same patches in the same order, each batch in so many equal parts, which are batches of their own."""
        parts = copy.copy(self)
        parts.size, parts.steps = self.size // count, self.steps * count
        return parts

    def names(self, epoch: int, index: int) -> tuple[str, ...]:
        """The cases in batch `index` of `epoch`, in the order of the batch."""
        return tuple(self._names[case] for case in self._cases(epoch, index))

    def batch(self, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Batch `index` of `epoch`: images float32 (batch, *patch, c) and truths uint8 (batch, *patch, t).

        Behind the t planes of classes come those of the marks that the cases have (`core.marks`).
        """
        first = self._prepared[0]
        images = np.empty((self.size, *self.patch, first.image.shape[-1]), np.float32)
        truths = np.empty((self.size, *self.patch, first.truth.shape[-1]), np.uint8)
        for place, case in enumerate(self._cases(epoch, index)):
            self._cut(case, epoch, index * self.size + place, images[place], truths[place])
        return images, truths

    def _cases(self, epoch: int, index: int) -> list[int]:
        if not 0 <= index < self.steps:
            raise IndexError(f"batch {index} of an epoch of {self.steps}")
        count = len(self._turns)
        laps, places = np.divmod(np.arange(index * self.size, (index + 1) * self.size), count)
        orders = {lap: _stream(self._seed, _ORDER, epoch, lap).permutation(count) for lap in set(laps.tolist())}
        return [int(self._turns[orders[lap][place]]) for lap, place in zip(laps.tolist(), places.tolist(), strict=True)]

    def _foreground_pixels(self, ignore: int | None, scratch: Path | None) -> list[list[np.ndarray]]:
        kept, counts = ArrayFile(scratch), []
        for k, case in enumerate(self._prepared):
            pixels = _foreground_pixels(case.classes, ignore, _stream(self._seed, _FOREGROUND, k))
            counts.append(len(pixels))
            for array in pixels:
                kept.append(array)
        arrays = iter(kept.arrays())
        return [[next(arrays) for _ in range(count)] for count in counts]

    def _cut(self, number: int, epoch: int, position: int, image: np.ndarray, truth: np.ndarray) -> None:
        """Fill one place of a batch."""
        case, rng = self._prepared[number], _stream(self._seed, _DRAW, epoch, position)
        centre = self._start(case, self._foreground[number], rng) + (np.asarray(self.patch) - 1) / 2
        channels, spacing_mm = case.image.shape[-1], _spacing_mm(case)
        drawn = draw_params(rng, self._augment, self.patch, channels=channels, spacing_mm=spacing_mm)
        moved = warp_patch(drawn, case.image, centre, cv2.INTER_LINEAR)
        image[...] = jitter_intensity(drawn, moved, *self._levels[number])
        if self._dropout:
            image[..., self._left_out(epoch, position)] = 0
        truth[...] = warp_patch(drawn, case.truth, centre, cv2.INTER_NEAREST)

    def _left_out(self, epoch: int, position: int) -> np.ndarray:
        """Which channels (c,) bool a patch is shown without."""
        rng, count = _stream(self._seed, _MODALITIES, epoch, position), len(self._parts)
        absent, kept = rng.random(count) < self._dropout, rng.integers(count)
        if absent.all():
            absent[kept] = False
        return np.repeat(absent, self._parts)

    def _start(self, case: Prepared | Held, foreground: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
        space, patch = np.asarray(case.truth.shape[:-1]), np.asarray(self.patch)
        wanted, free = rng.random(), rng.random(len(patch))
        room = space - patch
        start = np.floor(free * (np.maximum(room, 0) + 1)).astype(int)
        if foreground and wanted < self._share:
            pixels = foreground[rng.integers(len(foreground))]
            pixel = np.unravel_index(pixels[rng.integers(len(pixels))], tuple(space))
            start = np.clip(np.asarray(pixel) - patch // 2, 0, np.maximum(room, 0))
        return np.where(room < 0, room // 2, start)


def times_shown(case: Prepared | Held, patch: Sequence[int]) -> int:
    """How many patches it takes to show as many pixels as the case has, rounded, at least one."""
    return max(1, round(math.prod(case.content) / math.prod(patch)))


def check_rank(case: Prepared | Held, name: str, patch: Sequence[int]) -> None:
    """Raise SpecError unless the patch has an edge for each axis of the case."""
    rank = case.image.ndim - 1
    if len(patch) != rank:
        edges = "×".join(map(str, patch))
        raise SpecError(f"recipe.patch: {edges} has {len(patch)} edges, {name} is {rank}D; give {rank} edge lengths")


def _stream(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(key)))


def _levels(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    space = tuple(range(image.ndim - 1))
    return image.mean(space, dtype=np.float64), image.std(space, dtype=np.float64)


def _spacing_mm(case: Prepared | Held) -> tuple[float, ...] | None:
    """Voxel edges after resizing."""
    if case.original.spacing_mm is None:
        return None
    edges = zip(case.original.spacing_mm, case.original.space, case.content, strict=True)
    return tuple(edge * before / after for edge, before, after in edges)


def _foreground_pixels(truth: np.ndarray, ignore: int | None, rng: np.random.Generator) -> list[np.ndarray]:
    """Flat pixel numbers of every class present but the background."""
    if truth.shape[-1] > 1:
        masks = (truth[..., k] == 1 for k in range(truth.shape[-1]))
    else:
        masks = (truth[..., 0] == value for value in np.unique(truth) if value not in (0, ignore))
    pixels = [np.flatnonzero(mask) for mask in masks]
    chosen = [
        p if len(p) <= _FOREGROUND_PIXELS else rng.choice(p, _FOREGROUND_PIXELS, replace=False)
        for p in pixels
        if len(p)
    ]
    return [p.astype(np.min_scalar_type(truth.size - 1)) for p in chosen]  # a fraction of the memory of 64 bits
