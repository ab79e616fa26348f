import numpy as np
import pytest
import tifffile
from PIL import Image

from unetbench.core.errors import DataError
from unetbench.datasets.readers import read_image

RNG = np.random.default_rng(0)
STACK = RNG.integers(0, 256, (6, 64, 64), np.uint8)


def _pillow(file):
    first, *others = [Image.fromarray(page) for page in STACK]
    first.save(file, save_all=True, append_images=others)


def _tifffile(**options):
    return lambda file: tifffile.imwrite(file, STACK, photometric="minisblack", **options)


def _by_page(file):
    with tifffile.TiffWriter(file) as tiff:
        for page in STACK:
            tiff.write(page, contiguous=False, rowsperstrip=8, compression="lzw")


@pytest.mark.formats_row(
    "Images",
    "TIFF",
    "Pillow, tifffile",
    "stack of pages that is cut short, strips without pixels",
    "refused",
)
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kept", [0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.995])
@pytest.mark.parametrize(
    "write",
    [
        _tifffile(),
        _tifffile(compression="zlib"),
        _tifffile(imagej=True),
        _tifffile(ome=True),
        _tifffile(metadata=None),
        _tifffile(bigtiff=True),
        _tifffile(byteorder=">"),
        _by_page,
        _pillow,
    ],
    ids=["shaped", "zlib", "imagej", "ome", "plain", "bigtiff", "big endian", "by page", "pillow"],
)
def test_a_stack_cut_short_is_never_read_as_a_shorter_one(tmp_path, write, kept):
    file = tmp_path / "a.tif"
    write(file)
    whole = read_image(file).array
    np.testing.assert_array_equal(np.squeeze(whole), STACK if whole.shape[0] == 6 else np.moveaxis(STACK, 0, -1))
    content = file.read_bytes()
    file.write_bytes(content[: int(kept * len(content))])
    try:
        found = read_image(file).array
    except DataError as error:
        assert str(error).startswith(f"{file}: ")
        assert "\n" not in str(error)
    else:
        np.testing.assert_array_equal(found, whole)  # all that is lost is padding at the end


@pytest.mark.formats_row(
    "Images",
    "TIFF",
    "Pillow, tifffile",
    "stack of pages that is cut short, strips without pixels",
)
def test_strips_without_pixels_are_refused(tmp_path):
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, STACK[0], rowsperstrip=32, compression="zlib")
    with tifffile.TiffFile(file, mode="r+b") as tiff:
        tag = tiff.pages[0].tags["StripByteCounts"]
        tag.overwrite((tag.value[0], 0))
    with pytest.raises(DataError, match=r"a\.tif: holds no pixels for a part of its image"):
        read_image(file)


def test_an_image_of_more_strips_than_the_file_has_places_for_is_refused(tmp_path):
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, STACK[0], rowsperstrip=32)
    with tifffile.TiffFile(file, mode="r+b") as tiff:
        tiff.pages[0].tags["ImageLength"].overwrite(320)
    with pytest.raises(DataError, match=r"a\.tif: has 2 places of pixels for an image of 10 parts; it is damaged"):
        read_image(file)


@pytest.mark.parametrize(
    "options",
    [
        {"photometric": "rgb", "planarconfig": "separate", "rowsperstrip": 5},
        {"photometric": "rgb", "planarconfig": "separate", "tile": (16, 16), "compression": "zlib"},
        {"photometric": "minisblack", "volumetric": True, "tile": (3, 16, 16)},
    ],
    ids=["planes", "tiles", "blocks"],
)
def test_the_parts_of_planes_and_tiles_are_counted_right(tmp_path, options):
    planes = STACK[:3, :40, :50]
    tifffile.imwrite(tmp_path / "a.tif", planes, **options)
    found = read_image(tmp_path / "a.tif").array
    np.testing.assert_array_equal(
        found if found.shape[0] == 3 else np.moveaxis(found, -1, 0)[..., None], planes[..., None]
    )


@pytest.mark.formats_row(
    "Images",
    "TIFF",
    "Pillow",
    "CMYK, CIELAB, YCbCr but in JPEG",
    "refused: save it as RGB or grey",
)
@pytest.mark.parametrize(("mode", "named"), [("CMYK", "CMYK"), ("LAB", "CIELAB"), ("YCbCr", "YCbCr")])
def test_colours_that_are_not_rgb_are_refused(tmp_path, mode, named):
    Image.new(mode, (14, 12)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=rf"a\.tif: its colours are {named}; save it as RGB or grey"):
        read_image(tmp_path / "a.tif")


@pytest.mark.formats_row("Images", "TIFF", "Pillow, tifffile", "JPEG inside", "lossy; RGB")
@pytest.mark.parametrize(
    "write", [tifffile.imwrite, lambda file, array, **options: Image.fromarray(array).save(file, **options)]
)
def test_a_jpeg_inside_becomes_rgb(tmp_path, write):
    smooth = np.kron(RNG.integers(0, 256, (2, 2, 3), np.uint8), np.ones((16, 16, 1), np.uint8))
    write(tmp_path / "a.tif", smooth, compression="jpeg")
    assert np.abs(read_image(tmp_path / "a.tif").array.astype(int) - smooth).mean() < 10
