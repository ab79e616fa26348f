"""One value of every loss, checked by hand. s is `smooth`, 1 pixel unless said."""

import keras
import numpy as np
import pytest

from unetbench.core.errors import DataError, SpecError
from unetbench.core.task import Task
from unetbench.losses import LOSSES

CELL = Task(2, 1, ("cell",))
TWO = Task(2, 1, ("background", "cell"), "exclusive")
THREE = Task(2, 1, ("background", "nucleus", "cytoplasm"), "exclusive")
LN2 = float(np.log(2))


def _value(name: str, truth, logits, task: Task = CELL, **options) -> np.ndarray:
    return keras.ops.convert_to_numpy(
        LOSSES[name](np.asarray(truth, "uint8"), np.asarray(logits, "float32"), task, **options)
    )


def _row(truth, probabilities) -> tuple[np.ndarray, np.ndarray]:
    """One case, one row of pixels, one class."""
    p = np.clip(np.asarray(probabilities, float), 1e-20, 1 - 1e-16)
    return np.asarray(truth)[None, None, :, None], np.log(p / (1 - p))[None, None, :, None]


HALF = ([1, 0], [0.5, 0.5])

BY_HAND = [
    # Cross-entropies log 2, log 4, log 4: the classes' means, log 2 and log 4, averaged.
    ("weighted_ce", {}, [1, 0, 0], [0.5, 0.75, 0.75], 1.5 * LN2),
    # (3 log 2 + log 4 + log 4) / (3 + 1 + 1)
    ("weighted_ce", {"weights": (1, 3)}, [1, 0, 0], [0.5, 0.75, 0.75], 7 / 5 * LN2),
    # Of log 2, log 4, log 2 the worst floor(0.7 · 3) = 2.
    ("topk", {"fraction": 0.7}, [1, 0, 0], [0.5, 0.75, 0.5], 1.5 * LN2),
    # At least one: the worst, log 4.
    ("topk", {}, [1, 0, 0], [0.5, 0.75, 0.5], 2 * LN2),
    # (1/2)² log 2 at both pixels; then 0.25 and 0.75 of it.
    ("focal", {}, *HALF, LN2 / 4),
    ("focal", {"alpha": 0.25}, *HALF, LN2 / 8),
    # Truth 1 softened to 0.9.
    ("label_smoothing", {"amount": 0.2}, [1], [0.75], -0.9 * np.log(0.75) - 0.1 * np.log(0.25)),
    # D = (2 · 0.5 + 1) / (1 + 1 + 1) = 2/3.
    ("log_dice", {}, *HALF, np.log(1.5)),
    ("log_cosh_dice", {}, *HALF, np.log(np.cosh(1 / 3))),
    # 2 · 0.5^1.5 / (0.25 + 0.25 + 1 + 1)
    ("noise_robust_dice", {}, *HALF, 2 * 0.5**1.5 / 2.5),
    # TP = FP = FN = 1/2: 1 - 1.5 / (0.5 + 0.15 + 0.35 + 1)
    ("tversky", {}, *HALF, 0.25),
    # alpha weighs the one false positive: 1 - (1 + 1) / (1 + 0.3 + 1)
    ("tversky", {}, [1, 0], [1, 1], 0.3 / 2.3),
    # beta weighs the one false negative: 1 - (0 + 1) / (0 + 0.7 + 1)
    ("tversky", {}, [1, 0], [0, 0], 0.7 / 1.7),
    ("focal_tversky", {}, *HALF, 0.25**0.75),
    # b² = 4: 1 - (5 · 0.5 + 1) / (5 · 0.5 + 4 · 0.5 + 0.5 + 1)
    ("asymmetric_similarity", {"beta": 2.0}, *HALF, 5 / 12),
    # Squared errors 1/4 inside, 9/16 outside.
    ("sensitivity_specificity", {}, [1, 0], [0.5, 0.75], 0.05 / 4 + 0.95 * 9 / 16),
    # TP = TN = 1/2 + 1, FP = FN = 1/2: 1 - (1.5² - 0.5²) / 2²
    ("mcc", {}, *HALF, 0.5),
    # Sizes 2 and 1, so w = 1/4 and 1: 1 - 2 (1/4 · 1 + 1 · 0.5) / (1/4 · 3.5 + 1 · 2.5)
    ("generalised_dice", {"smooth": 0.0}, [1, 0, 0], [0.5, 0.5, 0.5], 1 - 1.5 / 3.375),
    # d = 1/2 at both, T = 1/2 inside, E = 1: 1 - (1 + 1) / (1 + 1 + 1)
    ("wasserstein_dice", {}, *HALF, 1 / 3),
    # Errors 1 outside (x = 0) and 1/2 inside (x = 1/2); sorted, the index goes 0, 1/2, 1: 1/2 · 1 + 1/2 · 1/2.
    ("lovasz_hinge", {}, [1, 0], [1 / (1 + np.exp(-0.5)), 0.5], 0.75),
    # Errors 3/4 outside, 1/2 inside: 1/2 · 3/4 + 1/2 · 1/2.
    ("lovasz_softmax", {}, [1, 0], [0.5, 0.75], 0.625),
    # No foreground: nothing present; or, when absent classes count, the largest error.
    ("lovasz_softmax", {}, [0, 0], [0.5, 0.75], 0.0),
    ("lovasz_softmax", {"absent": True}, [0, 0], [0.5, 0.75], 0.75),
    # phi = -1/2, 1/2, 3/2: (1/2 · 1/2 + 1/2 · 1/2 + 3/2 · 1/2) / 3
    ("boundary", {}, [1, 0, 0], [0.5, 0.5, 0.5], 1.25 / 3),
    # d_g = 1, 1, 2; the prediction covers two pixels, d_p = 2, 1, 1; (p - g)² = 1, 9 and 1 sixteenths.
    ("hausdorff", {}, [1, 0, 0], [0.75, 0.75, 0.25], (1 * (1 + 4) + 9 * (1 + 1) + 1 * (4 + 1)) / 16 / 3),
    ("hausdorff", {"one_sided": True}, [1, 0, 0], [0.75, 0.75, 0.25], (1 * 1 + 9 * 1 + 1 * 4) / 16 / 3),
    ("hausdorff", {"logarithm": True}, [1, 0, 0], [0.75, 0.75, 0.25], np.log(1 + 28 / 48)),
    # d1 + d2 = 4 at each of the three pixels between: weight 1 + 10 exp(-16 / 50) there, 1 on the objects.
    ("border_weighted_ce", {}, [1, 0, 0, 0, 1], [0.5] * 5, LN2 * (1 + 10 * np.exp(-0.32) * 3 / 5)),
    # skel(p) = 0, 1/4, 0 and skel(g) = g: P = (1/4 + 1) / (1/4 + 1) = 1, S = (1/2 + 1) / (1 + 1) = 3/4.
    ("cldice", {"iterations": 0}, [0, 1, 0], [0.25, 0.5, 0.25], 1 - 2 * 0.75 / 1.75),
    # One pixel: no variance, l = (2 · 1/2 · 1 + C1) / (1/4 + 1 + C1).
    ("ssim", {}, [1], [0.5], 1 - 1.0001 / 1.2501),
    # Two scales of it: l to the second's exponent, 0.2856 / (0.0448 + 0.2856).
    ("ssim", {"scales": 2}, [1], [0.5], 1 - (1.0001 / 1.2501) ** (0.2856 / 0.3304)),
    ("exponential_logarithmic", {}, *HALF, 0.8 * np.log(1.5) ** 0.3 + 0.2 * LN2**0.3),
    # F = (0.6 log 2 + 0.4 √½ log 2) / 2; I = 1.5 / (0.5 + 0.3 + 0.2 + 1) = 3/4 for both, T = (1/4 + √¼) / 2.
    ("unified_focal", {}, *HALF, 0.5 * (0.6 + 0.4 * 0.5**0.5) * LN2 / 2 + 0.5 * 0.375),
    # Dice is 1/3 in all that follow.
    ("dice_focal", {"weight": 0.25}, *HALF, 0.25 * LN2 / 4 + 0.75 / 3),
    ("dice_topk", {"weight": 0.25}, *HALF, 0.25 * LN2 + 0.75 / 3),
    # Without a schedule a = 0.99; phi = -1/2, 1/2.
    ("dice_boundary", {}, *HALF, 0.99 * 0.25 + 0.01 / 3),
    # (p - g)² = 1/4 at distance 1 from the truth's boundary; nothing is above 1/2, so the prediction has none.
    ("dice_hausdorff", {"weight": 0.25}, *HALF, 0.25 * np.log(1.25) + 0.75 / 3),
    # Dice 1 - (1 + 1) / (1 + 1 + 1).
    (
        "dice_cldice",
        {"weight": 0.25, "iterations": 0},
        [0, 1, 0],
        [0.25, 0.5, 0.25],
        0.25 * (1 - 1.5 / 1.75) + 0.75 / 3,
    ),
    ("weighted_sum", {}, *HALF, LN2 / 2 + 1 / 6),
    ("deep_supervision", {}, *HALF, LN2 / 2 + 1 / 6),
]


