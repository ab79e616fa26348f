import io
import struct

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from unetbench.datasets.readers import Reading, read_image, read_mask
from unetbench.datasets.readers.orientation import orientation_of, upright
from unetbench.datasets.readers.picture import Picture

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (5, 7), np.uint8)
COLOURS = RNG.integers(0, 256, (5, 7, 3), np.uint8)
LOSSLESS = [("a.png", {}), ("a.webp", {"lossless": True}), ("a.tif", {})]


def _saved(file, array, orientation, **options):
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(array).save(file, exif=exif, **options)
    return file


@pytest.mark.formats_row(
    "Images",
    "PNG, JPEG, WebP, TIFF",
    "Pillow, tifffile",
    "EXIF or TIFF orientation 1 to 8",
    "upright, images and masks alike, noted; `exif: ignore` leaves both as stored",
)
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("name", "options"), [*LOSSLESS, ("a.jpg", {"quality": 100})])
def test_pictures_are_turned_as_pillow_turns_them(tmp_path, name, options, orientation):
    file = _saved(tmp_path / name, COLOURS, orientation, **options)
    with Image.open(file) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    found = read_image(file)
    assert found.array.shape == expected.shape
    assert np.abs(found.array.astype(int) - expected).max() <= (2 if name == "a.jpg" else 0)
    assert [f"orientation {orientation} says" in note for note in found.notes] == [True] * (orientation > 1)


@pytest.mark.formats_row("Images", "PNG, JPEG, WebP, TIFF", "Pillow, tifffile", "EXIF or TIFF orientation 1 to 8")
@pytest.mark.parametrize("orientation", [3, 6])
@pytest.mark.parametrize(("name", "options"), LOSSLESS)
def test_the_orientation_may_be_ignored(tmp_path, name, options, orientation):
    file = _saved(tmp_path / name, COLOURS, orientation, **options)
    found = read_image(file, Reading(exif="ignore"))
    np.testing.assert_array_equal(found.array, COLOURS)
    assert found.notes == ()


@pytest.mark.formats_row("Images", "PNG, JPEG, WebP, TIFF", "Pillow, tifffile", "EXIF or TIFF orientation 1 to 8")
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_a_mask_that_carries_the_tag_is_turned_as_well(tmp_path, name, orientation):
    file = _saved(tmp_path / name, GREY, orientation)
    # Pillow 13.0 leaves uncompressed grey TIFF files of orientation 5 to 8 as they are, so its PNG is what is expected
    with Image.open(_saved(tmp_path / "b.png", GREY, orientation)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(read_mask(file).array, expected)


@pytest.mark.formats_row("Images", "PNG, JPEG, WebP, TIFF", "Pillow, tifffile", "EXIF or TIFF orientation 1 to 8")
def test_the_pages_of_a_volume_are_turned_and_its_spacing_with_them(tmp_path):
    stack = RNG.integers(0, 256, (3, 5, 7), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack", extratags=[(274, "H", 1, 6, True)])
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").array[..., 0], np.rot90(stack, -1, (1, 2)))
    turned = upright(Picture(stack[..., None], (3.0, 2.0, 1.0)), 6)
    assert turned.spacing_mm == (3.0, 1.0, 2.0)


def test_opencv_writes_an_orientation_that_is_read(tmp_path):
    exif = np.frombuffer(b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 274, 3, 1, 6, 0, 0), np.uint8)
    kinds, data = [cv2.IMAGE_METADATA_EXIF], [exif]
    for suffix in (".png", ".jpg", ".webp"):
        content = cv2.imencodeWithMetadata(suffix, COLOURS, kinds, data)[1].tobytes()
        assert orientation_of(content) == 6


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_numbers_that_are_no_orientation_leave_the_picture(tmp_path, orientation):
    found = read_image(_saved(tmp_path / "a.png", COLOURS, orientation))
    np.testing.assert_array_equal(found.array, COLOURS)


def test_damaged_exif_states_no_orientation(tmp_path):
    memory = io.BytesIO()
    _saved(memory, COLOURS, 6, format="JPEG")
    content = memory.getvalue()
    place = content.index(b"Exif\0\0") + 6
    assert orientation_of(content) == 6
    assert orientation_of(content[:place] + b"XX" + content[place + 2 :]) == 1
    assert orientation_of(content[: place + 4] + b"\xff" * 4 + content[place + 8 :]) == 1
    assert orientation_of(content[: place + 10]) == 1
