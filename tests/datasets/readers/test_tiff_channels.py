"""What tifffile writes for an array is what is read of it, or the option that says otherwise is named."""

import warnings

import numpy as np
import pytest
import tifffile
from PIL import Image

from unetbench.datasets.readers import Reading, read_image

RNG = np.random.default_rng(0)
APART = "planes that are stored apart were taken as channels (`channels: none` makes them a volume)"
KEPT = "samples that the file calls neither colour nor transparency were kept as channels"
ALPHA = "transparency that differs between pixels was left out (`channels: last` keeps it as a channel)"
GREY, RGB = {"photometric": "minisblack"}, {"photometric": "rgb"}
TOGETHER, SEPARATE = GREY | {"planarconfig": "contig"}, GREY | {"planarconfig": "separate"}


def _first(array):
    return np.moveaxis(array, -3, -1)


def _volume(array):
    return array[..., None]


def _same(array):
    return array


def _colours(array):
    return array[..., :3]


def _written(file, shape, dtype, options):
    array = RNG.integers(0, 250, shape).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # tifffile: says that it took planes for colours
        tifffile.imwrite(file, array, **options)
    return array


@pytest.mark.formats_row(
    "Images",
    "TIFF",
    "tifffile",
    "`(y, x, 3)` / `(y, x, 4)` without a word",
    "RGB / RGB, the fourth left out as the alpha it is written as, noted where it differs; `channels: last` keeps it",
)
@pytest.mark.formats_row(
    "Images",
    "TIFF",
    "tifffile",
    '`(3, y, x)`, `(4, y, x)` without a word or `photometric="rgb"`',
    "3 or 4 channels, noted, for they are written as planes of one image; `channels: none` makes them a volume",
)
@pytest.mark.formats_row(
    "Images",
    "TIFF",
    "tifffile",
    '`(2, y, x)`, `(5, y, x)` and longer without a word; all with `photometric="minisblack"`',
    "volume; `channels: first`",
)
@pytest.mark.formats_row(
    "Images",
    "TIFF",
    "tifffile",
    '`planarconfig="contig"` / `"separate"`, `extrasamples` unspecified',
    "all samples as channels, noted",
)
@pytest.mark.formats_row("Images", "TIFF", "tifffile", "`imagej=True`, `ome=True`", "the axes that they state")
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("shape", "options", "read", "notes"),
    [
        ((3, 12, 14), {}, _first, (APART,)),
        ((4, 12, 14), {}, _first, (APART,)),
        ((2, 12, 14), {}, _volume, ()),
        ((5, 12, 14), {}, _volume, ()),
        ((12, 14, 3), {}, _same, ()),
        ((12, 14, 4), {}, _colours, (ALPHA,)),
        ((2, 3, 12, 14), {}, _first, (APART,)),
        ((2, 12, 14, 4), {}, _colours, (ALPHA,)),
        ((3, 12, 14), GREY, _volume, ()),
        ((4, 12, 14), GREY, _volume, ()),
        ((3, 12, 14), RGB, _first, (APART,)),
        ((4, 12, 14), RGB, _first, (APART,)),
        ((5, 12, 14), RGB, _first, (APART,)),
        ((12, 14, 5), RGB, _same, (KEPT,)),
        ((12, 14, 2), TOGETHER, _same, (KEPT,)),
        ((12, 14, 4), TOGETHER, _same, (KEPT,)),
        ((4, 12, 14), SEPARATE, _first, (APART,)),
        ((4, 12, 14), {"imagej": True}, _first, ()),
        ((4, 12, 14), {"ome": True}, _first, ()),
        ((12, 14, 2), TOGETHER | {"extrasamples": ["unassalpha"]}, lambda array: array[..., :1], (ALPHA,)),
        ((12, 14, 4), RGB | {"extrasamples": ["assocalpha"]}, _colours, (ALPHA,)),
        ((12, 14, 4), RGB | {"extrasamples": ["unspecified"]}, _same, (KEPT,)),
    ],
)
def test_channels_are_what_the_file_says(tmp_path, shape, options, read, notes, dtype):
    array = _written(tmp_path / "a.tif", shape, dtype, options)
    found = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.array, read(array))
    assert found.notes == notes


@pytest.mark.formats_row("Images", "TIFF", "tifffile", "`(y, x, 3)` / `(y, x, 4)` without a word")
@pytest.mark.formats_row("Images", "TIFF", "tifffile", '`(3, y, x)`, `(4, y, x)` without a word or `photometric="rgb"`')
@pytest.mark.formats_row(
    "Images",
    "TIFF",
    "tifffile",
    '`(2, y, x)`, `(5, y, x)` and longer without a word; all with `photometric="minisblack"`',
)
@pytest.mark.formats_row("Images", "TIFF", "tifffile", "`(y, x, 2)`, `(y, x, 5)` without a word")
@pytest.mark.parametrize(
    ("shape", "options", "channels", "read"),
    [
        ((4, 12, 14), {}, "none", _volume),
        ((4, 12, 14), {"imagej": True}, "none", _volume),
        ((5, 12, 14), {}, "first", _first),
        ((12, 14, 2), {}, "last", _same),
        ((12, 14, 4), {}, "last", _same),
        ((2, 12, 14, 4), {}, "last", _same),
    ],
)
def test_the_option_says_otherwise(tmp_path, shape, options, channels, read):
    array = _written(tmp_path / "a.tif", shape, np.uint8, options)
    found = read_image(tmp_path / "a.tif", Reading(channels))
    np.testing.assert_array_equal(found.array, read(array))
    assert found.notes == ()


@pytest.mark.formats_row("Images", "TIFF", "Pillow", "grey + alpha, RGBA")
def test_alpha_that_is_the_same_everywhere_is_left_out_without_a_word(tmp_path):
    colours = RNG.integers(0, 256, (12, 14, 3), np.uint8)
    Image.fromarray(np.dstack([colours, np.full((12, 14), 255, np.uint8)])).save(tmp_path / "a.tif")
    found = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.array, colours)
    assert found.notes == ()


@pytest.mark.formats_row("Images", "TIFF", "Pillow", "grey + alpha, RGBA", "grey, RGB; alpha as in PNG")
def test_the_grey_and_alpha_of_pillow_is_grey(tmp_path):
    grey = Image.fromarray(RNG.integers(0, 256, (12, 14), np.uint8))
    Image.merge("LA", [grey, grey]).save(tmp_path / "a.tif")
    found = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.array, np.asarray(grey)[..., None])
    assert found.notes == (ALPHA,)


@pytest.mark.formats_row("Images", "TIFF", "Pillow", "palette", "its indices, noted")
def test_the_palette_of_a_tiff_is_not_applied_and_noted(tmp_path):
    few = Image.fromarray(RNG.integers(0, 256, (12, 14, 3), np.uint8)).quantize(16)
    few.save(tmp_path / "a.tif")
    found = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.array[..., 0], np.asarray(few))
    assert found.notes == ("the palette was not applied: pixels are its indices",)