@pytest.mark.parametrize(("name", "options", "truth", "probabilities", "expected"), BY_HAND)
def test_by_hand(name, options, truth, probabilities, expected):
    np.testing.assert_allclose(_value(name, *_row(truth, probabilities), **options), [expected], rtol=2e-6, atol=1e-7)


# Softmax of (0, 0, log 2) is (1/4, 1/4, 1/2); the truth is class 2, then class 0.
ODDS = ([[[[2], [0]]]], [[[[0.0, 0, LN2], [0, 0, LN2]]]])


def test_focal_of_exclusive_classes_has_one_term_a_pixel():
    # (1/2)² log 2 and (3/4)² log 4; alpha counts the first, not background, as 0.25 and the second as 0.75.
    np.testing.assert_allclose(_value("focal", *ODDS, THREE), [(1 / 4 + 9 / 8) * LN2 / 2], rtol=1e-6)
    weighted = _value("focal", *ODDS, THREE, alpha=0.25)
    np.testing.assert_allclose(weighted, [(0.25 / 4 + 0.75 * 9 / 8) * LN2 / 2], rtol=1e-6)


def test_focal_of_exclusive_classes_one_against_the_rest_is_the_sigmoid_form():
    # Sigmoids of 0 and log 2 are 1/2 and 2/3. Pixel 1: 2 · 1/4 log 2 + 1/9 log 3/2; pixel 2: 2 · 1/4 log 2 + 4/9 log 3.
    expected = (LN2 + np.log(1.5) / 9 + 4 * np.log(3) / 9) / 6
    np.testing.assert_allclose(_value("focal", *ODDS, THREE, softmax=False), [expected], rtol=1e-6)


