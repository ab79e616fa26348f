"""Values checked by hand, and those of MONAI's own tests."""

import keras
import numpy as np
import pytest

from unetbench.core.errors import SpecError
from unetbench.core.task import Task
from unetbench.losses import LOSSES

CELL = Task(2, 1, ("cell",))
THREE = Task(2, 1, ("background", "nucleus", "cytoplasm"), "exclusive")
LABELS = Task(2, 1, ("membrane", "nucleus"), "multilabel")


def _value(name: str, truth, logits, task: Task = CELL, **options) -> np.ndarray:
    truth, logits = np.asarray(truth, "uint8"), np.asarray(logits, "float32")
    return keras.ops.convert_to_numpy(LOSSES[name](truth, logits, task, **options))


def _logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


HALF = [[[[0.0], [0.0]]]]  # one row of two pixels, both of probability 1/2
LEFT = [[[[1], [0]]]]  # the left one is true


def test_bce_at_probability_one_half_is_the_logarithm_of_two():
    np.testing.assert_allclose(_value("bce", LEFT, HALF), [np.log(2)], rtol=1e-6)


def test_bce_of_exclusive_classes_is_one_against_the_rest():
    # Three sigmoids at 1/2 a pixel, each log 2.
    np.testing.assert_allclose(_value("bce", [[[[2]]]], [[[[0.0, 0, 0]]]], THREE), [np.log(2)], rtol=1e-6)


def test_ce_of_exclusive_classes_is_the_softmax_form():
    # Softmax of (0, 0, log 2) is (1/4, 1/4, 1/2); the truth is class 2 and class 0: (log 2 + log 4) / 2.
    logits = [[[[0.0, 0, np.log(2)], [0, 0, np.log(2)]]]]
    np.testing.assert_allclose(_value("ce", [[[[2], [0]]]], logits, THREE), [1.5 * np.log(2)], rtol=1e-6)


@pytest.mark.parametrize(("task", "classes"), [(CELL, 1), (LABELS, 2)])
def test_ce_is_bce_where_classes_do_not_exclude_each_other(task, classes):
    rng = np.random.default_rng(0)
    truth, logits = rng.integers(0, 2, (2, 4, 4, classes)), rng.normal(size=(2, 4, 4, classes))
    np.testing.assert_array_equal(_value("ce", truth, logits, task), _value("bce", truth, logits, task))


def test_dice_by_hand():
    # p = 1/2, 1/2 and g = 1, 0: 1 - (2·0.5 + 1) / (1 + 1 + 1).
    np.testing.assert_allclose(_value("dice", LEFT, HALF), [1 / 3], rtol=1e-6)


def test_squared_dice_by_hand():
    # Squares 1/4, 1/4 and 1: 1 - (2·0.5 + 1) / (0.5 + 1 + 1).
    np.testing.assert_allclose(_value("dice", LEFT, HALF, squared=True), [0.2], rtol=1e-6)


def test_jaccard_by_hand():
    # I = 0.5, U = 1 + 1 - 0.5: 1 - (0.5 + 1) / (1.5 + 1).
    np.testing.assert_allclose(_value("jaccard", LEFT, HALF), [0.4], rtol=1e-6)


def test_log_cosh_dice_keeps_its_digits_where_the_cost_is_small():
    # p = 1/2 each, one pixel true: D = (1 + 100) / (2 + 100), x = 1 - D = 1/102; log cosh x is x²/2 - x⁴/12.
    expected = 1 / 102**2 / 2 - 1 / 102**4 / 12
    np.testing.assert_allclose(_value("log_cosh_dice", LEFT, HALF, smooth=100.0), [expected], rtol=2e-5)


def test_bce_dice_by_hand():
    value = _value("bce_dice", LEFT, HALF, weight=0.25)
    np.testing.assert_allclose(value, [0.25 * np.log(2) + 0.75 / 3], rtol=1e-6)


def test_bce_dice_of_exclusive_classes_uses_the_softmax_form():
    rng = np.random.default_rng(0)
    truth, logits = rng.integers(0, 3, (2, 4, 4, 1)), rng.normal(size=(2, 4, 4, 3))
    parts = _value("ce", truth, logits, THREE) + _value("dice", truth, logits, THREE)
    np.testing.assert_allclose(_value("bce_dice", truth, logits, THREE), parts / 2, rtol=1e-6)


def test_dice_of_exclusive_classes_leaves_the_background_out_unless_asked():
    # Softmax of 0, 0, 0 is 1/3 each, the one pixel is nucleus. Nucleus: 1 - (2/3 + 1) / (1/3 + 1 + 1) = 2/7; the
    # others: 1 - 1 / (1/3 + 1) = 1/4.
    truth, logits = [[[[1]]]], [[[[0.0, 0, 0]]]]
    np.testing.assert_allclose(_value("dice", truth, logits, THREE), [(2 / 7 + 1 / 4) / 2], rtol=1e-6)
    both = _value("dice", truth, logits, THREE, background=True)
    np.testing.assert_allclose(both, [(2 / 7 + 1 / 4 + 1 / 4) / 3], rtol=1e-6)


@pytest.mark.parametrize("name", ["dice", "jaccard"])
def test_a_class_absent_from_truth_and_prediction_costs_nothing_and_false_positives_cost_more(name):
    empty = np.zeros((1, 4, 4, 1))
    absent, present = (_value(name, empty, np.full((1, 4, 4, 1), x))[0] for x in (-50.0, _logit(0.25)))
    assert absent == pytest.approx(0, abs=1e-6)
    # 16 pixels of 1/4 are 4 false positives: 1 - 1 / (4 + 1).
    assert present == pytest.approx(0.8, rel=1e-6)


MONAI = [
    # Tests of DiceLoss in MONAI (Apache-2.0): logits [[1, -1], [-1, 1]], truth [[1, 0], [1, 1]], sigmoid.
    ("dice", {"smooth": 1e-6}, 0.307576),
    ("dice", {"smooth": 1e-5, "squared": True}, 0.178337),
    # MONAI smooths twice the intersection and twice the union by 1e-5.
    ("jaccard", {"smooth": 0.5e-5}, 0.470451),
]


@pytest.mark.parametrize(("name", "options", "expected"), MONAI)
def test_values_of_monai(name, options, expected):
    truth, logits = np.array([[1, 0], [1, 1]]), np.array([[1, -1], [-1, 1]])
    value = _value(name, truth[None, ..., None], logits[None, ..., None], **options)
    np.testing.assert_allclose(value, [expected], atol=2e-6)


@pytest.mark.parametrize("weight", [-0.1, 1.1])
def test_a_weight_outside_zero_to_one_is_refused(weight):
    with pytest.raises(SpecError, match="from 0 to 1"):
        _value("bce_dice", LEFT, HALF, weight=weight)
