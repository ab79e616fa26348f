"""Images of other sources on which the pretrained models are scored: no image of theirs was trained on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ...core.errors import DataError
from ...core.task import Task
from ...datasets import DATASETS
from ...datasets.case import Case, Sample
from ...datasets.readers import read_image, read_mask
from ...datasets.source import Source

EVERY = 4
"""Of the slices of a volume with nuclei in them, every so many-th is an image."""


@dataclass(frozen=True)
class OtherSource:
    """name, text: what it is. licence: of the images. cases: lists them below a folder of data sets."""

    name: str
    text: str
    licence: str
    cases: Callable[[Path], Sequence[Case]]


@dataclass(frozen=True)
class Volume:
    """A volume of nuclei (z, y, x) and its truth, where any number above 0 is a nucleus; keys: inside an HDF5 file."""

    name: str
    image: str
    truth: str
    keys: tuple[str, str] = ("", "")

    def read(self, data: Path) -> tuple[np.ndarray, np.ndarray]:
        """Intensities (z, y, x, 1) and truth (z, y, x, 1) of 0 and 1. Raises DataError."""
        if self.keys[0]:
            return _hdf5(data / self.image, *self.keys)
        truth = read_mask(data / self.truth).array
        return read_image(data / self.image).array, (truth > 0).astype(np.uint8)[..., None]


def _hdf5(file: Path, image: str, truth: str) -> tuple[np.ndarray, np.ndarray]:
    import h5py

    try:
        with h5py.File(file) as opened:
            return np.asarray(opened[image])[..., None], (np.asarray(opened[truth]) > 0).astype(np.uint8)[..., None]
    except (OSError, KeyError) as error:
        raise DataError(f"{file}: cannot be read: {error}") from None


_EMBRYO = Volume(
    "bbbc050", "bbbc050_embryo3d/images_raw/8_cell_stage.tif", "bbbc050_embryo3d/images_nsn/8_cell_stage.tif"
)
_OVULES = tuple(
    Volume(f"gonuclear_{number}", f"gonuclear_mini/train/{number}_mini.h5", "", ("raw", "label"))
    for number in (1135, 1136)
)
_STARDIST = Volume("stardist_3d", "stardist_samples/img3d.tif", "stardist_samples/mask3d.tif")


def probe_image(task: Task) -> np.ndarray:
    """A generated image (*space, c) of nuclei, in the rank and with the channels of a task; a grey one in colour."""
    form, size = ("nuclei", (96, 80)) if task.rank == 2 else ("volume", (12, 40, 32))
    image = DATASETS["cells"](Source(None, Path(), download=False), form=form, size=size, count=1).cases[0].read().image
    return np.repeat(image, task.channels, -1)


def _whole(*volumes: Volume) -> Callable[[Path], list[Case]]:
    def listed(data: Path) -> list[Case]:
        return [Case(volume.name, volume.name, partial(_sample, volume, data)) for volume in volumes]

    return listed


def _slices(*volumes: Volume) -> Callable[[Path], list[Case]]:
    """2D images: every fourth of the slices that hold nuclei, a group a volume."""

    def listed(data: Path) -> list[Case]:
        return [case for volume in volumes for case in _cut(volume, data)]

    return listed


def _sample(volume: Volume, data: Path) -> Sample:
    return Sample(*volume.read(data))


def _cut(volume: Volume, data: Path) -> Iterator[Case]:
    image, truth = volume.read(data)
    for z in np.flatnonzero(truth.any((1, 2, 3)))[::EVERY].tolist():
        yield Case(f"{volume.name}_{z:03d}", volume.name, partial(Sample, image[z], truth[z]))


def _dataset(name: str, **options) -> Callable[[Path], Sequence[Case]]:
    def listed(data: Path) -> Sequence[Case]:
        return DATASETS[name](Source(data, data, download=False), **options).cases

    return listed


SOURCES = {
    "nuclei-light": (
        OtherSource("bbbc006", "BBBC006, U2OS, 32 µm below the focus", "CC0", _dataset("bbbc006", plane=0)),
        OtherSource("gonuclear", "GoNuclear, ovules of Arabidopsis, slices", "CC0", _slices(*_OVULES)),
        OtherSource("bbbc050", "BBBC050, mouse embryo, slices", "CC0", _slices(_EMBRYO)),
        OtherSource("stardist", "sample volume of StarDist, slices", "BSD-3-Clause", _slices(_STARDIST)),
        OtherSource(
            "cells",
            "generated nuclei of four sites",
            "CC0",
            _dataset("cells", count=64, domains=("plain", "inverted", "noisy", "blurred")),
        ),
    ),
    "cells-light": (OtherSource("wbc", "WBC, stained white blood cells in colour", "GPL-3.0", _dataset("wbc")),),
    "volume-light": (
        OtherSource("gonuclear", "GoNuclear, ovules of Arabidopsis", "CC0", _whole(*_OVULES)),
        OtherSource("bbbc050", "BBBC050, mouse embryo of 8 cells", "CC0", _whole(_EMBRYO)),
        OtherSource("stardist", "sample volume of StarDist", "BSD-3-Clause", _whole(_STARDIST)),
    ),
}
"""By pretrained model. The 2D sample of StarDist is a crop of an image of `dsb2018`, so it is no other source there."""