def test_focal_without_focus_is_the_cross_entropy():
    np.testing.assert_allclose(_value("focal", *ODDS, THREE, gamma=0.0), _value("ce", *ODDS, THREE), rtol=1e-6)


def test_class_weights_weigh_pixels_of_a_class():
    # Cross-entropies log 2 (class 2, weight 3) and log 4 (class 0, weight 1): (3 + 2) log 2 / 4.
    np.testing.assert_allclose(_value("weighted_ce", *ODDS, THREE, weights=(1, 1, 3)), [1.25 * LN2], rtol=1e-6)


def test_class_weights_weigh_the_mean_over_classes():
    one, other = (_value("dice", *ODDS, THREE, weights=w) for w in ((1, 0), (0, 1)))
    np.testing.assert_allclose(_value("dice", *ODDS, THREE, weights=(1, 3)), (one + 3 * other) / 4, rtol=1e-6)
    np.testing.assert_allclose(_value("dice", *ODDS, THREE), (one + other) / 2, rtol=1e-6)


def test_wasserstein_dice_forgives_confusing_classes_that_are_alike():
    # Truth nucleus, p = (1/4, 1/4, 1/2): d = 1/4 · 1 + 1/2 · 1/2, T = E = 1/2: 1 - (1 + 1) / (1 + 1/2 + 1)
    alike = ((0, 1, 1), (1, 0, 0.5), (1, 0.5, 0))
    value = _value("wasserstein_dice", [[[[1]]]], [[[[0.0, 0, LN2]]]], THREE, distances=alike)
    np.testing.assert_allclose(value, [0.2], rtol=1e-6)


