"""Arrays come back from a file as they would from memory, and a disk that takes no more is one line."""

import errno
from pathlib import Path

import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.datasets.mapped_file import ArrayFile, not_written


@pytest.fixture(params=["memory", "disk"])
def kept(request, tmp_path):
    return ArrayFile(tmp_path / "scratch" if request.param == "disk" else None)


def test_arrays_of_one_shape_are_stacked(kept):
    arrays = np.random.default_rng(0).normal(size=(5, 3, 7)).astype(np.float32)
    for array in arrays.swapaxes(1, 2):  # not contiguous
        kept.append(array)
    np.testing.assert_array_equal(kept.stacked(), arrays.swapaxes(1, 2))
    assert kept.stacked().dtype == np.float32


def test_arrays_of_many_shapes_and_types_come_back_one_by_one(kept):
    arrays = [np.arange(3, dtype=np.uint8), np.arange(5, dtype=">u2"), np.zeros((0, 2)), np.ones((2, 2), bool)]
    for array in arrays:
        kept.append(array)
    for found, array in zip(kept.arrays(), arrays, strict=True):
        assert found.dtype == array.dtype
        assert found.flags.aligned
        np.testing.assert_array_equal(found, array)


def test_nothing_is_no_array(kept):
    assert kept.arrays() == []


def test_the_file_has_no_name_and_its_arrays_outlive_it(tmp_path):
    kept = ArrayFile(tmp_path)
    kept.append(np.arange(1000))
    array = kept.stacked()
    del kept
    assert not list(tmp_path.iterdir())
    assert array.sum() == 999 * 1000 // 2


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        DataError, match=r"file/scratch cannot be written \(Not a directory\); let UNETBENCH_CACHE name"
    ):
        ArrayFile(tmp_path / "file" / "scratch")


def test_a_full_disk_is_told_from_other_faults():
    full = str(not_written(Path("/c"), OSError(errno.ENOSPC, "No space left on device"), " after 3 of 9 cases"))
    assert full.startswith("cache: no space is left in /c after 3 of 9 cases; `unetbench cache --clear` frees")
    assert "(Read-only file system)" in str(not_written(Path("/c"), OSError(errno.EROFS, "Read-only file system")))
