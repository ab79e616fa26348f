import imagecodecs
import numpy as np
import pytest
from PIL import Image

from unetbench.datasets.readers import Reading, read_image

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (32, 40), np.uint8)
COLOURS = RNG.integers(0, 256, (32, 40, 3), np.uint8)
RGBA = np.dstack([COLOURS, GREY])


@pytest.mark.formats_row("Images", "JPEG 2000", "Pillow, imagecodecs", "8 and 16 bits, signed or not, any channels")
@pytest.mark.parametrize("name", ["a.jp2", "a.j2k"])
def test_what_pillow_writes_is_read_exactly(tmp_path, name):
    for values in (GREY, COLOURS, GREY.astype(np.uint16) * 200):
        Image.fromarray(values).save(tmp_path / name)
        found = read_image(tmp_path / name).array
        assert found.dtype == values.dtype
        np.testing.assert_array_equal(found.squeeze(), values)


@pytest.mark.formats_row(
    "Images",
    "JPEG 2000",
    "Pillow, imagecodecs",
    "8 and 16 bits, signed or not, any channels",
    "exactly where it is lossless; alpha left out where the file calls it so (imagecodecs does not)",
)
@pytest.mark.parametrize("codec", ["jp2", "j2k"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_what_imagecodecs_writes_is_read_exactly(tmp_path, codec, dtype):
    values = RNG.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, (32, 40, 5), dtype)
    (tmp_path / f"a.{codec}").write_bytes(imagecodecs.jpeg2k_encode(values, level=0, codecformat=codec))
    found = read_image(tmp_path / f"a.{codec}").array
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, values)


@pytest.mark.formats_row("Images", "JPEG 2000", "Pillow, imagecodecs", "8 and 16 bits, signed or not, any channels")
def test_alpha_is_what_the_file_calls_so(tmp_path):
    Image.fromarray(RGBA).save(tmp_path / "a.jp2")
    found = read_image(tmp_path / "a.jp2")
    np.testing.assert_array_equal(found.array, COLOURS)
    assert [note.startswith("transparency") for note in found.notes] == [True]
    np.testing.assert_array_equal(read_image(tmp_path / "a.jp2", Reading("last")).array, RGBA)
    (tmp_path / "b.jp2").write_bytes(imagecodecs.jpeg2k_encode(RGBA, level=0, codecformat="jp2"))
    np.testing.assert_array_equal(read_image(tmp_path / "b.jp2").array, RGBA)
    Image.fromarray(GREY).convert("LA").save(tmp_path / "c.jp2")
    np.testing.assert_array_equal(read_image(tmp_path / "c.jp2").array, GREY[..., None])
