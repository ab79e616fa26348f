"""What masks of a folder mean, from files that the usual writers of their formats made."""

import cv2
import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image

from unetbench.core.errors import DataError
from unetbench.datasets import DATASETS
from unetbench.datasets.source import Source

COLOURS = {"background": "#000000", "cell": "#ff0000", "rim": ["#00ff00", "#0000ff"]}
SHADES = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
LABELS = (np.arange(72) % 4).reshape(8, 9)
CLASSES = np.array([0, 1, 2, 2])[LABELS]
EYE = np.eye(8, 9, dtype=np.uint8)


def _case(home, suffix="png", **options):
    if not (home / "img").exists():
        (home / "img").mkdir()
        Image.fromarray(np.zeros((8, 9), np.uint8)).save(home / "img/a.png")
    options = {"path": str(home), "images": "img/*", "masks": f"lab/*.{suffix}", "classes": ["cell"], **options}
    return DATASETS["folder"](Source(None, home / "cache"), **options).cases[0]


def _file(home, name="a.png"):
    (home / "lab").mkdir(exist_ok=True)
    return home / "lab" / name


def _truth(home, *arguments, **options):
    return _case(home, *arguments, **options).read().truth[..., 0]


def _palette(file, indices, palette):
    picture = Image.new("P", indices.shape[::-1])
    picture.putdata(indices.ravel().tolist())
    picture.putpalette(palette)
    picture.save(file)


@pytest.mark.formats_row("Masks", "PNG, TIFF, BMP, RGB", "Pillow")
@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif"])
def test_colours_are_classes(tmp_path, name):
    Image.fromarray(SHADES[LABELS]).save(_file(tmp_path, name))
    np.testing.assert_array_equal(_truth(tmp_path, name[2:], classes=COLOURS), CLASSES)


@pytest.mark.formats_row(
    "Masks",
    "PNG, palette of 1, 2, 4 or 8 bits, with or without a transparent colour",
    "Pillow (VOC, labelme, CVAT)",
)
def test_colours_are_classes_of_a_palette_too(tmp_path):
    _palette(_file(tmp_path), LABELS, SHADES.ravel().tolist())
    np.testing.assert_array_equal(_truth(tmp_path, classes=COLOURS), CLASSES)
    np.testing.assert_array_equal(_truth(tmp_path, classes=["background", "a", "b", "c"]), LABELS)
    assert any("indices" in note for note in _case(tmp_path, classes=["background", "a", "b", "c"]).read().notes)


def test_the_background_of_colours_is_the_one_that_is_said(tmp_path):
    Image.fromarray(SHADES[LABELS % 3]).save(_file(tmp_path))
    three = {"cell": "#FF0000", "rim": "#00ff00", "paper": "#000000"}
    assert _truth(tmp_path, classes=three)[0, :3].tolist() == [0, 1, 2]
    assert _truth(tmp_path, classes=three, background="rim")[0, :3].tolist() == [2, 1, 0]


def test_all_but_the_colour_of_a_single_class_is_background(tmp_path):
    Image.fromarray(SHADES[LABELS]).save(_file(tmp_path))
    np.testing.assert_array_equal(_truth(tmp_path, classes={"cell": "#ff0000"}), LABELS == 1)


@pytest.mark.formats_row("Masks", "PNG, TIFF, BMP, RGB", "Pillow")
def test_a_colour_that_no_class_has_is_named_with_its_count_and_place(tmp_path):
    shades = SHADES[LABELS]
    shades[3, 4:7] = 7, 8, 9
    shades[7, 0] = 1, 1, 1
    Image.fromarray(shades).save(_file(tmp_path))
    with pytest.raises(
        DataError,
        match=r"lab/a\.png: no class has the colour #070809, which 3 pixels have, the first at row 3, column 4, "
        r"nor 1 more colours; the classes have #000000, #ff0000, #00ff00, #0000ff: add it .*`ignore: \"#070809\"`",
    ):
        _case(tmp_path, classes=COLOURS).read()


