"""Masks that are wrong on purpose: a plug-in with the data set `corrupted`, which spoils some masks of another one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import ndimage

from unetbench.core.task import Task
from unetbench.datasets import DATASETS
from unetbench.datasets.case import Case, Dataset, Sample

KINDS = ("missing", "invented", "swapped", "shift", "dilate", "erode")
LEAST = 40
"""Pixels of the smallest object that is taken out, put in or given another class."""


@DATASETS.add
def shapes(source, *, count: int = 240, edge: int = 64, seed: int = 0) -> Dataset:
    """Smooth and spotted blobs on noise with exact truth, all of them well seen and nothing else in the image.

    Four cases share a group: brightness, unevenness of light and noise.
    """
    task = Task(2, 1, ("background", "smooth", "spotted"), "exclusive")
    cases = tuple(Case(f"shapes_{k:05d}", f"plate_{k // 4:05d}", partial(_shapes, edge, seed, k)) for k in range(count))
    return Dataset("shapes", task, cases, "generated", "unetbench")


def _shapes(edge: int, seed: int, number: int) -> Sample:
    plate, rng = np.random.default_rng([seed, 2, number // 4]), np.random.default_rng([seed, 3, number])
    gain, noise, tilt = plate.uniform(0.7, 1.3), plate.uniform(6, 12), plate.uniform(-0.3, 0.3, 2)
    y, x = np.mgrid[:edge, :edge]
    image, truth = np.full((edge, edge), 60.0), np.zeros((edge, edge), np.uint8)
    objects = np.zeros((edge, edge), np.int32)
    for _ in range(40):
        centre, radii, turn = rng.uniform(4, edge - 4, 2), rng.uniform(5, 9, 2), rng.uniform(0, np.pi)
        dy, dx = y - centre[0], x - centre[1]
        along, across = dy * np.cos(turn) + dx * np.sin(turn), dx * np.cos(turn) - dy * np.sin(turn)
        blob = (along / radii[0]) ** 2 + (across / radii[1]) ** 2 <= 1
        if objects.max() == 7 or (ndimage.binary_dilation(blob, iterations=2) & (objects > 0)).any():
            continue
        spotted = rng.random() < 0.5
        objects[blob], truth[blob] = objects.max() + 1, 1 + spotted
        image[blob] = 130 + 40 * rng.random()
        if spotted:
            image[blob] += 70 * np.sign(np.sin(along[blob] * 1.6) * np.sin(across[blob] * 1.6))
    light = gain * (1 + tilt[0] * (y / edge - 0.5) + tilt[1] * (x / edge - 0.5))
    image = ndimage.gaussian_filter(image * light, 0.7) + rng.normal(0, noise, image.shape)
    return Sample(image.clip(0, 255).astype(np.uint8)[..., None], truth[..., None], objects)


@DATASETS.add
def corrupted(
    source,
    *,
    of: str = "cells",
    options: str = "{}",
    stratum: str = "",
    most: int = 160,
    kinds: str = "missing",
    share: float = 0.05,
    pixels: int = 3,
    seed: int = 0,
) -> Dataset:
    """A data set of which a share of the cases has a wrong mask.

    of, options: the data set and, as JSON, its options. stratum: only its cases of this one. most: so many cases at
    most, evenly spaced in their order. kinds: of errors, apart by commas, dealt in turn. `missing`: one object is
    background; `invented`: the shape of an object of the next case is put where there is none; `swapped`: a nucleus has
    the class of cytoplasm, or a cell that of its nucleus; `shift`, `dilate`, `erode`: the whole mask, by `pixels`.
    Objects that are touched have 40 pixels at least.
    """
    whole = right(source, of, options, stratum, most)
    wrong = wrong_cases(whole, kinds.split(","), share, pixels, seed)
    cases = tuple(
        replace(case, read=partial(read, whole, number, wrong.get(case.name), pixels, seed))
        for number, case in enumerate(whole.cases)
    )
    return replace(whole, name="corrupted", cases=cases)


def right(source, of: str, options: str, stratum: str, most: int) -> Dataset:
    """The cases that are chosen, with their own masks."""
    whole = DATASETS[of](source, **json.loads(options))
    cases = [case for case in whole.cases if case.stratum == stratum or not stratum]
    spread = sorted({round(place) for place in np.linspace(0, len(cases) - 1, min(most, len(cases)))})
    return replace(whole, cases=tuple(cases[place] for place in spread), official={})


def wrong_cases(whole: Dataset, kinds: Sequence[str], share: float, pixels: int, seed: int) -> dict[str, str]:
    """The kind of error of each case that has one; cases in which the error cannot be made are passed over."""
    order = np.random.default_rng([seed, 1]).permutation(len(whole.cases))
    found: dict[str, str] = {}
    for number in order:
        if len(found) == round(share * len(whole.cases)):
            break
        kind = kinds[len(found) % len(kinds)]
        sample, other = whole.cases[number].read(), whole.cases[(number + 1) % len(whole.cases)].read()
        if not np.array_equal(spoiled(sample, other, kind, pixels, [seed, int(number)]), sample.truth):
            found[whole.cases[number].name] = kind
    return found


def read(whole: Dataset, number: int, kind: str | None, pixels: int, seed: int) -> Sample:
    """The case, with a wrong mask where a kind of error is given; without numbers of objects."""
    sample = whole.cases[number].read()
    if kind is not None:
        other = whole.cases[(number + 1) % len(whole.cases)].read()
        sample = replace(sample, truth=spoiled(sample, other, kind, pixels, [seed, number]))
    return replace(sample, instances=None)


def spoiled(sample: Sample, other: Sample, kind: str, pixels: int, key: Sequence[int]) -> np.ndarray:
    """The wrong mask (*space, 1); the right one where no object suits."""
    rng = np.random.default_rng(list(key))
    return _MAKERS[kind](_Cells.of(sample), _Cells.of(other), pixels, rng)[..., None]


@dataclass(frozen=True)
class _Cells:
    """truth (y, x); cells (y, x): number of the cell of each pixel, by the nearest nucleus; nuclei (y, x)."""

    truth: np.ndarray
    cells: np.ndarray
    nuclei: np.ndarray

    @classmethod
    def of(cls, sample: Sample) -> "_Cells":
        truth = sample.truth[..., 0]
        nuclei = sample.instances
        if nuclei is None:
            nuclei = ndimage.label(truth == truth.max(initial=1), np.ones((3, 3)))[0]
        nearest = ndimage.distance_transform_edt(nuclei == 0, return_distances=False, return_indices=True)
        return cls(truth, np.where(truth > 0, nuclei[tuple(nearest)], 0) if nuclei.any() else nuclei, nuclei)

    def pick(self, rng: np.random.Generator, labels: np.ndarray) -> np.ndarray | None:
        """One object of at least `LEAST` pixels, (y, x) bool."""
        counts = np.bincount(labels.ravel())
        counts[0] = 0
        large = np.flatnonzero(counts >= LEAST)
        return labels == rng.choice(large) if large.size else None


def _missing(own: _Cells, other: _Cells, pixels: int, rng: np.random.Generator) -> np.ndarray:
    cell = own.pick(rng, own.cells)
    return own.truth if cell is None else np.where(cell, 0, own.truth).astype(np.uint8)


def _invented(own: _Cells, other: _Cells, pixels: int, rng: np.random.Generator) -> np.ndarray:
    cell = other.pick(rng, other.cells)
    if cell is None:
        return own.truth
    y, x = (slice(s.start, s.stop) for s in ndimage.find_objects(cell.astype(np.int32))[0])
    shape, classes = cell[y, x], other.truth[y, x]
    places = [
        (top, left)
        for top in range(own.truth.shape[0] - shape.shape[0] + 1)
        for left in range(own.truth.shape[1] - shape.shape[1] + 1)
        if not (own.truth[top : top + shape.shape[0], left : left + shape.shape[1]][shape]).any()
    ]
    if not places:
        return own.truth
    top, left = places[rng.integers(len(places))]
    truth = own.truth.copy()
    truth[top : top + shape.shape[0], left : left + shape.shape[1]][shape] = classes[shape]
    return truth


def _swapped(own: _Cells, other: _Cells, pixels: int, rng: np.random.Generator) -> np.ndarray:
    nucleus = rng.random() < 0.5
    chosen = own.pick(rng, own.nuclei if nucleus else own.cells)
    if chosen is None or own.truth.max() < 2:
        return own.truth
    if not nucleus and np.count_nonzero(chosen & (own.truth == 1)) < LEAST:
        return own.truth
    return np.where(chosen, 1 if nucleus else 2, own.truth).astype(np.uint8)


def _shift(own: _Cells, other: _Cells, pixels: int, rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    move = tuple(round(v * pixels) for v in (np.sin(angle), np.cos(angle)))
    padded = np.pad(own.truth, pixels, mode="edge")
    return padded[tuple(slice(pixels - m, pixels - m + n) for m, n in zip(move, own.truth.shape, strict=True))].copy()


def _dilate(own: _Cells, other: _Cells, pixels: int, rng: np.random.Generator) -> np.ndarray:
    grown = own.truth.copy()
    for _ in range(pixels):
        grown = np.maximum(grown, ndimage.grey_dilation(grown, footprint=ndimage.generate_binary_structure(2, 1)))
    return grown


def _erode(own: _Cells, other: _Cells, pixels: int, rng: np.random.Generator) -> np.ndarray:
    shrunk = own.truth.copy()
    for _ in range(pixels):
        shrunk = np.minimum(shrunk, ndimage.grey_erosion(shrunk, footprint=ndimage.generate_binary_structure(2, 1)))
    return shrunk


_MAKERS = dict(zip(KINDS, (_missing, _invented, _swapped, _shift, _dilate, _erode), strict=True))
