import struct

import cv2
import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image

from unetbench.core.errors import DataError
from unetbench.datasets.readers import Reading, read_image, read_mask
from unetbench.datasets.readers.headers import lossy
from unetbench.datasets.readers.mask import INDEXED, ROUNDED, UNSCALED
from unetbench.datasets.readers.photometric import BOOLEANS, INVERTED, LEFT

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (20, 30, 3), np.uint8)
TWO = np.eye(8, 9, dtype=np.uint8)
RED_GREEN = [0, 0, 0, 255, 0, 0, 0, 255, 0]


def _labels(most, shape=(8, 9)):
    return (np.arange(np.prod(shape)) % (most + 1)).reshape(shape)


def _palette(file, indices, palette, **options):
    picture = Image.new("P", indices.shape[::-1])
    picture.putdata(indices.ravel().tolist())
    picture.putpalette(palette)
    picture.save(file, **options)
    return file


def _nifti(file, array, stored=None):
    volume = nibabel.Nifti1Image(array, np.eye(4))
    if stored is not None:
        volume.set_data_dtype(stored)
    nibabel.save(volume, file)
    return file


def _floats(file, array):
    if file.suffix == ".tif":
        tifffile.imwrite(file, array, photometric="minisblack")
        return file
    return _nifti(file, array)


def test_a_mask_is_one_plane_of_integers(tmp_path):
    mask = (COLOURS[..., :1] > 127).astype(np.uint8) * 255
    cv2.imwrite(str(tmp_path / "a.png"), np.repeat(mask, 3, -1))
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png").array, mask[..., 0])
    assert read_mask(tmp_path / "a.png").notes == ()


@pytest.mark.formats_row(
    "Masks",
    "PNG, palette of 1, 2, 4 or 8 bits, with or without a transparent colour",
    "Pillow (VOC, labelme, CVAT)",
    "the index, whatever the colours; the colours where `classes` are colours",
    "damaged or cut short",
    "no",
)
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("alpha", [{}, {"transparency": 0}])
def test_the_value_of_a_png_with_a_palette_is_the_index(tmp_path, bits, alpha):
    labels = _labels(min(2**bits - 1, 71))
    palette = RNG.integers(0, 256, 3 * 2**bits).tolist()
    mask = read_mask(_palette(tmp_path / "a.png", labels, palette, bits=bits, **alpha))
    np.testing.assert_array_equal(mask.array, labels)
    assert mask.notes == (INDEXED,)


def test_an_inverted_palette_of_two_greys_changes_no_index(tmp_path):
    file = _palette(tmp_path / "a.png", TWO, [255, 255, 255, 0, 0, 0], bits=1)
    assert cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)[0, 0] == 0  # what shows the object as black
    np.testing.assert_array_equal(read_mask(file).array, TWO)
    assert read_mask(file).highest == 1


@pytest.mark.formats_row(
    "Masks",
    "PNG, palette of 1, 2, 4 or 8 bits, with or without a transparent colour",
    "Pillow (VOC, labelme, CVAT)",
)
@pytest.mark.formats_row(
    "Masks",
    "BMP, palette with colours",
    "Pillow",
    "the index; the colours where `classes` are colours",
    "",
    "no",
)
@pytest.mark.formats_row("Masks", "TIFF, palette", "tifffile, Pillow")
@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif"])
def test_palettes_of_colours_give_indices_or_colours(tmp_path, name):
    labels = _labels(2)
    file = _palette(tmp_path / name, labels, RED_GREEN)
    np.testing.assert_array_equal(read_mask(file).array, labels)
    assert read_mask(file).notes[-1] == INDEXED
    np.testing.assert_array_equal(
        read_mask(file, Reading(colours=True)).array, np.array([0x000000, 0xFF0000, 0x00FF00])[labels]
    )


@pytest.mark.formats_row(
    "Masks",
    "TIFF, palette",
    "tifffile, Pillow",
    "the index; the colours where `classes` are colours",
    "",
    "no",
)
def test_a_tiff_palette_of_tifffile_gives_indices_or_colours(tmp_path):
    palette = np.zeros((3, 256), np.uint16)
    palette[0, 1] = palette[1, 2] = 65535
    labels = _labels(2).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", labels, photometric="palette", colormap=palette)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif").array, labels)
    seen = read_mask(tmp_path / "a.tif", Reading(colours=True)).array
    np.testing.assert_array_equal(seen, np.array([0x000000, 0xFF0000, 0x00FF00])[labels])