def test_a_colour_may_be_ignored(tmp_path):
    shades = SHADES[LABELS]
    shades[0] = 255
    Image.fromarray(shades).save(_file(tmp_path))
    truth = _truth(tmp_path, classes=COLOURS, ignore="#ffffff")
    assert (truth[0] == 255).all()
    np.testing.assert_array_equal(truth[1:], CLASSES[1:])


@pytest.mark.formats_row(
    "Masks",
    "GIF, grey or black and white, with or without a transparent colour",
    "Pillow (DRIVE)",
)
@pytest.mark.formats_row("Masks", "GIF, colours", "Pillow")
def test_a_gif_of_two_values_is_a_binary_mask(tmp_path):
    Image.fromarray(EYE * 255).save(_file(tmp_path, "a.gif"), transparency=0)
    np.testing.assert_array_equal(_truth(tmp_path, "gif"), EYE)
    Image.fromarray(SHADES[LABELS]).save(_file(tmp_path, "a.gif"))
    np.testing.assert_array_equal(_truth(tmp_path, "gif", classes=COLOURS), CLASSES)


def test_the_index_of_an_inverted_palette_is_the_class(tmp_path):
    _palette(_file(tmp_path), EYE, [255, 255, 255, 0, 0, 0])
    np.testing.assert_array_equal(_truth(tmp_path), EYE)


def test_values_that_are_indices_are_explained_where_they_are_no_class(tmp_path):
    _palette(_file(tmp_path), EYE, [0, 0, 0, 128, 128, 128])
    classes = {"background": 0, "cell": 128}
    with pytest.raises(
        DataError,
        match=r"a\.png: the mask holds 1, .*{background: 0, cell: 1}`; its values are indices into its palette",
    ):
        _case(tmp_path, classes=classes).read()
    np.testing.assert_array_equal(_truth(tmp_path, classes={"background": "#000000", "cell": "#808080"}), EYE)
    Image.fromarray(EYE * 7).save(_file(tmp_path))
    with pytest.raises(DataError, match=r"cell: 7}`$"):
        _case(tmp_path, classes=classes).read()


@pytest.mark.formats_row(
    "Masks",
    "PNG, palette of 1, 2, 4 or 8 bits, with or without a transparent colour",
    "Pillow (VOC, labelme, CVAT)",
)
def test_the_labels_of_the_voc_palette_and_its_border_are_read(tmp_path):
    # the first colours of VOC's palette; 255 marks borders that nobody counts
    palette = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0] + [0] * 756
    palette[-3:] = 224, 224, 192
    labels = LABELS.copy()
    labels[2] = 255
    _palette(_file(tmp_path), labels, palette)
    truth = _truth(tmp_path, classes=["background", "a", "b", "c"], ignore=255)
    np.testing.assert_array_equal(truth, labels)


@pytest.mark.formats_row(
    "Masks",
    "PNG, TIFF, grey of 1 bit",
    "Pillow, OpenCV",
    "0 and 1",
    "`{cell: 255}`: no pixel could be (`{cell: [1, 255]}`)",
    "no",
)
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_value_that_the_file_cannot_hold_is_no_empty_mask(tmp_path, suffix):
    Image.fromarray(EYE * 255).convert("1").save(_file(tmp_path, f"a.{suffix}"))
    with pytest.raises(
        DataError, match=r": holds values up to 1 only, .* cell, which is 255; .*`classes: {cell: \[1, 255\]}`"
    ):
        _case(tmp_path, suffix, classes={"cell": 255}).read()
    np.testing.assert_array_equal(_truth(tmp_path, suffix, classes={"cell": [1, 255]}), EYE)
    Image.fromarray(EYE * 255).save(_file(tmp_path, f"a.{suffix}"))
    np.testing.assert_array_equal(_truth(tmp_path, suffix, classes={"cell": 255}), EYE)
    with pytest.raises(DataError, match="holds values up to 255 only"):
        _case(tmp_path, suffix, classes={"cell": 65535}).read()


