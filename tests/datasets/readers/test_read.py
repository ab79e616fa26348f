import cv2
import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image

from unetbench.core.errors import DataError
from unetbench.datasets.readers import read_image, suffixes

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (20, 30, 3), np.uint8)
GREY16 = RNG.integers(0, 4096, (20, 30), np.uint16)


def _nifti(file, array, zooms=(1.0, 1.0, 1.0), unit="mm"):
    volume = nibabel.Nifti1Image(array, np.diag([*zooms, 1.0]))
    volume.header.set_xyzt_units(unit)
    nibabel.save(volume, file)
    return file


def test_colours_come_in_the_order_red_green_blue_and_without_alpha(tmp_path):
    file = tmp_path / "a.png"
    alpha = np.full((20, 30, 1), 255, np.uint8)
    cv2.imwrite(str(file), np.concatenate([COLOURS[..., ::-1], alpha], -1))
    np.testing.assert_array_equal(read_image(file).array, COLOURS)


@pytest.mark.formats_row("Images", "PNG, BMP", "Pillow, OpenCV", "grey, RGB, two-valued; 16 bits (PNG)")
def test_sixteen_bits_are_kept(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), GREY16)
    tifffile.imwrite(tmp_path / "a.tif", GREY16, compression="lzw")
    for name in ("a.png", "a.tif"):
        image = read_image(tmp_path / name).array
        assert image.dtype == np.uint16
        np.testing.assert_array_equal(image[..., 0], GREY16)


def test_big_endian_tiff_becomes_native(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY16, byteorder=">")
    image = read_image(tmp_path / "a.tif").array
    assert image.dtype.isnative
    np.testing.assert_array_equal(image[..., 0], GREY16)


@pytest.mark.parametrize("contiguous", [True, False])
def test_a_tiff_of_several_pages_is_a_volume(tmp_path, contiguous):
    pages = RNG.integers(0, 256, (5, 8, 9), np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for page in pages:
            tiff.write(page, contiguous=contiguous)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").array[..., 0], pages)


@pytest.mark.formats_row("Images", "TIFF", "tifffile", "`imagej=True`, `ome=True`")
def test_channels_of_an_imagej_stack_come_last(tmp_path):
    stack = RNG.integers(0, 256, (4, 2, 8, 9), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "ZCYX"})
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").array, stack.transpose(0, 2, 3, 1))


def test_the_alpha_of_a_tiff_is_dropped(tmp_path):
    rgba = RNG.integers(0, 256, (8, 9, 4), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", rgba, photometric="rgb", extrasamples=["unassalpha"])
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").array, rgba[..., :3])


def test_a_time_axis_is_refused_by_its_letter(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 8, 9), np.uint8), imagej=True, metadata={"axes": "TYX"})
    with pytest.raises(DataError, match=r"a\.tif: has the axes TYX"):
        read_image(tmp_path / "a.tif")


def test_pages_of_different_sizes_are_refused(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(np.zeros((8, 9), np.uint8))
        tiff.write(np.zeros((7, 9), np.uint8))
    with pytest.raises(DataError, match="pages differ in shape"):
        read_image(tmp_path / "a.tif")


def test_nifti_keeps_its_axes_and_gives_its_spacing_in_millimetres(tmp_path):
    array = RNG.random((3, 4, 5)).astype(np.float32)
    image = read_image(_nifti(tmp_path / "a.nii.gz", array, (0.5, 1.0, 2.0)))
    np.testing.assert_array_equal(image.array[..., 0], array)
    assert image.spacing_mm == (0.5, 1.0, 2.0)
    assert read_image(_nifti(tmp_path / "b.nii", array, (500.0, 1000.0, 2000.0), "micron")).spacing_mm == (
        0.5,
        1.0,
        2.0,
    )


WRITERS = {
    **{f"a{end}": lambda file: cv2.imwrite(str(file), COLOURS) for end in (".png", ".jpg", ".jpeg", ".bmp", ".webp")},
    **{f"a{end}": lambda file: Image.fromarray(COLOURS).save(file) for end in (".gif", ".ppm", ".pnm", ".jp2", ".j2k")},
    "a.pgm": lambda file: Image.fromarray(GREY16).save(file),
    "a.pbm": lambda file: Image.fromarray(GREY16 > 2000).save(file),
    "a.npy": lambda file: np.save(file, GREY16),
    "a.npz": lambda file: np.savez_compressed(file, GREY16),
    "a.tif": lambda file: tifffile.imwrite(file, GREY16),
    "a.tiff": lambda file: tifffile.imwrite(file, GREY16, compression="deflate"),
    "a.nii": lambda file: _nifti(file, RNG.random((9, 9, 9)).astype(np.float32)),
    "a.nii.gz": lambda file: _nifti(file, RNG.random((9, 9, 9)).astype(np.float32)),
}


ELSEWHERE = {".dcm", ".mha", ".mhd", ".nhdr", ".nrrd", ".ome.zarr", ".seg.nrrd", ".zarr"}
"""Suffixes of optional writers and of folders, damaged in the test files of their formats."""


def test_every_suffix_is_tried_cut_short():
    assert {name.removeprefix("a") for name in WRITERS} | ELSEWHERE == set(suffixes())


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.9, 0.97])
def test_a_file_cut_short_is_an_error_that_names_it(tmp_path, name, kept, capfd):
    file = tmp_path / name
    WRITERS[name](file)
    whole = read_image(file).array
    assert whole.size
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(DataError) as caught:
        read_image(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    capfd.readouterr()  # the codecs complain on stderr


def test_a_damaged_png_is_an_error(tmp_path):
    file = tmp_path / "a.png"
    cv2.imwrite(str(file), COLOURS)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.png"):
        read_image(file)


def test_a_missing_file_and_a_strange_suffix_are_errors(tmp_path):
    with pytest.raises(DataError, match=r"a\.png: there is no such file"):
        read_image(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"'\.xyz' is no image format; use \.bmp"):
        read_image(tmp_path / "a.xyz")


def test_complex_images_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", COLOURS[..., 0] + 1j)
    _nifti(tmp_path / "a.nii", np.ones((2, 3, 4), np.complex64))
    for name in ("a.tif", "a.nii"):
        with pytest.raises(DataError, match=rf"{name}: an image holds real numbers, this one complex\d+; save its"):
            read_image(tmp_path / name)
