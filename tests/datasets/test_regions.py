"""Regions of an image are prepared as the whole image is."""

from dataclasses import replace

import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.core.task import Task
from unetbench.datasets import regions
from unetbench.datasets.prepare import Preprocess, prepare_image
from unetbench.datasets.regions import PreparedRegions, places
from unetbench.datasets.scaling import Scaling

RNG = np.random.default_rng(0)
VOLUME = RNG.gamma(2, 300, (19, 70, 83, 1)).astype(np.uint16)
IMAGES = {
    "grey volume": (VOLUME, 3),
    "volume of two channels": (np.concatenate([VOLUME, VOLUME[::-1] // 3], -1), 3),
    "float volume": (VOLUME.astype(np.float32) / 7, 3),
    "8-bit colours": (RNG.integers(0, 255, (300, 421, 3)).astype(np.uint8), 2),
    "constant": (np.full((40, 50, 1), 7, np.uint8), 2),
}


@pytest.fixture(autouse=True)
def small_regions(monkeypatch):
    monkeypatch.setattr(regions, "REGION_BYTES", 20_000)


def _pieced(prepared):
    """The image put together from overlapping regions."""
    made = np.full(prepared.shape, np.nan, np.float32)
    space = prepared.shape[:-1]
    for corner in np.ndindex(*(-(-n // 17) for n in space)):
        place = tuple(slice(max(0, k * 17 - 3), min(n, k * 17 + 17)) for k, n in zip(corner, space, strict=True))
        made[place] = prepared[place]
    return made


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("rule", ["percentile", "minmax", "none", "zscore"])
def test_regions_of_an_image_are_those_of_the_whole_prepared_image(name, rule):
    image, rank = IMAGES[name]
    task, preprocess = Task(rank, image.shape[-1], ("a",)), Preprocess(normalise=rule, pad=8)
    whole, parts = prepare_image("a", image, task, preprocess), PreparedRegions("a", image, task, preprocess)
    assert (parts.shape, parts.content) == (whole.image.shape, whole.content)
    if rule == "zscore":
        np.testing.assert_allclose(_pieced(parts), whole.image, rtol=0, atol=2e-6)
    else:
        np.testing.assert_array_equal(_pieced(parts), whole.image)


@pytest.mark.parametrize("colour", ["grey", "rgb"])
@pytest.mark.parametrize("channels", [1, 3])
def test_colours_are_changed_before_they_are_scaled(colour, channels):
    image = IMAGES["8-bit colours"][0][..., :channels]
    task, preprocess = Task(2, channels, ("a",)), Preprocess(colour=colour)
    whole = prepare_image("a", image, task, preprocess).image
    np.testing.assert_allclose(_pieced(PreparedRegions("a", image, task, preprocess)), whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["grey volume", "volume of two channels", "8-bit colours", "constant"])
def test_contrast_is_equalised_in_whole_slices(name):
    image, rank = IMAGES[name]
    task, preprocess = Task(rank, image.shape[-1], ("a",)), Preprocess(clahe=2.0)
    whole = prepare_image("a", image, task, preprocess).image
    np.testing.assert_array_equal(_pieced(PreparedRegions("a", image, task, preprocess)), whole)


@pytest.mark.parametrize("size", [(9, 96, 40), (25, 35, 83)])
def test_a_resized_volume_and_what_is_restored_from_it_are_those_of_the_whole_one(size):
    task, preprocess = Task(3, 1, ("a",)), Preprocess(resize=size)
    whole, parts = prepare_image("a", VOLUME, task, preprocess), PreparedRegions("a", VOLUME, task, preprocess)
    np.testing.assert_allclose(_pieced(parts), whole.image, rtol=0, atol=3e-6)
    assert parts.resizes
    probabilities = RNG.random((*size, 2), np.float32)
    restored = whole.restore(probabilities)
    for place in places(VOLUME):
        np.testing.assert_allclose(parts.restore(probabilities, place), restored[place], rtol=0, atol=1e-6)


def test_scaling_by_regions_takes_the_same_pixels_for_its_percentiles():
    image = RNG.normal(size=(30, 210, 200, 2)).astype(np.float32)  # 1,260,000 pixels, of which every sixth is taken
    found = Scaling.of_regions(lambda: ((p, image[p]) for p in places(image)), image.shape, image.dtype, "percentile")
    expected = Scaling.of(image, "percentile")
    np.testing.assert_array_equal(found.offset, expected.offset)
    np.testing.assert_array_equal(found.factor, expected.factor)


def test_places_cover_each_pixel_once_and_hold_whole_chunks():
    class Chunked:
        shape, dtype, chunks = (19, 70, 83, 1), np.dtype(np.uint16), (4, 32, 16)

    seen = np.zeros(Chunked.shape[:-1], int)
    for place in places(Chunked()):
        seen[place] += 1
        assert all(part.start % edge == 0 for part, edge in zip(place, Chunked.chunks, strict=True))
    assert (seen == 1).all()


def test_what_is_not_finite_is_counted_over_all_regions_for_every_rule():
    image = IMAGES["float volume"][0].copy()
    image[0, 0, 0], image[18, 69, 82] = np.nan, np.inf
    for rule in ("percentile", "zscore", "none"):
        with pytest.raises(DataError, match="^a: 2 pixels of the image are NaN or infinite"):
            PreparedRegions("a", image, Task(3, 1, ("a",)), Preprocess(normalise=rule))


def test_what_does_not_fit_the_task_is_named():
    task = Task(3, 1, ("a",))
    with pytest.raises(DataError, match="a: the image has 2 channels, 1 are expected"):
        PreparedRegions("a", IMAGES["volume of two channels"][0], task, Preprocess())
    with pytest.raises(DataError, match="a: the image is 3D, the task 2D"):
        PreparedRegions("a", VOLUME, replace(task, rank=2), Preprocess())
    with pytest.raises(DataError, match="a: the model equalises contrast.*save it as 16 bits"):
        PreparedRegions("a", IMAGES["float volume"][0], task, Preprocess(clahe=2.0))