def test_an_absent_class_has_the_weight_of_the_smallest_present_one_in_generalised_dice():
    # Truth all background, p = 1/2 each: both weights 1: 1 - 2 · 1 / (3 + 1)
    np.testing.assert_allclose(_value("generalised_dice", [[[[0], [0]]]], np.zeros((1, 1, 2, 2)), TWO), [0.5], 1e-4)


MONAI = [
    # Tests of MONAI (Apache-2.0): logits [[1, -1], [-1, 1]], truth [[1, 0], [1, 1]], sigmoid.
    ("tversky", {"alpha": 0.3, "beta": 0.7, "smooth": 1e-6}, 0.3589),
    ("tversky", {"alpha": 0.7, "beta": 0.3, "smooth": 1e-6}, 0.247366),
    ("hausdorff", {}, 0.509329),
    ("hausdorff", {"logarithm": True}, np.log(1.509329)),
]


@pytest.mark.parametrize(("name", "options", "expected"), MONAI)
def test_values_of_monai(name, options, expected):
    truth, logits = np.array([[1, 0], [1, 1]]), np.array([[1, -1], [-1, 1]])
    value = _value(name, truth[None, ..., None], logits[None, ..., None], **options)
    np.testing.assert_allclose(value, [expected], atol=5e-5)


def test_generalised_dice_of_monai():
    logits = np.array([[[-1.0, 1], [0, 0], [1, -1]], [[0, 0], [0, 0], [0, 0]]])[:, None]
    truth = np.array([[1, 0, 0], [1, 1, 0]])[:, None, :, None]
    np.testing.assert_allclose(
        _value("generalised_dice", truth, logits, TWO, smooth=1e-4), [0.273476, 0.555539], atol=1e-6
    )


def test_hausdorff_of_monai_in_3d():
    logits = np.array([[[1.0, -1], [1, -1]], [[-1, 1], [-1, 1]]])[None, ..., None]
    truth = np.array([[[1, 0], [1, 0]], [[0, 0], [1, 1]]])[None, ..., None]
    np.testing.assert_allclose(_value("hausdorff", truth, logits, Task(3, 1, ("cell",))), [0.375718], atol=1e-6)


def test_outputs_of_several_sizes_are_weighed_one_half_less_each():
    rng = np.random.default_rng(0)
    truth, fine, coarse = rng.integers(0, 2, (2, 6, 4, 1)), rng.normal(size=(2, 6, 4, 1)), rng.normal(size=(2, 3, 2, 1))
    # The pixel nearest to the centre of a block of two is its second.
    parts = _value("dice", truth, fine), _value("dice", truth[:, 1::2, 1::2], coarse)
    outputs = [fine.astype("float32"), coarse.astype("float32")]
    value = LOSSES["deep_supervision"](truth, outputs, CELL, loss="dice")
    np.testing.assert_allclose(keras.ops.convert_to_numpy(value), (parts[0] + parts[1] / 2) / 1.5, rtol=1e-6)
    value = LOSSES["deep_supervision"](truth, outputs, CELL, loss="dice", weights=(0, 1))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(value), parts[1], rtol=1e-6)


