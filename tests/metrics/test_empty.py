import math

import pytest

from unetbench.core.errors import SpecError
from unetbench.metrics.empty import POLICIES, apply, describe

NAN = math.nan

# What the tool named says of a case whose truth, prediction or both are empty; raw values are those of the formula.
TABLE = [
    # measure, raw, empty, nan_worst, nnunet, monai, smp
    ("dice", NAN, "both", NAN, NAN, NAN, 1.0),
    ("dice", 0.0, "truth", 0.0, 0.0, NAN, 0.0),
    ("dice", 0.0, "prediction", 0.0, 0.0, 0.0, 0.0),
    ("iou", NAN, "both", NAN, NAN, NAN, 1.0),
    ("iou", 0.0, "truth", 0.0, 0.0, NAN, 0.0),
    ("precision", NAN, "prediction", 0.0, NAN, NAN, 1.0),
    ("recall", NAN, "truth", 0.0, NAN, NAN, 1.0),
    ("recall", 0.0, "prediction", 0.0, 0.0, 0.0, 0.0),
    ("dice", 0.7, "none", 0.7, 0.7, 0.7, 0.7),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[2]}")
def test_policies_give_what_the_named_tools_give(row):
    measure, raw, empty, *expected = row
    values = [apply(policy, measure, raw, empty) for policy in ("nan_worst", "nnunet", "monai", "smp")]
    assert values == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_value_that_a_record_stored_as_null_is_undefined(policy):
    assert apply(policy, "dice", None, "both") == pytest.approx(apply(policy, "dice", NAN, "both"), nan_ok=True)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_says_in_one_line_what_it_does(policy):
    text = describe(policy)
    assert policy in text
    assert text.endswith(".")
    assert "\n" not in text


@pytest.mark.parametrize("ask", [lambda: apply("nnnet", "dice", 1.0, "none"), lambda: describe("nnnet")])
def test_an_unknown_policy_is_an_error_that_names_the_nearest(ask):
    with pytest.raises(SpecError, match="did you mean 'nnunet'"):
        ask()