@pytest.mark.formats_row("Masks", "BMP, palette of greys", "Pillow", "the grey, for a BMP knows no other", "", "no")
def test_a_bmp_of_greys_holds_its_greys(tmp_path):
    file = _palette(tmp_path / "a.bmp", TWO, [255, 255, 255, 7, 7, 7])
    np.testing.assert_array_equal(read_mask(file).array, np.where(TWO, 7, 255))
    Image.fromarray(TWO * 255).convert("1").save(tmp_path / "b.bmp")
    np.testing.assert_array_equal(read_mask(tmp_path / "b.bmp").array, TWO * 255)


@pytest.mark.formats_row("Masks", "PNG, grey of 2 or 4 bits", "Pillow", "0 .. 3 or 0 .. 15", "", "no")
@pytest.mark.parametrize("bits", [2, 4])
def test_a_grey_png_of_few_bits_holds_what_is_stored(tmp_path, bits):
    labels = _labels(2**bits - 1).astype(np.uint8)
    Image.fromarray(labels).save(tmp_path / "a.png", bits=bits)
    assert (tmp_path / "a.png").read_bytes()[24] == bits
    mask = read_mask(tmp_path / "a.png")
    np.testing.assert_array_equal(mask.array, labels)
    assert mask.highest == 2**bits - 1


@pytest.mark.formats_row("Masks", "PNG, TIFF, grey of 1 bit", "Pillow, OpenCV")
@pytest.mark.parametrize("writer", ["pillow", "opencv"])
def test_a_png_of_one_bit_holds_zero_and_one(tmp_path, writer):
    file = tmp_path / "a.png"
    if writer == "pillow":
        Image.fromarray(TWO * 255).convert("1").save(file)
    else:
        cv2.imwrite(str(file), TWO * 255, [cv2.IMWRITE_PNG_BILEVEL, 1])
    assert file.read_bytes()[24] == 1
    np.testing.assert_array_equal(read_mask(file).array, TWO)


@pytest.mark.formats_row(
    "Masks",
    "GIF, grey or black and white, with or without a transparent colour",
    "Pillow (DRIVE)",
    "the grey, never the index, which writers number anew",
    "several frames",
    "no",
)
@pytest.mark.parametrize("alpha", [{}, {"transparency": 0}])
def test_a_gif_holds_its_greys_and_not_its_indices(tmp_path, alpha):
    labels = np.array([0, 5, 9], np.uint8)[_labels(2)]
    Image.fromarray(labels).save(tmp_path / "a.gif", **alpha)
    with Image.open(tmp_path / "a.gif") as written:
        assert np.unique(written).tolist() == [0, 1, 2]
    np.testing.assert_array_equal(read_mask(tmp_path / "a.gif").array, labels)


@pytest.mark.formats_row(
    "Masks",
    "GIF, grey or black and white, with or without a transparent colour",
    "Pillow (DRIVE)",
)
@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_a_gif_of_black_and_white_holds_0_and_255_in_every_mode(tmp_path, mode):
    Image.fromarray(TWO * 255).convert(mode).save(tmp_path / "a.gif")
    np.testing.assert_array_equal(read_mask(tmp_path / "a.gif").array, TWO * 255)


@pytest.mark.formats_row(
    "Masks",
    "GIF, colours",
    "Pillow",
    "the colours where `classes` are colours",
    "without colours as `classes`",
    "no",
)
def test_a_gif_of_colours_is_refused_or_gives_its_colours(tmp_path):
    colours = np.array([[0, 0, 0], [255, 0, 0]], np.uint8)[TWO]
    Image.fromarray(colours).save(tmp_path / "a.gif")
    np.testing.assert_array_equal(
        read_mask(tmp_path / "a.gif", Reading(colours=True)).array, TWO.astype(int) * 0xFF0000
    )
    with pytest.raises(DataError, match=r'a\.gif: .*`classes: {background: "#000000", NAME: "#ff0000"}`'):
        read_mask(tmp_path / "a.gif")