def test_a_weighted_sum_takes_any_losses_with_their_options():
    rng = np.random.default_rng(0)
    truth, logits = rng.integers(0, 2, (2, 6, 4, 1)), rng.normal(size=(2, 6, 4, 1))
    parts = [{"name": "tversky", "weight": 0.7, "options": {"beta": 0.9}}, {"name": "boundary", "weight": 0.1}]
    expected = 0.7 * _value("tversky", truth, logits, beta=0.9) + 0.1 * _value("boundary", truth, logits)
    np.testing.assert_allclose(_value("weighted_sum", truth, logits, parts=parts), expected, rtol=1e-6)


REFUSED = [
    ("topk", {"fraction": 0.0}, "above 0 and at most 1"),
    ("label_smoothing", {"amount": 1.0}, "from 0 to below 1"),
    ("unified_focal", {"gamma": 1.0}, "from 0 to below 1"),
    ("ssim", {"scales": 6}, "from 1 to 5"),
    ("border_weighted_ce", {"sigma": 8.0}, "at most 7.5 pixels"),
    ("wasserstein_dice", {"distances": ((0, 1), (1, 1))}, "not a 2×2 matrix with 0 on its diagonal"),
    ("dice", {"weights": (1, 2)}, r"weights: \[1, 2\] is not one number.* each of the 1 classes that count"),
    ("weighted_ce", {"weights": (1,)}, "each of the 2 sides of a sigmoid"),
    ("dice_boundary", {"end": 1.5}, "from 0 to 1"),
    ("weighted_sum", {"parts": []}, "no parts"),
    ("weighted_sum", {"parts": [{"weight": 1}]}, "has no `name`"),
    ("weighted_sum", {"parts": [{"name": "diec"}]}, "loss 'diec' is unknown; did you mean 'dice'"),
    ("weighted_sum", {"parts": [{"name": "dice", "wieght": 1}]}, "key 'wieght' is unknown; did you mean 'weight'"),
    ("weighted_sum", {"parts": [{"name": "dice", "options": {"smoth": 1}}]}, "option 'smoth' is unknown"),
    ("deep_supervision", {"loss": "diec"}, "loss 'diec' is unknown"),
    ("deep_supervision", {"weights": (1, 1)}, "not one for each of 1 outputs"),
]


@pytest.mark.parametrize(("name", "options", "message"), REFUSED)
def test_options_that_make_no_sense_are_refused(name, options, message):
    with pytest.raises(SpecError, match=message):
        _value(name, *_row(*HALF), **options)


def test_a_truth_of_another_task_is_refused():
    with pytest.raises(DataError, match="truth has 1 channels; multilabel classes membrane, nucleus need 2"):
        _value(
            "dice", np.zeros((1, 2, 2, 1)), np.zeros((1, 2, 2, 2)), Task(2, 1, ("membrane", "nucleus"), "multilabel")
        )


def test_alpha_weighs_false_positives_as_in_the_paper_whatever_the_installed_keras_does(record_property):
    # One pixel hit, two false positives, none missed: 1 - 1 / (1 + 0.9 · 2) = 0.6429 when alpha weighs false positives,
    # 1 - 1 / (1 + 0.1 · 2) = 0.1667 when it weighs false negatives, as Keras 3.15.1 does (keras#23333).
    truth, prediction = [1, 0, 0, 0], [1, 1, 1, 0]
    ours = _value("tversky", *_row(truth, prediction), alpha=0.9, beta=0.1, smooth=1e-6)
    assert ours == pytest.approx(1 - 1 / 2.8, abs=1e-5)
    theirs = keras.losses.tversky(np.array(truth, "float32"), np.array(prediction, "float32"), alpha=0.9, beta=0.1)
    readings = {"false positives": 1 - 1 / 2.8, "false negatives": 1 - 1 / 1.2}
    found = [name for name, value in readings.items() if float(theirs) == pytest.approx(value, abs=1e-5)]
    assert len(found) == 1, f"keras.losses.tversky gives {float(theirs)}, which is neither reading"
    record_property("keras", f"alpha of keras.losses.tversky in Keras {keras.__version__} weighs {found[0]}")
