"""Whole images come back at their own size, whatever the window."""

import numpy as np
import pytest

from unetbench.benchmark.trial.predict import grid, predict, sigmoid, softmax
from unetbench.core.task import Task

BINARY = Task(2, 1, ("cell",))


def _identity(windows):
    return windows[..., :1]


@pytest.mark.parametrize("space", [(64, 64), (37, 91), (16, 16), (5, 40), (3, 2)])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
def test_windows_join_without_a_seam(space, overlap):
    image = np.random.default_rng(0).standard_normal((*space, 1)).astype(np.float32)
    found = predict(_identity, image, BINARY, window=(16, 16), overlap=overlap, batch=3).probabilities
    np.testing.assert_allclose(found, sigmoid(image), atol=1e-6)


def test_volumes_join_too():
    image = np.random.default_rng(0).standard_normal((9, 20, 33, 2)).astype(np.float32)
    task = Task(3, 2, ("background", "cell"), "exclusive")
    found = predict(lambda windows: windows, image, task, window=(8, 16, 16)).probabilities
    np.testing.assert_allclose(found, softmax(image), atol=1e-6)


def test_an_image_as_large_as_the_overlap_of_patches_is_one_window():
    """A window of 64² in place of patches of 256² that overlap by a quarter."""
    _, starts = grid((64, 200), (64, 200), (1.0, 0.32), None)
    assert starts == [[0], [0]]


def test_mirroring_averages_over_every_flip():
    ramp = np.tile(np.arange(16, dtype=np.float32), (16, 1))[None, ..., None]
    found = predict(
        lambda windows: windows * 0 + ramp, np.zeros((16, 16, 1), np.float32), BINARY, window=(16, 16), mirror=True
    ).probabilities
    # along x the ramp is averaged with its mirror image: (s(x) + s(15 - x)) / 2; along y nothing changes
    expected = (sigmoid(ramp[0]) + sigmoid(ramp[0][:, ::-1])) / 2
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_extreme_logits_do_not_overflow():
    np.testing.assert_allclose(sigmoid(np.array([-1e4, 0.0, 1e4])), [0, 0.5, 1])
    np.testing.assert_allclose(softmax(np.array([[1e4, 0.0]])), [[1, 0]])
