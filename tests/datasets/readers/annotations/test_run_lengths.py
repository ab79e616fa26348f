"""Run lengths, on an L: read in the wrong order it is no L."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from unetbench.core.errors import DataError
from unetbench.datasets.readers.annotations.polygons import paint
from unetbench.datasets.readers.annotations.run_lengths import (
    Box,
    bitmap_of,
    bitmap_runs,
    from_coco_text,
    from_counts,
    from_pixels,
    from_starts,
)

L = np.zeros((4, 5), np.uint8)
L[0:4, 1] = L[3, 1:4] = 1


def _pixels(runs, space=(4, 5)):
    found = np.zeros(space, np.uint8)
    paint(found, bitmap_runs(bitmap_of(runs, space, "here"), space), np.array([1]))
    return found


def test_coco_goes_down_the_columns_from_0_and_begins_with_what_is_outside():
    # column 0: 4 outside; column 1: 4 inside; columns 2 and 3: 3 outside, 1 inside; column 4: 4 outside
    np.testing.assert_array_equal(_pixels(from_counts([4, 4, 3, 1, 3, 1, 4], "columns")), L)


def test_cocos_text_holds_the_same_numbers():
    # written by pycocotools 2.0.11: encode(L)
    assert from_coco_text("443M001").tolist() == [4, 4, 3, 1, 3, 1, 4]
    # and of a mask of 300 × 301 whose only pixel is row 123, column 200: numbers of several characters
    assert from_coco_text("kfj11P_m0").tolist() == [60123, 1, 30176]
    assert not len(from_coco_text(""))


def test_dsb_2018_goes_down_the_columns_from_1():
    np.testing.assert_array_equal(_pixels(from_starts("5 4 12 1 16 1", "columns")), L)


def test_the_rows_of_other_competitions_are_another_l():
    np.testing.assert_array_equal(_pixels(from_starts("2 1 7 1 12 1 17 3", "rows")), L)
    assert (_pixels(from_starts("5 4 12 1 16 1", "rows")) != L).any()


def test_cvat_goes_along_the_rows_of_its_box():
    # rows of 3 inside a box at row 0, column 1: 1 inside, 2 outside, three times, then 3 inside
    runs = from_counts([0, 1, 2, 1, 2, 1, 2, 3], "rows", Box(0, 1, 4, 3))
    np.testing.assert_array_equal(_pixels(runs), L)


@settings(max_examples=40, deadline=None)
@given(
    arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=7)), st.sampled_from(["rows", "columns"])
)
def test_any_mask_survives_its_run_lengths(mask, order):
    flat = mask.ravel(order="C" if order == "rows" else "F").astype(int)
    edges = np.flatnonzero(np.diff(flat, prepend=0, append=0))
    counts = np.diff([0, *edges, len(flat)]) if len(edges) % 2 == 0 else None
    np.testing.assert_array_equal(_pixels(from_counts(counts, order), mask.shape), mask)
    text = " ".join(f"{start + 1} {stop - start}" for start, stop in zip(edges[::2], edges[1::2], strict=True))
    np.testing.assert_array_equal(_pixels(from_starts(text, order), mask.shape), mask)
    moved = np.zeros((9, 10), np.uint8)
    moved[1 : 1 + mask.shape[0], 2 : 2 + mask.shape[1]] = mask
    np.testing.assert_array_equal(_pixels(from_pixels(mask, 1, 2), (9, 10)), moved)


def test_pycocotools_reads_the_same_of_its_own_text():
    coco = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    for seed in range(20):
        mask = (np.random.default_rng(seed).random((37, 53)) < 0.2 * (seed % 5)).astype(np.uint8)
        text = coco.encode(np.asfortranarray(mask))["counts"].decode()
        np.testing.assert_array_equal(_pixels(from_counts(from_coco_text(text), "columns"), mask.shape), mask)


@pytest.mark.parametrize("text", ["4 ", "\x7f", "T", "PPPPPPPPPPPPPPP0"])
def test_text_that_is_no_run_length_of_coco_is_refused(text):
    with pytest.raises(ValueError, match="no compressed run length"):
        from_coco_text(text)


def test_numbers_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="whole numbers from 0 on"):
        from_counts([3, -1], "rows")
    with pytest.raises(ValueError, match="whole numbers from 0 on"):
        from_counts([3.5, 1], "rows")
    with pytest.raises(ValueError, match="has 3 numbers; each start needs a length"):
        from_starts("1 2 3", "rows")
    with pytest.raises(ValueError, match="starts count from 1"):
        from_starts("0 2", "rows")
    with pytest.raises(ValueError, match="something else than whole numbers"):
        from_starts("1 two", "rows")


def test_runs_beyond_the_image_are_refused_whatever_they_claim():
    with pytest.raises(DataError, match=r"here: its run lengths reach pixel 21 and 4×5 has 20"):
        _pixels(from_starts("20 2", "columns"))
    with pytest.raises(DataError, match=r"reach pixel 9,000,000,000,000"):
        _pixels(from_starts("1 9000000000000", "columns"))
    with pytest.raises(DataError, match=r"its box of 4×9 at row 0, column 1 does not lie in the image of 4×5"):
        _pixels(from_counts([0, 1], "rows", Box(0, 1, 4, 9)))
    with pytest.raises(DataError, match="another size"):
        _pixels(from_counts([1, 2**62, 2**62, 2**62], "rows"))
