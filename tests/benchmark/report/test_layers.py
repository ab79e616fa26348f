"""Errors of layers in words."""

import math

from unetbench.benchmark.report.layers import layer_error_text, layer_errors


def test_an_error_is_a_share_and_its_decibels():
    # -20 log10(0.1) = 20; -20 log10(0.5) = 6.02
    assert layer_error_text("conv2d_9", 0.1) == "conv2d_9 10 % (20.0 dB)"
    assert layer_error_text("conv2d", 0.5) == "conv2d 50 % (6.0 dB)"
    assert layer_error_text("conv2d", 1.5) == "conv2d 150 % (-3.5 dB)"
    assert layer_error_text("conv2d", 0.0) == "conv2d 0 %"
    assert layer_error_text("conv2d", math.inf) == "conv2d not finite"


def test_what_became_null_in_a_file_is_infinite_and_rows_without_errors_have_none():
    row = {"layer_errors": [{"layer": "a", "error": None}, {"layer": "b", "error": 0.25}]}
    assert layer_errors(row) == [("a", math.inf), ("b", 0.25)]
    assert layer_errors({}) == []
