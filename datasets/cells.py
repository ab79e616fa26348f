"""Generated cells: data for a benchmark where there is no network, and for tests that need a truth beyond doubt.

Cases of four share a plate: cell line, staining, lamp and camera; so they must be split by plate, like real data.
A case depends on (form, seed, number, size) alone. All that comes before the camera is computed in double precision
and rounded before noise is drawn, so that machines agree.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from ..core.errors import SpecError, unknown
from ..core.task import Task
from . import DATASETS
from .case import Case, Dataset, Sample
from .cells_domains import DOMAINS
from .cells_light import (
    camera,
    cytoplasm_stain,
    nuclear_stain,
    seen_bright_field,
    seen_in_depth,
    seen_phase_contrast,
    seen_wide_field,
)
from .cells_plate import FOCUS, Plate, culture, plate
from .cells_shapes import outline
from .source import Source

CASES_PER_PLATE = 4
PIXEL_MM = 0.00032
SLICE_PX = 4
"""How many pixels the slices of a volume are apart, when not given."""

_PLATE, _CASE = range(2)  # streams of random numbers that never meet
_FLAT = np.ones(2)

_LAMP_PHOTONS = 4000.0  # a lamp gives far more light than a stain

Picture = tuple[np.ndarray, np.ndarray, np.ndarray]
"""image (*space, c) uint16, truth (*space) integers, nuclei (*space) int32."""


class Form(NamedTuple):
    """What a form asks of a model, its usual size, and how a case of it is drawn."""

    task: Task
    size: tuple[int, ...]
    picture: Callable[[np.random.Generator, Plate, tuple[int, ...]], Picture]


@DATASETS.add
def cells(
    source: Source,
    *,
    form: str = "nuclei",
    count: int = 80,
    size: Sequence[int] | None = None,
    seed: int = 0,
    domains: Sequence[str] = (),
    slice_px: int = 4,
) -> Dataset:
    """Generated microscopy with exact truth: nuclei, nucleus and cytoplasm, volumes or two modalities (no download).

    form: `nuclei` (2D, binary), `nucleus_cytoplasm` (2D, three exclusive classes, one stain of both), `volume` (3D,
        binary), `two_modality` (2D, binary; modalities fluorescence and bright_field of one
        place, where some nuclei are hardly stained) or `fluorescence_phase` (2D, binary whole cells; fluorescence of
        the cytoplasm, which some cells hardly show, and phase contrast with halos, of one place).
    count: cases. size: edge lengths; 128×128, or 16×48×48 for a volume, when not given. slice_px: how many pixels the
        slices of a volume are apart, 1 to 8.
    domains: sites whose images differ, dealt to the plates in turn: `plain`, `inverted` (dark nuclei on a bright
        ground), `noisy` (a lower magnification in little light) and `blurred` (a higher one, out of focus). A case has
        its domain as stratum, so that a split keeps them in proportion. None: all plates are of one site.

    Nuclei vary in size, shape, brightness, texture and focus, and touch; light is uneven, the camera has shot and read
    noise and 12 or 16 bits. Specks, fibres, ragged crusts and nuclei far out of focus, some as bright as the others,
    are not in the truth. `instances` numbers the nuclei, or the whole cells where these are the truth. Nothing is read
    from `source`. Raises SpecError for options that do not fit.
    """
    if form not in FORMS:
        raise SpecError(f"cells: {unknown('form', form, FORMS)}")
    task, usual, _ = FORMS[form]
    shape = tuple(usual if size is None else size)
    if len(shape) != task.rank or min(shape) < 8:
        raise SpecError(f"cells: size {list(shape)} does not fit form {form!r}; give {task.rank} edges of at least 8")
    if count < 1:
        raise SpecError(f"cells: count is {count}; at least 1 is needed")
    if not 1 <= slice_px <= 8 or (slice_px != SLICE_PX and task.rank == 2):
        raise SpecError(f"cells: slice_px {slice_px} does not fit form {form!r}; volumes have slices of 1 to 8 pixels")
    if task.rank == 3:
        task = replace(task, spacing_mm=_spacing_mm(3, slice_px))
    _check_domains(domains, count)
    of = [domains[k // CASES_PER_PLATE % len(domains)] if domains else "" for k in range(count)]
    cases = tuple(
        Case(
            f"{form}_{k:05d}",
            f"plate_{k // CASES_PER_PLATE:05d}",
            partial(_read, form, shape, seed, k, domain=of[k], slice_px=slice_px),
            of[k],
        )
        for k in range(count)
    )
    return Dataset("cells", task, cases, "generated, public domain (CC0)", "unetbench, generated cells, version 1")


def _check_domains(domains: Sequence[str], count: int) -> None:
    for name in domains:
        if name not in DOMAINS:
            raise SpecError(f"cells: {unknown('domain', name, DOMAINS)}")
    if len(set(domains)) != len(domains):
        raise SpecError(f"cells: domains {list(domains)} name one twice; give each once")
    if len(domains) * CASES_PER_PLATE > count:
        raise SpecError(
            f"cells: {count} cases are {-(-count // CASES_PER_PLATE)} plates, too few for {len(domains)} domains; "
            f"give a count of at least {len(domains) * CASES_PER_PLATE}"
        )


def _read(form: str, shape: tuple[int, ...], seed: int, number: int, *, domain: str, slice_px: int) -> Sample:
    task, _, picture = FORMS[form]
    picture = partial(_volume, slice_px=slice_px) if task.rank == 3 else picture
    kind = list(FORMS).index(form)
    of = plate(_stream(kind, seed, _PLATE, number // CASES_PER_PLATE))
    of = DOMAINS[domain].plate(of) if domain else of
    image, truth, nuclei = picture(_stream(kind, seed, _CASE, number), of, shape)
    if domain and DOMAINS[domain].inverted:
        image = np.uint16(2**of.bits - 1) - image
    return Sample(image, truth[..., None].astype(np.uint8), nuclei, _spacing_mm(task.rank, slice_px))


def _stream(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


def _nuclei(rng: np.random.Generator, of: Plate, shape: tuple[int, ...]) -> Picture:
    grown, canvas = culture(rng, of, shape, _FLAT), np.zeros((len(FOCUS), *shape))
    labels = outline([cell.nucleus for cell in grown], shape)
    nuclear_stain(rng, of, grown, canvas)
    return camera(rng, of, seen_wide_field(rng, of, canvas))[..., None], labels > 0, labels


def _nucleus_cytoplasm(rng: np.random.Generator, of: Plate, shape: tuple[int, ...]) -> Picture:
    grown, canvas = culture(rng, of, shape, _FLAT, spacious=1.9), np.zeros((len(FOCUS), *shape))
    labels, whole = outline([cell.nucleus for cell in grown], shape), outline([cell.whole for cell in grown], shape)
    nuclear_stain(rng, of, grown, canvas)
    canvas *= 0.7
    cytoplasm_stain(rng, grown, canvas)
    image = camera(rng, of, seen_wide_field(rng, of, canvas))
    return image[..., None], np.where(labels > 0, 2, whole > 0), labels


def _volume(rng: np.random.Generator, of: Plate, shape: tuple[int, ...], *, slice_px: int = SLICE_PX) -> Picture:
    edges = np.array([slice_px, 1.0, 1.0])
    grown, canvas = culture(rng, of, shape, edges), np.zeros((len(FOCUS), *shape))
    labels = outline([cell.nucleus for cell in grown], shape)
    nuclear_stain(rng, of, grown, canvas)
    return camera(rng, of, seen_in_depth(rng, of, canvas.sum(0), slice_px))[..., None], labels > 0, labels


def _two_modality(rng: np.random.Generator, of: Plate, shape: tuple[int, ...]) -> Picture:
    of = replace(of, dim=of.dim + 0.25, weak=(0.02, 0.12))
    grown, canvas = culture(rng, of, shape, _FLAT, spacious=1.5), np.zeros((len(FOCUS), *shape))
    labels = outline([cell.nucleus for cell in grown], shape)
    nuclear_stain(rng, of, grown, canvas)
    fluorescence = camera(rng, of, seen_wide_field(rng, of, canvas))
    bright = camera(rng, of, seen_bright_field(rng, of, grown, shape), exposure=_LAMP_PHOTONS / of.photons)
    return np.stack([fluorescence, bright], -1), labels > 0, labels


def _fluorescence_phase(rng: np.random.Generator, of: Plate, shape: tuple[int, ...]) -> Picture:
    of = replace(of, dim=of.dim + 0.25, weak=(0.02, 0.12))
    grown, canvas = culture(rng, of, shape, _FLAT, spacious=1.5), np.zeros((len(FOCUS), *shape))
    labels = outline([cell.whole for cell in grown], shape)
    nuclear_stain(rng, of, grown, canvas)
    canvas *= 0.5
    cytoplasm_stain(rng, grown, canvas)
    fluorescence = camera(rng, of, seen_wide_field(rng, of, canvas))
    phase = camera(rng, of, seen_phase_contrast(rng, of, grown, shape), exposure=_LAMP_PHOTONS / of.photons)
    return np.stack([fluorescence, phase], -1), labels > 0, labels


def _task(rank: int, *modalities: str, classes: tuple[str, ...] = ("nucleus",)) -> Task:
    channels = max(1, len(modalities))
    kind = "binary" if len(classes) == 1 else "exclusive"
    return Task(rank, channels, classes, kind, _spacing_mm(rank), modalities=tuple((name, 1) for name in modalities))


def _spacing_mm(rank: int, slice_px: int = SLICE_PX) -> tuple[float, ...]:
    return (slice_px * PIXEL_MM, PIXEL_MM, PIXEL_MM)[3 - rank :]


FORMS = {
    "nuclei": Form(_task(2), (128, 128), _nuclei),
    "nucleus_cytoplasm": Form(_task(2, classes=("background", "cytoplasm", "nucleus")), (128, 128), _nucleus_cytoplasm),
    "volume": Form(_task(3), (16, 48, 48), _volume),
    "two_modality": Form(_task(2, "fluorescence", "bright_field"), (128, 128), _two_modality),
    "fluorescence_phase": Form(_task(2, "fluorescence", "phase", classes=("cell",)), (128, 128), _fluorescence_phase),
}