@pytest.mark.formats_row(
    "Masks",
    "GIF, grey or black and white, with or without a transparent colour",
    "Pillow (DRIVE)",
)
def test_a_gif_of_several_frames_is_refused(tmp_path):
    first, *others = (Image.fromarray(np.roll(TWO, k, 0) * 255) for k in range(3))
    first.save(tmp_path / "a.gif", save_all=True, append_images=others)
    with pytest.raises(DataError, match=r"a\.gif: is an animation of 3 frames"):
        read_mask(tmp_path / "a.gif")


@pytest.mark.formats_row(
    "Masks",
    "PNG, TIFF, grey and alpha, or RGBA of greys",
    "Pillow",
    "the grey; alpha is left out, whatever it is",
    "",
    "no",
)
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_left_out_whatever_it_is(tmp_path, mode):
    picture = Image.fromarray(TWO * 255).convert(mode)
    picture.putalpha(Image.fromarray(RNG.integers(0, 256, TWO.shape, np.uint8)))
    for name in ("a.png", "a.tif"):
        picture.save(tmp_path / name)
        mask = read_mask(tmp_path / name)
        np.testing.assert_array_equal(mask.array, TWO * 255)
        assert mask.notes == ()


@pytest.mark.formats_row("Masks", "PNG, TIFF, BMP, RGB", "Pillow")
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp"])
def test_colours_are_read_from_rgb_and_from_grey(tmp_path, name):
    Image.fromarray(COLOURS).save(tmp_path / name)
    red, green, blue = COLOURS.astype(int).transpose(2, 0, 1)
    np.testing.assert_array_equal(
        read_mask(tmp_path / name, Reading(colours=True)).array, red * 65536 + green * 256 + blue
    )
    Image.fromarray(TWO * 255).save(tmp_path / name)
    np.testing.assert_array_equal(read_mask(tmp_path / name, Reading(colours=True)).array, TWO.astype(int) * 0xFFFFFF)


@pytest.mark.formats_row("Masks", "TIFF, RGB of 16 bits", "tifffile")
def test_colours_of_sixteen_bits_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", COLOURS.astype(np.uint16), photometric="rgb")
    with pytest.raises(DataError, match=r"a\.tif: has 3 channels of uint16; where `classes` are colours, masks have 8"):
        read_mask(tmp_path / "a.tif", Reading(colours=True))
    with pytest.raises(DataError, match=r"a\.tif: .* 3 that differ; save it as grey, or each class as a file"):
        read_mask(tmp_path / "a.tif")


@pytest.mark.formats_row(
    "Masks",
    "TIFF, RGB of 16 bits",
    "tifffile",
    "one value where the channels are equal",
    "as colours",
    "no",
)
def test_equal_channels_of_sixteen_bits_are_one(tmp_path):
    labels = _labels(71).astype(np.uint16) * 900
    tifffile.imwrite(tmp_path / "a.tif", np.repeat(labels[..., None], 3, -1), photometric="rgb")
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif").array, labels)


@pytest.mark.formats_row("Masks", "PNG, TIFF, BMP, RGB", "Pillow")
def test_a_mask_of_colours_names_them_and_the_option(tmp_path):
    colours = np.array([[0, 0, 0], [255, 0, 0]], np.uint8)[TWO]
    Image.fromarray(colours).save(tmp_path / "a.png")
    with pytest.raises(
        DataError, match=r'a\.png: .*has 3 that differ, with the colours #000000, #ff0000; .*NAME: "#ff0000"}`'
    ):
        read_mask(tmp_path / "a.png")
    Image.fromarray(colours).save(tmp_path / "a.jpg")
    with pytest.raises(DataError, match=r"a\.jpg: .*differ; its compression changes values: save it as grey PNG"):
        read_mask(tmp_path / "a.jpg")


