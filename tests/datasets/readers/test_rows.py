import tracemalloc

import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.datasets.readers.rows import Rows

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["u1", ">u2", "f4", "?"])
def test_rows_come_in_any_order(tmp_path, save, dtype):
    images = RNG.integers(0, 2, (7, 8, 9, 3)).astype(dtype)
    save(tmp_path / "a.npz", first=np.arange(5), images=images)
    rows = Rows(tmp_path / "a.npz", "images")
    assert (len(rows), rows.shape, rows.dtype) == (7, images.shape, images.dtype)
    for index in (0, 1, 6, 2, 2, 0):
        assert rows[index].dtype.isnative
        np.testing.assert_array_equal(rows[index], images[index])


def test_an_array_is_never_held_whole(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((200, 256, 256), np.uint8))
    rows = Rows(tmp_path / "a.npz", "images")
    tracemalloc.start()
    for index in range(len(rows)):
        assert not rows[index].any()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 256 * 256


def test_what_has_no_rows_of_numbers_is_refused(tmp_path):
    file = tmp_path / "a.npz"
    np.savez(file, number=np.array(3), objects=np.array([[{}]], object), fortran=np.zeros((3, 4), order="F"))
    reason = "holds Python objects, which are code and never read"
    for name in ("number", "objects", "fortran"):
        expected = reason if name == "objects" else rf"the array {name} holds no rows of numbers in C order"
        with pytest.raises(DataError, match=expected):
            Rows(file, name)
    with pytest.raises(DataError, match=r"a\.npz: has no array 'images'; it has number, objects, fortran"):
        Rows(file, "images")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("place", [0.3, 0.6])
def test_damage_is_an_error_that_names_the_file(tmp_path, save, place):
    file = tmp_path / "a.npz"
    save(file, images=RNG.integers(0, 256, (7, 80, 90), np.uint8))
    content = file.read_bytes()
    file.write_bytes(content[: int(place * len(content))])
    with pytest.raises(DataError, match=r"a\.npz: is no readable array; it is damaged or cut short"):
        Rows(file, "images")
    wrong = bytearray(content)
    wrong[int(place * len(content))] ^= 255
    file.write_bytes(wrong)
    with pytest.raises(DataError, match=r"a\.npz: is no readable array; it is damaged or cut short"):
        [Rows(file, "images")[index] for index in range(7)]
