"""The rasteriser against the definition: each pixel's centre, in exact fractions, against every edge."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unetbench.datasets.readers.annotations.polygons import paint, polygon_runs


def _mask(*rings, space=(8, 9)):
    labels = np.zeros(space, np.uint8)
    paint(labels, polygon_runs([[np.array(ring, float) for ring in rings]], space), np.array([1]))
    return labels


def _by_definition(rings, space):
    """Even-odd: edges strictly left of the centre, or through it, in whose half-open range of y the centre lies."""
    found = np.zeros(space, np.uint8)
    exact = [[(Fraction(x), Fraction(y)) for x, y in ring] for ring in rings]
    for row, column in np.ndindex(space):
        x, y = column + Fraction(1, 2), row + Fraction(1, 2)
        for ring in exact:
            for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True):
                if min(y0, y1) <= y < max(y0, y1) and x0 + (y - y0) * (x1 - x0) / (y1 - y0) <= x:
                    found[row, column] ^= 1
    return found


_STEP = st.integers(-6 * 4, 14 * 4).map(lambda quarter: quarter / 4)  # quarters: many centres lie on edges and corners
_RING = st.lists(st.tuples(_STEP, _STEP), min_size=3, max_size=9)


@settings(max_examples=60, deadline=None)
@given(st.lists(_RING, min_size=1, max_size=3))
def test_a_pixel_belongs_to_the_polygon_that_contains_its_centre(rings):
    np.testing.assert_array_equal(_mask(*rings), _by_definition(rings, (8, 9)))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-3, 12), st.floats(-3, 12)), min_size=3, max_size=8))
def test_corners_anywhere_differ_from_the_definition_only_where_an_edge_runs_through_a_centre(ring):
    found, exact = _mask(ring), _by_definition([ring], (8, 9))
    for row, column in np.argwhere(found != exact):
        points = np.array(ring)
        steps = np.roll(points, -1, 0) - points
        to_centre = np.array([column + 0.5, row + 0.5]) - points
        along = np.clip((to_centre * steps).sum(1) / np.maximum((steps**2).sum(1), 1e-300), 0, 1)
        assert np.hypot(*(to_centre - along[:, None] * steps).T).min() < 1e-12


@settings(max_examples=40, deadline=None)
@given(st.tuples(_STEP, _STEP), st.tuples(_STEP, _STEP), st.tuples(_STEP, _STEP), st.tuples(_STEP, _STEP))
def test_polygons_with_a_common_edge_neither_share_a_pixel_nor_leave_a_gap(a, b, left, right):
    one, two = _mask([a, b, left]), _mask([b, a, right])
    np.testing.assert_array_equal(one ^ two, _mask([a, right, b, left]))


def test_an_l_is_drawn_as_it_lies():
    ring = [(1, 0), (2, 0), (2, 3), (4, 3), (4, 4), (1, 4)]
    expected = np.zeros((5, 6), np.uint8)
    expected[0:4, 1] = expected[3, 1:4] = 1
    np.testing.assert_array_equal(_mask(ring, space=(5, 6)), expected)


def test_a_centre_on_an_edge_belongs_to_the_right_and_lower_side():
    # from 1.5 to 3.5: the centres 1.5 (on the left and upper edge) and 2.5 are in, 3.5 (right and lower) is not
    found = _mask([(1.5, 1.5), (3.5, 1.5), (3.5, 3.5), (1.5, 3.5)])
    assert found.sum() == 4
    assert found[1:3, 1:3].all()


def test_a_ring_in_a_ring_is_a_hole_and_an_island_in_it_is_not():
    rings = [[(x, y) for x, y in ((k, k), (8 - k, k), (8 - k, 8 - k), (k, 8 - k))] for k in (0, 1, 3)]
    found = _mask(*rings, space=(8, 8))
    # 8² - 6² + 2² = 32
    assert found.sum() == 32
    assert found[3:5, 3:5].all()
    assert not found[1, 1:7].any()


def test_a_keyhole_is_a_hole_whose_bridge_has_no_width():
    outer, inner = [(0, 0), (6, 0), (6, 6), (0, 6)], [(2, 2), (2, 4), (4, 4), (4, 2)]
    found = _mask([*outer, outer[0], *inner, inner[0]], space=(6, 6))
    assert found.sum() == 36 - 4
    assert not found[2:4, 2:4].any()


def test_the_area_of_a_disc_is_that_of_a_disc():
    turn = np.linspace(0, 2 * np.pi, 256, endpoint=False)
    sizes = []
    for shift in np.linspace(0, 1, 8, endpoint=False):
        ring = np.stack([10 + shift + 4 * np.cos(turn), 10 + shift / 3 + 4 * np.sin(turn)], 1)
        sizes.append(_mask(ring, space=(20, 20)).sum())
    assert np.mean(sizes) == pytest.approx(np.pi * 16, rel=0.03)


def test_what_lies_outside_is_cut_off_and_what_is_thinner_than_a_pixel_may_hold_no_centre():
    assert _mask([(-100, -100), (100, -100), (100, 100), (-100, 100)]).all()
    assert not _mask([(20, 20), (30, 20), (30, 30)]).any()
    assert not _mask([(1.6, 0), (2.4, 0), (2.4, 8), (1.6, 8)]).any()
    assert not _mask([(1, 1), (3, 3), (1, 1)]).any()


def test_later_owners_lie_over_earlier_ones():
    square = [(0, 0), (3, 0), (3, 3), (0, 3)]
    polygons = [[np.array(square, float)], [np.array(square, float) + 1]]
    labels = np.zeros((5, 5), np.int32)
    paint(labels, polygon_runs(polygons, (5, 5)), np.array([7, 9]))
    assert [np.count_nonzero(labels == value) for value in (7, 9)] == [9 - 4, 9]


def test_outlines_that_would_fill_memory_are_refused():
    zigzag = np.tile([(0.0, -9.0), (1.0, 9000.0)], (3000, 1))
    with pytest.raises(ValueError, match="outlines cross rows 48,000,000 times"):
        polygon_runs([[zigzag]], (8000, 4))


def test_nothing_gives_nothing():
    assert not len(polygon_runs([], (4, 4)).row)
    assert not len(polygon_runs([[np.zeros((3, 2))]], (0, 4)).row)


def test_it_is_pycocotools_for_polygons_of_whole_corners():
    coco = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    for seed in range(20):
        ring = np.random.default_rng(seed).integers(0, 9, (5, 2))
        straight = [(x, y) for a, b in zip(ring, np.roll(ring, -1, 0), strict=True) for x, y in (a, (b[0], a[1]))]
        theirs = coco.decode(coco.frPyObjects([np.array(straight, float).ravel().tolist()], 8, 9))[..., 0]
        np.testing.assert_array_equal(_mask(straight), theirs)
