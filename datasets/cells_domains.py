"""Sites whose generated images differ: other magnification, light, focus and polarity, with the same kind of cells."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .cells_plate import Plate


class Domain(NamedTuple):
    """What a site makes of a plate, and whether its images are negatives: dark nuclei on a bright ground."""

    plate: Callable[[Plate], Plate]
    inverted: bool = False


def _noisy(of: Plate) -> Plate:
    """Two thirds of the magnification, an eighth of the light at eight times the gain, and haze."""
    return replace(
        of, radius=0.65 * of.radius, photons=of.photons / 8, gain=of.gain * 8, haze=of.haze + 0.2, floor=of.floor + 0.2
    )


def _blurred(of: Plate) -> Plate:
    """One and a half times the magnification, and most cells far from the focal plane."""
    return replace(of, radius=1.5 * of.radius, focus=np.array([0.0, 0.1, 0.4, 0.5]), haze=of.haze + 0.1)


DOMAINS = {
    "plain": Domain(lambda of: of),
    "inverted": Domain(lambda of: of, inverted=True),
    "noisy": Domain(_noisy),
    "blurred": Domain(_blurred),
}
"""Sites by name. Of the same plates and random numbers, each changes what it names and nothing else."""
