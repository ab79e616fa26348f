import math

import pytest

from unetbench.core.measure import MEASURES, measure, signed


def test_a_metric_with_options_has_the_line_of_the_metric_and_its_options_in_the_title():
    found = measure("nsd(tolerance_mm=2)")
    assert (found.name, found.title, found.best, found.worst) == ("nsd(tolerance_mm=2)", "NSD (tolerance_mm=2)", 1, 0)


@pytest.mark.parametrize("name", ["mine", "mine(depth=2)"])
def test_what_nobody_described_has_its_name_four_digits_and_no_worst_value(name):
    found = measure(name)
    assert (found.name, found.title, found.better, found.text(1 / 3)) == (name, name, "none", "0.3333")
    assert math.isnan(found.worst)


def test_the_worst_distance_is_infinite_and_every_other_score_has_an_end():
    for reading in MEASURES.values():
        if reading.best == reading.best and reading.worst == reading.worst:
            assert math.isinf(reading.worst) == (reading.unit in ("mm", "px")), reading.name
            assert (reading.better == "lower") == (reading.worst > reading.best), reading.name


def test_distances_in_pixels_say_so():
    assert measure("hd95_pooled_px").title == "HD95 (pooled) [px]"
    assert (measure("hd").unit, measure("hd_px").unit) == ("mm", "px")


@pytest.mark.parametrize(
    ("value", "text"), [(-0.00004, "+0.0000"), (0.0, "+0.0000"), (-0.00006, "-0.0001"), (0.01234, "+0.0123")]
)
def test_a_difference_that_rounds_to_zero_has_no_minus(value, text):
    assert signed(value, 4) == text


def test_no_score_is_minus_zero():
    assert (measure("mcc").text(-0.0004), measure("mcc").text(-0.0006)) == ("0.000", "-0.001")
    assert (measure("macs").text(1234567), measure("mine").text(-0.0)) == ("1,234,567", "0")
