import math

import pytest

from unetbench.core.errors import SpecError
from unetbench.metrics.empty import POLICIES, apply, describe

NAN = math.nan

# What the tool named says of a case whose truth, prediction or both are empty; raw values are those of the formula.
NAMED = ("nan_worst", "nnunet", "monai", "smp", "surface_distance", "metrics_reloaded", "stardist")
TABLE = [
    # measure, raw, empty, then the policies as above; the diagonal is 50
    ("dice", NAN, "both", NAN, NAN, NAN, 1.0, NAN, 1.0, 0.0),
    ("dice", 0.0, "truth", 0.0, 0.0, NAN, 0.0, 0.0, 0.0, 0.0),
    ("dice", 0.0, "prediction", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ("iou", NAN, "both", NAN, NAN, NAN, 1.0, NAN, NAN, 0.0),
    ("iou", 0.0, "truth", 0.0, 0.0, NAN, 0.0, 0.0, 0.0, 0.0),
    ("precision", NAN, "prediction", 0.0, NAN, NAN, 1.0, NAN, 0.0, 0.0),
    ("precision", NAN, "both", NAN, NAN, NAN, 1.0, NAN, NAN, 0.0),
    ("recall", NAN, "truth", 0.0, NAN, NAN, 1.0, NAN, NAN, 0.0),
    ("recall", 0.0, "prediction", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ("dice", 0.7, "none", 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7),
    ("mcc", NAN, "truth", -1.0, NAN, NAN, 1.0, NAN, NAN, 0.0),
    ("volume_difference", 1.0, "truth", 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    ("hd", NAN, "both", NAN, NAN, NAN, NAN, math.inf, 0.0, NAN),
    ("hd", NAN, "truth", 50.0, NAN, math.inf, NAN, math.inf, NAN, NAN),
    ("hd95_directed_px", NAN, "prediction", 50.0, NAN, NAN, NAN, math.inf, NAN, NAN),
    ("assd_px", NAN, "prediction", 50.0, NAN, math.inf, NAN, math.inf, NAN, NAN),
    ("hd95_directed_px", NAN, "both", NAN, NAN, NAN, NAN, math.inf, 0.0, NAN),
    ("assd", NAN, "both", NAN, NAN, NAN, NAN, NAN, 0.0, NAN),
    ("hd", 7.0, "none", 7.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0),
    ("nsd", NAN, "both", NAN, NAN, NAN, 1.0, NAN, 1.0, 0.0),
    ("nsd(tolerance_mm=2)", NAN, "both", NAN, NAN, NAN, 1.0, NAN, 1.0, 0.0),
    ("nsd", 0.0, "truth", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ("pq", NAN, "both", NAN, NAN, 0.0, 1.0, NAN, NAN, 0.0),
    ("sq", NAN, "both", NAN, NAN, 0.0, 1.0, NAN, NAN, 0.0),
    ("sq", NAN, "none", NAN, NAN, 0.0, 1.0, NAN, NAN, 0.0),
    ("specificity", 0.9, "truth", 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9),
    ("brier", 0.2, "both", 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2),
    ("of_a_plugin", NAN, "truth", NAN, NAN, NAN, 1.0, NAN, NAN, NAN),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[2]}")
def test_policies_give_what_the_named_tools_give(row):
    measure, raw, empty, *expected = row
    assert set(POLICIES) == set(NAMED)
    values = [apply(policy, measure, raw, empty, 50.0) for policy in NAMED]
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
