import cv2
import numpy as np
import pytest
from PIL import Image

from unetbench.core.errors import DataError
from unetbench.datasets.readers import read_image

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (8, 9), np.uint8)
COLOURS = RNG.integers(0, 256, (8, 9, 3), np.uint8)


@pytest.mark.formats_row(
    "Images",
    "PBM, PGM, PPM, PNM",
    "Pillow, OpenCV, NumPy",
    "8 and 16 bits, binary or text, any highest value",
)
def test_what_pillow_writes_is_read(tmp_path):
    Image.fromarray(COLOURS).save(tmp_path / "a.ppm")
    np.testing.assert_array_equal(read_image(tmp_path / "a.ppm").array, COLOURS)
    Image.fromarray(GREY).save(tmp_path / "a.pgm")
    np.testing.assert_array_equal(read_image(tmp_path / "a.pgm").array[..., 0], GREY)
    Image.fromarray(GREY.astype(np.uint16) * 200).save(tmp_path / "b.pgm")
    np.testing.assert_array_equal(read_image(tmp_path / "b.pgm").array[..., 0], GREY.astype(np.uint16) * 200)
    Image.fromarray(GREY > 100).save(tmp_path / "a.pbm")
    np.testing.assert_array_equal(read_image(tmp_path / "a.pbm").array[..., 0], (GREY > 100) * 255)


@pytest.mark.formats_row(
    "Images",
    "PBM, PGM, PPM, PNM",
    "Pillow, OpenCV, NumPy",
    "8 and 16 bits, binary or text, any highest value",
)
def test_what_opencv_writes_is_read_in_16_bits(tmp_path):
    deep = COLOURS.astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "a.ppm"), deep[..., ::-1])
    np.testing.assert_array_equal(read_image(tmp_path / "a.ppm").array, deep)


@pytest.mark.formats_row(
    "Images",
    "PBM, PGM, PPM, PNM",
    "Pillow, OpenCV, NumPy",
    "8 and 16 bits, binary or text, any highest value",
    "values as stored; PBM as 0 and 255",
)
@pytest.mark.parametrize(("top", "dtype"), [(63, np.uint8), (255, np.uint8), (4095, np.uint16)])
def test_values_are_kept_whatever_the_highest_one(tmp_path, top, dtype):
    values = RNG.integers(0, top + 1, (8, 9)).astype(dtype)
    (tmp_path / "a.pgm").write_bytes(
        f"P5\n9 8\n{top}\n".encode() + values.astype(values.dtype.newbyteorder(">")).tobytes()
    )
    np.savetxt(tmp_path / "b.pgm", values, "%d", header=f"P2\n# made by hand\n9 8 {top}", comments="")
    for name in ("a.pgm", "b.pgm"):
        found = read_image(tmp_path / name).array
        assert found.dtype == dtype
        np.testing.assert_array_equal(found[..., 0], values)


@pytest.mark.formats_row(
    "Images",
    "PBM, PGM, PPM, PNM",
    "Pillow, OpenCV, NumPy",
    "8 and 16 bits, binary or text, any highest value",
)
def test_colours_as_text_are_read(tmp_path):
    np.savetxt(tmp_path / "a.ppm", COLOURS.reshape(8, 27), "%d", header="P3\n9 8\n255", comments="")
    np.testing.assert_array_equal(read_image(tmp_path / "a.ppm").array, COLOURS)


@pytest.mark.parametrize(
    "text", ["P2", "P2 9", "P2 2 1 9 1", "P2 2 1 9 1 2 3", "P2 2 1 9 1 10", "P2 2 1 9 1 x", "P2 0 0 9", "P2 -1 -1 9 3"]
)
def test_text_that_does_not_add_up_is_refused(tmp_path, text):
    (tmp_path / "a.pgm").write_text(text)
    with pytest.raises(DataError, match=r"a\.pgm: is no readable PGM or PPM; it is damaged"):
        read_image(tmp_path / "a.pgm")


@pytest.mark.formats_row(
    "Images",
    "PBM, PGM, PPM, PNM",
    "Pillow, OpenCV, NumPy",
    "8 and 16 bits, binary or text, any highest value",
)
@pytest.mark.parametrize("name", ["a.pbm", "a.pgm", "a.pnm"])
def test_the_greys_of_opencv_are_read(tmp_path, name):
    grey = (GREY > 100) * np.uint8(255) if name == "a.pbm" else GREY
    cv2.imwrite(str(tmp_path / name), grey)
    np.testing.assert_array_equal(read_image(tmp_path / name).array[..., 0], grey)


@pytest.mark.formats_row(
    "Images",
    "PBM, PGM, PPM, PNM",
    "Pillow, OpenCV, NumPy",
    "8 and 16 bits, binary or text, any highest value",
)
def test_a_pbm_as_text_is_0_and_255(tmp_path):
    np.savetxt(tmp_path / "a.pbm", GREY > 100, "%d", header="P1\n9 8", comments="")
    np.testing.assert_array_equal(read_image(tmp_path / "a.pbm").array[..., 0], (GREY <= 100) * 255)  # 1 is black
