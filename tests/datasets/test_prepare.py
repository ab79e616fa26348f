import cv2
import numpy as np
import pytest

from unetbench.core.errors import DataError, SpecError
from unetbench.core.task import Task
from unetbench.datasets.case import Sample
from unetbench.datasets.prepare import Preprocess, prepare, task_after

RNG = np.random.default_rng(0)
GREY, COLOUR, VOLUME = Task(2, 1, ("cell",)), Task(2, 3, ("cell",)), Task(3, 1, ("cell",))
THREE = Task(2, 1, ("background", "cytoplasm", "nucleus"), "exclusive")


def _sample(image, truth=None) -> Sample:
    image = np.asarray(image)
    return Sample(image, np.zeros((*image.shape[:-1], 1), np.uint8) if truth is None else truth)


def _image(*shape, dtype=np.uint8, top=256):
    return RNG.integers(0, top, shape).astype(dtype)


def _scene(height=128, width=160) -> np.ndarray:
    """A dim, smooth picture (y, x) uint8 with bright spots."""
    y, x = np.mgrid[:height, :width]
    spots = sum(np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 60) for cy, cx in RNG.integers(10, 110, (9, 2)))
    return np.clip(30 + 20 * x / width + 120 * spots, 0, 255).astype(np.uint8)


def _prepared(image, task=GREY, truth=None, **options):
    return prepare("a1", _sample(image, truth), task, Preprocess(**options))


