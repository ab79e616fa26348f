import math
import subprocess
import sys

import numpy as np
import pytest

from unetbench.core.errors import SpecError
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
    assert METRICS["specificity"](pair) == 88 / 96  # 121 pixels, 25 of the truth
    assert METRICS["f_beta"](pair) == 125 / 133  # 5 × 25 / (5 × 25 + 4 × 0 + 8)
    assert METRICS["volume_difference"](pair) == 8 / 58


def test_scores_from_four_counts_by_hand():
    # TP 45, FN 5, FP 10, TN 40 (Metrics Reloaded, arXiv:2206.01653): Dice 90 / 105 = 0.86.
    # MCC (45 × 40 - 10 × 5) / √(55 × 50 × 50 × 45) = 1750 / 2487.5 = 0.70.
    truth = np.repeat([True, False], 50)
    prediction = np.repeat([True, False, True, False], [45, 5, 10, 40])
    pair = Pair(truth, prediction)
    assert METRICS["dice"](pair) == pytest.approx(0.857, abs=5e-4)
    assert METRICS["iou"](pair) == 45 / 60
    assert METRICS["precision"](pair) == 45 / 55
    assert METRICS["recall"](pair) == 0.9
    assert METRICS["specificity"](pair) == 0.8
    assert METRICS["f_beta"](pair, beta=1) == pytest.approx(0.857, abs=5e-4)
    assert METRICS["f_beta"](pair, beta=2) == 225 / 255  # 5 × 45 / (5 × 45 + 4 × 5 + 10)
    assert METRICS["mcc"](pair) == pytest.approx(0.7035, abs=5e-5)
    assert METRICS["volume_difference"](pair) == 5 / 105


def test_mcc_of_volumes_with_billions_of_voxels_does_not_overflow():
    pair = Pair(np.zeros((1, 1), bool), np.zeros((1, 1), bool))
    vars(pair).update(tp=10**10, fp=10**9, fn=10**9, tn=10**10)
    assert METRICS["mcc"](pair) == pytest.approx((10 * 10 - 1) / 11**2)


@pytest.mark.parametrize("beta", [0, -1, math.inf, math.nan])
def test_a_beta_that_is_not_positive_is_an_error(beta):
    pair = Pair(np.ones((1, 1), bool), np.ones((1, 1), bool))
    with pytest.raises(SpecError, match="f_beta.beta"):
        METRICS["f_beta"](pair, beta=beta)


EMPTY, FULL = np.zeros((3, 3), bool), np.ones((3, 3), bool)
UNDEFINED = math.nan
NAMES = ("dice", "iou", "precision", "recall", "specificity", "f_beta", "mcc", "volume_difference")
EDGES = [
    (side, truth, prediction, dict(zip(NAMES, values, strict=True)))
    for side, truth, prediction, values in (
        ("both", EMPTY, EMPTY, (UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, 1, UNDEFINED, UNDEFINED, UNDEFINED)),
        ("truth", EMPTY, FULL, (0, 0, 0, UNDEFINED, 0, 0, UNDEFINED, 1)),
        ("prediction", FULL, EMPTY, (0, 0, UNDEFINED, 0, UNDEFINED, 0, UNDEFINED, 1)),
        ("none", FULL, FULL, (1, 1, 1, 1, UNDEFINED, 1, UNDEFINED, 0)),
    )
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