@pytest.mark.formats_row(
    "Masks",
    "JPEG, grey or RGB of greys; JPEG 2000 with loss; TIFF under JPEG compression",
    "Pillow, OpenCV, tifffile",
    "two-valued masks, with `threshold: 128`",
    "labels of objects, classes by value or colour, and two-valued masks without a threshold, unless all of "
    "their values are exact",
    "yes",
)
@pytest.mark.parametrize("writer", ["pillow", "opencv"])
@pytest.mark.parametrize("grey", [True, False])
def test_a_threshold_makes_two_values_of_a_jpeg(tmp_path, writer, grey):
    mask = cv2.circle(np.zeros((64, 64), np.uint8), (40, 30), 15, (255,), -1)
    stored = mask if grey else np.repeat(mask[..., None], 3, -1)
    file = tmp_path / "a.jpg"
    if writer == "pillow":
        Image.fromarray(stored).save(file, quality=75)
    else:
        cv2.imwrite(str(file), stored, [cv2.IMWRITE_JPEG_QUALITY, 75])
    assert len(np.unique(read_mask(file).array)) > 2
    assert read_mask(file).lossy
    np.testing.assert_array_equal(read_mask(file, Reading(threshold=128)).array, mask > 0)


@pytest.mark.formats_row(
    "Masks",
    "JPEG, grey or RGB of greys; JPEG 2000 with loss; TIFF under JPEG compression",
    "Pillow, OpenCV, tifffile",
)
def test_files_whose_compression_changes_values_are_known(tmp_path):
    mask = cv2.circle(np.zeros((64, 64), np.uint8), (40, 30), 15, (255,), -1)
    tifffile.imwrite(tmp_path / "a.tif", mask, compression="jpeg")
    tifffile.imwrite(tmp_path / "b.tif", mask, compression="zlib")
    assert [read_mask(tmp_path / name).lossy for name in ("a.tif", "b.tif")] == [True, False]
    picture = Image.fromarray(mask).convert("RGBA")
    picture.save(tmp_path / "plain.webp", quality=80)
    picture.putalpha(Image.fromarray(mask))
    picture.save(tmp_path / "alpha.webp", quality=80)
    picture.save(tmp_path / "exact.webp", lossless=True)
    picture.save(tmp_path / "exact.jp2")
    picture.save(tmp_path / "changed.jp2", irreversible=True)
    picture.save(tmp_path / "changed.j2k", irreversible=True, no_jp2=True)
    changed = [file.name for file in sorted(tmp_path.iterdir()) if file.suffix != ".tif" and lossy(file.read_bytes())]
    assert changed == ["alpha.webp", "changed.j2k", "changed.jp2", "plain.webp"]
    for name in ("a.tif", "changed.j2k", "changed.jp2"):
        np.testing.assert_array_equal(read_mask(tmp_path / name, Reading(threshold=128)).array, mask > 0)


@pytest.mark.formats_row("Masks", "TIFF, floats", "tifffile")
@pytest.mark.formats_row(
    "Masks", "WebP with loss", "Pillow, OpenCV", "", "greys too, for the compression makes their channels differ", "yes"
)
@pytest.mark.parametrize("writer", ["pillow", "opencv"])
def test_a_webp_with_loss_is_refused_with_a_threshold_too(tmp_path, writer):
    mask = cv2.circle(np.zeros((64, 64), np.uint8), (40, 30), 15, (255,), -1)
    if writer == "pillow":
        Image.fromarray(mask).save(tmp_path / "a.webp", quality=80)
    else:
        cv2.imwrite(str(tmp_path / "a.webp"), mask, [cv2.IMWRITE_WEBP_QUALITY, 80])
    for reading in (Reading(), Reading(threshold=128)):
        with pytest.raises(DataError, match=r"a\.webp: .* 3 that differ; its compression changes values: save it as"):
            read_mask(tmp_path / "a.webp", reading)


def test_a_threshold_counts_its_own_value_and_sorts_floats(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.array([[0, 0.25, 0.5, 1]], np.float32))
    assert read_mask(tmp_path / "a.tif", Reading(threshold=0.5)).array.tolist() == [[0, 0, 1, 1]]
    tifffile.imwrite(tmp_path / "a.tif", np.array([[0, np.nan]], np.float32))
    with pytest.raises(DataError, match=r"a\.tif: holds NaN at row 0, column 1, which no threshold can sort"):
        read_mask(tmp_path / "a.tif", Reading(threshold=0.5))


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp"])
def test_white_of_one_bit_is_white_where_looks_count(tmp_path, name):
    Image.fromarray(TWO * 255).convert("1").save(tmp_path / name)
    np.testing.assert_array_equal(read_mask(tmp_path / name, Reading(threshold=128)).array, TWO)
    np.testing.assert_array_equal(read_mask(tmp_path / name, Reading(colours=True)).array, TWO.astype(int) * 0xFFFFFF)


