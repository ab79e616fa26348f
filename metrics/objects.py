"""Single objects from what a model gives: connected components, or a watershed on its probabilities."""

from collections.abc import Callable

import cv2
import numpy as np

SEED = 0.9
"""Probability from which a connected region is the seed of an object of its own."""


def components(mask: np.ndarray, probability: np.ndarray | None = None) -> np.ndarray:
    """Label connected regions of a boolean mask 1, 2 … as int32; voxels that touch at a corner are connected.

    `probability` is ignored; it is there so that all SPLITS share one signature.
    """
    return label(mask, touching="corner")


def watershed(mask: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Label the basins of 1 - probability inside a boolean mask, as int32.

    Seeds are the components of `mask` with a probability of at least 0.9; a component of the mask without one is an
    object by itself. Every voxel of the mask gets the label of one object (Beucher and Lantuéjoul 1979).
    """
    from skimage.segmentation import watershed as flood

    seeds = label(mask & (probability >= SEED), touching="corner")
    whole = label(mask, touching="corner")
    seeded = np.zeros(int(whole.max(initial=0)) + 1, bool)
    seeded[whole[seeds > 0]] = True
    alone = mask & ~seeded[whole]
    seeds[alone] = whole[alone] + seeds.max(initial=0)
    return flood(-probability, seeds, mask=mask, connectivity=mask.ndim).astype(np.int32, copy=False)


def label(mask: np.ndarray, *, touching: str) -> np.ndarray:
    """Label connected regions of a boolean mask 1, 2 … as int32. touching: `corner` or `face` is what connects."""
    if mask.ndim == 2:
        connectivity = 8 if touching == "corner" else 4
        return cv2.connectedComponents(mask.view(np.uint8), connectivity=connectivity, ltype=cv2.CV_32S)[1]
    from scipy import ndimage

    structure = ndimage.generate_binary_structure(mask.ndim, mask.ndim if touching == "corner" else 1)
    found = np.zeros(mask.shape, np.int32)
    ndimage.label(mask, structure, output=found)
    return found


SPLITS: dict[str, Callable[..., np.ndarray]] = {"components": components, "watershed": watershed}
"""Ways from a predicted mask and its probability to objects, by name."""
