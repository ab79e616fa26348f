"""What a sum of losses tells of its terms, and which names inside its options are refused."""

import numpy as np
import pytest

from unetbench.core.errors import SpecError
from unetbench.core.task import Task
from unetbench.losses import LOSSES
from unetbench.losses.nested import check
from unetbench.losses.terms import collected, note

CELL = Task(2, 1, ("cell",))
TRUTH = (np.random.default_rng(0).random((2, 8, 8, 1)) > 0.5).astype("float32")
LOGITS = np.random.default_rng(1).normal(size=(2, 8, 8, 1)).astype("float32")
SUMS = {
    "bce_dice": ("ce", "dice"),
    "dice_focal": ("focal", "dice"),
    "dice_topk": ("topk", "dice"),
    "dice_hausdorff": ("log hausdorff", "dice"),
    "dice_cldice": ("cldice", "dice"),
    "exponential_logarithmic": ("log dice", "log ce"),
    "unified_focal": ("focal", "focal tversky"),
}


@pytest.mark.parametrize("name", SUMS)
def test_a_sum_is_its_weighted_terms(name):
    weight = 0.3
    with collected() as found:
        value = LOSSES[name](TRUTH, LOGITS, CELL, weight=weight)
    assert tuple(found) == SUMS[name]
    first, second = (np.asarray(term) for term in found.values())
    np.testing.assert_allclose(np.asarray(value), weight * first + (1 - weight) * second, rtol=1e-5)


def test_the_terms_of_a_weighted_sum_are_its_parts_and_equal_names_are_numbered():
    parts = [{"name": "tversky", "weight": 2}, {"name": "bce_dice"}, {"name": "tversky", "options": {"beta": 0.2}}]
    with collected() as found:
        value = LOSSES["weighted_sum"](TRUTH, LOGITS, CELL, parts=parts)
    assert list(found) == ["tversky", "bce_dice", "tversky 2"]
    terms = [np.asarray(term) for term in found.values()]
    np.testing.assert_allclose(np.asarray(value), 2 * terms[0] + terms[1] + terms[2], rtol=1e-5)


def test_the_terms_of_deep_supervision_are_its_outputs():
    with collected() as found:
        LOSSES["deep_supervision"](TRUTH, [LOGITS, LOGITS[:, ::2, ::2]], CELL)
    assert list(found) == ["output 0", "output 1"]


def test_noting_where_nobody_gathers_does_nothing():
    assert note("dice", 1.0) == 1.0
    with collected() as found:
        LOSSES["dice"](TRUTH, LOGITS, CELL)
    assert found == {}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("weighted_sum", {"parts": [{"name": "diec"}]}, "loss 'diec' is unknown; did you mean 'dice'"),
        ("weighted_sum", {"parts": [{"name": "dice", "wieght": 1}]}, "key 'wieght' is unknown; did you mean 'weight'"),
        ("weighted_sum", {"parts": [{"name": "dice", "weight": "x"}]}, "weight of dice is 'x', which is no number"),
        ("weighted_sum", {"parts": ["dice"]}, "'dice' in parts is not a mapping"),
        ("weighted_sum", {"parts": [{"weight": 1}]}, "has no `name`"),
        ("weighted_sum", {"parts": []}, "no parts; give a list"),
        ("weighted_sum", {"parts": 5}, "no parts; give a list"),
        ("weighted_sum", {"parts": [{"name": ["bce"]}]}, r"\['bce'\] in parts is no name of a loss"),
        ("weighted_sum", {"parts": [{"name": "bce", 5: 1}]}, "key '5' is unknown"),
        ("deep_supervision", {"loss": "diec"}, "loss 'diec' is unknown"),
        ("deep_supervision", {"loss": "dice", "options": {"smoth": 1}}, "dice: option 'smoth' is unknown"),
        (
            "weighted_sum",
            {"parts": [{"name": "weighted_sum", "options": {"parts": [{"name": "bec"}]}}]},
            "loss 'bec' is unknown; did you mean 'bce'",
        ),
    ],
)
def test_a_wrong_name_inside_the_options_is_told_without_computing(name, options, message):
    with pytest.raises(SpecError, match=message):
        check(name, options)