def _jpeg(home):
    mask = np.zeros((64, 64), np.uint8)
    mask[5:30, 20:45] = 255
    cv2.circle(mask, (20, 50), 9, (255,), -1)
    cv2.imwrite(str(_file(home, "a.jpg")), mask, [cv2.IMWRITE_JPEG_QUALITY, 80])
    (home / "img").mkdir(exist_ok=True)
    cv2.imwrite(str(home / "img/a.png"), mask)
    return mask > 0


@pytest.mark.formats_row(
    "Masks",
    "JPEG, grey or RGB of greys; JPEG 2000 with loss; TIFF under JPEG compression",
    "Pillow, OpenCV, tifffile",
)
def test_a_jpeg_is_refused_with_the_threshold_that_reads_it(tmp_path):
    mask = _jpeg(tmp_path)
    with pytest.raises(DataError, match=r"a\.jpg: a binary mask holds 0 and .*: say `threshold: 128`, or save masks"):
        _case(tmp_path, "jpg").read()
    np.testing.assert_array_equal(_truth(tmp_path, "jpg", threshold=128), mask)
    sample = _case(tmp_path, "jpg", threshold=128, instances=True, components=True).read()
    assert len(np.unique(sample.instances)) == 3
    by_class = _truth(tmp_path, masks={"cell": "lab/*.jpg"}, classes=None, threshold=128)
    np.testing.assert_array_equal(by_class, mask)


@pytest.mark.formats_row(
    "Masks",
    "JPEG, grey or RGB of greys; JPEG 2000 with loss; TIFF under JPEG compression",
    "Pillow, OpenCV, tifffile",
)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"instances": True}, "so they number no objects; .*`threshold: 128` and `components: true`"),
        (
            {"classes": {"cell": 255}},
            r"besides 255, for its compression .*say `classes: \[cell\]` and `threshold: 128`",
        ),
        ({"classes": {"cell": "#ffffff"}}, "besides #ffffff, for its compression changes values; save masks as PNG"),
        ({"classes": ["background", "cell"]}, "so that they tell no classes"),
        ({"classes": {"background": 0, "cell": 255}}, "so that they tell no classes; .*`threshold: 128`"),
        ({"classes": COLOURS}, "so that they tell no classes"),
    ],
)
def test_a_jpeg_is_no_mask_of_exact_values(tmp_path, options, message):
    _jpeg(tmp_path)
    with pytest.raises(DataError, match=rf"a\.jpg: .*{message}"):
        _case(tmp_path, "jpg", **options).read()


@pytest.mark.formats_row(
    "Masks",
    "JPEG, grey or RGB of greys; JPEG 2000 with loss; TIFF under JPEG compression",
    "Pillow, OpenCV, tifffile",
)
def test_a_jpeg_whose_values_are_all_exact_is_read(tmp_path):
    mask = np.kron(np.eye(4, dtype=np.uint8), np.full((8, 8), 255, np.uint8))  # whole blocks of the compression
    Image.fromarray(mask).save(_file(tmp_path, "a.jpg"), quality=100)
    (tmp_path / "img").mkdir()
    Image.fromarray(mask).save(tmp_path / "img/a.png")
    np.testing.assert_array_equal(_truth(tmp_path, "jpg"), mask > 0)
    np.testing.assert_array_equal(_truth(tmp_path, "jpg", classes={"cell": 255}), mask > 0)


