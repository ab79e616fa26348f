"""What is measured of a candidate before it is timed."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from unetbench.benchmark.deploy.export import Plan
from unetbench.benchmark.deploy.measure import KERAS, Comparison
from unetbench.core.task import Task
from unetbench.core.trial import Choice
from unetbench.datasets.case import Sample
from unetbench.datasets.prepare import Preprocess

TASK = Task(2, 1, ("object",))


class Cases:
    """Two validation cases and one test case of 4 × 4 pixels, bright where the object is, but for one pixel."""

    def samples(self, role, most):
        names = {"validation": ("v0", "v1"), "test": ("t0",)}[role][:most]
        return [(name, f"plate {name}", self._sample()) for name in names]

    def _sample(self):
        truth = np.zeros((4, 4, 1), np.uint8)
        truth[:2, :2] = 1
        image = 200.0 * truth
        image[0, 0], image[3, 3] = 0, 200
        return Sample(image, truth)


@dataclass
class Threshold:
    """A network that calls bright pixels foreground."""

    runtime: Choice = field(default_factory=lambda: Choice("onnx"))
    facts: dict[str, Any] = field(default_factory=dict)

    def forward(self, images):
        return (images - 100).astype(np.float32)

    def probabilities(self, image):
        return (image > 100).astype(np.float32)


@pytest.fixture
def comparison():
    plan = Plan(TASK, TASK, Preprocess(normalise="none"), (4, 4), 0.0, 0.5, False, False)
    windows = np.zeros((1, 4, 4, 1), np.float32)
    return lambda cases: Comparison(Cases(), plan, windows, windows - 100.0, 0.0, 16, cases)


def test_validation_and_test_cases_are_segmented_by_the_same_code_and_kept_apart(comparison):
    found = comparison(None).with_candidate(Threshold())
    # Of 4 true pixels 3 are bright, and 1 of the other 12.
    counts = {"class": "object", "tp": 3, "fp": 1, "fn": 1, "tn": 11}
    assert found["scores"] == [{"case": "t0", "group": "plate t0", **counts}]
    assert [entry["case"] for entry in found["validation_scores"]] == ["v0", "v1"]
    assert all(
        {**entry, "case": "", "group": ""} == {"case": "", "group": "", **counts}
        for entry in found["validation_scores"]
    )


def test_cases_are_segmented_only_where_they_are_wanted(comparison):
    assert {"scores", "validation_scores"} & set(comparison(0).with_candidate(Threshold())) == set()
    in_keras = Threshold(Choice("keras_xla"), {"backend": "tensorflow"})
    assert {"scores", "validation_scores"} & set(comparison(None).with_candidate(in_keras)) == set()
    baseline = Threshold(KERAS, {"backend": "tensorflow"})
    assert {"scores", "validation_scores"} <= set(comparison(None).with_candidate(baseline))
