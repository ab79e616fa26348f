"""Volumes as nibabel writes them, the same one in any orientation."""

import sys

import nibabel
import numpy as np
import pytest
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform

AFFINE = np.array([[0.5, 0, 0, -20], [0, 1, 0, 30], [0, 0, 3, 7], [0, 0, 0, 1]])
"""Of an upright volume: edges of 0.5, 1 and 3 mm."""


@pytest.fixture
def write_volume():
    """A function that writes an array in RAS+, its voxels at the same places, as a file of another orientation has it.

    form: which of `sform` and `qform` has a code; any other text: none has.
    """

    def write(file, array, orientation="RAS", affine=AFFINE, *, form="sform", unit="mm"):
        file.parent.mkdir(parents=True, exist_ok=True)
        turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(orientation))
        placed = affine @ inv_ornt_aff(turn, array.shape[:3])
        volume = nibabel.Nifti1Image(apply_orientation(array, turn), placed)
        volume.set_sform(placed, int(form == "sform"))
        volume.set_qform(placed, int(form == "qform"))
        volume.header.set_xyzt_units(unit)
        nibabel.save(volume, file)
        return file

    return write


@pytest.fixture(autouse=True)
def float32_policy():
    """What a test trains or opens in half precision leaves no precision behind for the next one."""
    yield
    keras = sys.modules.get("keras")
    if keras is not None and keras.config.dtype_policy().name != "float32":
        keras.config.set_dtype_policy("float32")