def test_smooth_edges_are_told_of_the_threshold_and_labels_of_objects_are_not(tmp_path):
    mask = np.zeros((8, 9), np.uint8)
    mask[2:6, 2:6], mask[1] = 255, 128
    Image.fromarray(mask).save(_file(tmp_path))
    with pytest.raises(DataError, match="say `instances: true`"):  # 9 of 25 pixels lie far from both
        _case(tmp_path).read()
    mask[1, 1:] = 0
    Image.fromarray(mask).save(_file(tmp_path))
    with pytest.raises(DataError, match="this one 0, 128, 255; JPEG and smooth edges .*`threshold: 128`"):
        _case(tmp_path).read()
    Image.fromarray((LABELS * 64).clip(0, 255).astype(np.uint8)).save(_file(tmp_path))
    with pytest.raises(DataError, match="say `instances: true`"):
        _case(tmp_path).read()


@pytest.mark.formats_row("Masks", "TIFF, integers of 8, 16 or 32 bits", "tifffile")
def test_numbers_of_objects_stay_apart_however_large(tmp_path):
    labels = np.zeros((8, 9), np.uint32)
    labels[0], labels[1], labels[2] = 70_000, 4_294_967_295, 70_000 + 65_536
    tifffile.imwrite(_file(tmp_path, "a.tif"), labels)
    instances = _case(tmp_path, "tif", instances=True).read().instances
    assert instances.dtype == np.int32
    assert [np.unique(instances[row]).tolist() for row in range(4)] == [[1], [3], [2], [0]]
    labels[1] = 0
    tifffile.imwrite(_file(tmp_path, "a.tif"), labels)
    np.testing.assert_array_equal(_case(tmp_path, "tif", instances=True).read().instances, labels)


def test_numbers_of_objects_of_several_files_stay_apart(tmp_path):
    for name, row in (("a_1.tif", 0), ("a_2.tif", 4)):
        labels = np.zeros((8, 9), np.int32)
        labels[row] = 2**31 - 1
        tifffile.imwrite(_file(tmp_path, name), labels)
    sample = _case(tmp_path, masks="lab/*_*.tif", pairing="parts", instances=True).read()
    assert sample.instances[0, 0] > 0
    assert sample.instances[4, 0] > 0
    assert sample.instances[0, 0] != sample.instances[4, 0]


@pytest.mark.formats_row("Masks", "TIFF, integers of 8, 16 or 32 bits", "tifffile")
def test_negative_numbers_of_objects_are_refused_or_ignored(tmp_path):
    labels = EYE.astype(np.int16)
    labels[7] = -1
    tifffile.imwrite(_file(tmp_path, "a.tif"), labels)
    with pytest.raises(
        DataError, match=r"a\.tif: objects have numbers above 0, this .* -1 in 9 pixels; say `ignore: -1`"
    ):
        _case(tmp_path, "tif", instances=True).read()
    assert _case(tmp_path, "tif", instances=True, ignore=-1).read().instances.min() == 0


def test_the_axis_of_an_images_channels_is_none_of_its_masks(tmp_path):
    for name, shape in (("img", (2, 4, 8, 9)), ("lab", (4, 8, 9))):
        (tmp_path / name).mkdir()
        tifffile.imwrite(tmp_path / name / "a.tif", np.ones(shape, np.uint8), photometric="minisblack")
    sample = _case(tmp_path, "tif", channels="first").read()
    assert (sample.image.shape, sample.truth.shape) == ((4, 8, 9, 2), (4, 8, 9, 1))


@pytest.mark.formats_row("Masks", "NIfTI, float labels under an integer header", "nibabel")
def test_scaled_float_labels_are_classes_and_noted(tmp_path):
    for name in ("img", "lab"):
        (tmp_path / name).mkdir()
        volume = nibabel.Nifti1Image(LABELS[..., None].astype(np.float32), np.eye(4))
        volume.set_data_dtype(np.uint8)
        nibabel.save(volume, tmp_path / name / "a.nii.gz")
    sample = _case(tmp_path, "nii.gz", classes=["background", "a", "b", "c"]).read()
    np.testing.assert_array_equal(sample.truth[..., 0, 0], LABELS)
    assert any("scale factor" in note for note in sample.notes)
