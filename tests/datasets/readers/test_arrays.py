import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.datasets.readers import Reading, read_image, read_mask

RNG = np.random.default_rng(0)


def _both(home, array):
    np.save(home / "a.npy", array)
    np.savez(home / "a.npz", array)
    return home / "a.npy", home / "a.npz"


@pytest.mark.formats_row(
    "Images",
    "NPY, NPZ",
    "NumPy",
    "2 axes of booleans, whole numbers or floats, either byte order, C or Fortran",
    "as stored; booleans as 0 and 1",
)
@pytest.mark.parametrize("dtype", ["u1", ">u2", "i4", "f2", "f4", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_of_every_kind_are_read_as_stored(tmp_path, dtype, order):
    values = RNG.integers(0, 200, (8, 9)).astype(dtype)
    np.save(tmp_path / "a.npy", np.asarray(values, order=order))
    np.savez(tmp_path / "a.npz", np.asarray(values, order=order))
    for name in ("a.npy", "a.npz"):
        found = read_image(tmp_path / name)
        assert found.array.dtype == np.dtype(dtype).newbyteorder("=")
        np.testing.assert_array_equal(found.array[..., 0], values)
        assert found.notes == ()


@pytest.mark.formats_row(
    "Images",
    "NPY, NPZ",
    "NumPy",
    "2 axes of booleans, whole numbers or floats, either byte order, C or Fortran",
)
def test_booleans_are_0_and_1(tmp_path):
    np.save(tmp_path / "a.npy", np.eye(4, dtype=bool))
    np.savez(tmp_path / "a.npz", np.eye(4, dtype=bool))
    for name in ("a.npy", "a.npz"):
        assert read_mask(tmp_path / name).array.dtype == np.uint8
        np.testing.assert_array_equal(read_mask(tmp_path / name).array, np.eye(4))
        np.testing.assert_array_equal(read_image(tmp_path / name).array[..., 0], np.eye(4))


@pytest.mark.formats_row(
    "Images",
    "NPY, NPZ",
    "NumPy",
    "3 or 4 axes",
    "the last one is channels if it is at most 4, else 3 axes are a volume, noted; `channels: first`, `last`, "
    "`none`. A mask's axes are all space",
)
@pytest.mark.parametrize(
    ("shape", "channels", "read", "taken"),
    [
        ((8, 9, 3), "", (8, 9, 3), "y, x, channels"),
        ((8, 9, 1), "", (8, 9, 1), ""),
        ((7, 8, 9), "", (7, 8, 9, 1), "z, y, x"),
        ((7, 8, 9, 2), "", (7, 8, 9, 2), "z, y, x, channels"),
        ((3, 8, 9), "first", (8, 9, 3), ""),
        ((3, 8, 9), "none", (3, 8, 9, 1), ""),
        ((8, 9, 12), "last", (8, 9, 12), ""),
        ((2, 7, 8, 9), "first", (7, 8, 9, 2), ""),
        ((8, 9), "first", (8, 9, 1), ""),
    ],
)
def test_axes_are_taken_as_the_option_says_or_noted(tmp_path, shape, channels, read, taken):
    values = RNG.integers(0, 256, shape, np.uint8)
    expected = np.moveaxis(values, 0, -1) if channels == "first" and values.ndim > 2 else values
    for file in _both(tmp_path, values):
        found = read_image(file, Reading(channels))
        assert found.array.shape == read
        np.testing.assert_array_equal(found.array.squeeze(), expected.squeeze())
        assert found.notes == ((f"axes that the file does not name were taken as {taken}",) if taken else ())


@pytest.mark.formats_row(
    "Images",
    "NPY, NPZ",
    "NumPy",
    "`(3, y, x)`, and 4 axes of which the last is over 4",
    "refused without `channels`",
)
@pytest.mark.parametrize("shape", [(3, 8, 9), (2, 7, 8, 9)])
def test_axes_that_may_be_either_are_asked_for(tmp_path, shape):
    for file in _both(tmp_path, np.zeros(shape, np.uint8)):
        with pytest.raises(DataError, match="does not say which axis is channels; say `channels: first`, `last`"):
            read_image(file)


@pytest.mark.formats_row("Images", "NPY, NPZ", "NumPy", "3 or 4 axes")
@pytest.mark.parametrize("shape", [(8, 9), (3, 8, 9), (8, 9, 3), (7, 8, 9)])
def test_the_axes_of_a_mask_are_space(tmp_path, shape):
    labels = RNG.integers(0, 4, shape)
    for file in _both(tmp_path, labels):
        np.testing.assert_array_equal(read_mask(file).array, labels)


@pytest.mark.formats_row("Images", "NPY, NPZ", "NumPy", "Python objects (pickles), text, complex numbers")
@pytest.mark.parametrize(
    "strange", [np.zeros(5), np.zeros((2, 2, 2, 2, 2)), np.zeros((3, 3), complex), np.array([["a"]]), np.zeros((0, 4))]
)
def test_what_is_no_picture_is_refused(tmp_path, strange):
    for file in _both(tmp_path, strange):
        with pytest.raises(DataError, match=rf"{file.name}: holds .*; 2 to 4 axes of numbers can be read"):
            read_image(file)


@pytest.mark.formats_row(
    "Images",
    "NPY, NPZ",
    "NumPy",
    "Python objects (pickles), text, complex numbers",
    "refused, never loaded",
)
def test_pickles_are_never_read(tmp_path):
    objects = np.array([[{"a": 1}]], object)
    np.save(tmp_path / "a.npy", objects)
    np.savez(tmp_path / "a.npz", objects)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(DataError, match="holds Python objects, which are code and never read; save plain arrays"):
            read_image(tmp_path / name)


@pytest.mark.formats_row("Images", "NPZ", "NumPy", "several arrays")
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_one_array_of_several_is_named(tmp_path, save):
    image, label = RNG.random((8, 9)), RNG.integers(0, 3, (8, 9))
    save(tmp_path / "a.npz", image=image, label=label)
    np.testing.assert_array_equal(read_image(tmp_path / "a.npz", Reading(array="image")).array[..., 0], image)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.npz", Reading(array="label")).array, label)
    with pytest.raises(DataError, match=r"a\.npz: has 2 arrays; say which of image, label by `image_array`"):
        read_image(tmp_path / "a.npz")
    with pytest.raises(DataError, match=r"a\.npz: has no array 'mask'; say which of image, label by `mask_array`"):
        read_mask(tmp_path / "a.npz", Reading(array="mask"))


def test_a_name_that_belies_its_content_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", np.eye(3))
    np.save(tmp_path / "b.npy", np.eye(3))
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    (tmp_path / "b.npy").rename(tmp_path / "b.npz")
    for name in ("a.npy", "b.npz"):
        with pytest.raises(DataError, match="is no readable array; it is damaged or cut short"):
            read_image(tmp_path / name)