def test_a_threshold_above_both_values_of_a_mask_is_refused(tmp_path):
    Image.fromarray(TWO).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png: holds 0 and 1, both below the threshold of 128, so that nothing"):
        read_mask(tmp_path / "a.png", Reading(threshold=128))
    Image.fromarray(TWO * 0).save(tmp_path / "a.png")
    assert not read_mask(tmp_path / "a.png", Reading(threshold=128)).array.any()
    Image.fromarray(TWO * 255).convert("1").save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png", Reading(threshold=128)).array, TWO)


@pytest.mark.formats_row(
    "Masks",
    "NIfTI, float labels under an integer header",
    "nibabel",
    "rounded to the labels meant, which lie within half the scale factor; noted",
    "values further off",
    "nibabel changes them by up to half a label; rounding undoes it",
)
@pytest.mark.parametrize("stored", [np.uint8, np.int16, np.uint16])
@pytest.mark.parametrize("classes", [2, 3, 5, 254])
def test_float_labels_that_nibabel_scaled_come_back_exactly(tmp_path, stored, classes):
    labels = _labels(classes - 1, (16, 16, 2))
    file = _nifti(tmp_path / "a.nii.gz", labels.astype(np.float32), stored)
    header = nibabel.load(file).dataobj
    assert 0 < header.slope < 1
    mask = read_mask(file)
    assert mask.array.dtype.kind == "i"
    np.testing.assert_array_equal(mask.array, labels)
    assert mask.notes == (UNSCALED,)


@pytest.mark.formats_row("Masks", "NIfTI, float labels under an integer header", "nibabel")
def test_two_labels_of_three_lose_one_to_a_cast_and_none_to_rounding(tmp_path):
    labels = _labels(2, (4, 4, 4))
    file = _nifti(tmp_path / "a.nii", labels.astype(np.float32), np.uint8)
    assert np.unique(np.asarray(nibabel.load(file).dataobj).astype(int)).tolist() == [0, 2]
    np.testing.assert_array_equal(read_mask(file).array, labels)


@pytest.mark.formats_row("Masks", "NIfTI, float labels under an integer header", "nibabel")
def test_a_scaled_value_further_from_a_label_than_half_the_slope_is_refused(tmp_path):
    # 0 .. 1 in 255 steps of 1/255: 0.5 is stored as 127 or 128, 0.498 or 0.502
    labels = np.zeros((4, 4, 4), np.float32)
    labels[1, 2, 3], labels[0] = 0.5, 1
    file = _nifti(tmp_path / "a.nii", labels, np.uint8)
    with pytest.raises(
        DataError,
        match=r"a\.nii: .* 0\.(498|502)\d* under the scale factor 0\.003922 at index \(1, 2, 3\); save labels as",
    ):
        read_mask(file)


@pytest.mark.formats_row("Masks", "NIfTI, integers", "nibabel")
def test_a_scale_factor_above_one_that_leaves_fractions_is_refused(tmp_path):
    volume = nibabel.Nifti1Image(_labels(3, (4, 4, 4)).astype(np.uint8), np.eye(4))
    volume.header.set_slope_inter(1.5, 0)
    nibabel.save(volume, tmp_path / "a.nii")
    with pytest.raises(
        DataError, match=r"a\.nii: a mask holds whole numbers, this one 1\.5 at index \(0, 0, 1\) and 31"
    ):
        read_mask(tmp_path / "a.nii")


