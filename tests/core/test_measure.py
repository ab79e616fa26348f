import math

import pytest

from unetbench.core.measure import MEASURES, measure


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
