"""Regions are predicted as the whole image is."""

import numpy as np
import pytest

from unetbench.benchmark.trial.predict import predict
from unetbench.benchmark.trial.predict_regions import predict_regions
from unetbench.core.task import Task

RNG = np.random.default_rng(0)


def _forward(windows):
    """Logits that depend on where in its window a pixel lies, so that each window's weight and place count."""
    space = windows.shape[1:-1]
    ramp = sum(np.linspace(-1, 1, edge).reshape([-1 if k == axis else 1 for k in range(len(space))])
               for axis, edge in enumerate(space))  # fmt: skip
    first = windows[..., :1] + ramp[..., None]
    return np.concatenate([first, first**2, windows.mean(tuple(range(1, windows.ndim)), keepdims=True) - first], -1)


def _joined(regions, space, outputs):
    made, seen = np.full((*space, outputs), np.nan, np.float32), np.zeros(space, int)
    for place, probabilities in regions:
        made[place] = probabilities
        seen[place] += 1
    assert (seen == 1).all()
    return made


@pytest.mark.parametrize("space", [(50, 41, 37), (16, 12, 20), (9, 7, 70), (83, 20, 5)])
@pytest.mark.parametrize("kind", ["exclusive", "multilabel"])
@pytest.mark.parametrize("memory_bytes", [2**30, 200_000, 1])
@pytest.mark.parametrize("align", [None, (4, 4, 4)])
def test_a_volume_in_regions_has_the_bits_of_the_whole_one(space, kind, memory_bytes, align):
    image, task = RNG.random((*space, 2), np.float32), Task(3, 2, ("a", "b", "c"), kind)
    options = {"window": (16, 12, 20), "overlap": (0.5, 0.25, 0.4), "batch": 3, "align": align}
    whole = predict(_forward, image, task, **options).probabilities
    regions = predict_regions(_forward, image, task, memory_bytes=memory_bytes, **options)
    np.testing.assert_array_equal(_joined(regions, space, 3), whole)


@pytest.mark.parametrize("space", [(100, 73), (30, 200), (8, 9)])
@pytest.mark.parametrize("memory_bytes", [2**30, 1])
def test_so_has_an_image_with_mirrored_copies(space, memory_bytes):
    image, task = RNG.random((*space, 1), np.float32), Task(2, 1, ("a", "b", "c"), "multilabel")
    options = {"window": (32, 24), "mirror": True}
    whole = predict(_forward, image, task, **options).probabilities
    regions = predict_regions(_forward, image, task, memory_bytes=memory_bytes, **options)
    np.testing.assert_array_equal(_joined(regions, space, 3), whole)


def test_no_region_holds_more_pixels_than_memory_allows_and_each_window_is_told():
    image, task, told = np.zeros((64, 400, 300, 1), np.float32), Task(3, 1, ("a",)), []
    budget = 16 * 100 * 300 * 20  # rows of a window, a quarter of a slice, bytes of a pixel with a class and a channel
    regions = predict_regions(
        lambda windows: windows,
        image,
        task,
        window=(16, 32, 32),
        batch=8,
        memory_bytes=budget,
        on_progress=lambda done, of: told.append((done, of)),
    )
    largest = max(probabilities.size for _, probabilities in regions)
    assert largest <= 16 * 100 * 300
    counts = [done for done, _ in told]
    assert counts == sorted(counts)
    assert told[-1][0] == told[-1][1] > 7 * 24 * 18  # windows over the border of two bands count twice
