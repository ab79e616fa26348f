import tracemalloc

import numpy as np
import pytest

from unetbench.core.recipe import Augmentation
from unetbench.core.task import Task
from unetbench.datasets.case import Sample
from unetbench.datasets.patches import PatchSampler
from unetbench.datasets.prepare import Preprocess, hold, prepare
from unetbench.datasets.scaling import ScaledImage
from unetbench.datasets.tiles import cut_tiles

RNG = np.random.default_rng(0)


def _sample(space=(70, 90), channels=1, dtype=np.uint8, order="C"):
    image = np.asarray(RNG.integers(0, 250, (*space, channels)).astype(dtype), order=order)
    return Sample(image, (image[..., :1] > 120).astype(np.uint8), None, (2.0, 0.5, 0.5)[-len(space) :])


def _both(sample, **options):
    task = Task(sample.image.ndim - 1, sample.image.shape[-1], ("cell",))
    return (make("a", sample, task, Preprocess(**options)) for make in (prepare, hold))


@pytest.mark.parametrize("rule", ["percentile", "zscore", "minmax", "none"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_a_held_image_has_the_very_bits_of_a_prepared_one(rule, dtype, channels):
    prepared, held = _both(_sample(channels=channels, dtype=dtype), normalise=rule)
    assert held.image.shape == prepared.image.shape
    np.testing.assert_array_equal(held.image[...], prepared.image)
    np.testing.assert_array_equal(held.truth, prepared.truth)


@pytest.mark.parametrize(
    ("channels", "options"),
    [
        (3, {"colour": "grey"}),
        (1, {"colour": "rgb"}),
        (1, {"colour": "rgb", "clahe": 2.0}),
        (3, {"clahe": 2.0, "pad": 32}),
        (1, {"colour": "rgb", "pad": 32}),
        (2, {"resize": (32, 48), "pad": 20}),
    ],
)
def test_so_it_is_with_colours_contrast_padding_and_resizing(channels, options):
    prepared, held = _both(_sample(channels=channels), **options)
    np.testing.assert_array_equal(held.image[...], prepared.image)
    np.testing.assert_array_equal(held.truth, prepared.truth)
    assert (held.content, held.original.space) == (prepared.content, prepared.original.space)


@pytest.mark.parametrize(
    ("sample", "patch", "options"),
    [
        (_sample(), (32, 48), {}),
        (_sample(channels=3), (80, 64), {"pad": 16}),
        (_sample(channels=1), (32, 32), {"colour": "rgb"}),
        (_sample((12, 40, 44), dtype=np.uint16, order="F"), (8, 16, 16), {"normalise": "zscore"}),
    ],
)
def test_patches_and_tiles_of_held_cases_have_the_same_bits(sample, patch, options):
    made = list(_both(sample, **options))
    for augment in (Augmentation(), Augmentation.none()):
        batches = [PatchSampler([case], ["a"], patch, 16, augment=augment, foreground=0.5).batch(1, 0) for case in made]
        np.testing.assert_array_equal(batches[0][0], batches[1][0])
        np.testing.assert_array_equal(batches[0][1], batches[1][1])
    tiles = [[tile.image for tile in cut_tiles(case, patch)] for case in made]
    np.testing.assert_array_equal(tiles[0], tiles[1])


@pytest.mark.parametrize(
    ("channels", "dtype", "colour"), [(1, np.uint8, "keep"), (3, np.uint8, "keep"), (1, np.uint16, "rgb")]
)
def test_a_training_set_takes_at_most_half_as_much_again_as_its_decoded_size(channels, dtype, colour):
    task = Task(2, channels, ("cell",))
    decoded, cases = 0, []
    hold("warm", _sample(), Task(2, 1, ("cell",)), Preprocess())
    tracemalloc.start()
    try:
        for _ in range(12):
            sample = _sample((256, 256), channels, dtype)
            sample = Sample(sample.image, sample.truth, np.ones((256, 256), np.int32))
            decoded += sample.image.nbytes + sample.truth.nbytes
            cases.append(hold("a", sample, task, Preprocess(colour=colour)))
            del sample
        sampler = PatchSampler(cases, ["a"] * 12, (64, 64), 4, foreground=0.3)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert decoded <= sampler.nbytes <= taken <= 1.5 * decoded


def test_what_is_scaled_is_what_the_index_names():
    _, held = _both(_sample())
    assert isinstance(held.image, ScaledImage)
    np.testing.assert_array_equal(held.image[3:5, [1, 7]], held.image[...][3:5, [1, 7]])
