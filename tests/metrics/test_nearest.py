import numpy as np
import pytest
from scipy import ndimage

from unetbench.metrics.nearest import nearest


def _transformed(points, surface, spacing):
    """The same from SciPy's distance transform of the whole image."""
    return ndimage.distance_transform_edt(~surface, sampling=spacing)[points]


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((31, 17), (1.0, 1.0)),
        ((31, 17), (0.3, 1.7)),
        ((12, 9, 14), (1.0, 1.0, 1.0)),
        ((12, 9, 14), (5.0, 0.7, 0.7)),
        ((1, 40), (1.0, 1.0)),
    ],
    ids=str,
)
@pytest.mark.parametrize("share", [0.5, 0.05, 0.005])
def test_distances_are_those_of_a_distance_transform(shape, spacing, share):
    rng = np.random.default_rng(0)
    points, surface = rng.random(shape) < 0.3, rng.random(shape) < share
    surface.flat[-1] = True
    there, back = nearest(points, surface, spacing)
    np.testing.assert_allclose(there, _transformed(points, surface, spacing), rtol=1e-6)
    np.testing.assert_allclose(back, _transformed(surface, points, spacing), rtol=1e-6)


def test_a_step_to_the_side_may_be_shorter_than_one_along_a_thick_slice():
    # Slices 5 mm apart: the voxel four to the side (4 mm) is nearer than the one in the next slice.
    points, surface = np.zeros((2, 3, 9), bool), np.zeros((2, 3, 9), bool)
    points[0, 1, 2] = surface[0, 1, 6] = surface[1, 1, 2] = True
    assert nearest(points, surface, (5.0, 1.0, 1.0))[0].tolist() == [4.0]


def test_a_row_does_not_run_on_into_the_next_one():
    points, surface = np.zeros((2, 8), bool), np.zeros((2, 8), bool)
    points[0, 7] = surface[1, 0] = True
    assert nearest(points, surface, (1.0, 1.0))[0] == pytest.approx(np.sqrt(50))


def test_an_empty_surface_is_infinitely_far_and_no_points_have_no_distances():
    full, empty = np.ones((3, 3), bool), np.zeros((3, 3), bool)
    there, back = nearest(full, empty, (1.0, 1.0))
    assert there.shape == (9,) and np.isinf(there).all()
    assert back.shape == (0,)
