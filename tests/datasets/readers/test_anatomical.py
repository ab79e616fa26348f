from itertools import permutations, product

import numpy as np
import pytest

from unetbench.datasets.readers import from_ras, in_file_order, read_image, to_ras

ORIENTATIONS = ["".join(letters) for axes in permutations(("RL", "AP", "SI")) for letters in product(*axes)]
VOLUME = np.random.default_rng(0).integers(0, 4096, (4, 5, 6), np.int16)


def test_there_are_48_orientations():
    assert len(set(ORIENTATIONS)) == 48


@pytest.mark.formats_row(
    "Geometry",
    "NIfTI",
    "nibabel, SimpleITK",
    "any of the 48 orientations, sform or qform",
    "the same voxels, bit by bit, in RAS+; oblique volumes by the nearest of the 48",
)
@pytest.mark.parametrize("form", ["sform", "qform"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_volume_is_read_the_same_in_every_orientation(tmp_path, write_volume, orientation, form):
    upright = read_image(write_volume(tmp_path / "a.nii", VOLUME, form=form))
    found = read_image(write_volume(tmp_path / "b.nii", VOLUME, orientation, form=form))
    np.testing.assert_array_equal(found.array[..., 0], VOLUME)
    assert found.array.strides == upright.array.strides
    assert found.spacing_mm == (0.5, 1.0, 3.0)
    assert found.orientation == orientation
    np.testing.assert_allclose(found.affine, upright.affine, atol=1e-5)


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_labels_go_back_to_the_order_of_the_file(orientation, frames):
    array = np.stack([VOLUME, VOLUME + 1]) if frames else VOLUME
    there = to_ras(array, orientation, frames=frames)
    np.testing.assert_array_equal(from_ras(there, orientation, frames=frames), array)
    edges = dict(zip(there.shape[frames:], in_file_order(there.shape[frames:], orientation), strict=True))
    assert tuple(edges.values()) == array.shape[frames:]


def test_an_axis_that_points_left_is_flipped_and_axes_are_swapped_by_their_letters():
    array = np.arange(6).reshape(1, 2, 3)  # inferior, left, posterior
    found = to_ras(array, "ILP")
    assert found.shape == (2, 3, 1)
    assert found[..., 0].tolist() == [[5, 4, 3], [2, 1, 0]]
    assert in_file_order((0.5, 1.0, 3.0), "ILP") == (3.0, 0.5, 1.0)
    assert in_file_order((0.5, 1.0, 3.0), "") == (0.5, 1.0, 3.0)
