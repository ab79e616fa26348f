import math
import subprocess
import sys

import numpy as np
import pytest

from unetbench.core.measure import MEASURES
from unetbench.metrics import METRICS
from unetbench.metrics.pair import Pair


def _cross_on_square() -> Pair:
    truth = np.zeros((11, 11), bool)
    truth[3:8, 3:8] = True
    prediction = truth.copy()
    prediction[5, 1:10] = True
    prediction[1:10, 5] = True
    return Pair(truth, prediction)


def test_scores_of_a_cross_on_a_square():
    # Truth 25, all found; the cross sticks out by 2 on four sides: TP 25, FP 8, FN 0.
    pair = _cross_on_square()
    assert METRICS["dice"](pair) == 50 / 58
    assert METRICS["iou"](pair) == 25 / 33
    assert METRICS["precision"](pair) == 25 / 33
    assert METRICS["recall"](pair) == 1


def test_scores_from_four_counts_by_hand():
    # TP 45, FN 5, FP 10, TN 40 (Metrics Reloaded, arXiv:2206.01653): Dice 90 / 105.
    truth = np.repeat([True, False], 50)
    prediction = np.repeat([True, False, True, False], [45, 5, 10, 40])
    pair = Pair(truth, prediction)
    assert METRICS["dice"](pair) == pytest.approx(0.857, abs=5e-4)
    assert METRICS["iou"](pair) == 45 / 60
    assert METRICS["precision"](pair) == 45 / 55
    assert METRICS["recall"](pair) == 0.9


EMPTY, FULL = np.zeros((3, 3), bool), np.ones((3, 3), bool)
UNDEFINED = math.nan
EDGES = [
    ("both", EMPTY, EMPTY, {"dice": UNDEFINED, "iou": UNDEFINED, "precision": UNDEFINED, "recall": UNDEFINED}),
    ("truth", EMPTY, FULL, {"dice": 0, "iou": 0, "precision": 0, "recall": UNDEFINED}),
    ("prediction", FULL, EMPTY, {"dice": 0, "iou": 0, "precision": UNDEFINED, "recall": 0}),
    ("none", FULL, FULL, {"dice": 1, "iou": 1, "precision": 1, "recall": 1}),
]


@pytest.mark.parametrize(("side", "truth", "prediction", "expected"), EDGES)
def test_scores_of_empty_and_full_masks(side, truth, prediction, expected):
    pair = Pair(truth, prediction)
    assert pair.empty == side
    for name, value in expected.items():
        assert METRICS[name](pair) == pytest.approx(value, nan_ok=True), name


def test_dice_and_iou_of_one_pair_determine_each_other():
    rng = np.random.default_rng(0)
    for share in (0.1, 0.5, 0.9):
        pair = Pair(rng.random((9, 9)) < share, rng.random((9, 9)) < 0.5)
        dice = METRICS["dice"](pair)
        assert METRICS["iou"](pair) == pytest.approx(dice / (2 - dice))


def test_every_metric_has_its_line_in_the_table_of_measures():
    assert set(METRICS) <= set(MEASURES)


def test_the_metrics_load_neither_tensorflow_nor_keras():
    code = "import sys, unetbench.metrics.score, unetbench.metrics.overlap, unetbench.metrics.empty as e; "
    code += "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'torch', 'jax')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