@pytest.mark.formats_row(
    "Masks",
    "NIfTI, integers",
    "nibabel",
    "the value, scale factors applied",
    "values with a fraction after scaling",
    "no",
)
@pytest.mark.parametrize(("slope", "intercept"), [(2, 0), (1, -1), (3, 10)])
def test_whole_scale_factors_are_applied(tmp_path, slope, intercept):
    stored = _labels(3, (4, 4, 4))
    volume = nibabel.Nifti1Image(stored.astype(np.uint8), np.eye(4))
    volume.header.set_slope_inter(slope, intercept)
    nibabel.save(volume, tmp_path / "a.nii")
    assert nibabel.load(tmp_path / "a.nii").dataobj.slope == slope
    np.testing.assert_array_equal(read_mask(tmp_path / "a.nii").array, stored * slope + intercept)


@pytest.mark.formats_row(
    "Masks",
    "TIFF, floats",
    "tifffile",
    "whole numbers; values within 0.001 of them are rounded, noted; probabilities with `threshold: 0.5`",
    "other values, the first named with its place; labels above what the floats count one by one",
    "no",
)
@pytest.mark.formats_row("Masks", "NIfTI, floats", "nibabel")
@pytest.mark.parametrize("kind", ["tif", "nii.gz"])
def test_floats_that_are_labels_within_rounding_are_rounded_and_noted(tmp_path, kind):
    labels = _labels(3, (4, 4, 4))
    mask = read_mask(_floats(tmp_path / f"a.{kind}", labels.astype(np.float32)))
    np.testing.assert_array_equal(mask.array, labels)
    assert mask.array.dtype.kind == "i"
    assert mask.notes == ()
    near = read_mask(_floats(tmp_path / f"b.{kind}", (labels - 4e-4).astype(np.float32)))
    np.testing.assert_array_equal(near.array, labels)
    assert near.notes == (ROUNDED,)


@pytest.mark.formats_row("Masks", "TIFF, floats", "tifffile")
@pytest.mark.formats_row("Masks", "NIfTI, floats", "nibabel", "as TIFF, floats", "as TIFF, floats, and NaN", "no")
@pytest.mark.parametrize("kind", ["tif", "nii.gz"])
@pytest.mark.parametrize(("value", "shown"), [(1.5, r"1\.5"), (0.998, r"0\.998"), (np.nan, "nan"), (-np.inf, "-inf")])
def test_floats_that_are_no_labels_are_refused_with_their_place(tmp_path, value, shown, kind):
    labels = _labels(3, (4, 4, 4)).astype(np.float32)
    labels[1, 2, 3] = labels[2, 2, 2] = value
    file = _floats(tmp_path / f"a.{kind}", labels)
    with pytest.raises(
        DataError,
        match=rf"a\.{kind}: a mask holds whole numbers, this one {shown} at index \(1, 2, 3\) and 1 more such; save",
    ):
        read_mask(file)


@pytest.mark.formats_row("Masks", "TIFF, floats", "tifffile")
def test_floats_too_large_to_tell_neighbours_apart_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.array([[0, 2**24]], np.float32))
    assert read_mask(tmp_path / "a.tif").array.max() == 2**24
    tifffile.imwrite(tmp_path / "a.tif", np.array([[0, 1e30]], np.float32))
    with pytest.raises(DataError, match=r"a\.tif: holds the label 1\d{30}, and above 16777216 float32 has no place"):
        read_mask(tmp_path / "a.tif")


@pytest.mark.formats_row("Masks", "NIfTI, complex", "nibabel", "", "always", "")
def test_complex_values_are_no_mask(tmp_path):
    with pytest.raises(DataError, match=r"a\.nii: a mask holds whole numbers, this one complex64"):
        read_mask(_nifti(tmp_path / "a.nii", np.zeros((2, 3, 4), np.complex64)))


@pytest.mark.formats_row(
    "Masks",
    "TIFF whose white is 0 (MinIsWhite), 1 or 8 bits",
    "tifffile, Pillow",
    "inverted, as viewers show it; noted",
    "",
    "no",
)
@pytest.mark.parametrize("dtype", [np.uint8, bool])
def test_a_tiff_whose_white_is_zero_is_read_as_viewers_show_it(tmp_path, dtype):
    stored = TWO.astype(bool) if dtype is bool else TWO * 255
    # Of booleans tifffile says so unasked, and reads them as they were (findings/tifffile-boolean-mask-inverted.sh).
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric=None if dtype is bool else "miniswhite")
    with Image.open(tmp_path / "a.tif") as shown:
        np.testing.assert_array_equal(np.asarray(shown) > 0, TWO == 0)
    mask = read_mask(tmp_path / "a.tif")
    np.testing.assert_array_equal(mask.array > 0, TWO == 0)
    assert mask.notes == (BOOLEANS if dtype is bool else INVERTED,)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").array[..., 0], mask.array)