@pytest.mark.parametrize("rule", ["percentile", "zscore", "minmax"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_constant_image_becomes_zero(rule, dtype):
    image = _prepared(np.full((9, 9, 1), 0.1 if dtype is np.float32 else 7, dtype), normalise=rule).image
    assert image.dtype == np.float32
    assert not image.any()


def test_percentiles_go_to_zero_and_one_whatever_the_units():
    image = _image(64, 64, 1, top=1000, dtype=np.float32)
    first = _prepared(image).image
    second = _prepared(image * 1700 + 30).image
    np.testing.assert_allclose(first, second, atol=1e-5)
    np.testing.assert_allclose(np.percentile(first, (1.0, 99.8)), (0, 1), atol=1e-5)
    assert first.max() > 1  # not clipped


def test_an_image_with_one_bright_pixel_is_not_lost_to_equal_percentiles():
    image = np.zeros((64, 64, 1), np.uint16)
    image[5, 5] = 1000
    prepared = _prepared(image).image
    assert prepared[5, 5, 0] == 1
    assert prepared.sum() == 1


def test_zscore_and_minmax_of_two_pixels():
    image = np.array([[[2.0], [6.0]]], np.float32)  # mean 4, deviation 2
    np.testing.assert_allclose(_prepared(image, normalise="zscore").image.ravel(), [-1, 1])
    np.testing.assert_allclose(_prepared(image, normalise="minmax").image.ravel(), [0, 1])
    np.testing.assert_allclose(_prepared(image, normalise="none").image.ravel(), [2, 6])


def test_fluorescence_channels_are_normalised_apart_and_colours_together():
    two = np.concatenate([_image(32, 32, 1, dtype=np.uint16), _image(32, 32, 1, dtype=np.uint16) * 100], -1)
    apart = _prepared(two, Task(2, 2, ("cell",)), normalise="minmax").image
    np.testing.assert_allclose(apart.max((0, 1)), (1, 1))
    colours = np.stack([np.full((4, 4), 50), np.full((4, 4), 100), np.full((4, 4), 200)], -1).astype(np.uint8)
    together = _prepared(colours, COLOUR, normalise="minmax").image
    np.testing.assert_allclose(together[0, 0], (0, 1 / 3, 1), rtol=1e-6)  # (50, 100, 200 - 50) / 150


def test_grey_and_rgb():
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    grey = _prepared(colours, COLOUR, colour="grey", normalise="none").image
    np.testing.assert_array_equal(grey.ravel(), [76, 150, 29])  # 255 × (0.299, 0.587, 0.114)
    assert _prepared(grey, GREY, colour="rgb", normalise="none").image.shape == (1, 3, 3)
    assert task_after(COLOUR, Preprocess(colour="grey")).channels == 1
    assert task_after(GREY, Preprocess(colour="rgb")).channels == 3
    assert task_after(COLOUR, Preprocess()).channels == 3


def test_clahe_keeps_the_range_of_intensities_where_the_tutorial_divides_twice():
    scene = _scene()
    equalised = cv2.createCLAHE(2.0, (8, 8)).apply(scene)
    ours = _prepared(scene[..., None], clahe=2.0, normalise="none").image
    np.testing.assert_array_equal(ours[..., 0], equalised)
    tutorial = equalised / 255.0 / 255.0
    assert tutorial.max() <= 1 / 255
    np.testing.assert_allclose(np.percentile(_prepared(scene[..., None], clahe=2.0).image, 99.8), 1, atol=1e-5)


def test_clahe_of_sixteen_bits_equals_that_of_the_same_picture_in_eight():
    scene = _scene()
    scene[:2], scene[-2:] = 0, 255  # so that the percentiles of the 16-bit picture are the ends of the 8-bit one
    eight = _prepared(scene[..., None], clahe=2.0, normalise="none").image
    sixteen = _prepared(scene[..., None].astype(np.uint16) * 16, clahe=2.0, normalise="none").image
    np.testing.assert_array_equal(eight, sixteen)


def test_clahe_raises_the_contrast_of_a_dim_twelve_bit_image():
    dim = (100 + _scene().astype(np.uint16))[..., None]
    plain, equalised = _prepared(dim).image, _prepared(dim, clahe=3.0).image
    assert equalised.std() > 1.2 * plain.std()


def test_clahe_of_colours_changes_lightness_and_leaves_grey_grey():
    grey = np.repeat(_scene()[..., None], 3, -1)
    equalised = _prepared(grey, COLOUR, clahe=2.0, normalise="none").image
    assert np.ptp(equalised, -1).max() <= 1  # Lab in 8 bits rounds
    volume = np.stack([_scene(), _scene()])[..., None]
    slices = _prepared(volume, VOLUME, clahe=2.0, normalise="none").image
    np.testing.assert_array_equal(slices[1], _prepared(volume[1], clahe=2.0, normalise="none").image)


@pytest.mark.parametrize("value", [0, 100, 255])
@pytest.mark.parametrize("edges", [(64, 80), (13, 17)])
def test_clahe_leaves_a_constant_image_as_it_is(value, edges):
    grey = np.full((*edges, 1), value, np.uint8)
    np.testing.assert_array_equal(_prepared(grey, clahe=2.0, normalise="none").image, grey)
    colour = np.full((*edges, 3), (value, value // 2, 30), np.uint8)
    np.testing.assert_array_equal(_prepared(colour, COLOUR, clahe=2.0, normalise="none").image, colour)
    theirs = cv2.createCLAHE(2.0, (8, 8)).apply(grey[..., 0])
    assert (theirs == theirs[0, 0]).all()
    assert theirs[0, 0] > grey[0, 0, 0] or value == 255


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32])
def test_clahe_of_a_constant_image_without_eight_bits_is_black(dtype):
    for value in (0, 100, 4000):
        assert not _prepared(np.full((64, 80, 1), value, dtype), clahe=2.0, normalise="none").image.any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_an_empty_slice_of_a_volume_stays_empty_under_clahe(dtype):
    volume = np.zeros((4, 64, 80, 1), dtype)
    volume[1:3] = _scene(64, 80)[..., None]
    equalised = _prepared(volume, VOLUME, clahe=2.0, normalise="none").image
    assert not equalised[[0, 3]].any()
    assert equalised[1].std() > 0


def test_clahe_keeps_the_grey_values_of_a_few_bright_pixels():
    image = np.zeros((100, 100, 1), np.uint16)
    image[5, 5:8, 0] = (1000, 2000, 4000)  # 0.03 % of the pixels: the 99.9th percentile is 0 as well
    few = _prepared(image, clahe=2.0, normalise="none").image[5, 5:8, 0]
    assert few[0] < few[1] < few[2]


def test_resized_masks_hold_the_values_of_the_file_where_the_tutorial_invents_some():
    y, x = np.mgrid[:60, :80]
    labels = ((y - 30) ** 2 + (x - 40) ** 2 < 400).astype(np.uint8)[..., None] * 2  # a nucleus without cytoplasm
    image = _image(60, 80, 1)
    ours = _prepared(image, THREE, labels, resize=(32, 32)).truth
    assert set(np.unique(ours)) == {0, 2}
    np.testing.assert_array_equal(ours[..., 0], cv2.resize(labels, (32, 32), interpolation=cv2.INTER_NEAREST_EXACT))
    tutorial = np.rint(cv2.resize(labels.astype(float), (32, 32), interpolation=cv2.INTER_LINEAR))
    assert 1 in tutorial


@pytest.mark.parametrize(
    ("size", "method"), [((30, 40), cv2.INTER_AREA), ((23, 37), cv2.INTER_AREA), ((150, 170), cv2.INTER_LINEAR)]
)
def test_images_shrink_by_area_and_grow_linearly_as_in_opencv(size, method):
    image = _image(60, 80, 3).astype(np.float32)
    ours = _prepared(image, COLOUR, normalise="none", resize=size).image
    np.testing.assert_allclose(ours, cv2.resize(image, size[::-1], interpolation=method), atol=2e-3 * 255)


def test_restore_brings_predictions_back_to_the_original_size():
    image = np.repeat(np.linspace(0, 1, 60, dtype=np.float32)[:, None, None], 80, 1)
    prepared = _prepared(image, normalise="none", resize=(30, 40), pad=32)
    assert prepared.image.shape == prepared.truth.shape == (32, 64, 1)
    back = prepared.restore(prepared.image)
    assert back.shape == (60, 80, 1)
    np.testing.assert_allclose(back[1:-1], image[1:-1], atol=0.02)
    unchanged = _prepared(image)
    np.testing.assert_array_equal(unchanged.restore(unchanged.image), unchanged.image)


def test_padding_reflects_image_and_mask_at_the_end():
    image = np.arange(5, dtype=np.float32)[None, :, None] + np.zeros((4, 1, 1), np.float32)
    truth = (image > 3).astype(np.uint8)
    prepared = _prepared(image, truth=truth, normalise="none", pad=4)
    np.testing.assert_array_equal(prepared.image[0, :, 0], [0, 1, 2, 3, 4, 3, 2, 1])
    np.testing.assert_array_equal(prepared.truth[0, :, 0], [0, 0, 0, 0, 1, 0, 0, 0])


def test_volumes_are_resized_along_all_axes():
    volume = _image(8, 10, 12, 1)
    prepared = _prepared(volume, VOLUME, resize=(4, 20, 12))
    assert prepared.image.shape == prepared.truth.shape == (4, 20, 12, 1)
    assert task_after(Task(3, 1, ("cell",), spacing_mm=(1, 1, 2)), Preprocess(resize=(4, 20, 12))).spacing_mm is None


def test_an_empty_mask_is_legal():
    assert not _prepared(_image(8, 8, 1)).truth.any()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_are_counted_and_the_case_is_named(value):
    image = np.zeros((8, 8, 1), np.float32)
    image[2, 3:5] = value
    with pytest.raises(DataError, match="^a1: 2 pixels of the image are NaN or infinite"):
        _prepared(image)


def test_shapes_that_differ_are_named():
    with pytest.raises(DataError, match=r"^a1: the image is 8×9 and the mask 8×8"):
        _prepared(_image(8, 9, 1), truth=np.zeros((8, 8, 1), np.uint8))


def test_values_that_are_no_class_are_named_with_the_mend():
    truth = np.zeros((8, 8, 1), np.uint8)
    truth[0, 0] = 2
    with pytest.raises(DataError, match=r"^a1: the mask holds 2, the task knows 0 off, 1 on; add the missing class"):
        _prepared(_image(8, 8, 1), truth=truth)
    two = Task(2, 1, ("background", "cell"), "exclusive")
    with pytest.raises(DataError, match=r"^a1: the mask holds 2, the task knows 0 background, 1 cell"):
        _prepared(_image(8, 8, 1), two, truth)
    assert _prepared(_image(8, 8, 1), THREE, truth).truth.max() == 2


def test_the_ignore_label_is_no_error():
    truth = np.full((8, 8, 1), 255, np.uint8)
    assert _prepared(_image(8, 8, 1), Task(2, 1, ("cell",), ignore=255), truth).truth.max() == 255


def test_channels_and_ranks_that_do_not_fit_are_named():
    with pytest.raises(DataError, match="^a1: the image has 3 channels, 1 are expected; say `colour: grey`"):
        _prepared(_image(8, 8, 3))
    with pytest.raises(DataError, match="^a1: the image is 3D, the task 2D"):
        _prepared(_image(8, 8, 8, 1))


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(SpecError, match=r"preprocess\.resize: \[64, 64\] needs 3 edge lengths"):
        task_after(VOLUME, Preprocess(resize=(64, 64)))
    with pytest.raises(SpecError, match="positive edge lengths"):
        Preprocess(resize=(0, 64))
    with pytest.raises(SpecError, match="must not be negative"):
        Preprocess(clahe=-1)
