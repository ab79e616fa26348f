"""Metrics of large images are as exact in float32 as in double precision."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from unetbench.metrics import METRICS
from unetbench.metrics.objects import label
from unetbench.metrics.pair import Pair
from unetbench.metrics.surface import surface

SPACES = ((1024, 1024), (128, 128, 128))


@pytest.fixture(scope="module", params=SPACES, ids=str)
def pairs(request) -> list[Pair]:
    """Blobs and a prediction that finds most of them, with probabilities in single and in double precision."""
    grid = np.indices(request.param, np.float32)
    field = sum(np.sin(axis / (15 + 4 * k)) for k, axis in enumerate(grid))
    noise = np.random.default_rng(5).standard_normal(field.shape, np.float32)
    probability = (1 / (1 + np.exp(1.5 - 2 * field - noise / 2))).astype(np.float32)
    truth, prediction = field > 0.8, field > 0.7 + 0.2 * np.sin(grid[0] / 5)
    objects = label(truth, touching="corner"), label(prediction, touching="corner")
    spacing = (1.0,) * field.ndim
    return [
        Pair(truth, prediction, spacing, None, *objects, probability.astype(kind)) for kind in (np.float32, np.float64)
    ]


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_of_a_large_image_is_exact_to_six_digits(name, pairs):
    # A millionth of the value: one probability may fall into the next bin of a calibration score.
    single, double = pairs
    if name.startswith("isbi"):  # of outlines, not of numbered objects
        single, double = (Pair(pair.truth, pair.prediction, pair.spacing_mm) for pair in pairs)
    assert METRICS[name](single) == pytest.approx(METRICS[name](double), rel=1e-6)


@pytest.mark.parametrize("name", ["brier", "nll"])
def test_means_of_probabilities_are_those_of_the_formula(name, pairs):
    p, y = pairs[1].probability, pairs[1].truth
    formula = {"brier": np.mean((p - y) ** 2), "nll": -np.mean(np.log(np.where(y, p, 1 - p)))}
    assert METRICS[name](pairs[0]) == pytest.approx(formula[name], rel=1e-6)


def test_mean_distances_are_those_of_the_distance_maps(pairs):
    pair = pairs[0]
    edges = surface(pair.truth), surface(pair.prediction)
    far = [distance_transform_edt(~edges[1 - side])[edges[side]] for side in (0, 1)]
    assert METRICS["assd"](pair) == pytest.approx(np.concatenate(far).mean(), rel=1e-6)
    assert METRICS["masd"](pair) == pytest.approx((far[0].mean() + far[1].mean()) / 2, rel=1e-6)