@pytest.mark.formats_row(
    "Masks",
    "TIFF, booleans without a word",
    "tifffile",
    'inverted, noted, for tifffile writes them so that 0 is white: `photometric="minisblack"`, or `uint8`',
    "",
    "no",
)
def test_booleans_that_tifffile_writes_are_noted_with_the_mend(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", TWO.astype(bool))
    mask = read_mask(tmp_path / "a.tif")
    np.testing.assert_array_equal(mask.array, TWO == 0)
    assert "`classes: {NAME: 0}`" in mask.notes[0]


@pytest.mark.formats_row("Masks", "PNG, TIFF, grey of 1 bit", "Pillow, OpenCV")
@pytest.mark.formats_row("Masks", "TIFF whose white is 0 (MinIsWhite), 1 or 8 bits", "tifffile, Pillow")
def test_a_tiff_of_pillow_whose_white_is_zero_holds_what_was_written(tmp_path):
    for photometric in (0, 1):
        Image.fromarray(TWO * 255).convert("1").save(tmp_path / "a.tif", tiffinfo={262: photometric})
        np.testing.assert_array_equal(read_mask(tmp_path / "a.tif").array, TWO)


@pytest.mark.formats_row(
    "Masks",
    "TIFF whose white is 0 (MinIsWhite), more bits",
    "tifffile",
    "",
    "always: viewers disagree whether to invert it",
    "",
)
def test_a_tiff_whose_white_is_zero_is_refused_where_viewers_disagree(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", TWO.astype(np.uint16), photometric="miniswhite")
    with pytest.raises(DataError, match=r"a\.tif: its tags say that 0 is white, .* uint16; .* \(MinIsBlack\)"):
        read_mask(tmp_path / "a.tif")
    image = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.array[..., 0], TWO)
    assert image.notes == (LEFT,)


@pytest.mark.formats_row(
    "Masks",
    "WebP and JPEG 2000 without loss, PGM, BMP of greys, NPY",
    "Pillow, NumPy",
    "the value",
    "",
    "no",
)
@pytest.mark.parametrize("name", ["a.webp", "a.jp2", "a.j2k", "a.pgm", "a.npy", "a.bmp"])
def test_labels_are_read_as_they_are_from_what_keeps_them(tmp_path, name):
    labels = _labels(71).astype(np.uint8)
    if name == "a.npy":
        np.save(tmp_path / name, labels)
    else:
        Image.fromarray(labels).save(tmp_path / name, **({"lossless": True} if name == "a.webp" else {}))
    mask = read_mask(tmp_path / name)
    np.testing.assert_array_equal(mask.array, labels)
    assert not mask.lossy


@pytest.mark.parametrize(
    ("orientation", "turned"), [(3, lambda mask: mask[::-1, ::-1]), (6, lambda mask: np.rot90(mask, -1))]
)
def test_indices_are_turned_as_the_file_says(tmp_path, orientation, turned):
    labels = _labels(2)
    exif = Image.Exif()
    exif[274] = orientation
    file = _palette(tmp_path / "a.png", labels, RED_GREEN, exif=exif)
    np.testing.assert_array_equal(read_mask(file).array, turned(labels))
    np.testing.assert_array_equal(read_mask(file, Reading(exif="ignore")).array, labels)


@pytest.mark.formats_row("Masks", "NIfTI, integers", "nibabel")
def test_labels_above_65535_are_kept(tmp_path):
    labels = _labels(71) * 70_001
    tifffile.imwrite(tmp_path / "a.tif", labels.astype(np.uint32))
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif").array, labels)
    volume = labels[..., None].astype(np.int32)
    np.testing.assert_array_equal(read_mask(_nifti(tmp_path / "a.nii.gz", volume)).array, volume)


@pytest.mark.formats_row(
    "Masks",
    "PNG, palette of 1, 2, 4 or 8 bits, with or without a transparent colour",
    "Pillow (VOC, labelme, CVAT)",
)
@pytest.mark.parametrize("name", ["a.png", "a.gif", "a.bmp"])
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.9])
def test_a_palette_file_cut_short_is_an_error_that_names_it(tmp_path, name, kept, capfd):
    labels = RNG.integers(0, 200, (40, 50))
    file = _palette(tmp_path / name, labels, RNG.integers(0, 256, 768).tolist())
    assert read_mask(file, Reading(colours=True)).array.shape == (40, 50)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(DataError) as caught:
        read_mask(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    capfd.readouterr()  # the codecs complain on stderr


@pytest.mark.formats_row(
    "Masks",
    "PNG, palette of 1, 2, 4 or 8 bits, with or without a transparent colour",
    "Pillow (VOC, labelme, CVAT)",
)
def test_a_damaged_palette_png_is_an_error(tmp_path):
    file = _palette(tmp_path / "a.png", RNG.integers(0, 200, (40, 50)), RNG.integers(0, 256, 768).tolist())
    content = bytearray(file.read_bytes())
    for place in (40, 900, len(content) - 300):
        damaged = content.copy()
        damaged[place] ^= 255
        file.write_bytes(damaged)
        with pytest.raises(DataError, match=r"a\.png"):
            read_mask(file)


def test_a_missing_mask_and_a_strange_suffix_are_errors(tmp_path):
    for name in ("a.png", "a.tif", "a.nii"):
        with pytest.raises(DataError, match=rf"{name}: there is no such file"):
            read_mask(tmp_path / name)
    _palette(tmp_path / "a.png", TWO, RED_GREEN).rename(tmp_path / "a.xyz")
    with pytest.raises(DataError, match=r"'\.xyz' is no image format"):
        read_mask(tmp_path / "a.xyz")


def test_a_tiff_without_a_compression_tag_is_read_as_uncompressed(tmp_path):
    """ImageJ writes such files; tifffile 2026.3.3 then gives the compression as 1, not as COMPRESSION.NONE."""
    pixels = np.array([[0, 255, 0], [255, 255, 0]], np.uint8)
    tags = [(256, 3), (257, 2), (258, 8), (262, 1), (273, 200), (277, 1), (278, 2), (279, pixels.size)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + struct.pack("<I", 0)
    (tmp_path / "a.tif").write_bytes(head.ljust(200, b"\0") + pixels.tobytes())
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif").array, pixels)


@pytest.mark.formats_row("Masks", "PNG, grey of 8 bits", "OpenCV, Pillow", "the value", "", "no")
@pytest.mark.parametrize("writer", ["pillow", "opencv"])
def test_a_grey_png_of_eight_bits_holds_the_value(tmp_path, writer):
    labels = RNG.integers(0, 256, (8, 9), np.uint8)
    if writer == "pillow":
        Image.fromarray(labels).save(tmp_path / "a.png")
    else:
        cv2.imwrite(str(tmp_path / "a.png"), labels)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png").array, labels)


@pytest.mark.formats_row(
    "Masks",
    "PNG, TIFF, BMP, RGB",
    "Pillow",
    "one value where the channels are equal; the colours where `classes` are colours",
    "channels that differ, without colours as `classes`; a colour that no class has",
    "no",
)
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp"])
def test_equal_channels_of_eight_bits_are_one(tmp_path, name):
    labels = _labels(71).astype(np.uint8)
    Image.fromarray(np.dstack([labels] * 3)).save(tmp_path / name)
    np.testing.assert_array_equal(read_mask(tmp_path / name).array, labels)


@pytest.mark.formats_row(
    "Masks",
    "TIFF, integers of 8, 16 or 32 bits",
    "tifffile",
    "the value; objects above 2,147,483,647 are numbered anew",
    "objects below 0 (`ignore: -1`)",
    "no",
)
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4"])
def test_integers_of_a_tiff_are_read_as_stored(tmp_path, dtype):
    most = np.iinfo(dtype).max
    labels = np.array([[0, 1, most - 1, most]], dtype)
    tifffile.imwrite(tmp_path / "a.tif", labels)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif").array, labels)
