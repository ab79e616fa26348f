"""An array is segmented as files are, whole or by regions."""

from dataclasses import replace

import numpy as np
import pytest

from unetbench.benchmark.predict.segment import fits, prepared_for, segment
from unetbench.benchmark.trial.predict import predict, to_labels
from unetbench.core.errors import DataError, SpecError
from unetbench.core.task import Task
from unetbench.datasets.case import Sample
from unetbench.datasets.prepare import PreparedImage, Preprocess, prepare
from unetbench.datasets.regions import PreparedRegions

RNG = np.random.default_rng(0)
VOLUME = RNG.gamma(2, 300, (30, 41, 52)).astype(np.uint16)
RULES = {
    "percentiles": Preprocess(),
    "range, padded": Preprocess(normalise="minmax", pad=16),
    "resized": Preprocess(resize=(20, 40, 60)),
    "equalised": Preprocess(clahe=2.0),
    "z score": Preprocess(normalise="zscore"),
}
EXACT = ("percentiles", "range, padded", "equalised")


@pytest.mark.parametrize("name", RULES)
def test_an_array_is_segmented_as_a_test_case_is(name, make_segmenter):
    task = Task(3, 1, ("none", "some", "bright"), "exclusive")
    segmenter = make_segmenter(task, preprocess=RULES[name], window=(16, 24, 16))
    found = segment(VOLUME, segmenter, probabilities=True)
    prepared = prepare("a", Sample(VOLUME[..., None], np.zeros((*VOLUME.shape, 1), np.uint8)), task, RULES[name])
    made = predict(segmenter.forward, prepared.image, segmenter.task, window=(16, 24, 16), overlap=0.5, batch=4)
    expected = prepared.restore(made.probabilities)
    np.testing.assert_array_equal(found.probabilities, expected)
    np.testing.assert_array_equal(found.labels, to_labels(expected, task, 0.5)[..., 0])


@pytest.mark.parametrize("name", RULES)
def test_by_regions_it_is_segmented_as_whole(name, make_segmenter):
    segmenter = make_segmenter(Task(3, 1, ("a",)), preprocess=RULES[name], window=(16, 24, 16))
    whole, regions = (segment(VOLUME, segmenter, probabilities=True, memory_mib=memory_mib) for memory_mib in (2048, 1))
    assert isinstance(prepared_for(VOLUME[..., None], segmenter, name="a"), PreparedImage)
    assert isinstance(prepared_for(VOLUME[..., None], segmenter, name="a", memory_mib=1), PreparedRegions)
    if name in EXACT:
        np.testing.assert_array_equal(regions.probabilities, whole.probabilities)
        np.testing.assert_array_equal(regions.labels, whole.labels)
    else:
        np.testing.assert_allclose(regions.probabilities, whole.probabilities, rtol=0, atol=2e-5)


def test_regions_take_the_windows_that_memory_allows(make_segmenter):
    asked = []

    def within(space, mib):
        asked.append((space, mib))
        return {"window": (16, 16, 16), "overlap": 0.5, "batch": 1}

    segmenter = make_segmenter(Task(3, 1, ("a",)), windows_within=within)
    segment(VOLUME, segmenter)
    assert asked == []
    segment(VOLUME, segmenter, memory_mib=1)
    assert asked == [((30, 41, 52), 0)]


def test_whether_an_image_fits_depends_on_its_pixels_classes_and_channels(make_segmenter):
    segmenter = make_segmenter(Task(3, 2, ("none", "some", "bright"), "exclusive"))
    pixel = 4 * (2 + 2 * 2 + 3 * 3 + 1)
    edge = 2048 * 2**20 // 4 // pixel
    assert fits((edge, 1, 1, 2), segmenter, 2048)
    assert not fits((edge + 1, 1, 1, 2), segmenter, 2048)


def test_mirrored_copies_are_averaged_where_asked_or_trained(make_segmenter):
    def forward(windows):
        """Says foreground in the left half of a window."""
        logits = np.zeros((*windows.shape[:-1], 1), np.float32)
        logits[:, :, : windows.shape[2] // 2] = 4
        return logits

    segmenter = replace(make_segmenter(Task(2, 1, ("a",))), forward=forward)
    image = np.zeros((32, 32), np.uint8)
    plain, mirrored = (segment(image, segmenter, probabilities=True, mirror=mirror) for mirror in (None, True))
    assert plain.probabilities is not None and mirrored.probabilities is not None
    assert plain.probabilities[0, 0, 0] > plain.probabilities[0, -1, 0]
    np.testing.assert_allclose(mirrored.probabilities, np.mean([plain.probabilities[0, 0], [0.5]]), atol=1e-6)
    trained = segment(image, replace(segmenter, mirror=True), probabilities=True)
    np.testing.assert_array_equal(trained.probabilities, mirrored.probabilities)
    with pytest.raises(SpecError, match="leave it out, or train with flips"):
        segment(image, replace(segmenter, mirrored_axes=False), mirror=True)


def test_arrays_of_another_rank_or_number_of_channels_are_refused(nuclei):
    with pytest.raises(DataError, match=r"image: the image has 3 channels, the model was trained on images of 1"):
        segment(np.zeros((9, 9, 3)), nuclei)
    with pytest.raises(DataError, match=r"x: the image is 3D, the model was trained on 2D images"):
        segment(np.zeros((9, 9, 9, 1)), nuclei, name="x")


def test_classes_that_may_overlap_keep_an_axis(make_segmenter):
    segmenter = make_segmenter(Task(2, 1, ("a", "b", "c"), "multilabel"))
    found = segment(VOLUME[0], segmenter)
    assert found.labels.shape == (41, 52, 3)
    assert found.probabilities is None


def test_an_array_of_truth_values_is_an_image_of_0_and_1_and_one_of_others_is_refused(nuclei):
    image = np.zeros((40, 40), bool)
    image[4:9, 4:9] = True
    np.testing.assert_array_equal(segment(image, nuclei).labels, image)
    for wrong in (image.astype(complex), image.astype(str)):
        with pytest.raises(DataError, match=f"image: holds {wrong.dtype}; integers and floats can be segmented"):
            segment(wrong, nuclei)
